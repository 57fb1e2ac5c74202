# SPDX-License-Identifier: GPL-3.0-or-later
"""All actions and their keys on one sheet."""

from __future__ import annotations

from html import escape

from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from rawback_gui.models.actions import ACTIONS, MENUS
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import theme_of

__all__ = ["ShortcutSheet", "plain"]

_COLUMNS = 3


def plain(text: str) -> str:
    """A menu's text without the mark of its key."""
    return text.replace("&", "")


class ShortcutSheet(QDialog):
    """The sheet that ``?`` shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Shortcuts"))
        self.text = QTextBrowser()
        self.text.setAccessibleName(tr("Shortcuts"))
        self.text.setHtml(self._html())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(1160, 670)

    def _html(self) -> str:
        columns: list[list[str]] = [[] for _ in range(_COLUMNS)]
        lengths = [0] * _COLUMNS
        faint = theme_of(self).faint.name()
        for menu, title in MENUS.items():
            rows = [
                f"<tr><td style='padding:1px 18px 1px 0'>{escape(plain(tr(action.text)))}</td>"
                f"<td style='color:{faint}'>{escape(_keys(action.shortcuts))}</td></tr>"
                for action in ACTIONS
                if action.menu == menu
            ]
            column = lengths.index(min(lengths))
            lengths[column] += len(rows) + 2
            columns[column].append(
                f"<h3>{escape(plain(tr(title)))}</h3><table>{''.join(rows)}</table>"
            )
        mouse = (
            (tr("Wheel, pinch"), tr("zoom at the pointer")),
            (tr("Drag"), tr("pan, or move the divider")),
            (tr("Shift-drag"), tr("statistics of a region")),
            (tr("Double-click"), tr("between fit and 1:1")),
        )
        rows = [
            f"<tr><td style='padding:1px 18px 1px 0'>{escape(a)}</td>"
            f"<td style='color:{faint}'>{escape(b)}</td></tr>"
            for a, b in mouse
        ]
        column = lengths.index(min(lengths))
        columns[column].append(f"<h3>{escape(tr('Mouse'))}</h3><table>{''.join(rows)}</table>")
        cells = (f"<td valign='top'>{''.join(column)}</td>" for column in columns)
        return f"<table width='100%'><tr>{''.join(cells)}</tr></table>"


def _keys(shortcuts: tuple[str, ...]) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(keys).toString(native) for keys in shortcuts)
