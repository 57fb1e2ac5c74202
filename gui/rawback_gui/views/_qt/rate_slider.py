# SPDX-License-Identifier: GPL-3.0-or-later
"""The slider from the smallest payload to lossless, which is a stop of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QPainter, QPen
from PyQt6.QtWidgets import QSizePolicy, QSlider, QWidget

from rawback_gui.models.slider import LOSSLESS, ByteMark, RateScale, Zone
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import small_font, theme_of

if TYPE_CHECKING:
    from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

    from rawback_gui.models.rates import Tick

__all__ = ["RateSlider"]

_STEPS = 2000
_END = _STEPS + 40
"""Value of the end stop."""

_EDGE, _GAP = 10, 14
_MIDDLE = 14.0
_CONTROL = Qt.KeyboardModifier.ControlModifier


class RateSlider(QSlider):
    """Places of a `RateScale`, zones below them, and the end stop on the right.

    Signals:
        chosen: The place that people ask for, 0 to 1 or `LOSSLESS`.
        stepped: They want the next smaller payload (-1) or the next larger one (1).
    """

    chosen = pyqtSignal(float)
    stepped = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("rate")
        self.setAccessibleName(tr("Payload size"))
        self.setRange(0, _END)
        self.setPageStep(100)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr("How much of the raw the JPEG is to carry; at the right end all of it."))
        self._scale: RateScale | None = None
        self._marks: tuple[ByteMark, ...] = ()
        self._ticks: tuple[tuple[float, str], ...] = ()
        self._lowest = 0.0
        self._placed = False
        self._lossless = ""
        self._showing = False
        self.valueChanged.connect(self._moved)
        self.setEnabled(False)

    def sizeHint(self) -> QSize:
        _, metrics = small_font(self)
        return QSize(420, round(_MIDDLE) + 10 + 2 * metrics.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(300, self.sizeHint().height())

    def show_scale(
        self,
        scale: RateScale | None,
        lowest: float,
        marks: tuple[ByteMark, ...],
        ticks: tuple[tuple[float, Tick], ...],
        lossless: str,
    ) -> None:
        """Show what the slider is about.

        Args:
            scale: Its scale; None where there is nothing to slide.
            lowest: The first place that can be had.
            marks: Round sizes.
            ticks: Where sections end, and their places.
            lossless: What lossless takes; empty while that is not known.
        """
        self._scale, self._lowest, self._marks = scale, lowest, marks
        self._ticks = tuple((place, tick.label) for place, tick in ticks)
        self._lossless = lossless
        self.setEnabled(scale is not None)
        self.update()

    def show_place(self, place: float | None, text: str) -> None:
        """Show where the rate is.

        Args:
            place: 0 to 1, or `LOSSLESS`; None where that is not known.
            text: What is there, for screen readers.
        """
        self._placed = place is not None
        if place is not None and not self.isSliderDown():
            self._showing = True
            self.setValue(_END if place > 1 else round(_STEPS * place))
            self._showing = False
        self.setAccessibleDescription(text)
        self.update()

    def _moved(self, value: int) -> None:
        if not self._showing and self._scale is not None:
            self._placed = True
            self.chosen.emit(LOSSLESS if value > _STEPS else value / _STEPS)

    # Places on the screen.

    def _stop(self) -> QRectF:
        """The end stop."""
        _, metrics = small_font(self)
        # The same for all sizes: what is known of lossless must not move the rest.
        texts = (tr("Lossless"), "\u2248 00.00 MB")
        width = max(metrics.horizontalAdvance(text) for text in texts) + 20
        return QRectF(self.width() - width - 1, 1, width, self.height() - 3)

    @property
    def _length(self) -> float:
        return max(self._stop().left() - _GAP - _EDGE, 1.0)

    def _x(self, place: float) -> float:
        return _EDGE + place * self._length

    def _set_from(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if x > _EDGE + self._length + _GAP / 2:
            self.setValue(_END)
            return
        share = min(max((x - _EDGE) / self._length, 0.0), 1.0)
        self.setValue(round(_STEPS * max(share, self._lowest)))

    # Mouse and keys.

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._set_from(event)
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self.isSliderDown():
            self._set_from(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: ARG002
        self.setSliderDown(False)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: 1,
        }
        if event is not None and event.key() in steps and not event.modifiers() & _CONTROL:
            self.stepped.emit(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    # Painting.

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = theme_of(self)
        font, _ = small_font(self)
        painter.setFont(font)
        track = QRectF(_EDGE, _MIDDLE - 2.5, self._length, 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.track)
        painter.drawRoundedRect(track, 2.5, 2.5)
        lossless = self.value() > _STEPS and self._placed and self._scale is not None
        self._paint_stop(painter, active=lossless)
        if self._scale is None:
            painter.setPen(theme.faint)
            left = QRectF(_EDGE, _MIDDLE + 6, self._length, self.height() - _MIDDLE - 6)
            text = tr("Ready once the raw and its JPEG are prepared")
            painter.drawText(left, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)
            painter.end()
            return
        at = self._x(min(self.value() / _STEPS, 1.0))
        if self._placed:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent_line)
            painter.drawRoundedRect(QRectF(_EDGE, _MIDDLE - 2.5, at - _EDGE, 5), 2.5, 2.5)
        self._paint_zones(painter, self._scale.zones, at)
        self._paint_marks(painter)
        if self._placed and not lossless:
            focused = self.hasFocus()
            painter.setPen(QPen(theme.accent_line if focused else theme.faint, 2))
            painter.setBrush(theme.base)
            painter.drawEllipse(QRectF(at - 8, _MIDDLE - 8, 16, 16))
        painter.end()

    def _paint_stop(self, painter: QPainter, *, active: bool) -> None:
        theme, stop = theme_of(self), self._stop()
        painter.setPen(QPen(theme.accent_line if self.hasFocus() and active else theme.border, 1))
        painter.setBrush(theme.accent if active else theme.base)
        painter.drawRoundedRect(stop, 6, 6)
        _, metrics = small_font(self)
        bold = QFont(painter.font())
        bold.setBold(True)
        text = QColor(theme.on_accent if active else theme.text)
        if not self.isEnabled():
            text = theme.faint
        painter.setPen(text)
        lines = [tr("Lossless")] + ([self._lossless] if self._lossless else [])
        top = stop.center().y() - len(lines) * metrics.height() / 2
        for number, line in enumerate(lines):
            painter.save()
            if number == 0:
                painter.setFont(bold)
            area = QRectF(stop.left(), top + number * metrics.height(), stop.width(), 20)
            area.setHeight(metrics.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, line)
            painter.restore()

    def _paint_zones(self, painter: QPainter, zones: tuple[Zone, ...], at: float) -> None:
        theme = theme_of(self)
        _, metrics = small_font(self)
        for number, zone in enumerate(zones):
            left, right = self._x(zone.start), self._x(zone.end)
            active = left <= at < right or (number == len(zones) - 1 and at >= right)
            painter.setPen(QPen(theme.border, 1))
            if number:
                painter.drawLine(round(left), round(_MIDDLE) + 5, round(left), round(_MIDDLE) + 22)
            active = active and self.value() <= _STEPS and self._placed
            painter.setPen(theme.text if active else theme.faint)
            room = QRectF(left + 4, _MIDDLE + 7, right - left - 5, metrics.height())
            text = metrics.elidedText(zone.text, Qt.TextElideMode.ElideRight, round(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_marks(self, painter: QPainter) -> None:
        """Round sizes, or in their place where sections end."""
        theme = theme_of(self)
        _, metrics = small_font(self)
        marks = self._ticks or tuple((mark.place, mark.text) for mark in self._marks)
        pen = theme.accent_line if self._ticks else theme.faint
        reached = -1.0
        for place, text in marks:
            x = self._x(min(place, 1.0))
            painter.setPen(QPen(pen, 1))
            painter.drawLine(round(x), round(_MIDDLE) + 3, round(x), round(_MIDDLE) + 7)
            wide = metrics.horizontalAdvance(text)
            left = min(max(x - wide / 2, 0.0), _EDGE + self._length - wide)
            if left > reached + 10:
                y = _MIDDLE + 7 + metrics.height() + metrics.ascent()
                painter.drawText(round(left), round(y), text)
                reached = left + wide
