# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as an app: menus, names, room for every text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication

if TYPE_CHECKING:
    from rawback_gui.views._qt.window import MainWindow


def test_every_action_is_in_a_menu_and_on_the_sheet(window: MainWindow) -> None:
    window.show_shortcuts()
    sheet = QApplication.activeModalWidget() or next(
        w for w in QApplication.topLevelWidgets() if w.windowTitle() == "Shortcuts"
    )
    text = sheet.text.toPlainText()  # type: ignore[attr-defined]
    for name, action in window.menus.actions.items():
        assert action.text().split("\t")[0].replace("&", "") in text, name
        assert action.menu() is None
        assert action.shortcuts() or name == "flip"
    sheet.close()


def test_everything_has_a_name_for_screen_readers(opened: MainWindow) -> None:
    from PyQt6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLineEdit

    for kind in (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit):
        for widget in opened.findChildren(kind):
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(opened):
                text = getattr(widget, "text", str)()
                assert widget.accessibleName() or text, widget.objectName()


def test_nothing_is_clipped_at_1280_by_720(opened: MainWindow) -> None:
    from PyQt6.QtWidgets import QLabel, QPushButton

    opened.panel.setCurrentWidget(opened.errors)
    opened.menus.actions["select_view"].trigger()
    for page in (opened.look, opened.errors):
        opened.panel.setCurrentWidget(page)
        QApplication.processEvents()
        assert page.minimumSizeHint().height() <= page.height()
        assert page.minimumSizeHint().width() <= page.width()
        texts: list[QLabel | QPushButton] = list(opened.findChildren(QLabel))
        for widget in texts + list(opened.findChildren(QPushButton)):
            if not widget.isVisible() or not widget.text():
                continue
            if isinstance(widget, QLabel) and widget.wordWrap():
                needed = widget.heightForWidth(widget.width())
                assert needed <= widget.height() + 1, widget.text()
            else:
                assert widget.sizeHint().width() <= widget.width() + 1, widget.text()
