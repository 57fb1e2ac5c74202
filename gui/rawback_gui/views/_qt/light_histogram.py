# SPDX-License-Identifier: GPL-3.0-or-later
"""How much light each channel of the raw holds, and where the JPEG ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from rawback_gui.models.histogram import STOPS, ChannelHistogram
from rawback_gui.models.texts import percent_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import small_font, theme_of

if TYPE_CHECKING:
    from PyQt6.QtGui import QPaintEvent

__all__ = ["LightHistogram"]

_COLOURS = {
    "R": QColor(226, 74, 66),
    "G": QColor(72, 170, 84),
    "B": QColor(66, 128, 236),
    "C": QColor(40, 170, 190),
    "M": QColor(200, 70, 190),
    "Y": QColor(190, 160, 30),
    "E": QColor(30, 160, 130),
}
"""Of channels; white ones have that of the text."""
_ENDS = 7
"""Pixels for what clips, right of the rest."""


class LightHistogram(QWidget):
    """Samples over stops below saturation, counts on a root scale; what clips is at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Histogram of the raw"))
        self.setToolTip(
            tr("Samples of the raw by stops below saturation; the line is where the JPEG ends.")
        )
        self._histograms: tuple[ChannelHistogram, ...] = ()
        self._jpeg_end: float | None = None

    def sizeHint(self) -> QSize:
        _, metrics = small_font(self)
        return QSize(240, 78 + 2 * metrics.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def show_histograms(
        self, histograms: tuple[ChannelHistogram, ...], jpeg_end: float | None
    ) -> None:
        """Show the raw's light.

        Args:
            histograms: One for each channel.
            jpeg_end: Light at which the JPEG clips, 1 at the raw's saturation; None where that is
                not known.
        """
        self._histograms, self._jpeg_end = histograms, jpeg_end
        self.setAccessibleDescription(
            ", ".join(f"{h.channel} {percent_text(h.clipped_share)}" for h in histograms)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = theme_of(self)
        font, metrics = small_font(self)
        painter.setFont(font)
        head = metrics.height() + 2
        area = QRectF(
            0, head, self.width() - _ENDS - 2, self.height() - metrics.height() - 4 - head
        )
        for stop in range(0, STOPS + 1, 4):
            x = area.right() - stop / STOPS * area.width()
            painter.setPen(theme.grid)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(theme.faint)
            text = f"\u2212{stop}" if stop else tr("0 EV")
            wide = metrics.horizontalAdvance(text)
            left = min(max(x - wide / 2, 0.0), self.width() - wide)
            painter.drawText(QPointF(left, self.height() - 3), text)
        for number in range(len(self._histograms)):
            self._paint_channel(painter, area, number)
        if self._jpeg_end is not None and 0 < self._jpeg_end <= 1:
            self._paint_jpeg_end(painter, area, self._jpeg_end)
        painter.end()

    def _paint_channel(self, painter: QPainter, area: QRectF, number: int) -> None:
        histogram = self._histograms[number]
        colour = QColor(_COLOURS.get(histogram.channel[0], theme_of(self).text))
        counts = histogram.counts.astype(np.float64)
        heights = np.sqrt(counts / max(float(counts.max()), 1.0)) * (area.height() - 3)
        step = area.width() / len(counts)
        points = [QPointF(0, area.bottom())]
        points += [
            QPointF((n + 0.5) * step, area.bottom() - h) for n, h in enumerate(heights.tolist())
        ]
        points.append(QPointF(area.right(), area.bottom()))
        colour.setAlpha(48)
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(QPolygonF(points))
        colour.setAlpha(230)
        painter.setPen(QPen(colour, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points[1:-1]))
        if histogram.clipped:
            share = min(0.15 + math.sqrt(histogram.clipped_share), 1.0)
            width = _ENDS / len(self._histograms)
            x = area.right() + 2 + number * width
            top = area.bottom() - share * area.height()
            painter.fillRect(QRectF(x, top, width, share * area.height()), colour)

    def _paint_jpeg_end(self, painter: QPainter, area: QRectF, light: float) -> None:
        theme = theme_of(self)
        x = area.right() + max(math.log2(light), -STOPS) / STOPS * area.width()
        beyond = QColor(theme.accent_line)
        beyond.setAlpha(36)
        painter.fillRect(QRectF(x, area.top(), area.right() - x, area.height()), beyond)
        painter.setPen(QPen(theme.accent_line, 1.5))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        _, metrics = small_font(self)
        text = tr("JPEG ends")
        wide = metrics.horizontalAdvance(text)
        left = min(max(x - wide / 2, 0.0), self.width() - wide)
        painter.drawText(QPointF(left, metrics.ascent()), text)
