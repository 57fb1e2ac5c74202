# SPDX-License-Identifier: GPL-3.0-or-later
"""Menus and shortcuts, made of the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QActionGroup, QKeySequence

from rawback_gui.models.actions import ACTIONS, MENUS, Action
from rawback_gui.models.filenames import shortened
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtWidgets import QMainWindow, QMenu, QWidget

    from rawback_gui.models.pairing import Pair
    from rawback_gui.models.state import ViewState

__all__ = ["Menus"]

_ON_CANVAS = ("pan_left", "pan_right", "pan_up", "pan_down")
"""Actions whose keys other widgets need themselves."""

_NAME_LENGTH = 48


class Menus:
    """The menu bar.

    Attributes:
        actions: By their names.
    """

    def __init__(self, window: QMainWindow, canvas: QWidget, run: Callable[[str], None]) -> None:
        """Fill a window's menu bar.

        Args:
            window: The window.
            canvas: The widget that some keys are for.
            run: Called with the name of the action that people choose.
        """
        self.actions: dict[str, QAction] = {}
        self._recent: QMenu | None = None
        self._groups: dict[str, QActionGroup] = {}
        bar = window.menuBar()
        for name, title in MENUS.items():
            menu = None if bar is None else bar.addMenu(tr(title))
            if menu is not None:
                self._fill(menu, [item for item in ACTIONS if item.menu == name], window)
        for name in _ON_CANVAS:
            self.actions[name].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            canvas.addAction(self.actions[name])
        for name, action in self.actions.items():
            action.triggered.connect(lambda _on, name=name: run(name))

    def _fill(self, menu: QMenu, items: list[Action], window: QMainWindow) -> None:
        group = items[0].group
        for item in items:
            if item.group != group:
                menu.addSeparator()
                group = item.group
            action = QAction(tr(item.text), window)
            action.setObjectName(item.name)
            action.setCheckable(item.checkable)
            if item.name == "flip":
                # A key that is held is no shortcut; the canvas sees it pressed and let go.
                action.setText(f"{tr(item.text)}\t{item.shortcuts[0]}")
            else:
                action.setShortcuts([QKeySequence(keys) for keys in item.shortcuts])
            if item.group:
                self._groups.setdefault(item.group, QActionGroup(window)).addAction(action)
            menu.addAction(action)
            self.actions[item.name] = action
            if item.name == "open":
                self._recent = menu.addMenu(tr("Open &recent"))

    def recent_wanted(
        self,
        recent: Callable[[], tuple[Pair, ...]],
        open_pair: Callable[[Pair], None],
        forget: Callable[[], None],
    ) -> None:
        """Fill the menu of recent files whenever it is shown.

        Args:
            recent: What was open lately.
            open_pair: Opens one of it again.
            forget: Clears it.
        """
        menu = self._recent
        if menu is None:
            return

        def fill() -> None:
            menu.clear()
            for pair in recent():
                name = shortened(pair.name, _NAME_LENGTH).replace("&", "&&")
                action = menu.addAction(name)
                if action is not None:
                    action.triggered.connect(lambda _on, pair=pair: open_pair(pair))
            menu.addSeparator()
            action = menu.addAction(tr("&Clear"))
            if action is not None:
                action.triggered.connect(forget)

        menu.aboutToShow.connect(fill)

    def show_state(self, state: ViewState, there: set[str], on: set[str]) -> None:
        """Enable what can be done and check what is on.

        Args:
            state: What people have asked for.
            there: What is there of that which actions need.
            on: Names of actions that are on for other reasons than the state.
        """
        flags = {
            "raw_clipping": {"raw_highlights", "raw_shadows"} <= state.clipping,
            "jpeg_clipping": {"jpeg_highlights", "jpeg_shadows"} <= state.clipping,
            "log": state.errors.log,
            "lock_range": state.errors.top is not None,
            "bits": "bits" in state.overlays,
            "show_errors": "error" in (state.left, state.right),
        }
        checked = on | {name for name, set_ in flags.items() if set_}
        checked |= {f"layout_{state.layout}", f"left_{state.left}", f"right_{state.right}"}
        checked |= {f"kind_{state.errors.kind}", f"unit_{state.errors.unit}"}
        checked |= {f"rendering_{state.development.rendering}"}
        for item in ACTIONS:
            action = self.actions[item.name]
            action.setEnabled(item.needs in there)
            if item.checkable:
                action.setChecked(item.name in checked)
