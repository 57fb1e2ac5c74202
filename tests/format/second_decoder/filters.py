"""The linear readout that refines the base (3.7 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .refusal import require
from .symbols import Symbols

if TYPE_CHECKING:
    from .arrays import Ints

OFFSETS = [(y, x) for y in range(5) for x in range(5) if (y, x) != (2, 2)]


@dataclass(frozen=True)
class Filter:
    """Taps [position, colour, offset] in 1/256, and a bias for each position (3.7)."""

    taps: Ints
    biases: Ints


def owners(pattern: str) -> list[int]:
    """The colour, 0 to 2, of each position of the 2x2 cell (3.7)."""
    return ["RGB".index(letter) for letter in pattern]


def _checked(taps: Ints, own: list[int]) -> Ints:
    """The taps, refused if all magnitudes, the middle ones included, add up to too much (3.7)."""
    middle = -taps.sum(axis=2)
    middle[range(4), own] += 256
    magnitudes = np.abs(taps).sum(axis=(1, 2)) + np.abs(middle).sum(axis=1)
    require(bool((magnitudes <= 2048).all()), "too strong a filter")
    return taps


def _filters(data: bytes, own: list[int]) -> list[Filter]:
    """The coded filters (3.7)."""
    symbols = Symbols(data)
    count = int(symbols.escapes(1)[0])
    require(count <= 4, "too many filters")
    filters = []
    for _ in range(count):
        own_taps = symbols.integers(96).reshape(4, 24)
        other_taps = symbols.integers(192).reshape(4, 2, 24)
        biases = np.clip(symbols.integers(4), -4096, 4096)
        taps = np.empty((4, 3, 24), np.int64)
        for p, colour in enumerate(own):
            taps[p, colour] = own_taps[p]
            taps[p, [other for other in range(3) if other != colour]] = other_taps[p]
        filters.append(Filter(_checked(taps, own), biases))
    return filters


def _filtered(padded: Ints, taps: Ints, position: int, own: int) -> Ints:
    """The filter's sum, rounded, at one position of all quads (3.7)."""
    rows, columns = ((side - 4) // 2 for side in padded.shape[:2])

    def at(y: int, x: int, colour: int) -> Ints:
        """A colour at a place of the 5x5 window of all quads."""
        top, left = position // 2 + y, position % 2 + x
        return padded[top : top + 2 * rows : 2, left : left + 2 * columns : 2, colour]

    total = 256 * at(2, 2, own)
    for colour in range(3):
        middle = at(2, 2, colour)
        for tap, (y, x) in zip(taps[colour].tolist(), OFFSETS, strict=True):
            if tap:
                total += tap * (at(y, x, colour) - middle)
    return total + 128 >> 8


def base_of(data: bytes | None, colours: Ints, spots: Ints, pattern: str) -> Ints:
    """The base [position, row, column] from the colours and the section FILTER, if any (3.7)."""
    own = owners(pattern)
    v = np.clip(colours, 0, 16384)
    filters = [] if data is None else _filters(data, own)
    base = np.stack([v[p // 2 :: 2, p % 2 :: 2, own[p]] for p in range(4)])
    padded = np.pad(v, ((2, 2), (2, 2), (0, 0)), mode="edge")
    for number, one in enumerate(filters):
        chosen = np.minimum(spots, len(filters) - 1) == number
        for p in range(4):
            found = _filtered(padded, one.taps[p], p, own[p]) + one.biases[p]
            base[p][chosen] = np.clip(found, -32767, 32767)[chosen]
    return base
