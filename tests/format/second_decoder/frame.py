"""Tiles and spots (3.5 and 3.8 of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arrays import Bools, Ints
    from .guide import Guide
    from .mosaics import Pattern

TILE = 512
SPOTS = 5
CLIPPED, UNCOVERED = 3, 4


def tiles_of(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """The rows and columns of cells of each tile, in reading order (3.5)."""
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            yield slice(top, min(top + TILE, rows)), slice(left, min(left + TILE, columns))


def _any_of_cell(pixels: Bools, side: int) -> Bools:
    """Whether something holds for a pixel of each cell (3.8)."""
    rows, columns = (n // side for n in pixels.shape)
    split = pixels.reshape(rows, side, columns, side)
    found: Bools = np.logical_or.reduce(split, axis=(1, 3))
    return found


def _clipped(guide: Guide, side: int) -> Bools:
    """Cells with a clipped channel in them or in one of the eight around (3.8)."""
    clipped = _any_of_cell(np.logical_or.reduce(guide.colours >= 254, axis=-1), side)
    rows, columns = clipped.shape
    padded = np.pad(clipped, 1)
    parts = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    found: Bools = np.logical_or.reduce(parts)
    return found


def _levels(colours: Ints, pattern: Pattern) -> Ints:
    """The level of each cell (3.8)."""
    side = pattern.side
    light = colours[..., pattern.palette.index("G") if "G" in pattern.palette else 0]
    rows, columns = (n // side for n in light.shape)
    sums: Ints = light.reshape(rows, side, columns, side).sum(axis=(1, 3))
    if side == 3:
        towards_0: Ints = np.sign(sums) * (np.abs(sums) // 9)
        return towards_0
    return sums // side**2


def spots_of(colours: Ints, guide: Guide, pattern: Pattern) -> Ints:
    """The class of each cell (3.8)."""
    level = _levels(colours, pattern)
    padded = np.pad(level, 1, mode="edge")
    beside = (padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1])
    change = np.max([np.abs(level - other) for other in beside], axis=0)
    spots: Ints = (change >= 32).astype(np.int64) + (change >= 128)
    spots[_clipped(guide, pattern.side)] = CLIPPED
    spots[_any_of_cell(~guide.covered, pattern.side)] = UNCOVERED
    return spots
