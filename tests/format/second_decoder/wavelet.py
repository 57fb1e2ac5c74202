"""Putting planes together from their bands (3.9, "Bands" and "Restoring", of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .arrays import Ints

LEVELS = 5


@dataclass(frozen=True)
class Band:
    """A band by its level and by which axes are high-pass (3.9, Bands)."""

    level: int
    across: bool
    down: bool

    @property
    def kind(self) -> int:
        """How many axes are high-pass (3.9, Contexts)."""
        return self.across + self.down

    @property
    def place(self) -> int:
        """0 for LL5, two of each other level (3.9, Contexts)."""
        return 2 * self.level + self.kind - 2 if self.kind else 0

    @property
    def is_lowest(self) -> bool:
        """Whether this is LL5 (3.9, Bands)."""
        return self.kind == 0


def bands() -> list[Band]:
    """All bands in the order of coding (3.9, Bands)."""
    found = [Band(LEVELS, False, False)]
    for level in range(LEVELS, 0, -1):
        found += [Band(level, True, False), Band(level, False, True), Band(level, True, True)]
    return found


def side_at(side: int, level: int) -> int:
    """What a side has left low at a level (3.9, Bands)."""
    for _ in range(level):
        side = (side + 1) // 2
    return side


def band_shape(shape: tuple[int, int], band: Band) -> tuple[int, int]:
    """Rows and columns of a band of a plane of this shape (3.9, Bands)."""
    rows, columns = (side_at(side, band.level - 1) for side in shape)
    return _half(rows, band.down), _half(columns, band.across)


def _half(side: int, high: bool) -> int:
    """How much of a side goes to one of its halves (3.9, Bands)."""
    return side // 2 if high else (side + 1) // 2


def _lifted(target: Ints, source: Ints, factor: int, *, even: bool, sign: int = -1) -> None:
    """One step along the first axis: weighted neighbours off the target (3.9, Restoring)."""
    index = np.arange(len(target))
    before, after = (index - 1, index) if even else (index, index + 1)
    # Beyond an end, the neighbour on the other side stands in.
    before, after = (
        np.where(before < 0, after, before),
        np.where(after >= len(source), before, after),
    )
    target += sign * (factor * (source[before] + source[after]) + 256 >> 9)


def _merged(low: Ints, high: Ints) -> Ints:
    """Two halves put together along the first axis (3.9, Restoring)."""
    even, odd = low.copy(), high.copy()
    if len(odd):
        _lifted(even, odd, 227, even=True)
        _lifted(odd, even, 452, even=False)
        _lifted(even, odd, -27, even=True)
        _lifted(odd, even, -812, even=False)
    found = np.empty((len(even) + len(odd), *even.shape[1:]), np.int64)
    found[::2], found[1::2] = even, odd
    return found


def plane_of(coefficients: dict[Band, Ints]) -> Ints:
    """The plane whose bands have these coefficients (3.9, Restoring)."""
    low = coefficients[Band(LEVELS, False, False)]
    for level in range(LEVELS, 0, -1):
        hl, lh, hh = (
            coefficients[Band(level, across, down)]
            for across, down in ((True, False), (False, True), (True, True))
        )
        upper = _merged(low.T, hl.T).T
        lower = _merged(lh.T, hh.T).T
        low = _merged(upper, lower)
    return low


def _parted(rows: Ints) -> tuple[Ints, Ints]:
    """The two halves of rows along the first axis: undoes `_merged` (3.9, Contexts)."""
    even, odd = rows[::2].copy(), rows[1::2].copy()
    if len(odd):
        _lifted(odd, even, -812, even=False, sign=1)
        _lifted(even, odd, -27, even=True, sign=1)
        _lifted(odd, even, 452, even=False, sign=1)
        _lifted(even, odd, 227, even=True, sign=1)
    return even, odd


def bands_of(plane: Ints) -> dict[Band, Ints]:
    """The coefficients of a plane's bands (3.9, Contexts)."""
    found, low = {}, plane
    for level in range(1, LEVELS + 1):
        upper, lower = _parted(low)
        ll, hl = (half.T for half in _parted(upper.T))
        lh, hh = (half.T for half in _parted(lower.T))
        found[Band(level, True, False)] = hl
        found[Band(level, False, True)] = lh
        found[Band(level, True, True)] = hh
        low = ll
    found[Band(LEVELS, False, False)] = low
    return found
