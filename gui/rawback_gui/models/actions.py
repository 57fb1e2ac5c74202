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
        needs: What has to be there: "" for nothing, "picture", "pair" (with a prepared original),
            "carrier" (one that is alone), "raw_file" (kept in it), "latents" (a learned layer),
            "previous" and "next" (shots of the folder), or "measuring".
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
    "light": "&Light",
    "errors": "Err&ors",
    "rate": "&Rate",
    "carrier": "Carr&ier",
    "help": "&Help",
}


def _group(menu: str, group: str, needs: str, *rows: tuple[str, str, str]) -> tuple[Action, ...]:
    return tuple(
        Action(name, menu, text, (keys,), group=group, checkable=True, needs=needs)
        for name, text, keys in rows
    )


ACTIONS: tuple[Action, ...] = (
    Action("open", "file", "&Open\u2026", ("Ctrl+O",)),
    Action("previous", "file", "&Previous shot", ("PgUp",), needs="previous"),
    Action("next", "file", "&Next shot", ("PgDown",), needs="next"),
    Action("save", "file", "&Save carrier\u2026", ("Ctrl+S",), needs="pair"),
    Action("save_in_place", "file", "Save &into the JPEG", ("Ctrl+Shift+S",), needs="pair"),
    Action("save_sidecar", "file", "Save payload besi&de\u2026", ("Ctrl+Shift+P",), needs="pair"),
    Action("export_dng", "file", "&Export restored DNG\u2026", ("Ctrl+E",), needs="picture"),
    Action(
        "export_original",
        "file",
        "Export ori&ginal file\u2026",
        ("Ctrl+Shift+E",),
        needs="raw_file",
    ),
    Action("export_map", "file", "Export error &map (PNG)\u2026", ("Ctrl+M",), needs="pair"),
    Action(
        "export_numbers",
        "file",
        "Export error n&umbers (CSV)\u2026",
        ("Ctrl+Shift+M",),
        needs="pair",
    ),
    Action("batch", "file", "&Batch\u2026", ("Ctrl+B",)),
    Action("close", "file", "&Close picture", ("Ctrl+W",), needs="picture"),
    Action("quit", "file", "&Quit", ("Ctrl+Q",)),
    Action("copy_view", "edit", "&Copy view", ("Ctrl+C",), needs="picture"),
    Action("copy_command", "edit", "Copy command &line", ("Ctrl+Shift+C",), needs="picture"),
    Action("cancel", "edit", "&Dismiss message, or cancel", ("Escape",)),
    Action("fit", "view", "&Fit in window", ("F", "Ctrl+0"), needs="picture"),
    Action("actual", "view", "&Actual pixels (1:1)", ("1", "Ctrl+1"), needs="picture"),
    Action("zoom_in", "view", "Zoom &in", ("+", "=", "Ctrl++"), needs="picture"),
    Action("zoom_out", "view", "Zoom &out", ("-", "Ctrl+-"), needs="picture"),
    Action("pan_left", "view", "Pan &left", ("Left",), needs="picture"),
    Action("pan_right", "view", "Pan &right", ("Right",), needs="picture"),
    Action("pan_up", "view", "Pan &up", ("Up",), needs="picture"),
    Action("pan_down", "view", "Pan &down", ("Down",), needs="picture"),
    Action("panel", "view", "Side &panel", ("Ctrl+\\",), checkable=True),
    Action("full_screen", "view", "Full &screen", ("F11",), checkable=True),
    *_group(
        "view",
        "theme",
        "",
        ("theme_system", "Colors of the s&ystem", "Ctrl+Alt+Y"),
        ("theme_light", "Li&ght", "Ctrl+Alt+L"),
        ("theme_dark", "Dar&k", "Ctrl+Alt+D"),
    ),
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
        ("left_restored", "Left: &restored raw", "Alt+2"),
        ("left_original", "Left: &original raw", "Alt+3"),
        ("left_error", "Left: &error map", "Alt+4"),
    ),
    *_group(
        "compare",
        "right",
        "",
        ("right_carrier", "Right: JPE&G", "Ctrl+Alt+1"),
        ("right_restored", "Right: re&stored raw", "Ctrl+Alt+2"),
        ("right_original", "Right: or&iginal raw", "Ctrl+Alt+3"),
        ("right_error", "Right: error &map", "Ctrl+Alt+4"),
    ),
    Action("brighter", "light", "&Brighter by 1/3 EV", ("]",), needs="picture"),
    Action("darker", "light", "&Darker by 1/3 EV", ("[",), needs="picture"),
    Action("push", "light", "&Push to the next mark", ("Ctrl+]",), needs="picture"),
    Action("pull", "light", "P&ull to the mark before", ("Ctrl+[",), needs="picture"),
    Action("exposure_zero", "light", "&Exposure 0", ("0",), needs="picture"),
    Action("pick_white", "light", "Pick &white balance", ("P",), checkable=True, needs="picture"),
    Action("camera_white", "light", "White balance as sho&t", ("Shift+P",), needs="picture"),
    *_group(
        "light",
        "rendering",
        "",
        ("rendering_match", "&Match the JPEG\u2019s look", "J"),
        ("rendering_neutral", "&Neutral look", "U"),
        ("rendering_linear", "&Linear light", "L"),
    ),
    Action("raw_clipping", "light", "&Raw clipping", ("C",), checkable=True, needs="picture"),
    Action(
        "jpeg_clipping", "light", "&JPEG clipping", ("Shift+C",), checkable=True, needs="picture"
    ),
    Action("show_errors", "errors", "&Show error map", ("E",), checkable=True, needs="pair"),
    *_group(
        "errors",
        "kind",
        "pair",
        ("kind_absolute", "&Absolute", "A"),
        ("kind_signed", "Si&gned", "G"),
        ("kind_relative", "&Relative", "R"),
        ("kind_visible", "As &it is seen", "I"),
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
    Action("lock_range", "errors", "Loc&k the range", ("K",), checkable=True, needs="pair"),
    Action("auto_range", "errors", "A&utomatic range", ("Shift+A",), needs="pair"),
    Action("select_view", "errors", "Statistics of the &view", ("V",), needs="pair"),
    Action("clear_selection", "errors", "Clear selec&tion", ("Shift+V",), needs="pair"),
    Action("smaller", "rate", "&Smaller", ("Ctrl+Left",), needs="pair"),
    Action("larger", "rate", "&Larger", ("Ctrl+Right",), needs="pair"),
    Action("smallest", "rate", "S&mallest", ("Ctrl+Home",), needs="pair"),
    Action("preset_highlights", "rate", "&Highlights back", ("Ctrl+H",), needs="pair"),
    Action("preset_noise", "rate", "As good as &noise", ("Ctrl+N",), needs="pair"),
    Action("preset_lossless", "rate", "L&ossless", ("Ctrl+End",), needs="pair"),
    Action("enter_rate", "rate", "&Enter a rate\u2026", ("Ctrl+R",), needs="pair"),
    Action("stop_measuring", "rate", "Stop meas&uring", ("Ctrl+.",), needs="measuring"),
    Action("expert", "rate", "E&xpert figures", ("Ctrl+Shift+X",), checkable=True),
    Action("bits", "rate", "&Bits per tile", ("B",), checkable=True, needs="picture"),
    Action("next_order", "rate", "Next &coding order", ("O",), needs="latents"),
    Action("verify", "carrier", "&Verify", ("Ctrl+I",), needs="carrier"),
    Action("grain", "carrier", "Sho&w with grain", ("Shift+G",), checkable=True, needs="carrier"),
    Action("shrink", "carrier", "&Shrink\u2026", ("Ctrl+K",), needs="carrier"),
    Action("strip", "carrier", "&Take the raw out\u2026", ("Ctrl+Shift+T",), needs="carrier"),
    Action("export_grain", "carrier", "Export DNG with &grain\u2026", ("Ctrl+G",), needs="carrier"),
    Action("compare_raw", "carrier", "&Compare with its raw\u2026", ("Ctrl+J",), needs="carrier"),
    Action("shortcuts", "help", "&Shortcuts", ("?", "F1")),
    Action("about", "help", "&About rawback", ("Shift+F1",)),
)
