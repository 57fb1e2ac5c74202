# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours and sizes that all widgets share; light or dark as the system's palette is."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtGui import QColor, QFont, QFontMetrics, QPalette
from PyQt6.QtWidgets import QWidget

__all__ = ["Theme", "small_font", "theme_of"]


@dataclass(frozen=True)
class Theme:
    """Colours beside those of the palette."""

    canvas: QColor
    track: QColor
    grid: QColor
    faint: QColor
    accent: QColor
    pill: QColor
    pill_text: QColor
    warning: QColor
    warning_text: QColor


_LIGHT = Theme(
    canvas=QColor(214, 214, 212),
    track=QColor(198, 198, 196),
    grid=QColor(224, 224, 222),
    faint=QColor(92, 92, 96),
    accent=QColor(196, 72, 20),
    pill=QColor(20, 20, 22, 190),
    pill_text=QColor(255, 255, 255),
    warning=QColor(255, 243, 214),
    warning_text=QColor(92, 60, 0),
)
_DARK = Theme(
    canvas=QColor(30, 30, 32),
    track=QColor(92, 92, 96),
    grid=QColor(66, 66, 70),
    faint=QColor(172, 172, 176),
    accent=QColor(255, 132, 74),
    pill=QColor(0, 0, 0, 190),
    pill_text=QColor(255, 255, 255),
    warning=QColor(74, 58, 20),
    warning_text=QColor(255, 226, 160),
)


def theme_of(widget: QWidget) -> Theme:
    """The colours that go with a widget's palette."""
    window = widget.palette().color(QPalette.ColorRole.Window)
    return _DARK if window.lightness() < 128 else _LIGHT


def small_font(widget: QWidget) -> tuple[QFont, QFontMetrics]:
    """The font of captions, and its metrics."""
    font = QFont(widget.font())
    size = font.pointSizeF()
    if size > 0:
        font.setPointSizeF(size * 0.88)
    return font, QFontMetrics(font)
