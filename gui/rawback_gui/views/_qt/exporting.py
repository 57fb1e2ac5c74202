# SPDX-License-Identifier: GPL-3.0-or-later
"""The error map and its numbers as files."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSaveFile, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter

from rawback import OutputRefused
from rawback_gui.models.errormap import (
    ErrorView,
    default_range,
    errors_of,
    picture_of,
    reduced,
    statistics_of,
)
from rawback_gui.models.orientation import Region, upright
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.colorbar import paint_scale

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rawback import RawFrame

__all__ = ["map_png", "numbers_csv", "write"]

_LARGEST = 4096
_MARGIN, _FOOT = 16, 84


def write(path: Path, data: bytes) -> None:
    """Write a whole file, or leave everything as it was.

    Raises:
        OutputRefused: It cannot be written.
    """
    file = QSaveFile(str(path))
    opened = file.open(QIODevice.OpenModeFlag.WriteOnly)
    if not opened or file.write(data) != len(data) or not file.commit():
        message = f"{path.name} cannot be written ({file.errorString()}); choose another folder."
        raise OutputRefused(message)


def map_png(
    original: RawFrame,
    restored: NDArray[np.uint16],
    view: ErrorView,
    top: float | None,
    caption: str,
) -> bytes:
    """The error map of a whole frame with its colour bar, upright, as a PNG.

    Args:
        original: The raw.
        restored: The restored mosaic.
        view: How errors are shown.
        top: The value at the end of the scale; None for one that suits the whole frame.
        caption: A line below it.
    """
    errors = errors_of(original.cfa, restored, original, view)
    shown = reduced(errors, view, math.ceil(max(original.width, original.height) / _LARGEST))
    top = top or default_range(shown)
    pixels = np.ascontiguousarray(upright(picture_of(shown, view, top), original.orientation))
    height, width, _ = pixels.shape
    wide = max(width, 480)
    image = QImage(wide + 2 * _MARGIN, height + 2 * _MARGIN + _FOOT, QImage.Format.Format_RGB32)
    image.fill(QColor(255, 255, 255))
    painter = QPainter(image)
    picture = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    painter.drawImage(_MARGIN, _MARGIN, picture)
    painter.setPen(QColor(0, 0, 0))
    painter.setFont(QFont("sans-serif", 11))
    paint_scale(painter, QRectF(_MARGIN, height + 2 * _MARGIN, wide, 40), view, top)
    painter.setPen(QColor(60, 60, 60))
    painter.drawText(
        QRectF(_MARGIN, height + 2 * _MARGIN + 44, wide, 28),
        Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
        caption,
    )
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data.data())


def numbers_csv(
    original: RawFrame, restored: NDArray[np.uint16], view: ErrorView, region: Region
) -> bytes:
    """Statistics of every channel of a region, then its histogram, as CSV.

    Args:
        original: The raw.
        restored: The restored mosaic.
        view: Kind and unit of errors.
        region: Left, top, width, height in raw pixels, beginning at a whole 2x2 cell.
    """
    left, top, width, height = region
    part = (slice(top, top + height), slice(left, left + width))
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["region", left, top, width, height])
    table.writerow(["kind", view.kind])
    table.writerow(["unit", view.unit_text])
    table.writerow([])
    table.writerow(["channel", "samples", "mean", "rms", "median", "p99", "largest", "psnr_db"])
    for channel in ("all", "R", "G1", "G2", "B"):
        found = statistics_of(
            original.cfa[part],
            restored[part],
            original,
            ErrorView(kind=view.kind, unit=view.unit, channel=channel),
        )
        psnr = "exact" if math.isinf(found.psnr_db) else f"{found.psnr_db:.4f}"
        figures = (found.mean, found.rms, found.median, found.p99, found.largest)
        table.writerow([channel, found.count, *(f"{value:.6g}" for value in figures), psnr])
    found = statistics_of(original.cfa[part], restored[part], original, view)
    table.writerow([])
    table.writerow(["from", "to", tr("samples")])
    for low, high, count in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True):
        table.writerow([f"{low:.6g}", f"{high:.6g}", int(count)])
    return text.getvalue().encode()
