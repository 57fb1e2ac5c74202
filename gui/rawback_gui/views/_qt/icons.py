# SPDX-License-Identifier: GPL-3.0-or-later
"""Icons, drawn as lines on a square of 16 by 16 so that they suit any theme and any screen."""

from __future__ import annotations

from typing import Literal, TypeAlias

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPen

__all__ = ["IconName", "paint_icon"]

IconName: TypeAlias = Literal[
    "side",
    "split",
    "swipe",
    "flip",
    "swap",
    "panel",
    "previous",
    "next",
    "picker",
    "close",
    "more",
]

_SIDE = 16.0


def paint_icon(painter: QPainter, name: IconName, area: QRectF, colour: QColor) -> None:
    """Paint an icon into the middle of an area.

    Args:
        painter: Any painter.
        name: Which icon.
        area: Where.
        colour: Of its lines.
    """
    scale = min(area.width(), area.height()) / _SIDE
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(area.center() - QPointF(_SIDE, _SIDE) * (scale / 2))
    painter.scale(scale, scale)
    painter.setPen(
        QPen(
            colour,
            1.5,
            Qt.PenStyle.SolidLine,
            Qt.PenCapStyle.RoundCap,
            Qt.PenJoinStyle.RoundJoin,
        )
    )
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(_lines(name))
    filled = _filled(name)
    if filled is not None:
        painter.fillPath(filled, colour)
    painter.restore()


def _lines(name: IconName) -> QPainterPath:
    path = QPainterPath()
    if name in ("side", "split", "swipe", "flip", "panel"):
        _frame(path, name)
    elif name == "swap":
        _polyline(path, (3, 5.5), (13, 5.5), (10.5, 3))
        _polyline(path, (13, 10.5), (3, 10.5), (5.5, 13))
    elif name == "previous":
        _polyline(path, (10, 3), (5, 8), (10, 13))
    elif name == "next":
        _polyline(path, (6, 3), (11, 8), (6, 13))
    elif name == "picker":
        _polyline(path, (9, 4), (12, 7))
        _polyline(path, (10, 6), (4, 12), (2.5, 13.5))
        _polyline(path, (11.5, 4.5), (13.5, 2.5))
    elif name == "close":
        _polyline(path, (4, 4), (12, 12))
        _polyline(path, (12, 4), (4, 12))
    elif name == "more":
        _polyline(path, (4, 6), (8, 10), (12, 6))
    return path


def _frame(path: QPainterPath, name: IconName) -> None:
    if name == "side":
        path.addRoundedRect(QRectF(1.5, 3, 5.5, 10), 1, 1)
        path.addRoundedRect(QRectF(9, 3, 5.5, 10), 1, 1)
        return
    if name == "flip":
        path.addRoundedRect(QRectF(4.5, 5, 10, 8.5), 1, 1)
        _polyline(path, (2, 10.5), (1.5, 10.5), (1.5, 2.5), (11.5, 2.5), (11.5, 3))
        return
    path.addRoundedRect(QRectF(1.5, 3, 13, 10), 1, 1)
    if name == "panel":
        _polyline(path, (10.5, 3), (10.5, 13))
    else:
        _polyline(path, (8, 1), (8, 15))
    if name == "swipe":
        _polyline(path, (5.5, 6.5), (4, 8), (5.5, 9.5))
        _polyline(path, (10.5, 6.5), (12, 8), (10.5, 9.5))


def _filled(name: IconName) -> QPainterPath | None:
    path = QPainterPath()
    if name == "split":
        path.addRect(QRectF(1.5, 3, 6.5, 10))
        return path
    if name == "side":
        path.addRoundedRect(QRectF(1.5, 3, 5.5, 10), 1, 1)
        return path
    return None


def _polyline(path: QPainterPath, *points: tuple[float, float]) -> None:
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
