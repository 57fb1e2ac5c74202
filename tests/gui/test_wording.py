# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text on the screen goes through the translator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QTableWidget,
    QTabWidget,
    QWidget,
)

from rawback_gui.models import wording
from rawback_gui.views._qt.driving import shows, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rawback_gui.views._qt.window import MainWindow

MARK = "\u2039{}\u203a"
"""What stands for another language: the text in quotation marks."""


@pytest.fixture
def marked() -> Iterator[None]:
    wording.translate_with(lambda text: MARK.format(text))
    yield
    wording.translate_with(str)


def texts(root: QWidget) -> Iterator[str]:
    """All that is written on a widget and what is in it, and told of it."""
    for widget in (root, *root.findChildren(QWidget)):
        yield from (widget.toolTip(), widget.accessibleName(), widget.statusTip())
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        elif isinstance(widget, QComboBox):
            yield from (widget.itemText(index) for index in range(widget.count()))
        elif isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        elif isinstance(widget, QTabWidget):
            yield from (widget.tabText(index) for index in range(widget.count()))
        elif isinstance(widget, QMenu):
            yield widget.title()
            yield from (action.text() for action in widget.actions())
        elif isinstance(widget, QTableWidget):
            headers = (widget.horizontalHeaderItem(n) for n in range(widget.columnCount()))
            yield from (header.text() for header in headers if header is not None)


NUMBERS = re.compile(r"[-\u2013+0-9.,:% \u03c3]*(DN|EV|dB|[kMG]?B|bpp|\u03c3)?[0-9. %]*")
"""Figures with units that all languages share."""


def untranslated(widget: QWidget, *names: str) -> list[str]:
    """Texts of words that are in no quotation marks, but for names and Qt's own texts."""
    known = {"\u00d7", "R", "G1", "G2", "B", "Scroll Left", "Scroll Right", *names}
    found = {text.split("\t")[0] for text in texts(widget) if text} - known
    return sorted(t for t in found if "\u2039" not in t and not NUMBERS.fullmatch(t))


def test_all_texts_of_the_window_can_be_translated(
    marked: None, window: MainWindow, drop: Callable[..., None], shot_folder: Path
) -> None:
    maps = [window.errors.map.itemText(index) for index in range(window.errors.map.count())]
    names = ("1:1", "RGGB", "200 kB, 0.1 bpp, 48 dB")
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: shows(window, "carrier", "restored"))
    wait_until(lambda: window.workspace.rates.made is not None)
    assert untranslated(window, *maps, *names) == []
    assert window.payload.entry.placeholderText().startswith("\u2039")
    window.workspace.rates.enter("lots")
    assert window.workspace.feedback.text.startswith("\u2039")
    window.workspace.pick_white(-500, -500)
    assert window.workspace.feedback.text.startswith("\u2039")


def test_all_texts_of_the_batch_and_the_sheet_can_be_translated(
    marked: None, window: MainWindow
) -> None:
    window.show_batch()
    assert window.batch_window is not None
    rates = [window.batch_window.rate.itemText(n) for n in range(window.batch_window.rate.count())]
    assert untranslated(window.batch_window, *rates) == []
    window.batch_window.add_paths([])
    window.show_shortcuts()
    sheet = next(w for w in QApplication.topLevelWidgets() if "Shortcuts" in w.windowTitle())
    lines = sheet.text.toPlainText().splitlines()  # type: ignore[attr-defined]
    assert sum("\u2039" in line for line in lines) > 60
    sheet.close()
