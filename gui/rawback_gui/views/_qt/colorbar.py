# SPDX-License-Identifier: GPL-3.0-or-later
"""The error map's scale, which can be dragged, and the histogram of a region."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from rawback_gui.models.colormaps import table
from rawback_gui.models.errormap import ErrorView, Statistics, value_at
from rawback_gui.models.texts import number_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import small_font, theme_of

__all__ = ["ColorBar", "Histogram", "paint_scale"]

_HEIGHT = 16


class ColorBar(QWidget):
    """The colours and what they stand for. Dragging to the right widens the range.

    Signals:
        chosen: The value at the end that people ask for, or None for one that suits.
    """

    chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("colorbar")
        self.setAccessibleName(tr("Error scale"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr("Drag to change the range, double-click for one that suits the errors."))
        self._view = ErrorView()
        self._top = 1.0
        self._updating = False
        self._grabbed: tuple[float, float] | None = None

    def sizeHint(self) -> QSize:
        _, metrics = small_font(self)
        return QSize(240, _HEIGHT + metrics.height() + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def show_scale(self, view: ErrorView, top: float, *, updating: bool) -> None:
        """Show a scale that ends at `top`, dimmed where the next one is on its way."""
        self._view, self._top, self._updating = view, top, updating
        self.setAccessibleDescription(f"{number_text(top)} {view.unit_text}")
        self.update()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None:
            self._grabbed = (event.position().x(), self._top)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self._grabbed is not None:
            start, top = self._grabbed
            octaves = 4 * (event.position().x() - start) / max(self.width(), 1)
            self.chosen.emit(float(f"{top * 2**octaves:.3g}"))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: ARG002
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: ARG002
        self._grabbed = None
        self.chosen.emit(None)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is None:
            return
        factors = {
            Qt.Key.Key_Right: 1.25,
            Qt.Key.Key_Up: 1.25,
            Qt.Key.Key_Left: 0.8,
            Qt.Key.Key_Down: 0.8,
        }
        factor = factors.get(Qt.Key(event.key()))
        if factor is not None:
            self.chosen.emit(float(f"{self._top * factor:.3g}"))
        elif event.key() == Qt.Key.Key_Delete:
            self.chosen.emit(None)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002
        painter = QPainter(self)
        area = QRectF(1, 1, self.width() - 2, self.height() - 2)
        font, _ = small_font(self)
        painter.setFont(font)
        painter.setPen(self.palette().text().color())
        painter.setOpacity(0.45 if self._updating else 1.0)
        paint_scale(painter, area, self._view, self._top)
        painter.setOpacity(1.0)
        if self.hasFocus():
            painter.setPen(QPen(theme_of(self).accent, 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()


def paint_scale(
    painter: QPainter, area: QRectF, view: ErrorView, top: float, height: float = _HEIGHT
) -> None:
    """Paint colours and figures of a scale, with the painter's font and pen.

    Args:
        painter: Any painter.
        area: Where.
        view: Kind, unit and colours.
        top: The value at the end.
        height: Of the colours.
    """
    metrics = painter.fontMetrics()
    row = np.ascontiguousarray(table(view.colormap)[None])
    image = QImage(row.tobytes(), 256, 1, 3 * 256, QImage.Format.Format_RGB888)
    painter.drawImage(QRectF(area.left(), area.top(), area.width(), height), image)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        text = number_text(value_at(share, view, top))
        if view.log and not view.signed and share == 0.0:
            text = "\u2264" + text
        if view.log and view.signed and share == 0.5:
            text = "0"
        if share == 1.0:
            text = f"{text} {view.unit_text}"
        wide = metrics.horizontalAdvance(text)
        x = area.left() + share * area.width()
        bottom = area.top() + height
        painter.drawLine(QPointF(x, bottom), QPointF(x, bottom + height / 5))
        left = min(max(x - wide / 2, area.left()), area.right() - wide)
        painter.drawText(QPointF(left, bottom + height / 4 + metrics.ascent()), text)


class Histogram(QWidget):
    """How many samples of the region have which error; counts on a root scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("histogram")
        self.setAccessibleName(tr("Histogram of errors"))
        self.setMinimumHeight(56)
        self._statistics: Statistics | None = None
        self._unit = ""
        self._waiting = False

    def sizeHint(self) -> QSize:
        return QSize(240, 84)

    def show_statistics(
        self, statistics: Statistics | None, unit: str, *, waiting: bool = False
    ) -> None:
        """Show a region's errors, that they are measured, or that there are none."""
        self._statistics, self._unit, self._waiting = statistics, unit, waiting
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002
        painter = QPainter(self)
        font, metrics = small_font(self)
        painter.setFont(font)
        theme = theme_of(self)
        bottom = self.height() - metrics.height() - 2
        painter.setPen(theme.grid)
        painter.drawLine(0, bottom, self.width(), bottom)
        found = self._statistics
        if found is None:
            painter.setPen(theme.faint)
            painter.drawText(
                self.rect().adjusted(0, 0, 0, -metrics.height()),
                Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                tr("updating") if self._waiting else "",
            )
            painter.end()
            return
        heights = np.sqrt(found.counts / max(int(found.counts.max()), 1)) * (bottom - 4)
        width = self.width() / len(heights)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        for index, height in enumerate(heights):
            painter.drawRect(QRectF(index * width, bottom - height, max(width - 0.5, 0.5), height))
        painter.setPen(theme.faint)
        ends = number_text(float(found.edges[0])), number_text(float(found.edges[-1]))
        line = bottom + 2 + metrics.ascent()
        painter.drawText(0, line, ends[0])
        text = f"{ends[1]} {self._unit}"
        painter.drawText(self.width() - metrics.horizontalAdvance(text), line, text)
        painter.end()
