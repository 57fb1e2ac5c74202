# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pieces that the side panel's pages are made of."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QFrame, QLabel, QScrollArea, QWidget

__all__ = ["choice", "heading", "scrolled"]


def heading(text: str) -> QLabel:
    """A line above a group."""
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def choice(name: str, values: tuple[str, ...], texts: tuple[str, ...]) -> QComboBox:
    """A list of which one is chosen.

    Args:
        name: For screen readers.
        values: Of the items.
        texts: Of the items, in the same order.
    """
    box = QComboBox()
    box.setAccessibleName(name)
    for value, text in zip(values, texts, strict=True):
        box.addItem(text, value)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    return box


def scrolled(page: QWidget) -> QScrollArea:
    """A page that scrolls where the window is too low for it."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
