# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate-distortion curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from rawback_gui.models.curves import ByteAxis
from rawback_gui.models.texts import bytes_text, psnr_text, round_bytes_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import small_font, theme_of

if TYPE_CHECKING:
    from rawback import Curve
    from rawback_gui.models.rates import Figures

__all__ = ["CurvePlot"]

_EXACT_ROOM = 0.14
"""Part of the height above the largest PSNR, where lossless is."""


class CurvePlot(QWidget):
    """PSNR over bytes, these on a logarithmic scale; a click goes there.

    Signals:
        chosen: The size in bytes that people ask for.
    """

    chosen = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("curve")
        self.setAccessibleName(tr("Rate-distortion curve"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr("Raw PSNR over payload size. Click to go there."))
        self._curve: Curve | None = None
        self._figures: Figures | None = None

    def sizeHint(self) -> QSize:
        return QSize(260, 168)

    def show_curve(self, curve: Curve | None, figures: Figures | None) -> None:
        """Show a curve with the current point."""
        self._curve, self._figures = curve, figures
        if figures is not None:
            self.setAccessibleDescription(
                f"{bytes_text(figures.payload_bytes)}, {psnr_text(figures.psnr_db)}"
            )
        self.update()

    def _area(self) -> QRectF:
        _, metrics = small_font(self)
        left = max(metrics.horizontalAdvance(text) for text in ("00 dB", tr("exact"))) + 8
        return QRectF(left, 8, self.width() - left - 10, self.height() - metrics.height() - 16)

    def _reach(self) -> tuple[float, float]:
        if self._curve is None:
            return 30.0, 60.0
        known = [p.psnr_db for p in self._curve.points if math.isfinite(p.psnr_db)] or [30.0, 60.0]
        low, high = math.floor(min(known) / 5) * 5.0, math.ceil(max(known) / 5) * 5.0
        return low, max(high, low + 10)

    def _point(self, size: float, psnr: float) -> QPointF:
        area = self._area()
        low, high = self._reach()
        scale = ByteAxis.of(self._curve) if self._curve is not None else ByteAxis(1e3, 1e6)
        x = area.left() + scale.position(size) * area.width()
        room = area.height() * (1 - _EXACT_ROOM)
        if math.isinf(psnr):
            return QPointF(x, area.top() + 3)
        share = (min(psnr, high) - low) / (high - low)
        return QPointF(x, area.bottom() - share * room)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self._choose(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        self._choose(event)

    def _choose(self, event: QMouseEvent | None) -> None:
        if event is None or self._curve is None:
            return
        area = self._area()
        share = (event.position().x() - area.left()) / max(area.width(), 1)
        self.chosen.emit(ByteAxis.of(self._curve).size(share))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font, metrics = small_font(self)
        painter.setFont(font)
        theme = theme_of(self)
        area = self._area()
        self._paint_grid(painter, metrics, area)
        curve = self._curve
        if curve is None:
            painter.setPen(theme.faint)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tr("PSNR over size"))
            painter.end()
            return
        line = [self._point(point.payload_bytes, point.psnr_db) for point in curve.points]
        painter.setPen(QPen(self.palette().text().color(), 1.6))
        painter.drawPolyline(QPolygonF(line))
        painter.setBrush(self.palette().text())
        painter.setPen(Qt.PenStyle.NoPen)
        for point in line:
            painter.drawEllipse(point, 1.8, 1.8)
        figures = self._figures
        if figures is not None:
            here = self._point(figures.payload_bytes, figures.psnr_db)
            painter.setPen(QPen(theme.accent_line, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(here.x(), area.bottom()), here)
            painter.drawLine(QPointF(area.left(), here.y()), here)
            painter.setPen(QPen(self.palette().base().color(), 1.5))
            painter.setBrush(theme.accent_line)
            painter.drawEllipse(here, 5, 5)
        painter.end()

    def _paint_grid(self, painter: QPainter, metrics: QFontMetrics, area: QRectF) -> None:
        theme = theme_of(self)
        low, high = self._reach()
        step = 5 if high - low <= 20 else 10
        value = low
        while value <= high + 1e-9:
            y = self._point(1, value).y()
            painter.setPen(theme.grid)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.faint)
            text = f"{value:.0f} dB"
            x = area.left() - metrics.horizontalAdvance(text) - 6
            painter.drawText(QPointF(x, y + metrics.ascent() / 2 - 1), text)
            value += step
        scale = ByteAxis.of(self._curve) if self._curve is not None else ByteAxis(1e3, 1e6)
        if self._curve is not None and self._curve.largest.exact:
            y = self._point(1, math.inf).y()
            painter.setPen(theme.grid)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.faint)
            text = tr("exact")
            x = area.left() - metrics.horizontalAdvance(text) - 6
            painter.drawText(QPointF(x, y + metrics.ascent() / 2 - 1), text)
        right = -1.0
        for power in range(2, 10):
            size = 10.0**power
            if not scale.smallest <= size <= scale.largest:
                continue
            x = area.left() + scale.position(size) * area.width()
            painter.setPen(theme.grid)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            text = round_bytes_text(size)
            wide = metrics.horizontalAdvance(text)
            left = min(x - wide / 2, self.width() - wide)
            if left > right + 6:
                painter.setPen(theme.faint)
                painter.drawText(QPointF(left, area.bottom() + metrics.ascent() + 3), text)
                right = left + wide
