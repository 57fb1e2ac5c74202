# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures laid over the picture: any that the session provides, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen

from rawback_gui.models.colormaps import coloured
from rawback_gui.models.orientation import Region, to_upright, upright

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback import Overlay, RawFrame

__all__ = ["paint_overlay"]

_OPACITY, _MASK_OPACITY = 97, 150
_LABELLED = 400
"""Cells, at most, that have their values written in them."""

_MASKS = ((255, 170, 0), (0, 170, 255), (255, 60, 150), (90, 220, 60))
"""Colours of masks, by the number that their names end with."""


def paint_overlay(
    painter: QPainter, overlay: Overlay, frame: RawFrame, target: Callable[[Region], QRectF]
) -> None:
    """Paint an overlay: masks in one colour, else colours from 0 to the highest value.

    Where there are few cells, their values are written in them.

    Args:
        painter: In device pixels.
        overlay: What to paint.
        frame: Of which frame.
        target: Where on the screen a region of the upright picture lies.
    """
    rows, columns = overlay.values.shape
    pixels = np.ascontiguousarray(upright(_pixels(overlay), frame.orientation))
    height, width, _ = pixels.shape
    data = pixels.tobytes()
    image = QImage(data, width, height, 4 * width, QImage.Format.Format_RGBA8888)

    def place(region: Region) -> QRectF:
        return target(to_upright(region, frame.orientation, frame.width, frame.height))

    painter.save()
    # The last cells may be cut short by the frame's edge.
    painter.setClipRect(place((0, 0, frame.width, frame.height)), Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
    painter.drawImage(place((0, 0, columns * overlay.cell, rows * overlay.cell)), image)
    if rows * columns <= _LABELLED and not overlay.mask:
        _paint_values(painter, overlay, place)
    painter.restore()


def _pixels(overlay: Overlay) -> NDArray[np.uint8]:
    """Colour and opacity of each cell, uint8 ``[rows, columns, 4]``."""
    values = overlay.values
    pixels = np.empty((*values.shape, 4), np.uint8)
    if overlay.mask:
        number = overlay.name.rpartition("-")[2]
        pixels[..., :3] = _MASKS[(int(number) - 1 if number.isdigit() else 0) % len(_MASKS)]
        pixels[..., 3] = np.where(values > 0, _MASK_OPACITY, 0)
    else:
        top = max(float(values.max(initial=0)), 1e-9)
        pixels[..., :3] = coloured(values / np.float32(top), "viridis")
        pixels[..., 3] = _OPACITY
    return pixels


def _paint_values(painter: QPainter, overlay: Overlay, place: Callable[[Region], QRectF]) -> None:
    for (row, column), value in np.ndenumerate(overlay.values):
        left, top = column * overlay.cell, row * overlay.cell
        box = place((left, top, overlay.cell, overlay.cell))
        painter.setPen(QPen(QColor(255, 255, 255, 160), 1))
        painter.drawRect(box)
        _label(painter, box, f"{value:.3g} {overlay.unit}")


def _label(painter: QPainter, box: QRectF, text: str) -> None:
    if painter.fontMetrics().horizontalAdvance(text) > box.width() - 4:
        return
    for offset, colour in ((1, QColor(0, 0, 0)), (0, QColor(255, 255, 255))):
        painter.setPen(colour)
        painter.drawText(box.translated(offset, offset), Qt.AlignmentFlag.AlignCenter, text)
