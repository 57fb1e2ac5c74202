# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of an open picture in numbers: one, a region's, or a white."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rawback_gui.controllers.errors import errors_in
from rawback_gui.controllers.pictures import raw_region
from rawback_gui.models.errormap import ErrorView, Statistics, errors_of, statistics_of
from rawback_gui.models.orientation import Region, to_raw
from rawback_gui.models.planes import ALL, cell_of, planes_of
from rawback_gui.models.rendering import neutral_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    import rawback
    from rawback_gui.controllers.document import Document

__all__ = ["Measured", "Readout", "Sample", "readout_of", "statistics_in", "white_at"]

_PATCH = 8
"""Raw pixels along each side of what a white is picked from, at least."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Errors of a region, and what they are of.

    Attributes:
        opening: Of the document.
        rate: Of the restored raw.
        region: In upright raw pixels.
        view: Kind, unit and channel of errors.
        exposure: Stops by which pictures were pushed.
        statistics: The figures.
    """

    opening: int
    rate: rawback.Rate
    region: Region
    view: ErrorView
    exposure: float
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample under the pointer.

    Attributes:
        channel: What people call it: G1 or G2, or G where greens are not told apart.
        original: DN, or a floating point number; None without an original.
        restored: The same; None where it is not known yet.
        error: In the unit of the error map; None unless both are known.
    """

    channel: str
    original: float | None
    restored: float | None
    error: float | None


@dataclass(frozen=True, slots=True)
class Readout:
    """The pixel under the pointer.

    Attributes:
        column: In the raw, from the left.
        row: The same from the top.
        samples: Of the pixel: one of a mosaic.
        unit: Of their errors.
        is_float: Whether samples are floating point numbers, not DN.
    """

    column: int
    row: int
    samples: tuple[Sample, ...]
    unit: str
    is_float: bool = False


def readout_of(
    document: Document,
    restored: NDArray[np.uint16] | None,
    x: float,
    y: float,
    view: ErrorView,
) -> Readout | None:
    """The pixel at a place.

    Args:
        document: What is open.
        restored: The restored mosaic; None where it is not known at that place.
        x: From the left of the upright picture, in raw pixels.
        y: From its top.
        view: Kind and unit of the error.

    Returns:
        None outside the picture.
    """
    frame = document.frame
    column, row, _, _ = to_raw(
        (math.floor(x), math.floor(y), 1, 1), frame.orientation, frame.width, frame.height
    )
    if not (0 <= column < frame.width and 0 <= row < frame.height):
        return None
    down, across = frame.mosaic.period
    pattern = (row // down * down, column // across * across)
    place = (row - pattern[0], column - pattern[1])
    cell = (slice(pattern[0], pattern[0] + down), slice(pattern[1], pattern[1] + across))
    samples = []
    for plane in planes_of(frame.mosaic):
        if (plane.row, plane.column) != place:
            continue
        at = place if plane.sample is None else (*place, plane.sample)
        original = frame.value(int(frame.cfa[cell][at])) if document.has_original else None
        known = None if restored is None else frame.value(int(restored[cell][at]))
        error = None
        if original is not None and restored is not None and view.kind != "visible":
            shown = replace(view, channel=ALL)
            error = float(errors_of(frame.cfa[cell], restored[cell], frame, shown)[at])
            if view.kind == "absolute":
                error = abs(error)
        samples.append(Sample(plane.name, original, known, error))
    return Readout(column, row, tuple(samples), view.unit_text, is_float=frame.floats is not None)


def statistics_in(
    document: Document,
    restored: NDArray[np.uint16],
    region: Region,
    view: ErrorView,
    exposure: float = 0.0,
) -> Statistics | None:
    """Errors of a region.

    Args:
        document: What is open.
        restored: The restored mosaic.
        region: In upright raw pixels.
        view: Kind and unit of errors.
        exposure: Stops by which pictures are pushed.

    Returns:
        None where the region holds no 2x2 pixels, or there is no original.
    """
    frame, raw = document.frame, raw_region(document, region)
    left, top, width, height = raw
    if min(width, height) < 2 or document.session is None:
        return None
    part = (slice(top, top + height), slice(left, left + width))
    errors = errors_in(document.session, restored, raw, view, exposure)
    # Whole patterns are compared, and just the region is counted.
    x, y, _, _ = to_raw(region, frame.orientation, frame.width, frame.height)
    inner = (slice(max(y, 0) - top, None), slice(max(x, 0) - left, None))
    return statistics_of(frame.cfa[part], restored[part], frame, view, errors, inner=inner)


def white_at(document: Document, x: float, y: float) -> tuple[float, float, float] | None:
    """The neutral colour if a place of the upright picture is white; None if it cannot be told."""
    # Whole patterns, so that every colour is in them.
    side = max(_PATCH, *cell_of(document.frame.mosaic))
    left, top = math.floor(x) // 2 * 2 - side // 2, math.floor(y) // 2 * 2 - side // 2
    left, top, width, height = raw_region(document, (left, top, side, side))
    patch = document.frame.cfa[top : top + height, left : left + width]
    return neutral_at(patch, document.frame) if patch.size else None
