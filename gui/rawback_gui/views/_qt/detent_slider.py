# SPDX-License-Identifier: GPL-3.0-or-later
"""A slider that is filled from zero and rests at marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPen
from PyQt6.QtWidgets import QSizePolicy, QSlider, QWidget

from rawback_gui.views._qt.theme import small_font, theme_of

if TYPE_CHECKING:
    from PyQt6.QtGui import QMouseEvent, QPaintEvent

__all__ = ["DetentSlider"]

_STEPS_PER_UNIT = 60
_EDGE = 9
_MIDDLE = 11.0
_CATCH = 5.0
"""Pixels on each side of a mark at which the handle rests on it."""


class DetentSlider(QSlider):
    """Values between two ends; a double click goes back to zero.

    Signals:
        chosen: The value that people ask for.
    """

    chosen = pyqtSignal(float)

    def __init__(
        self,
        name: str,
        ends: tuple[float, float],
        detents: tuple[float, ...] = (0.0,),
        *,
        step: float,
        labelled: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Make a slider.

        Args:
            name: For screen readers.
            ends: The lowest and the highest value.
            detents: Values at which it rests.
            step: By which a key moves it.
            labelled: Whether the marks have their values below them.
            parent: Its parent.
        """
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._detents = detents
        self._labelled = labelled
        self._showing = False
        self.setAccessibleName(name)
        self.setRange(round(ends[0] * _STEPS_PER_UNIT), round(ends[1] * _STEPS_PER_UNIT))
        self.setSingleStep(round(step * _STEPS_PER_UNIT))
        self.setPageStep(round(3 * step * _STEPS_PER_UNIT))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.valueChanged.connect(self._moved)

    def show_value(self, value: float) -> None:
        """Show a value without asking for it."""
        if not self.isSliderDown():
            self._showing = True
            self.setValue(round(value * _STEPS_PER_UNIT))
            self._showing = False

    def sizeHint(self) -> QSize:
        _, metrics = small_font(self)
        return QSize(200, 22 + (metrics.height() - 2 if self._labelled else 0))

    def minimumSizeHint(self) -> QSize:
        return QSize(110, self.sizeHint().height())

    def _moved(self, value: int) -> None:
        if not self._showing:
            self.chosen.emit(value / _STEPS_PER_UNIT)

    def _place(self, value: float) -> float:
        low, high = self.minimum() / _STEPS_PER_UNIT, self.maximum() / _STEPS_PER_UNIT
        return _EDGE + (value - low) / (high - low) * (self.width() - 2 * _EDGE)

    def _set_from(self, event: QMouseEvent) -> None:
        x = event.position().x()
        for detent in self._detents:
            if abs(x - self._place(detent)) <= _CATCH:
                self.setValue(round(detent * _STEPS_PER_UNIT))
                return
        share = (x - _EDGE) / max(self.width() - 2 * _EDGE, 1)
        share = min(max(share, 0.0), 1.0)
        self.setValue(round(self.minimum() + share * (self.maximum() - self.minimum())))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._set_from(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self.isSliderDown():
            self._set_from(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: ARG002
        self.setSliderDown(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: ARG002
        self.setSliderDown(False)
        self.setValue(0)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = theme_of(self)
        track = QRectF(_EDGE, _MIDDLE - 2, self.width() - 2 * _EDGE, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.track)
        painter.drawRoundedRect(track, 2, 2)
        zero, at = self._place(0), self._place(self.value() / _STEPS_PER_UNIT)
        if self.isEnabled():
            painter.setBrush(theme.accent_line)
            painter.drawRect(QRectF(min(zero, at), _MIDDLE - 2, abs(at - zero), 4))
        self._paint_detents(painter)
        focused = self.hasFocus()
        painter.setPen(QPen(theme.accent_line if focused else theme.faint, 2 if focused else 1.5))
        painter.setBrush(theme.base)
        painter.drawEllipse(QRectF(at - 7, _MIDDLE - 7, 14, 14))
        painter.end()

    def _paint_detents(self, painter: QPainter) -> None:
        theme = theme_of(self)
        font, metrics = small_font(self)
        painter.setFont(font)
        for detent in self._detents:
            x = self._place(detent)
            painter.setPen(QPen(theme.faint, 1))
            painter.drawLine(round(x), round(_MIDDLE) + 3, round(x), round(_MIDDLE) + 8)
            if self._labelled:
                text = f"{detent:+.0f}" if detent else "0"
                wide = metrics.horizontalAdvance(text)
                left = min(max(x - wide / 2, 0), self.width() - wide)
                painter.drawText(round(left), round(_MIDDLE) + 8 + metrics.ascent(), text)
