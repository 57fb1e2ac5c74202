"""The linear readout that refines the base (3.7 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .mosaics import turned
from .refusal import require
from .symbols import Symbols

if TYPE_CHECKING:
    from .arrays import Ints
    from .mosaics import Frame, Pattern

OFFSETS = [(y, x) for y in range(5) for x in range(5) if (y, x) != (2, 2)]


@dataclass(frozen=True)
class Filter:
    """Taps [channel or phase, colour, offset] in 1/256, and a bias for each (3.7)."""

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
    symbols, colours, size = Symbols(data), len(pattern.palette), len(OFFSETS)
    count, own, after = int(symbols.escapes(1)[0]), pattern.own, [-1] * len(pattern.own)
    if count > 4:
        require(pattern.turns_filters, "filters of phases")
        count, of = count - 4, pattern.phases[1]
        own = [pattern.own[channel] for channel in of]
        after = [max([-1, *(q for q in range(p) if of[q] == of[p])]) for p in range(len(of))]
    channels = len(own)
    require(count <= 4, "too many filters")
    filters = []
    for _ in range(count):
        own_taps = symbols.integers(channels * size).reshape(channels, size)
        other_taps = symbols.integers(channels * (colours - 1) * size)
        other_taps = other_taps.reshape(channels, colours - 1, size)
        biases = symbols.integers(channels).astype(np.int64)
        taps = np.empty((channels, colours, size), np.int64)
        for channel, colour in enumerate(own):
            taps[channel, colour] = own_taps[channel]
            others = [other for other in range(colours) if other != colour]
            taps[channel, others] = other_taps[channel]
        for number, before in enumerate(after):
            if before >= 0:
                taps[number] += taps[before]
                biases[number] += biases[before]
        taps, biases = np.clip(taps, -32768, 32768), np.clip(biases, -4096, 4096)
        filters.append(Filter(_checked(taps, own), biases))
    return filters


def _filtered(padded: Ints, taps: Ints, own: int, turn: int) -> Ints:
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
                down, right = turned(y - 2, x - 2, turn)
                total += tap * (at(2 + down, 2 + right, colour) - middle)
    return total + 128 >> 8


def base_of(data: bytes | None, colours: Ints, spots: Ints, frame: Frame) -> Ints:
    """The base [plane, row, column] from the colours and the section FILTER, if any (3.7)."""
    pattern = frame.pattern
    v = np.clip(colours, 0, 16384)
    filters = [] if data is None else _filters(data, pattern)
    kinds, of, turns = frame.channels, list(range(len(pattern.own))), [0] * len(pattern.own)
    if pattern.turns_filters:
        kinds, of, turns = frame.phases, pattern.phases[1], pattern.turns
    # What a sample of each kind, channel or phase, would be, at all pixels.
    found = np.stack([v[..., pattern.own[channel]] for channel in of])
    padded = np.pad(v, ((2, 2), (2, 2), (0, 0)), mode="edge")
    classes = spots.repeat(pattern.side, axis=0).repeat(pattern.side, axis=1)
    for number, one in enumerate(filters):
        chosen = np.minimum(classes, len(filters) - 1) == number
        for kind, channel in enumerate(of):
            row = kind if len(one.taps) == len(of) else channel
            all_pixels = _filtered(padded, one.taps[row], pattern.own[channel], turns[kind])
            all_pixels += one.biases[row]
            found[kind][chosen] = np.clip(all_pixels, -32767, 32767)[chosen]
    rows, columns = np.indices(kinds.shape)
    return frame.planes(found[kinds, rows, columns // pattern.samples])
