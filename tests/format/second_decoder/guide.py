"""The guide: the carrier's pixel of each raw pixel (3.3 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .payload import Header, Source
from .refusal import require
from .warp import Warp, warped_guide

if TYPE_CHECKING:
    from .arrays import Array, Bools, Bytes8, Ints

NUMBERS = (0, 2, 8, 8)


@dataclass(frozen=True)
class Guide:
    """Colours [row, column, RGB] of the completed frame, and where the carrier covers it (3.3)."""

    colours: Ints
    covered: Bools


def _signed(source: Source) -> int:
    """A zigzag number of the field `geometry` (3.3)."""
    value = source.leb128()
    return value >> 1 ^ -(value & 1)


def _turned(width: int, height: int, orientation: int) -> tuple[Ints, Ints]:
    """Positions x, y of all raw pixels once the raw is turned by the EXIF orientation (3.3)."""
    y, x = np.indices((height, width), np.int64)
    right, below = width - 1 - x, height - 1 - y
    turned = (
        *((x, y), (right, y), (right, below), (x, below)),
        *((y, x), (below, x), (below, right), (y, right)),
    )
    return turned[orientation - 1]


def _shifted_guide(carrier: Bytes8, x: Ints, y: Ints) -> tuple[Ints, Bools]:
    """Guide and coverage for geometries of kinds 0 and 1 (3.3)."""
    height, width = carrier.shape[:2]
    covered = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = carrier[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.int64)
    return found, covered


def completed(planes: Array, cell: int) -> Array:
    """Rows and columns completed to whole cells by repeating the last one (3.3)."""
    sides = [(0, -side % cell) for side in planes.shape[:2]]
    return np.pad(planes, sides + [(0, 0)] * (planes.ndim - 2), mode="edge")


def shows_nothing(header: Header) -> bool:
    """Whether the geometry lays the raw right of every carrier (3.3)."""
    source = Source(header.geometry)
    return source.number(1) == 8 and [_signed(source), _signed(source)] == [65535, 0]


def guide_of(header: Header, carrier: Bytes8) -> Guide:
    """The guide that the header's geometry tells (3.3)."""
    source = Source(header.geometry)
    first = source.number(1)
    kind, orientation = first >> 3, (first & 7) + 1
    require(kind <= 3, "no such kind of geometry")
    numbers = [_signed(source) for _ in range(NUMBERS[kind])]
    if kind < 2:
        dx, dy = numbers or (0, 0)
        require(source.at_end, "bytes are left over")
        x, y = _turned(header.width, header.height, orientation)
        colours, covered = _shifted_guide(carrier, x + dx, y + dy)
    else:
        require(orientation == 1, "a homography with an orientation")
        warp = Warp(header.width, header.height, numbers)
        if kind == 3:
            spacing = source.number(1)
            count = 2 * warp.mesh_size(spacing)
            warp.add_mesh(spacing, [_signed(source) for _ in range(count)])
        require(source.at_end, "bytes are left over")
        colours, covered = warped_guide(carrier, warp)
    colours[~covered] = 0
    cell = header.pattern.side
    return Guide(completed(colours, cell), completed(covered, cell))
