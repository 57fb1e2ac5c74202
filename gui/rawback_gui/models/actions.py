# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be done, with its shortcut: menus, keys and the sheet of both are made of it.

Shortcuts are in Qt's portable notation, where Ctrl is the command key on a Mac.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACTIONS", "MENUS", "Action"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes:
        name: For programs.
        menu: Which menu it is in.
        text: For people; an ampersand marks its key in the menu.
        shortcuts: Keys, the first one is shown.
        group: Actions of one group exclude each other; empty for none.
        checkable: Whether it is on or off.
        needs: What has to be there: "" for nothing, "picture", "pair" (with an original), "rate"
            (a prepared pair).
    """

    name: str
    menu: str
    text: str
    shortcuts: tuple[str, ...]
    group: str = ""
    checkable: bool = False
    needs: str = ""


MENUS = {
    "file": "&File",
    "edit": "&Edit",
    "view": "&View",
    "compare": "&Compare",
    "raw": "&Raw",
    "errors": "Err&ors",
    "rate": "&Rate",
    "help": "&Help",
}


def _group(menu: str, group: str, needs: str, *rows: tuple[str, str, str]) -> tuple[Action, ...]:
    return tuple(
        Action(name, menu, text, (keys,), group=group, checkable=True, needs=needs)
        for name, text, keys in rows
    )


ACTIONS: tuple[Action, ...] = (
    Action("open", "file", "&Open\u2026", ("Ctrl+O",)),
    Action("save", "file", "&Save carrier\u2026", ("Ctrl+S",), needs="rate"),
    Action(
        "save_in_place",
        "file",
        "Save &into the JPEG, keeping the original",
        ("Ctrl+Shift+S",),
        needs="rate",
    ),
    Action("save_sidecar", "file", "Save &payload beside\u2026", ("Ctrl+Shift+P",), needs="rate"),
    Action("export_dng", "file", "Export restored &DNG\u2026", ("Ctrl+E",), needs="picture"),
    Action("export_map", "file", "Export error &map (PNG)\u2026", ("Ctrl+M",), needs="pair"),
    Action(
        "export_numbers",
        "file",
        "Export error &numbers (CSV)\u2026",
        ("Ctrl+Shift+M",),
        needs="pair",
    ),
    Action("batch", "file", "&Batch\u2026", ("Ctrl+B",)),
    Action("close", "file", "&Close picture", ("Ctrl+W",), needs="picture"),
    Action("quit", "file", "&Quit", ("Ctrl+Q",)),
    Action("copy_view", "edit", "&Copy view", ("Ctrl+C",), needs="picture"),
    Action("copy_command", "edit", "Copy command &line", ("Ctrl+Shift+C",), needs="picture"),
    Action("cancel", "edit", "Cancel &work", ("Escape",)),
    Action("fit", "view", "&Fit in window", ("F", "Ctrl+0"), needs="picture"),
    Action("actual", "view", "&Actual pixels (1:1)", ("1", "Ctrl+1"), needs="picture"),
    Action("zoom_in", "view", "Zoom &in", ("+", "=", "Ctrl++"), needs="picture"),
    Action("zoom_out", "view", "Zoom &out", ("-", "Ctrl+-"), needs="picture"),
    Action("pan_left", "view", "Pan &left", ("Left",), needs="picture"),
    Action("pan_right", "view", "Pan &right", ("Right",), needs="picture"),
    Action("pan_up", "view", "Pan &up", ("Up",), needs="picture"),
    Action("pan_down", "view", "Pan &down", ("Down",), needs="picture"),
    Action("bits", "view", "&Bits per tile", ("B",), checkable=True, needs="picture"),
    Action("next_order", "view", "Next order mas&k", ("O",), needs="picture"),
    Action("panel", "view", "Side &panel", ("Ctrl+\\",), checkable=True),
    Action("full_screen", "view", "Full &screen", ("F11",), checkable=True),
    *_group(
        "compare",
        "layout",
        "",
        ("layout_side", "Side &by side", "S"),
        ("layout_split", "Sp&lit", "D"),
        ("layout_swipe", "S&wipe", "W"),
        ("layout_flip", "&Hold to flip", "H"),
    ),
    Action("flip", "compare", "&Flip (hold)", ("Space",), needs="picture"),
    Action("turn_divider", "compare", "&Turn divider", ("T",), needs="picture"),
    Action("divider_less", "compare", "Divider left or &up", (",",), needs="picture"),
    Action("divider_more", "compare", "Divider right or dow&n", (".",), needs="picture"),
    Action("swap", "compare", "E&xchange sides", ("X",), needs="picture"),
    *_group(
        "compare",
        "left",
        "",
        ("left_carrier", "Left: &JPEG", "Alt+1"),
        ("left_original", "Left: &original raw", "Alt+2"),
        ("left_restored", "Left: &restored raw", "Alt+3"),
        ("left_error", "Left: &error map", "Alt+4"),
    ),
    *_group(
        "compare",
        "right",
        "",
        ("right_carrier", "Right: JPE&G", "Ctrl+Alt+1"),
        ("right_original", "Right: or&iginal raw", "Ctrl+Alt+2"),
        ("right_restored", "Right: re&stored raw", "Ctrl+Alt+3"),
        ("right_error", "Right: error &map", "Ctrl+Alt+4"),
    ),
    Action("brighter", "raw", "&Brighter by 1/3 EV", ("]",), needs="picture"),
    Action("darker", "raw", "&Darker by 1/3 EV", ("[",), needs="picture"),
    Action("exposure_zero", "raw", "&Exposure 0", ("0",), needs="picture"),
    Action("pick_white", "raw", "&Pick white balance", ("P",), checkable=True, needs="picture"),
    Action("camera_white", "raw", "&Camera white balance", ("Shift+P",), needs="picture"),
    Action("linear", "raw", "&Linear light", ("L",), checkable=True, needs="picture"),
    Action("raw_clipping", "raw", "&Raw clipping", ("C",), checkable=True, needs="picture"),
    Action(
        "carrier_clipping", "raw", "&JPEG clipping", ("Shift+C",), checkable=True, needs="picture"
    ),
    Action("show_errors", "errors", "&Show error map", ("E",), checkable=True, needs="pair"),
    *_group(
        "errors",
        "kind",
        "pair",
        ("kind_absolute", "&Absolute", "A"),
        ("kind_signed", "Si&gned", "G"),
        ("kind_relative", "&Relative", "R"),
    ),
    *_group(
        "errors",
        "unit",
        "pair",
        ("unit_DN", "Digital &numbers", "Shift+D"),
        ("unit_EV", "&EV", "Shift+E"),
        ("unit_sigma", "Noise sig&ma", "Shift+S"),
    ),
    Action("log", "errors", "&Logarithmic scale", ("Shift+L",), checkable=True, needs="pair"),
    Action("next_channel", "errors", "Next &channel", ("N",), needs="pair"),
    Action("next_colormap", "errors", "Next c&olor map", ("M",), needs="pair"),
    Action("auto_range", "errors", "A&utomatic range", ("Shift+A",), needs="pair"),
    Action("select_view", "errors", "Statistics of the &view", ("V",), needs="pair"),
    Action("clear_selection", "errors", "Clear selec&tion", ("Shift+V",), needs="pair"),
    Action("smaller", "rate", "&Smaller", ("Ctrl+Left",), needs="rate"),
    Action("larger", "rate", "&Larger", ("Ctrl+Right",), needs="rate"),
    Action("smallest", "rate", "S&mallest", ("Ctrl+Home",), needs="rate"),
    Action("lossless", "rate", "L&ossless", ("Ctrl+End",), needs="rate"),
    Action("enter_rate", "rate", "&Enter a rate\u2026", ("Ctrl+R",), needs="rate"),
    Action("shortcuts", "help", "&Shortcuts", ("?", "F1")),
    Action("about", "help", "&About rawback", ("Shift+F1",)),
)
