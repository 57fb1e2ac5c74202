"""The base over a frame, window by window: the same for encoder and decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.tiles import Grid, Window, even
from rawback.geometry import Geometry, build_guide
from rawback.residual import RegionClass, classify_regions
from rawback.types import Guide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.tone import Base

__all__ = ["FILTER_CLASSES", "GuideSource", "Prediction", "pointwise", "predict"]

FILTER_CLASSES = int(RegionClass.CLIPPED)
"""Region classes below this one may have filters of their own; the others share the last."""

_HALO = 4
"""Quads around a window that its filters and its classes depend on, and a few to spare."""


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
        """The guide of a window, two pixels a quad, completed at odd sides."""
        if self.whole is not None:
            rows, columns = window.slices
            at = (
                slice(2 * rows.start, 2 * rows.stop),
                slice(2 * columns.start, 2 * columns.stop),
            )
            return Guide(even(self.whole.pixels[at]), even(self.whole.mask[at]))
        width, height = self.geometry.raw_size
        left, top = 2 * window.left, 2 * window.top
        right, bottom = min(2 * window.right, width), min(2 * window.bottom, height)
        box = (left, top, right - left, bottom - top)
        guide = build_guide(self.geometry, self.pixels, region=box, threads=1)
        return Guide(even(guide.pixels), even(guide.mask))


@dataclass(frozen=True, slots=True)
class Prediction:
    """The base and what the guide says, over one window.

    Attributes:
        window: Which.
        planes: int16 ``[4, h, w]``: the four CFA planes in the noise-normalised domain.
        classes: uint8 ``[h, w]``: the region class of each quad.
    """

    window: Window
    planes: NDArray[np.int16]
    classes: NDArray[np.uint8]


def predict(base: Base, source: GuideSource, window: Window) -> Prediction:
    """Evaluate the base over a window; a part of a window equals that part of the frame."""
    around, colours, classes = _around(base, source, window)
    origin = 2 * (window.top - around.top), 2 * (window.left - around.left)
    return Prediction(window, base.planes(colours, classes, origin), classes)


def pointwise(
    base: Base, source: GuideSource, window: Window
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """The base before its filters.

    Returns:
        Colours int32 ``[3, 2 h + 4, 2 w + 4]`` with the border that filters need, and the classes
        uint8 ``[h, w]``.
    """
    around, colours, classes = _around(base, source, window)
    # Only at the frame's edges is the border missing; there the last pixel is repeated.
    near = [2 * window.top - 2 - 2 * around.top, 2 * window.left - 2 - 2 * around.left]
    rows, columns = (
        np.arange(start, start + 2 * size + 4).clip(0, end - 1)
        for start, size, end in zip(near, window.shape, colours.shape[1:], strict=True)
    )
    return colours[:, rows[:, None], columns], classes


def _around(
    base: Base, source: GuideSource, window: Window
) -> tuple[Window, NDArray[np.int32], NDArray[np.uint8]]:
    """A larger window, the base's colours int32 ``[3, H, W]`` there, and the window's classes."""
    around = source.grid.grown(window, _HALO)
    guide = source.guide(around)
    colours = base.colours(guide, (2 * around.top, 2 * around.left))
    return around, colours, classify_regions(guide, colours)[window.within(around)]
