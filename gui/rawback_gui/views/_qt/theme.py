# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours and sizes that all widgets share; light or dark as the system's palette is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QPalette
from PyQt6.QtWidgets import QLabel, QWidget

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Caption", "Theme", "recolour", "small_font", "theme_of"]


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
    accent=QColor(48, 140, 198),
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
    accent=QColor(48, 140, 198),
    pill=QColor(0, 0, 0, 190),
    pill_text=QColor(255, 255, 255),
    warning=QColor(74, 58, 20),
    warning_text=QColor(255, 226, 160),
)


def theme_of(widget: QWidget) -> Theme:
    """The colours that go with a widget's palette."""
    palette = widget.palette()
    dark = palette.color(QPalette.ColorRole.Window).lightness() < 128
    return replace(_DARK if dark else _LIGHT, accent=palette.color(QPalette.ColorRole.Highlight))


def recolour(widget: QWidget, colours: Mapping[QPalette.ColorRole, QColor]) -> None:
    """Give a widget some colours of its own; harmless where it has them already."""
    palette = widget.palette()
    if any(palette.color(role) != colour for role, colour in colours.items()):
        for role, colour in colours.items():
            palette.setColor(role, colour)
        widget.setPalette(palette)


class Caption(QLabel):
    """A label that is less prominent than others but as easy to read, in light and in dark."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._follow_theme()

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._follow_theme()

    def _follow_theme(self) -> None:
        recolour(self, {QPalette.ColorRole.WindowText: theme_of(self).faint})


def small_font(widget: QWidget, ratio: float = 1.0) -> tuple[QFont, QFontMetrics]:
    """The font of captions, and its metrics.

    Args:
        widget: Whose font it goes with.
        ratio: Device pixels per pixel of the painter, where that paints in device pixels.
    """
    font = QFont(widget.font())
    size = font.pointSizeF()
    if size > 0:
        font.setPointSizeF(size * 0.88 * ratio)
    return font, QFontMetrics(font)
