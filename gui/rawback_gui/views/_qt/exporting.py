# SPDX-License-Identifier: GPL-3.0-or-later
"""The error map and its numbers as files."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSaveFile, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, qRgb

from rawback import OutputRefused
from rawback_gui.models.colormaps import table
from rawback_gui.models.errormap import (
    ErrorView,
    default_range,
    picture_of,
    reduced,
    statistics_of,
)
from rawback_gui.models.orientation import Region, upright
from rawback_gui.models.planes import ALL, channels_of
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.colorbar import paint_scale

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rawback import RawFrame

__all__ = ["map_png", "numbers_csv", "write"]

_LARGEST = 2048
"""Pixels along the longer side of a map."""

_NARROWEST = 480


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
    errors: NDArray[np.float32],
    view: ErrorView,
    top: float | None,
    caption: str,
) -> bytes:
    """The error map of a whole frame with its colour bar, upright, as a PNG.

    Args:
        original: The raw.
        errors: float32, one for each sample: its errors in the view's unit.
        view: How errors are shown.
        top: The value at the end of the scale; None for one that suits the whole frame.
        caption: A line below it.
    """
    shown = reduced(errors, view, math.ceil(max(original.width, original.height) / _LARGEST))
    top = top or default_range(shown)
    pixels = np.ascontiguousarray(upright(picture_of(shown, view, top), original.orientation))
    height, width, _ = pixels.shape
    wide = max(width, _NARROWEST)
    # Everything below the map grows with it, so that it is read at any size.
    unit = wide / _NARROWEST
    margin, foot = round(16 * unit), round(70 * unit)
    image = QImage(wide + 2 * margin, height + 2 * margin + foot, QImage.Format.Format_RGB32)
    image.fill(QColor(255, 255, 255))
    painter = QPainter(image)
    picture = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    painter.drawImage(margin, margin, picture)
    font = QFont("sans-serif")
    font.setPixelSize(round(14 * unit))
    painter.setFont(font)
    painter.setPen(QColor(0, 0, 0))
    scale = QRectF(margin, height + 1.5 * margin, wide, 40 * unit)
    paint_scale(painter, scale, view, top, 16 * unit)
    painter.setPen(QColor(60, 60, 60))
    line = QRectF(margin, height + 1.5 * margin + 46 * unit, wide, 22 * unit)
    text = QFontMetricsF(font).elidedText(caption, Qt.TextElideMode.ElideMiddle, wide)
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    # A map has the 256 colours of its table, text some greys: one byte a pixel holds them.
    image.convertToFormat(QImage.Format.Format_Indexed8, _palette(view)).save(buffer, "PNG")
    return bytes(data.data())


def _palette(view: ErrorView) -> list[int]:
    """256 colours: every other one of the map's, and greys."""
    colours = table(view.colormap)[::2].tolist()
    greys = [[level] * 3 for level in range(0, 256, 2)]
    return [qRgb(*colour) for colour in (*colours, *greys)]


def numbers_csv(
    original: RawFrame,
    restored: NDArray[np.uint16],
    view: ErrorView,
    region: Region,
    errors: NDArray[np.float32],
) -> bytes:
    """Statistics of every channel of a region, then its histogram, as CSV.

    Args:
        original: The raw.
        restored: The restored mosaic.
        view: Kind and unit of errors.
        region: Left, top, width, height in raw pixels, beginning at a whole pattern.
        errors: float32, one for each sample: of the region, in the view's unit.
    """
    left, top, width, height = region
    part = (slice(top, top + height), slice(left, left + width))
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["region", left, top, width, height])
    table.writerow(["kind", view.kind])
    table.writerow(["unit", view.unit_text])
    table.writerow([])
    table.writerow(
        ["channel", "samples", "mean", "bias", "rms", "median", "p99", "largest", "psnr_db"]
    )
    # What people see is no matter of single channels.
    channels = (ALL,) if view.kind == "visible" else channels_of(original.mosaic)
    for channel in channels:
        found = statistics_of(
            original.cfa[part],
            restored[part],
            original,
            ErrorView(kind=view.kind, unit=view.unit, channel=channel),
            errors if view.kind == "visible" else None,
        )
        psnr = "exact" if math.isinf(found.psnr_db) else f"{found.psnr_db:.4f}"
        figures = (found.mean, found.bias, found.rms, found.median, found.p99, found.largest)
        table.writerow([channel, found.count, *(f"{value:.6g}" for value in figures), psnr])
    found = statistics_of(original.cfa[part], restored[part], original, view, errors)
    table.writerow([])
    table.writerow(["from", "to", tr("samples")])
    for low, high, count in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True):
        table.writerow([f"{low:.6g}", f"{high:.6g}", int(count)])
    return text.getvalue().encode()
