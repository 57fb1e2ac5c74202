"""The linear readout that refines the base (3.7 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .refusal import require
from .symbols import Symbols

if TYPE_CHECKING:
    from .arrays import Ints
    from .mosaics import Frame, Pattern

OFFSETS = [(y, x) for y in range(5) for x in range(5) if (y, x) != (2, 2)]


@dataclass(frozen=True)
class Filter:
    """Taps [channel, colour, offset] in 1/256, and a bias for each channel (3.7)."""

    taps: Ints
    biases: Ints


def _checked(taps: Ints, own: list[int]) -> Ints:
    """The taps, refused if all magnitudes, the middle ones included, add up to too much (3.7)."""
    middle = -taps.sum(axis=2)
    middle[range(len(own)), own] += 256
    magnitudes = np.abs(taps).sum(axis=(1, 2)) + np.abs(middle).sum(axis=1)
    require(bool((magnitudes <= 2048).all()), "too strong a filter")
    return taps


def _filters(data: bytes, pattern: Pattern) -> list[Filter]:
    """The coded filters (3.7)."""
    symbols, own, colours = Symbols(data), pattern.own, len(pattern.palette)
    channels, size = len(own), len(OFFSETS)
    count = int(symbols.escapes(1)[0])
    require(count <= 4, "too many filters")
    filters = []
    for _ in range(count):
        own_taps = symbols.integers(channels * size).reshape(channels, size)
        other_taps = symbols.integers(channels * (colours - 1) * size)
        other_taps = other_taps.reshape(channels, colours - 1, size)
        biases = np.clip(symbols.integers(channels), -4096, 4096)
        taps = np.empty((channels, colours, size), np.int64)
        for channel, colour in enumerate(own):
            taps[channel, colour] = own_taps[channel]
            others = [other for other in range(colours) if other != colour]
            taps[channel, others] = other_taps[channel]
        filters.append(Filter(_checked(taps, own), biases))
    return filters


def _filtered(padded: Ints, taps: Ints, own: int) -> Ints:
    """The filter's sum, rounded, for one channel at all pixels (3.7)."""
    rows, columns = (side - 4 for side in padded.shape[:2])

    def at(y: int, x: int, colour: int) -> Ints:
        """A colour at a place of the 5x5 window of all pixels."""
        return padded[y : y + rows, x : x + columns, colour]

    total = 256 * at(2, 2, own)
    for colour, of_colour in enumerate(taps):
        middle = at(2, 2, colour)
        for tap, (y, x) in zip(of_colour.tolist(), OFFSETS, strict=True):
            if tap:
                total += tap * (at(y, x, colour) - middle)
    return total + 128 >> 8


def base_of(data: bytes | None, colours: Ints, spots: Ints, frame: Frame) -> Ints:
    """The base [plane, row, column] from the colours and the section FILTER, if any (3.7)."""
    pattern = frame.pattern
    v = np.clip(colours, 0, 16384)
    filters = [] if data is None else _filters(data, pattern)
    # What a sample of each channel would be, at all pixels.
    found = np.stack([v[..., colour] for colour in pattern.own])
    padded = np.pad(v, ((2, 2), (2, 2), (0, 0)), mode="edge")
    classes = spots.repeat(pattern.side, axis=0).repeat(pattern.side, axis=1)
    for number, one in enumerate(filters):
        chosen = np.minimum(classes, len(filters) - 1) == number
        for channel, colour in enumerate(pattern.own):
            all_pixels = _filtered(padded, one.taps[channel], colour) + one.biases[channel]
            found[channel][chosen] = np.clip(all_pixels, -32767, 32767)[chosen]
    rows, columns = np.indices(frame.channels.shape)
    return frame.planes(found[frame.channels, rows, columns // pattern.samples])
