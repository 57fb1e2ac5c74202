# SPDX-License-Identifier: GPL-3.0-or-later
"""The slider from the smallest payload to lossless."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QSlider, QWidget

from rawback_gui.models.rates import RateScale, Tick, bytes_text
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import small_font, theme_of

__all__ = ["RateSlider"]

_STEPS = 2000
_EDGE = 12
_TRACK = 26
_CONTROL = Qt.KeyboardModifier.ControlModifier


class RateSlider(QSlider):
    """Sizes on a logarithmic scale, with a mark where each section ends.

    Signals:
        chosen: The size in bytes that people ask for.
        stepped: They want the next smaller payload (-1) or the next larger one (1).
    """

    chosen = pyqtSignal(float)
    stepped = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("rate")
        self.setAccessibleName(tr("Payload size"))
        self.setRange(0, _STEPS)
        self.setSingleStep(8)
        self.setPageStep(100)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr("How many bytes the JPEG is to carry. Marks show where sections end."))
        self._scale: RateScale | None = None
        self._ticks: tuple[Tick, ...] = ()
        self._showing = False
        self.valueChanged.connect(self._moved)
        self.setEnabled(False)

    def sizeHint(self) -> QSize:
        _, metrics = small_font(self)
        return QSize(400, _TRACK + 12 + 2 * metrics.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def show_rate(self, scale: RateScale | None, size: float, ticks: tuple[Tick, ...]) -> None:
        """Show a size.

        Args:
            scale: The slider's ends; None while they are not known.
            size: In bytes.
            ticks: Where sections end.
        """
        self._scale, self._ticks = scale, ticks
        self.setEnabled(scale is not None)
        if scale is not None and not self.isSliderDown():
            self._showing = True
            self.setValue(round(_STEPS * scale.position(size)))
            self._showing = False
        self.setAccessibleDescription(bytes_text(size))
        self.update()

    def _moved(self, value: int) -> None:
        if not self._showing and self._scale is not None:
            self.chosen.emit(self._scale.size(value / _STEPS))

    def _place(self, position: float) -> float:
        return _EDGE + position * (self.width() - 2 * _EDGE)

    def _set_from(self, event: QMouseEvent) -> None:
        share = (event.position().x() - _EDGE) / max(self.width() - 2 * _EDGE, 1)
        self.setValue(round(_STEPS * min(max(share, 0.0), 1.0)))

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
        # A step of the slider may be too small for there to be another payload.
        if event is not None and event.key() in steps and not event.modifiers() & _CONTROL:
            self.stepped.emit(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, palette = theme_of(self), self.palette()
        font, metrics = small_font(self)
        painter.setFont(font)
        middle = 13.0
        track = QRectF(_EDGE, middle - 2.5, self.width() - 2 * _EDGE, 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.track)
        painter.drawRoundedRect(track, 2.5, 2.5)
        if self._scale is None:
            painter.setPen(theme.faint)
            text = tr("The slider wakes up once the raw and its JPEG are prepared.")
            painter.drawText(
                self.rect().adjusted(_EDGE, _TRACK, -_EDGE, 0), Qt.AlignmentFlag.AlignTop, text
            )
            painter.end()
            return
        at = self._place(self.value() / _STEPS)
        painter.setBrush(theme.accent)
        painter.drawRoundedRect(QRectF(_EDGE, middle - 2.5, at - _EDGE, 5), 2.5, 2.5)
        self._paint_scale(painter, metrics, middle)
        painter.setPen(QPen(theme.accent if self.hasFocus() else theme.faint, 2))
        painter.setBrush(palette.base())
        painter.drawEllipse(QRectF(at - 8, middle - 8, 16, 16))
        painter.end()

    def _paint_scale(self, painter: QPainter, metrics: QFontMetrics, middle: float) -> None:
        scale, theme = self._scale, theme_of(self)
        if scale is None:
            return
        # Sections above, decades below; a label that would touch its neighbour is left out.
        line = metrics.height()
        right = -1.0
        for tick in self._ticks:
            x = self._place(scale.position(tick.payload_bytes))
            painter.setPen(QPen(theme.accent, 1.5))
            painter.drawLine(round(x), round(middle + 5), round(x), round(middle + 12))
            wide = metrics.horizontalAdvance(tick.label)
            left = min(max(x - wide / 2, 2.0), self.width() - wide - 2.0)
            if left > right + 6:
                painter.drawText(round(left), round(middle + 12 + metrics.ascent()), tick.label)
                right = left + wide
        right = -1.0
        ends = [(scale.smallest, 0.0), (scale.largest, 1.0)]
        middles = [
            (float(size), scale.position(size))
            for power in range(2, 10)
            for size in (10**power, 3 * 10**power)
            if scale.smallest < size < scale.largest
        ]
        first, last = ends
        reserved = self.width() - metrics.horizontalAdvance(bytes_text(last[0])) - 10.0
        for size, position in (first, *middles):
            text = bytes_text(size).replace(".00", "").replace(".0 ", " ")
            wide = metrics.horizontalAdvance(text)
            x = self._place(position)
            left = max(x - wide / 2, 2.0)
            if left > right + 14 and left + wide < reserved:
                painter.setPen(theme.faint)
                painter.drawText(round(left), round(middle + 12 + line + metrics.ascent()), text)
                right = left + wide
        text = bytes_text(last[0])
        painter.setPen(theme.faint)
        left = self.width() - metrics.horizontalAdvance(text) - 2
        painter.drawText(left, round(middle + 12 + line + metrics.ascent()), text)
