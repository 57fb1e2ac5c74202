# SPDX-License-Identifier: GPL-3.0-or-later
"""Qt's Fusion style, with check boxes that are seen in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from PyQt6.QtWidgets import QProxyStyle, QStyle, QWidget

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QStyleOption

__all__ = ["Style"]

_TICK = ((0.22, 0.54), (0.42, 0.74), (0.79, 0.28))
"""Corners of the tick, as parts of the box."""


class Style(QProxyStyle):
    """Fusion draws the outline of a check box darker than the window, which in the dark is none."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption | None,
        painter: QPainter | None,
        widget: QWidget | None = None,
    ) -> None:
        boxes = (
            QStyle.PrimitiveElement.PE_IndicatorCheckBox,
            QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck,
        )
        if element in boxes and option is not None and painter is not None:
            _paint_box(painter, option)
        else:
            super().drawPrimitive(element, option, painter, widget)


def _paint_box(painter: QPainter, option: QStyleOption) -> None:
    state, palette = option.state, option.palette
    enabled = bool(state & QStyle.StateFlag.State_Enabled)
    on = bool(state & QStyle.StateFlag.State_On)
    group = QPalette.ColorGroup.Active if enabled else QPalette.ColorGroup.Disabled
    side = min(option.rect.width(), option.rect.height()) - 1
    box = QRectF(0, 0, side, side)
    box.moveCenter(QRectF(option.rect).center())
    role = QPalette.ColorRole
    fill = QColor(palette.color(group, role.Highlight if on else role.Base))
    line = QColor(fill if on else palette.color(group, role.PlaceholderText))
    if not enabled and not on:
        line.setAlpha(110)
    if state & QStyle.StateFlag.State_Sunken:
        fill = fill.darker(115)
    focused = state & QStyle.StateFlag.State_HasFocus
    if focused and state & QStyle.StateFlag.State_KeyboardFocusChange:
        line = QColor(palette.color(group, role.Link))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(line, 1))
    painter.setBrush(fill)
    painter.drawRoundedRect(box, 2, 2)
    if on:
        tick = [QPointF(box.left() + x * side, box.top() + y * side) for x, y in _TICK]
        pen = QPen(palette.color(role.HighlightedText), max(side / 8, 1.5))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(tick))
    painter.restore()
