# SPDX-License-Identifier: GPL-3.0-or-later
"""Painting pictures, marks and figures on the canvas, in device pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFont, QFontMetrics, QImage, QPainter, QPen

from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import PILL, PILL_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtCore import QRect, QSize

    from rawback_gui.controllers.pictures import Mark, Outside, Picture
    from rawback_gui.models.orientation import Region
    from rawback_gui.models.state import Source

__all__ = [
    "paint_divider",
    "paint_label",
    "paint_missing",
    "paint_outside",
    "paint_picture",
    "paint_selection",
]

_OUTSIDE, _HATCH = QColor(52, 52, 52), QColor(104, 104, 104)
_SHADE, _LINE = QColor(0, 0, 0, 130), QColor(255, 255, 255)


def paint_picture(
    painter: QPainter, picture: Picture | Mark, target: QRectF, *, smooth: bool
) -> None:
    """Paint pixels into a rectangle.

    Args:
        painter: In device pixels.
        picture: What to paint.
        target: Where.
        smooth: Whether to interpolate between pixels.
    """
    height, width, channels = picture.pixels.shape
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    data = picture.pixels.tobytes()
    image = QImage(data, width, height, channels * width, kind)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(target, image)


def paint_outside(
    painter: QPainter,
    outside: Outside,
    target: Callable[[Region], QRectF],
    size: QSize,
    font: QFont,
) -> None:
    """Hatch what the JPEG does not show, and say so where there is room.

    Args:
        painter: In device pixels.
        outside: What it does not show.
        target: Where on the screen a region of the upright picture lies.
        size: Of the canvas, in device pixels.
        font: In device pixels.
    """
    area = target(outside.region)
    mask = np.ascontiguousarray(np.where(outside.mask, 255, 0).astype(np.uint8))
    height, width = mask.shape
    data = mask.tobytes()
    alpha = QImage(data, width, height, width, QImage.Format.Format_Alpha8)
    layer = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    layer.fill(Qt.GlobalColor.transparent)
    inner = QPainter(layer)
    inner.fillRect(area, _OUTSIDE)
    inner.fillRect(area, QBrush(_HATCH, Qt.BrushStyle.BDiagPattern))
    inner.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    inner.drawImage(area, alpha)
    inner.end()
    painter.drawImage(0, 0, layer)
    text = tr("outside the JPEG")
    metrics = QFontMetrics(font)
    x, y = outside.label
    place = target((round(x), round(y), 0, 0)).topLeft()
    scale = area.width() / max(outside.region[2], 1)
    if outside.room * scale > metrics.height():
        paint_label(painter, place, text, font)


def paint_missing(painter: QPainter, area: QRect, source: Source, font: QFont) -> None:
    """A dash, and what is waited for, in the place of a picture.

    Args:
        painter: In device pixels.
        area: The part of the pane that is seen.
        source: What the pane is to show.
        font: In device pixels.
    """
    texts: dict[Source, str] = {
        "carrier": tr("the JPEG is being read"),
        "restored": tr("the raw is being restored"),
        "original": tr("the raw is being read"),
        "error": tr("errors are being measured"),
    }
    paint_label(painter, QRectF(area).center(), f"\u2013  {texts[source]}", font)


def paint_label(painter: QPainter, middle: QPointF, text: str, font: QFont) -> None:
    """A few words on a dark ground around a point."""
    metrics = QFontMetrics(font)
    box = QRectF(0, 0, metrics.horizontalAdvance(text) + metrics.height(), 1.4 * metrics.height())
    box.moveCenter(middle)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PILL)
    painter.drawRoundedRect(box, box.height() / 4, box.height() / 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(PILL_TEXT)
    painter.setFont(font)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_divider(
    painter: QPainter, pane: QRect, place: int, ratio: float, *, vertical: bool, handle: bool
) -> None:
    """The line between two halves of a pane.

    Args:
        painter: In device pixels.
        pane: The pane.
        place: Of the line, from the pane's left or top.
        ratio: Device pixels per pixel.
        vertical: Whether the line is.
        handle: Whether it can be dragged.
    """
    if vertical:
        line = (QPointF(place, 0), QPointF(place, pane.height()))
        middle = QPointF(place, pane.height() / 2)
    else:
        line = (QPointF(0, place), QPointF(pane.width(), place))
        middle = QPointF(pane.width() / 2, place)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((_SHADE, 3.5), (_LINE, 1.5)):
        painter.setPen(QPen(colour, width * ratio))
        painter.drawLine(*line)
    if handle:
        painter.setPen(QPen(_SHADE, ratio))
        painter.setBrush(_LINE)
        painter.drawEllipse(middle, 7 * ratio, 7 * ratio)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_selection(painter: QPainter, box: QRectF, text: str, font: QFont, ratio: float) -> None:
    """The frame of a region, and its place in words above it or, without room, in it."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0), 3 * ratio), QPen(_LINE, ratio)):
        painter.setPen(pen)
        painter.drawRect(box)
    metrics = QFontMetrics(font)
    width = metrics.horizontalAdvance(text) + metrics.height()
    above = box.top() > 2 * metrics.height() + 44 * ratio
    y = box.top() - metrics.height() if above else box.bottom() - metrics.height()
    paint_label(painter, QPointF(box.left() + width / 2, y), text, font)
