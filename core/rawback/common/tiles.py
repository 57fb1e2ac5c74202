"""Tiles and windows of a frame.

Everything is counted in cells, see :class:`rawback.mosaic.Mosaic`: the 2x2 quads of a Bayer mosaic,
or pixels where each has samples of all colours. A mosaic whose sides are no multiples of theirs is
completed by repeating its last rows and columns, see :func:`completed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.residual import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.types import Region

__all__ = [
    "MARGIN",
    "TILE",
    "Grid",
    "Window",
    "completed",
    "filled",
    "tile_regions",
    "trimmed",
]

TILE = 512
"""Cells along each side of a tile; a multiple of ``2 ** LEVELS``, so that tiles cut bands alike."""

MARGIN = 6 << LEVELS
"""Cells around a window beyond which no coefficient reaches it."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of cells: rows ``top`` to ``bottom``, columns ``left`` to ``right``."""

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
        """Cells in it."""
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

    def samples_within(self, other: Window, mosaic: Mosaic) -> tuple[slice, slice]:
        """Where its samples lie among those of `other`, which encloses it, see `completed`."""
        rows, columns = self.within(other)
        down, across = mosaic.cell, mosaic.across
        return (
            slice(down * rows.start, down * rows.stop),
            slice(across * columns.start, across * columns.stop),
        )

    def overlaps(self, other: Window) -> bool:
        """Whether they share a cell."""
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

    def grown(self, cells: int) -> Window:
        """So many cells more on each side."""
        return Window(self.top - cells, self.left - cells, self.bottom + cells, self.right + cells)


@dataclass(frozen=True, slots=True)
class Grid:
    """The tiles of a frame of ``height`` by ``width`` cells of ``cell`` by ``cell`` pixels."""

    height: int
    width: int
    cell: int = 2

    @classmethod
    def of(cls, rows: int, columns: int, cell: int = 2) -> Grid:
        """The grid of a frame of so many rows and columns of pixels."""
        return cls(-(-rows // cell), -(-columns // cell), cell)

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

    def grown(self, window: Window, cells: int) -> Window:
        """`window` with so many cells more on each side, as far as the frame goes."""
        return window.grown(cells).intersection(self.whole)

    def aligned(self, window: Window) -> Window:
        """`window` grown until it starts and ends where the coarsest bands do."""
        step = 1 << LEVELS
        return Window(
            window.top // step * step,
            window.left // step * step,
            -(-window.bottom // step) * step,
            -(-window.right // step) * step,
        ).intersection(self.whole)


def filled(array: NDArray[_Scalar], cell: int, period: int = 1) -> NDArray[_Scalar]:
    """Complete ``[h, w, ...]`` to whole cells with the rows and columns `period` before the end."""
    for axis in (0, 1):
        size = array.shape[axis]
        missing = -size % cell
        if missing:
            last = np.arange(size, size + missing)
            last -= -(-(last - size + 1) // period) * period
            array = np.concatenate([array, array.take(last.clip(0), axis)], axis)
    return array


def completed(cfa: NDArray[_Scalar], mosaic: Mosaic) -> NDArray[_Scalar]:
    """The samples of a frame as rows of whole cells.

    Args:
        cfa: ``[H, W]``, or ``[H, W, n]``.
        mosaic: Whose.

    Returns:
        ``[cell h, cell w]``, or ``[H, n W]``: the samples of a pixel side by side.
    """
    if not mosaic.pattern:
        return cfa.reshape(cfa.shape[0], -1)
    return filled(cfa, mosaic.cell, 2 if mosaic.cell == 2 else max(mosaic.period))


def trimmed(samples: NDArray[_Scalar], mosaic: Mosaic, height: int, width: int) -> NDArray[_Scalar]:
    """Undo `completed`, for a frame of so many pixels."""
    samples = np.ascontiguousarray(samples[:height, : width * mosaic.samples])
    return samples if mosaic.samples == 1 else samples.reshape(height, width, mosaic.samples)


def tile_regions(width: int, height: int, cell: int = 2) -> tuple[Region, ...]:
    """Left, top, width and height, in raw pixels, of each tile of a frame, by its number."""
    return tuple(
        (
            cell * tile.left,
            cell * tile.top,
            min(cell * tile.right, width) - cell * tile.left,
            min(cell * tile.bottom, height) - cell * tile.top,
        )
        for tile in Grid.of(height, width, cell).tiles()
    )
