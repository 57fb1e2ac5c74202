"""Quads, tiles and spots (3.5 and 3.8 of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arrays import Bools, Ints
    from .guide import Guide

TILE = 512
SPOTS = 5
CLIPPED, UNCOVERED = 3, 4


def planes_of(mosaic: Ints) -> Ints:
    """The four planes [position, row, column] of a completed mosaic (3.5)."""
    return np.stack([mosaic[p // 2 :: 2, p % 2 :: 2] for p in range(4)])


def mosaic_of(planes: Ints) -> Ints:
    """The mosaic of four planes (3.5)."""
    rows, columns = planes.shape[1:]
    found = np.empty((2 * rows, 2 * columns), planes.dtype)
    for p in range(4):
        found[p // 2 :: 2, p % 2 :: 2] = planes[p]
    return found


def tiles_of(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """The rows and columns of quads of each tile, in reading order (3.5)."""
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            yield slice(top, min(top + TILE, rows)), slice(left, min(left + TILE, columns))


def _any_of_quad(pixels: Bools) -> Bools:
    """Whether something holds for a pixel of each quad (3.8)."""
    rows, columns = pixels.shape
    found: Bools = np.logical_or.reduce(pixels.reshape(rows // 2, 2, columns // 2, 2), axis=(1, 3))
    return found


def clipped_quads(guide: Guide) -> Bools:
    """Quads with a clipped channel in them or in one of the eight around (3.8)."""
    clipped = _any_of_quad(np.logical_or.reduce(guide.colours >= 254, axis=-1))
    rows, columns = clipped.shape
    padded = np.pad(clipped, 1)
    parts = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    found: Bools = np.logical_or.reduce(parts)
    return found


def uncovered_quads(guide: Guide) -> Bools:
    """Quads with a pixel that the carrier does not cover (3.8)."""
    return _any_of_quad(~guide.covered)


def spots_of(colours: Ints, guide: Guide) -> Ints:
    """The class of each quad (3.8)."""
    level = planes_of(colours[..., 1]).sum(axis=0) >> 2
    padded = np.pad(level, 1, mode="edge")
    beside = (padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1])
    change = np.max([np.abs(level - other) for other in beside], axis=0)
    spots: Ints = (change >= 32).astype(np.int64) + (change >= 128)
    spots[clipped_quads(guide)] = CLIPPED
    spots[uncovered_quads(guide)] = UNCOVERED
    return spots
