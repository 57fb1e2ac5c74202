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

    from rawback import Overlay, RawFrame

__all__ = ["paint_overlay"]

_OPACITY = 0.38
_LABELLED = 400
"""Cells, at most, that have their values written in them."""


def paint_overlay(
    painter: QPainter, overlay: Overlay, frame: RawFrame, target: Callable[[Region], QRectF]
) -> None:
    """Paint an overlay: colours from its lowest to its highest value, and values where they fit.

    Args:
        painter: In device pixels.
        overlay: What to paint.
        frame: Of which frame.
        target: Where on the screen a region of the upright picture lies.
    """
    values = overlay.values
    top = float(values.max()) if values.size else 0.0
    if top <= 0:
        return
    rows, columns = values.shape
    if rows * columns > _LABELLED:
        pixels = np.ascontiguousarray(
            upright(coloured(values / np.float32(top), "viridis"), frame.orientation)
        )
        height, width, _ = pixels.shape
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        whole = (
            0,
            0,
            min(columns * overlay.cell, frame.width),
            min(rows * overlay.cell, frame.height),
        )
        painter.setOpacity(_OPACITY)
        painter.drawImage(
            target(to_upright(whole, frame.orientation, frame.width, frame.height)), image
        )
        painter.setOpacity(1)
        return
    for row in range(rows):
        for column in range(columns):
            left, top_row = column * overlay.cell, row * overlay.cell
            wide = min(overlay.cell, frame.width - left)
            high = min(overlay.cell, frame.height - top_row)
            box = target(
                to_upright(
                    (left, top_row, wide, high), frame.orientation, frame.width, frame.height
                )
            )
            share = np.array([[values[row, column] / top]], np.float32)
            red, green, blue = (int(value) for value in coloured(share, "viridis")[0, 0])
            painter.fillRect(box, QColor(red, green, blue, round(255 * _OPACITY)))
            painter.setPen(QPen(QColor(255, 255, 255, 160), 1))
            painter.drawRect(box)
            _label(painter, box, f"{values[row, column]:.3g} {overlay.unit}")


def _label(painter: QPainter, box: QRectF, text: str) -> None:
    if painter.fontMetrics().horizontalAdvance(text) > box.width() - 4:
        return
    for offset, colour in ((1, QColor(0, 0, 0)), (0, QColor(255, 255, 255))):
        painter.setPen(colour)
        painter.drawText(box.translated(offset, offset), Qt.AlignmentFlag.AlignCenter, text)
