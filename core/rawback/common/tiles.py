"""Tiles and windows of a frame.

Everything is counted in quads, the 2x2 cells of the mosaic; a frame with an odd side is completed
by repeating its last row or column of cells' worth of samples, see :func:`even`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.residual import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.types import Region

__all__ = [
    "MARGIN",
    "TILE",
    "Grid",
    "Window",
    "even",
    "tile_regions",
]

TILE = 512
"""Quads along each side of a tile; a multiple of ``2 ** LEVELS``, so that tiles cut bands alike."""

MARGIN = 6 << LEVELS
"""Quads around a window beyond which no coefficient reaches it."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of quads: rows ``top`` to ``bottom``, columns ``left`` to ``right``."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def area(self) -> int:
        """Quads in it."""
        rows, columns = self.shape
        return rows * columns

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where it lies in an array of the whole frame."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, other: Window) -> tuple[slice, slice]:
        """Where it lies in an array of `other`, which encloses it."""
        return (
            slice(self.top - other.top, self.bottom - other.top),
            slice(self.left - other.left, self.right - other.left),
        )

    def intersection(self, other: Window) -> Window:
        """What they share; of no or negative shape where that is nothing."""
        return Window(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def samples_within(self, other: Window) -> tuple[slice, slice]:
        """Where its samples lie in a mosaic of `other`, which encloses it."""
        rows, columns = self.within(other)
        return slice(2 * rows.start, 2 * rows.stop), slice(2 * columns.start, 2 * columns.stop)

    def overlaps(self, other: Window) -> bool:
        """Whether they share a quad."""
        return min(self.intersection(other).shape) > 0

    @classmethod
    def union(cls, windows: Sequence[Window]) -> Window:
        """The smallest window that encloses all of `windows`, of which there is at least one."""
        return cls(
            min(window.top for window in windows),
            min(window.left for window in windows),
            max(window.bottom for window in windows),
            max(window.right for window in windows),
        )

    def grown(self, quads: int) -> Window:
        """So many quads more on each side."""
        return Window(self.top - quads, self.left - quads, self.bottom + quads, self.right + quads)


@dataclass(frozen=True, slots=True)
class Grid:
    """The tiles of a frame of ``height`` by ``width`` quads."""

    height: int
    width: int

    @classmethod
    def of(cls, rows: int, columns: int) -> Grid:
        """The grid of a mosaic of so many rows and columns of samples."""
        return cls((rows + 1) // 2, (columns + 1) // 2)

    @property
    def whole(self) -> Window:
        """The whole frame."""
        return Window(0, 0, self.height, self.width)

    def tiles(self) -> list[Window]:
        """All tiles in reading order: a section's tile number is an index into this list."""
        return [
            Window(top, left, min(top + TILE, self.height), min(left + TILE, self.width))
            for top in range(0, self.height, TILE)
            for left in range(0, self.width, TILE)
        ]

    def grown(self, window: Window, quads: int) -> Window:
        """`window` with so many quads more on each side, as far as the frame goes."""
        return window.grown(quads).intersection(self.whole)

    def aligned(self, window: Window) -> Window:
        """`window` grown until it starts and ends where the coarsest bands do."""
        step = 1 << LEVELS
        return Window(
            window.top // step * step,
            window.left // step * step,
            -(-window.bottom // step) * step,
            -(-window.right // step) * step,
        ).intersection(self.whole)


def even(array: NDArray[_Scalar], period: int = 1) -> NDArray[_Scalar]:
    """Complete ``[h, w, ...]`` to even sides with the row or column `period` before the end."""
    for axis in (0, 1):
        size = array.shape[axis]
        if size % 2:
            last = array.take([size - period], axis)
            array = np.concatenate([array, last], axis)
    return array


def tile_regions(width: int, height: int) -> tuple[Region, ...]:
    """Left, top, width and height, in raw pixels, of each tile of a frame, by its number."""
    return tuple(
        (
            2 * tile.left,
            2 * tile.top,
            min(2 * tile.right, width) - 2 * tile.left,
            min(2 * tile.bottom, height) - 2 * tile.top,
        )
        for tile in Grid.of(height, width).tiles()
    )
