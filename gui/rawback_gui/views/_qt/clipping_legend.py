# SPDX-License-Identifier: GPL-3.0-or-later
"""The legend of what is marked on the canvas: a chip, a name and a share for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter
from PyQt6.QtWidgets import QWidget

from rawback_gui.controllers.pictures import CLIPPING_COLOURS
from rawback_gui.models.clipping import CLIPPINGS, ClippedShares, Clipping
from rawback_gui.models.texts import percent_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.look_panel import clipping_name
from rawback_gui.views._qt.theme import PILL, PILL_TEXT, small_font

if TYPE_CHECKING:
    from PyQt6.QtGui import QPaintEvent

__all__ = ["ClippingLegend"]

_CHIP, _PAD = 10, 8


class ClippingLegend(QWidget):
    """Lines on a dark ground; the mouse goes through it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(tr("What clips"))
        self._lines: tuple[tuple[Clipping, str], ...] = ()
        self.hide()

    def show_clipping(self, shown: frozenset[Clipping], shares: ClippedShares) -> None:
        """Show which kinds are marked, and how much of the picture each is."""
        lines = []
        for clipping in CLIPPINGS:
            if clipping in shown:
                share = shares.of(clipping)
                text = clipping_name(clipping)
                text += f"  {percent_text(share)}" if share is not None else "  \u2013"
                lines.append((clipping, text))
        self._lines = tuple(lines)
        self.setAccessibleDescription(", ".join(text for _, text in lines))
        self.setVisible(bool(lines))
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        _, metrics = small_font(self)
        wide = max((metrics.horizontalAdvance(text) for _, text in self._lines), default=0)
        height = len(self._lines) * (metrics.height() + 2) + _PAD
        return QSize(wide + _CHIP + 3 * _PAD, height)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font, metrics = small_font(self)
        painter.setFont(font)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PILL)
        painter.drawRoundedRect(QRectF(self.rect()), 5, 5)
        for number, (clipping, text) in enumerate(self._lines):
            top = _PAD / 2 + 1 + number * (metrics.height() + 2)
            chip = QRectF(_PAD, top + (metrics.height() - _CHIP) / 2, _CHIP, _CHIP)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(*CLIPPING_COLOURS[clipping]))
            painter.drawRoundedRect(chip, 2, 2)
            painter.setPen(PILL_TEXT)
            painter.drawText(round(_CHIP + 2 * _PAD), round(top + metrics.ascent()), text)
        painter.end()
