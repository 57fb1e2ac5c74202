# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from rawback_gui.controllers.pictures import Mark, Picture, Pictures
from rawback_gui.models.state import Source, ViewState
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.overlays import paint_overlay
from rawback_gui.views._qt.theme import small_font, theme_of

if TYPE_CHECKING:
    from rawback import Overlay, RawFrame
    from rawback_gui.models.orientation import Region

__all__ = ["Canvas", "source_name"]

_HANDLE = 12
_WHEEL_STEP = 1.2
_GAP = 2


def source_name(source: Source) -> str:
    """What to call a source on the screen."""
    return {
        "carrier": tr("JPEG"),
        "original": tr("Original raw"),
        "restored": tr("Restored raw"),
        "error": tr("Error map"),
    }[source]


class Canvas(QWidget):
    """Paints what the workspace has rendered, and turns the hand's moves into states.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
        resized: The panes have another size.
        hovered: The place of the upright picture under the pointer, or None.
        picked: A place that was clicked to be white.
    """

    wanted = pyqtSignal(dict)
    resized = pyqtSignal()
    hovered = pyqtSignal(object)
    picked = pyqtSignal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAccessibleName(tr("Comparison"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(320, 200)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self.picking = False
        self._state = ViewState()
        self._pictures = Pictures(0, {})
        self._overlays: tuple[Overlay, ...] = ()
        self._frame: RawFrame | None = None
        self._names: tuple[str, str] = ("", "")
        self._grabbed: QPointF | None = None
        self._dragging = ""
        self._corner: tuple[float, float] | None = None

    # What is shown.

    def show_state(self, state: ViewState, names: tuple[str, str]) -> None:
        """Paint another state.

        Args:
            state: With sources that there are.
            names: What to call the two sides.
        """
        self._state = state
        self._names = names
        self.setAccessibleDescription(" / ".join(names))
        self._set_cursor()
        self.update()

    def show_pictures(
        self, pictures: Pictures, frame: RawFrame | None, overlays: tuple[Overlay, ...]
    ) -> None:
        """Paint other pictures."""
        self._pictures = pictures
        self._frame = frame
        self._overlays = overlays
        self.update()

    @property
    def pane_size(self) -> tuple[int, int]:
        """Width and height of one pane in device pixels."""
        pane = self._panes()[0]
        return pane.width(), pane.height()

    def _panes(self) -> list[QRect]:
        ratio = self.devicePixelRatioF()
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        if self._state.panes == 1:
            return [QRect(0, 0, width, height)]
        if self._state.vertical:
            half = (width - _GAP) // 2
            return [QRect(0, 0, half, height), QRect(half + _GAP, 0, half, height)]
        half = (height - _GAP) // 2
        return [QRect(0, 0, width, half), QRect(0, half + _GAP, width, half)]

    def _pane_at(self, place: QPointF) -> QRect:
        panes = self._panes()
        point = QPoint(round(place.x()), round(place.y()))
        return next((pane for pane in panes if pane.contains(point)), panes[0])

    def place_at(self, position: QPointF) -> tuple[float, float]:
        """The place in the upright picture under a position in the widget."""
        device = position * self.devicePixelRatioF()
        pane = self._pane_at(device)
        return self._state.viewport.to_picture(device.x() - pane.x(), device.y() - pane.y())

    # Painting.

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        theme = theme_of(self)
        painter.fillRect(self.rect(), theme.canvas)
        if self._frame is None:
            painter.end()
            return
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        state, panes = self._state, self._panes()
        first, second = state.left, state.right
        if state.layout == "side":
            self._paint_pane(painter, panes[0], first)
            self._paint_pane(painter, panes[1], second)
        elif state.layout == "flip":
            self._paint_pane(painter, panes[0], second if state.flipped else first)
        else:
            self._paint_pane(painter, panes[0], first)
            painter.setClipRect(self._beyond_divider(panes[0]))
            self._paint_pane(painter, panes[0], second, clip=False)
            painter.setClipping(False)
            self._paint_divider(painter, panes[0])
        painter.resetTransform()
        self._paint_names(painter)
        if self.hasFocus():
            painter.setPen(QPen(theme.accent, 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_pane(
        self, painter: QPainter, pane: QRect, source: Source, *, clip: bool = True
    ) -> None:
        painter.save()
        font, _ = small_font(self, self.devicePixelRatioF())
        painter.setFont(font)
        if clip:
            painter.setClipRect(pane)
        picture = self._pictures.sources.get(source)
        painter.fillRect(self._target(pane, self._whole()), theme_of(self).track)
        if picture is not None:
            self._draw(painter, pane, picture)
        for mark in (self._pictures.raw_clipping, self._pictures.carrier_clipping):
            if mark is not None and source != "error":
                self._draw(painter, pane, mark)
        for overlay in self._overlays:
            if overlay.name in self._state.overlays and self._frame is not None:
                paint_overlay(painter, overlay, self._frame, lambda part: self._target(pane, part))
        if self._state.selection is not None:
            box = self._target(pane, self._state.selection)
            ratio = self.devicePixelRatioF()
            for pen in (QPen(QColor(0, 0, 0), 3 * ratio), QPen(QColor(255, 255, 255), ratio)):
                painter.setPen(pen)
                painter.drawRect(box)
        painter.restore()

    def _draw(self, painter: QPainter, pane: QRect, picture: Picture | Mark) -> None:
        height, width, channels = picture.pixels.shape
        kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
        data = picture.pixels.tobytes()
        image = QImage(data, width, height, channels * width, kind)
        smooth = self._state.viewport.zoom < 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(self._target(pane, picture.region), image)

    def _target(self, pane: QRect, region: Region) -> QRectF:
        left, top, width, height = region
        x, y = self._state.viewport.to_pane(left, top)
        zoom = self._state.viewport.zoom
        return QRectF(pane.x() + x, pane.y() + y, width * zoom, height * zoom)

    def _whole(self) -> Region:
        viewport = self._state.viewport
        return 0, 0, viewport.picture_width, viewport.picture_height

    def _divider(self, pane: QRect) -> int:
        side = pane.width() if self._state.vertical else pane.height()
        return round(self._state.divider * side)

    def _beyond_divider(self, pane: QRect) -> QRect:
        place = self._divider(pane)
        if self._state.vertical:
            return pane.adjusted(place, 0, 0, 0)
        return pane.adjusted(0, place, 0, 0)

    def _paint_divider(self, painter: QPainter, pane: QRect) -> None:
        place = self._divider(pane)
        ratio = self.devicePixelRatioF()
        if self._state.vertical:
            line = (QPointF(place, 0), QPointF(place, pane.height()))
            middle = QPointF(place, pane.height() / 2)
        else:
            line = (QPointF(0, place), QPointF(pane.width(), place))
            middle = QPointF(pane.width() / 2, place)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 130), 3.5), (QColor(255, 255, 255), 1.5)):
            painter.setPen(QPen(colour, width * ratio))
            painter.drawLine(*line)
        if self._state.layout == "split":
            painter.setPen(QPen(QColor(0, 0, 0, 130), ratio))
            painter.setBrush(QColor(255, 255, 255))
            painter.drawEllipse(middle, 7 * ratio, 7 * ratio)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_names(self, painter: QPainter) -> None:
        first, second = self._names
        area = self.rect().adjusted(8, 8, -8, -8)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
        below = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
        state = self._state
        if state.layout == "flip":
            self._pill(painter, area, left, second if state.flipped else first)
            return
        self._pill(painter, area, left, first)
        if state.layout == "side":
            ratio = self.devicePixelRatioF()
            pane = self._panes()[1]
            place = QRect(round(pane.x() / ratio), round(pane.y() / ratio), area.width() // 2, 60)
            self._pill(painter, place.adjusted(8, 8, 0, 0), left, second)
        else:
            self._pill(painter, area, right if state.vertical else below, second)

    def _pill(self, painter: QPainter, area: QRect, where: Qt.AlignmentFlag, text: str) -> None:
        font, metrics = small_font(self)
        font.setBold(True)
        theme = theme_of(self)
        width, height = metrics.horizontalAdvance(text) + 28, metrics.height() + 8
        box = QRect(area.left(), area.top(), width, height)
        if where & Qt.AlignmentFlag.AlignRight:
            box.moveRight(area.right())
        if where & Qt.AlignmentFlag.AlignBottom:
            box.moveBottom(area.bottom())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.pill)
        painter.drawRoundedRect(QRectF(box), height / 2, height / 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(theme.pill_text)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    # The hand.

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is None or self._frame is None:
            return
        place = event.position()
        if event.button() == Qt.MouseButton.RightButton:
            return
        if self.picking:
            self.picked.emit(*self.place_at(place))
            return
        self._grabbed = place
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._dragging = "select"
            self._corner = self.place_at(place)
        elif self._on_divider(place):
            self._dragging = "divider"
        else:
            self._dragging = "pan"
        self._set_cursor()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is None or self._frame is None:
            return
        place = event.position()
        self.hovered.emit(self.place_at(place))
        if not self._dragging:
            if self._state.layout == "swipe":
                self._move_divider(place)
            self._set_cursor(place)
            return
        if self._dragging == "divider":
            self._move_divider(place)
        elif self._dragging == "select" and self._corner is not None:
            self._select(self._corner, self.place_at(place))
        elif self._grabbed is not None:
            moved = (place - self._grabbed) * self.devicePixelRatioF()
            self._grabbed = place
            viewport = self._state.viewport.panned(moved.x(), moved.y())
            self.wanted.emit({"viewport": viewport})

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: ARG002
        self._grabbed, self._dragging, self._corner = None, "", None
        self._set_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        if event is None or self._frame is None or self.picking:
            return
        viewport = self._state.viewport
        if viewport.fitted:
            self._zoom_at(event.position(), 1.0)
        else:
            self.wanted.emit({"viewport": viewport.fit()})

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: ARG002
        self.hovered.emit(None)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is None or self._frame is None:
            return
        moved = event.pixelDelta()
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if not moved.isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase and not control:
            # Two fingers on a touchpad move the picture; a wheel, or fingers with Ctrl, zoom.
            ratio = self.devicePixelRatioF()
            viewport = self._state.viewport.panned(moved.x() * ratio, moved.y() * ratio)
            self.wanted.emit({"viewport": viewport})
        else:
            factor = _WHEEL_STEP ** (event.angleDelta().y() / 120)
            self._zoom_at(event.position(), self._state.viewport.zoom * factor)
        event.accept()

    def event(self, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.DevicePixelRatioChange:
            # On another screen the same pane has more device pixels, or fewer.
            self.resized.emit()
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._zoom_at(event.position(), self._state.viewport.zoom * (1 + event.value()))
                return True
        elif isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture) and self._frame is not None:
                middle = QPointF(self.mapFromGlobal(pinch.centerPoint().toPoint()))
                self._zoom_at(middle, self._state.viewport.zoom * pinch.scaleFactor())
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.wanted.emit({"flipped": True})
            return
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.wanted.emit({"flipped": False})
            return
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        if self._state.flipped:
            self.wanted.emit({"flipped": False})
        super().focusOutEvent(event)
        self.update()

    def _zoom_at(self, position: QPointF, zoom: float) -> None:
        device = position * self.devicePixelRatioF()
        pane = self._pane_at(device)
        at = (device.x() - pane.x(), device.y() - pane.y())
        viewport = self._state.viewport.zoomed(zoom, at)
        self.wanted.emit({"viewport": viewport})

    def _on_divider(self, position: QPointF) -> bool:
        if self._state.layout != "split":
            return False
        along = position.x() if self._state.vertical else position.y()
        place = self._divider(self._panes()[0]) / self.devicePixelRatioF()
        return abs(along - place) <= _HANDLE

    def _move_divider(self, position: QPointF) -> None:
        side = self.width() if self._state.vertical else self.height()
        along = position.x() if self._state.vertical else position.y()
        divider = min(max(along / max(side, 1), 0.0), 1.0)
        self.wanted.emit({"divider": divider})

    def _select(self, corner: tuple[float, float], other: tuple[float, float]) -> None:
        viewport = self._state.viewport
        x0, x1 = (
            min(max(round(x), 0), viewport.picture_width) for x in sorted((corner[0], other[0]))
        )
        y0, y1 = (
            min(max(round(y), 0), viewport.picture_height) for y in sorted((corner[1], other[1]))
        )
        if x1 - x0 >= 2 and y1 - y0 >= 2:
            self.wanted.emit({"selection": (x0, y0, x1 - x0, y1 - y0)})

    def _set_cursor(self, place: QPointF | None = None) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self.picking or self._dragging == "select":
            shape = Qt.CursorShape.CrossCursor
        elif self._dragging == "pan":
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._dragging == "divider" or (place is not None and self._on_divider(place)):
            vertical = self._state.vertical
            shape = Qt.CursorShape.SplitHCursor if vertical else Qt.CursorShape.SplitVCursor
        self.setCursor(shape)
