# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
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

from rawback_gui.controllers.pictures import BLANK, Pictures
from rawback_gui.models.state import Source, ViewState
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.clipping_legend import ClippingLegend
from rawback_gui.views._qt.overlays import paint_overlay
from rawback_gui.views._qt.painting import (
    paint_divider,
    paint_missing,
    paint_outside,
    paint_picture,
    paint_selection,
)
from rawback_gui.views._qt.pane_label import PaneLabel, Pill
from rawback_gui.views._qt.panes import Panes
from rawback_gui.views._qt.theme import CANVAS, small_font, theme_of

if TYPE_CHECKING:
    from rawback import Overlay, RawFrame
    from rawback_gui.models.clipping import ClippedShares, Clipping
    from rawback_gui.models.orientation import Region
    from rawback_gui.models.viewport import Viewport

__all__ = ["Canvas"]

_HANDLE = 12
_WHEEL_STEP = 1.2
_MARGIN = 8
_BLANK = QColor(BLANK, BLANK, BLANK)
"""What of a picture is not drawn yet."""


class Canvas(QWidget):
    """Paints what the workspace has rendered, and turns moves of the mouse into states.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
        resized: The panes have another size.
        hovered: The place of the upright picture under the pointer, or None.
        picked: A place that was clicked to be white.
        footed: Pixels at the bottom that a label takes.
    """

    wanted = pyqtSignal(dict)
    resized = pyqtSignal()
    hovered = pyqtSignal(object)
    picked = pyqtSignal(float, float)
    footed = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAccessibleName(tr("Comparison"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(320, 200)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self.picking = False
        self._by_keys = False
        self.left = PaneLabel(tr("Left"), self)
        self.right = PaneLabel(tr("Right"), self)
        self.readout = Pill(self)
        self.readout.setAccessibleName(tr("Sample under the pointer"))
        self.legend = ClippingLegend(self)
        self.left.chosen.connect(lambda source: self.wanted.emit({"left": source}))
        self.right.chosen.connect(lambda source: self.wanted.emit({"right": source}))
        self._state = ViewState()
        self._pictures = Pictures()
        self._overlays: tuple[Overlay, ...] = ()
        self._frame: RawFrame | None = None
        self._grabbed: tuple[QPointF, Viewport] | None = None
        self._dragging = ""
        self._corner: tuple[float, float] | None = None
        self._pointer: QPointF | None = None
        self.readout.set_text("")

    # What is shown.

    def show_state(self, state: ViewState, description: str) -> None:
        """Paint another state.

        Args:
            state: With sources that there are.
            description: Of the two sides, for screen readers.
        """
        self._state = state
        self.setAccessibleDescription(description)
        self._place_labels()
        self._set_cursor()
        self.update()

    def show_pictures(
        self, pictures: Pictures, frame: RawFrame | None, overlays: tuple[Overlay, ...]
    ) -> None:
        """Paint other pictures."""
        self._pictures = pictures
        self._frame = frame
        self._overlays = overlays
        for label in (self.left, self.right):
            label.setVisible(frame is not None)
        if self._pointer is not None:
            # Under a pointer that rests there is another sample now.
            self.hovered.emit(None if frame is None else self.place_at(self._pointer))
        self.update()

    def show_clipping(self, shown: frozenset[Clipping], shares: ClippedShares) -> None:
        """Show the legend of what is marked."""
        self.legend.show_clipping(shown, shares)
        self._place_labels()

    def show_readout(self, text: str) -> None:
        """Show a sample under the pointer, or none."""
        self.readout.set_text(text)
        self._place_labels()

    def _place_labels(self) -> None:
        """Put the labels of the panes where these are."""
        ratio = self.devicePixelRatioF()
        side_by_side = self._state.layout == "side"
        below = not self._state.vertical and self._state.layout != "flip"
        pane = self._panes.rects[-1]
        room = round(pane.width() / ratio) - 2 * _MARGIN
        mirrored = not below and not side_by_side
        self.left.fit(room, mirrored=False)
        self.right.fit(room, mirrored=mirrored)
        self.left.move(_MARGIN, _MARGIN)
        foot = 0
        if side_by_side:
            self.right.move(round(pane.x() / ratio) + _MARGIN, round(pane.y() / ratio) + _MARGIN)
        elif below:
            foot = self.right.height() + _MARGIN
            self.right.move(_MARGIN, self.height() - foot)
        else:
            left = self.width() - _MARGIN - self.right.width()
            # Where both do not fit side by side, the second moves below the first.
            crowded = left < self.left.width() + 3 * _MARGIN
            top = 2 * _MARGIN + self.left.height() if crowded else _MARGIN
            self.right.move(max(left, _MARGIN), top)
        self.legend.move(_MARGIN, self.height() - _MARGIN - self.legend.height() - foot)
        self.readout.move(
            self.width() - _MARGIN - self.readout.width(),
            self.height() - _MARGIN - self.readout.height(),
        )
        self.footed.emit(foot)

    @property
    def pane_size(self) -> tuple[int, int]:
        """Width and height of one pane in device pixels."""
        pane = self._panes.rects[0]
        return pane.width(), pane.height()

    @property
    def _panes(self) -> Panes:
        ratio = self.devicePixelRatioF()
        return Panes(self._state, round(self.width() * ratio), round(self.height() * ratio))

    def place_at(self, position: QPointF) -> tuple[float, float]:
        """The place in the upright picture under a position in the widget."""
        place = self._panes.within(position * self.devicePixelRatioF())
        return self._state.viewport.to_picture(*place)

    # Painting.

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        painter.fillRect(self.rect(), CANVAS)
        if self._frame is None:
            painter.end()
            return
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        state, panes = self._state, self._panes
        pane, first, second = panes.rects[0], state.left, state.right
        if state.layout == "side":
            self._paint_pane(painter, pane, first)
            self._paint_pane(painter, panes.rects[1], second)
        elif state.layout == "flip":
            self._paint_pane(painter, pane, second if state.flipped else first)
        else:
            self._paint_pane(painter, pane, first, panes.before_divider)
            self._paint_pane(painter, pane, second, panes.beyond_divider)
            paint_divider(
                painter,
                pane,
                panes.divider,
                ratio,
                vertical=state.vertical,
                handle=state.layout == "split",
            )
        painter.resetTransform()
        if self._by_keys and self.hasFocus():
            painter.setPen(QPen(theme_of(self).accent_line, 2))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_pane(
        self, painter: QPainter, pane: QRect, source: Source, seen: QRect | None = None
    ) -> None:
        """Paint a source in a pane, or in the part of it that is seen."""
        painter.save()
        ratio = self.devicePixelRatioF()
        font, _ = small_font(self, ratio)
        painter.setFont(font)
        seen = pane if seen is None else seen
        painter.setClipRect(seen)
        state, pictures, frame = self._state, self._pictures, self._frame
        smooth = state.viewport.zoom < 2

        panes = self._panes

        def target(region: Region) -> QRectF:
            return panes.target(pane, region)

        painter.fillRect(target(self._whole()), _BLANK)
        picture = pictures.sources.get(source)
        if picture is not None:
            paint_picture(painter, picture, target(picture.region), smooth=smooth)
        else:
            paint_missing(painter, seen, source, font)
        if source == "carrier" and pictures.outside is not None:
            size = QSize(round(self.width() * ratio), round(self.height() * ratio))
            paint_outside(painter, pictures.outside, target, size, font)
        for mark in pictures.marks.values():
            if source != "error":
                paint_picture(painter, mark, target(mark.region), smooth=smooth)
        for overlay in self._overlays:
            if overlay.name in state.overlays and frame is not None:
                paint_overlay(painter, overlay, frame, target)
        if state.selection is not None:
            left, top, width, height = state.selection
            text = f"{left}, {top}  {width} \u00d7 {height}"
            paint_selection(painter, target(state.selection), text, font, ratio)
        painter.restore()

    def _whole(self) -> Region:
        viewport = self._state.viewport
        return 0, 0, viewport.picture_width, viewport.picture_height

    # Mouse and keys.

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._place_labels()
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
        self._grabbed = place, self._state.viewport
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
        place = self._pointer = event.position()
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
            start, viewport = self._grabbed
            moved = (place - start) * self.devicePixelRatioF()
            viewport = viewport.panned(moved.x(), moved.y())
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
        self._pointer = None
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

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        by_keys = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._by_keys = event is not None and event.reason() in by_keys
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        if self._state.flipped:
            self.wanted.emit({"flipped": False})
        super().focusOutEvent(event)
        self.update()

    def _zoom_at(self, position: QPointF, zoom: float) -> None:
        at = self._panes.within(position * self.devicePixelRatioF())
        viewport = self._state.viewport.zoomed(zoom, at)
        self.wanted.emit({"viewport": viewport})

    def _on_divider(self, position: QPointF) -> bool:
        if self._state.layout != "split":
            return False
        along = position.x() if self._state.vertical else position.y()
        place = self._panes.divider / self.devicePixelRatioF()
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
