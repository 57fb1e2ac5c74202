"""What the guide says of each spot: where the base can be trusted.

The classes rise in the error to expect, so that a coarse coefficient, which covers many cells,
takes the highest class among them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual.wavelet import LEVELS, Band, band_shape, bands

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.types import Guide

__all__ = ["RegionClass", "class_pyramid", "classify_regions", "mean_pyramid"]

_Number = TypeVar("_Number", np.uint8, np.int32)

_classify = Kernel(
    "region_classes",
    *(Read(np.int32, 2), Read(np.uint8, 3), Read(np.uint8, 2), Integer),
    *(Write(np.int32, 2), Write(np.uint8, 2), Write(np.uint8, 2)),
)


class RegionClass(IntEnum):
    """Classes of spots."""

    SMOOTH = 0
    TEXTURE = 1
    EDGE = 2
    CLIPPED = 3
    UNCOVERED = 4


def classify_regions(guide: Guide, light: NDArray[np.int32], cell: int = 2) -> NDArray[np.uint8]:
    """Class of each cell.

    Args:
        guide: Guide of whole cells.
        light: int32 ``[cell h, cell w]``: the base's green, or what comes nearest to it, at every
            pixel, in 1/16 of the noise's standard deviation.
        cell: Pixels along the sides of a cell, 1 to 4.

    Returns:
        uint8 ``[h, w]``, values of :class:`RegionClass`.
    """
    height, width = guide.mask.shape
    classes = np.empty((height // cell, width // cell), dtype=np.uint8)
    levels = np.empty((3, width // cell + 2), dtype=np.int32)
    flags = np.empty((3, width // cell + 2), dtype=np.uint8)
    _classify(light, guide.pixels, guide.mask, cell, levels, flags, classes)
    return classes


def class_pyramid(spots: NDArray[np.uint8]) -> dict[Band, NDArray[np.uint8]]:
    """The classes at the size of every band of a plane of the shape of `spots`."""
    return _pyramid(spots, _highest)


def mean_pyramid(values: NDArray[np.int32]) -> dict[Band, NDArray[np.int32]]:
    """Means, rounded down level by level, of ``[h, w]`` at the size of every band of such a plane.

    Blocks at the end are completed with their last row and column.
    """
    return _pyramid(values, _mean)


def _pyramid(
    finest: NDArray[_Number], halved: Callable[[NDArray[_Number]], NDArray[_Number]]
) -> dict[Band, NDArray[_Number]]:
    levels = {0: finest}
    for level in range(1, LEVELS + 1):
        levels[level] = halved(levels[level - 1])
    found = {}
    for band in bands():
        rows, columns = band_shape(band, (finest.shape[0], finest.shape[1]))
        found[band] = levels[band.level][:rows, :columns]
    return found


def _mean(values: NDArray[np.int32]) -> NDArray[np.int32]:
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    rows = even[0::2] + even[1::2]
    return rows[:, 0::2] + rows[:, 1::2] >> 2


def _highest(spots: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The highest class of each 2x2 block, the last ones cut short."""
    height, width = spots.shape
    even = np.pad(spots, ((0, height % 2), (0, width % 2)))
    rows = np.maximum(even[0::2], even[1::2])
    highest: NDArray[np.uint8] = np.maximum(rows[:, 0::2], rows[:, 1::2])
    return highest
