"""The base over a frame, window by window: the same for encoder and decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.tiles import Grid, Window, filled
from rawback.geometry import Geometry, build_guide
from rawback.residual import RegionClass, classify_regions
from rawback.tone import REACH
from rawback.types import Guide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.tone import Base

__all__ = ["FILTER_CLASSES", "GuideSource", "Prediction", "pointwise", "predict"]

FILTER_CLASSES = int(RegionClass.CLIPPED)
"""Region classes below this one may have filters of their own; the others share the last."""

_HALO = 4
"""Cells around a window that its filters and its classes depend on, and a few to spare."""


@dataclass(frozen=True, slots=True)
class GuideSource:
    """The guide of any window of a frame.

    Attributes:
        geometry: Where raw pixels lie in the carrier.
        pixels: The carrier, uint8 ``[H, W, 3]``.
        grid: The frame's tiles.
        whole: The guide of the whole frame where it is there already: an encoder looks at each
            window several times, a decoder once.
    """

    geometry: Geometry
    pixels: NDArray[np.uint8]
    grid: Grid
    whole: Guide | None = None

    def guide(self, window: Window) -> Guide:
        """The guide of a window's cells, the last ones completed."""
        cell = self.grid.cell
        width, height = self.geometry.raw_size
        left, top = cell * window.left, cell * window.top
        right, bottom = min(cell * window.right, width), min(cell * window.bottom, height)
        if self.whole is not None:
            pixels, mask = (
                array[top:bottom, left:right] for array in (self.whole.pixels, self.whole.mask)
            )
        else:
            box = (left, top, right - left, bottom - top)
            guide = build_guide(self.geometry, self.pixels, region=box, threads=1)
            pixels, mask = guide.pixels, guide.mask
        return Guide(filled(pixels, cell), filled(mask, cell))


@dataclass(frozen=True, slots=True)
class Prediction:
    """The base and what the guide says, over one window.

    Attributes:
        window: Which.
        planes: int16 ``[planes, h, w]``: the samples of cells in the noise-normalised domain.
        classes: uint8 ``[h, w]``: the region class of each cell.
    """

    window: Window
    planes: NDArray[np.int16]
    classes: NDArray[np.uint8]


def predict(base: Base, source: GuideSource, window: Window) -> Prediction:
    """Evaluate the base over a window; a part of a window equals that part of the frame."""
    around, colours, classes = _around(base, source, window)
    cell, place = base.mosaic.cell, (window.top, window.left)
    origin = cell * (window.top - around.top), cell * (window.left - around.left)
    return Prediction(window, base.planes(colours, classes, origin, place), classes)


def pointwise(
    base: Base, source: GuideSource, window: Window
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """The base before its filters.

    Returns:
        Colours int32 ``[colours, cell h + 4, cell w + 4]`` with the border that filters need, and
        the classes uint8 ``[h, w]``.
    """
    around, colours, classes = _around(base, source, window)
    cell = base.mosaic.cell
    # Only at the frame's edges is the border missing; there the last pixel is repeated.
    near = [cell * (window.top - around.top) - REACH, cell * (window.left - around.left) - REACH]
    far = [start + cell * size + 2 * REACH for start, size in zip(near, window.shape, strict=True)]
    if min(near) >= 0 and far[0] <= colours.shape[1] and far[1] <= colours.shape[2]:
        return colours[:, near[0] : far[0], near[1] : far[1]], classes
    rows, columns = (
        np.arange(start, stop).clip(0, end - 1)
        for start, stop, end in zip(near, far, colours.shape[1:], strict=True)
    )
    return colours.take(rows, axis=1).take(columns, axis=2), classes


def _around(
    base: Base, source: GuideSource, window: Window
) -> tuple[Window, NDArray[np.int32], NDArray[np.uint8]]:
    """A larger window, the base's colours ``[n, H, W]`` there, and the window's classes."""
    around = source.grid.grown(window, _HALO)
    guide = source.guide(around)
    cell = base.mosaic.cell
    colours = base.colours(guide, (cell * around.top, cell * around.left))
    light = colours[max(base.mosaic.palette.find("G"), 0)]
    return around, colours, classify_regions(guide, light, cell)[window.within(around)]
