"""The sensor's codes and the very samples (3.10 of FORMAT.md)."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from .contexts import counter
from .models import Models
from .refusal import refuse, require
from .symbols import RangeDecoder, Symbols

if TYPE_CHECKING:
    from .arrays import Ints
    from .domain import Domain
    from .mosaics import Frame
    from .stored import Tables

CLASSES, FEATURES, NODES = 8, 24, 29
MOST_BYTES = 2 * 65536
BOUND = 1023
BORDER = 6
ERRORS = (
    *((0, -1), (0, -2), (0, -3), (0, -4)),
    *((-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2)),
    *((-2, -2), (-2, -1), (-2, 0), (-2, 1), (-2, 2)),
    *((-3, 0), (-4, 0)),
)
STRAIGHT = (
    *(((0, -2), (0, 2)), ((-2, 0), (2, 0))),
    *(((-2, -2), (2, 2)), ((-2, 2), (2, -2))),
)
ASIDE = (
    *(((0, -1), (0, -3), (0, 1)), ((0, 1), (0, -1), (0, 3))),
    *(((-1, 0), (-3, 0), (1, 0)), ((1, 0), (-1, 0), (3, 0))),
)
LINEAR_ERRORS = (
    *((0, -3), (0, -6), (0, -1), (0, -2)),
    *((-1, -4), (-1, -3), (-1, 0), (-1, 3), (-1, 2)),
    *((-1, -1), (-1, 1), (-2, 0), (-2, -1), (-1, -5)),
    *((0, -4), (0, -5)),
)
LINEAR_STRAIGHT = (
    *(((0, -3), (0, 3)), ((-1, 0), (1, 0))),
    *(((-1, -3), (1, 3)), ((-1, 3), (1, -3))),
)
LINEAR_ASIDE = (
    *(((0, -3), (0, -6), (0, 0)), ((0, 3), (0, 0), (0, 6))),
    *(((0, -1), (0, -4), (0, 2)), ((0, -1), (-1, -1), (1, -1))),
)
AROUND = (0, 1, 5, 6, 7, 11)
ACTIVITIES = (60, 90, 130, 200, 400, 900, 1800)
LARGE = 150
REPEATS = (
    *(((0, -3), (-1, 0)), ((0, -3), (-1, -3)), ((-1, 0), (-1, -3))),
    *(((-1, 0), (-1, 3)), ((0, -3), (0, -6)), ((-1, 0), (-2, 0))),
)
CONTEXTS = ((40, 8), (16, 16), (16, 5, 2, 4), (16, 40))
SIZES = [NODES * prod(parts) for parts in CONTEXTS]
STARTS = list(accumulate(SIZES, initial=0))[:-1]
LOW_START = sum(SIZES)
GOLOMB_START = LOW_START + 40 * 15 * 5


def sensor_codes(data: bytes, channels: int) -> list[Ints]:
    """CODES, layer 0: the codes that occur, of all channels or of each (3.10)."""
    lists = []
    while data:
        inflater = zlib.decompressobj()
        try:
            inflated = inflater.decompress(data, MOST_BYTES + 1)
        except zlib.error:
            refuse("the codes are damaged")
        lists.append(_ascending(inflated))
        data = inflater.unused_data
    require(len(lists) in {1, channels}, "too many or too few lists of codes")
    return lists if len(lists) > 1 else lists * channels


def _ascending(inflated: bytes) -> Ints:
    """A list of codes (3.10)."""
    require(0 < len(inflated) <= MOST_BYTES and len(inflated) % 2 == 0, "no codes")
    raw = np.frombuffer(inflated, np.uint8).astype(np.int64)
    low, high = raw.reshape(2, -1)
    codes = (low + 256 * high).cumsum()
    require(bool((np.diff(codes) > 0).all()) and codes[-1] < 1 << 16, "impossible codes")
    return codes


def sensor_weights(data: bytes, channels: int) -> tuple[bool, list[list[list[int]]]]:
    """CODES, layer 1: whether pixels repeat; weights by class, channel and feature (3.10)."""
    require(data[:1] in {b"\0", b"\1"}, "an impossible model")
    symbols = Symbols(data[1:])
    changes = [[symbols.integers(FEATURES) for _ in range(CLASSES)] for _ in range(channels)]
    weights = np.array(changes).cumsum(axis=1)
    require(bool((np.abs(weights) <= 2047).all()), "an impossible model")
    return data[0] == 1, weights.transpose(1, 0, 2).tolist()


@dataclass(frozen=True)
class Sensor:
    """The same for all tiles: codes and their values in each channel, and the model (3.10)."""

    codes: list[Ints]
    values: list[list[int]]
    weights: list[list[list[int]]]
    green: list[int]
    repeating: bool = False


def sensor(
    codes: list[Ints], model: tuple[bool, list[list[list[int]]]], domain: Domain, colours: str
) -> Sensor:
    """The sensor of both CODES sections, where `colours` are those of the channels (3.10)."""
    longest, values, whole = max(map(len, codes)), [], []
    for channel, own in enumerate(codes):
        row = domain.values(own, channel).tolist()
        missing = longest - len(own)
        values.append(row + [row[-1] + 1 + k for k in range(missing)])
        whole.append(np.append(own, [own[-1]] * missing).astype(np.int64))
    repeating, weights = model
    green = [int(colour == "G") for colour in colours]
    return Sensor(whole, values, weights, green, repeating)


@dataclass(frozen=True)
class Layout:
    """The channel of each sample of a tile, and rows and columns of samples of cells (3.5)."""

    channels: list[list[int]]
    side: int
    across: int
    linear: bool

    @classmethod
    def of(cls, frame: Frame, rows: slice, columns: slice) -> Layout:
        """That of the tile of these rows and columns of cells (3.5)."""
        channels = frame.channels[frame.within(rows, columns)].tolist()
        return cls(channels, frame.pattern.side, frame.pattern.across, frame.pattern.linear)


def half_octaves(value: int) -> int:
    """H (point 3)."""
    if value < 2:
        return value
    octave = value.bit_length() - 1
    return 2 * octave + 1 + (value >> (octave - 1)) % 2


def h(value: int) -> int:
    """H, at most 15 (point 3)."""
    return min(half_octaves(value), 15)


def _near(value: int) -> int:
    return min(max(value, -BOUND), BOUND)


def _parity(row: int, column: int) -> int:
    """Which of four the pixel of a sample of a linear frame is (3.10)."""
    return 2 * (row % 2) + column // 3 % 2


def _eighths(values: list[int], predicted: int) -> int:
    """E, the rank of a value in eighths (point 2)."""
    n = len(values)
    t = min(max(predicted, values[0]), values[-1])
    b = min(max(bisect_right(values, t), 1), max(n - 1, 1)) - 1
    return 8 * b + (t - values[b]) * 8 // max(values[b + 1] - values[b], 1) if n > 1 else 0


def _bordered(samples: Ints, cell: tuple[int, int]) -> list[list[int]]:
    """More samples on each side: those at the same place in the nearest cell (point 1)."""
    around = [
        [
            min(max(i // side, 0), n // side - 1) * side + i % side
            for i in range(-BORDER, n + BORDER)
        ]
        for n, side in zip(samples.shape, cell, strict=True)
    ]
    found: list[list[int]] = samples[np.ix_(*around)].tolist()
    return found


class ExactTile:
    """The samples of one tile (3.10)."""

    def __init__(
        self,
        sensor: Sensor,
        tables: Tables,
        data: bytes,
        predictions: Ints,
        spots: Ints,
        layout: Layout,
    ) -> None:
        """`predictions` is P of the tile's samples, `spots` has the class of each cell (3.10)."""
        self.sensor, self.layout = sensor, layout
        self.errors, self.straight, self.aside = ERRORS, STRAIGHT, ASIDE
        # Columns to the next pixel, and rows and columns to the next sample of the same colour.
        self.by, self.alike = 1, (2, 2)
        if layout.linear:
            self.errors, self.straight = LINEAR_ERRORS, LINEAR_STRAIGHT
            self.aside = LINEAR_ASIDE
            self.by, self.alike = 3, (1, 3)
        coder, curves = RangeDecoder(data), (tables["stretch"], tables["squash"])
        self.models = Models(
            coder,
            curves,
            (tables["lossless_probabilities"], tables["lossless_uses"]),
            16 * tables["lossless_weights"],
        )
        even = np.full(2 << len(REPEATS), 1 << 15), np.zeros(2 << len(REPEATS), np.int64)
        self.repeats = Models(coder, curves, even, np.zeros((0, 0), np.int64))
        self.repeated: tuple[int, int] | None = None
        self.shape = predictions.shape
        self.spots: list[list[int]] = spots.tolist()
        self.p = _bordered(predictions, (layout.side, layout.across))
        self.e = [[0] * len(row) for row in self.p]
        self.u = [[0] * len(row) for row in self.p]

    def samples(self) -> Ints:
        """The rows of samples of the tile (3.10)."""
        ranks = np.zeros(self.shape, np.int64)
        rows, columns = self.shape
        repeating = self.layout.linear and self.sensor.repeating
        for y in range(rows):
            for x in range(columns):
                if repeating and x % 3 == 0:
                    self.repeated = self._repeated(ranks, y, x)
                if self.repeated is None:
                    ranks[y, x] = self._sample(y, x)
                    continue
                down, right = self.repeated
                ranks[y, x] = ranks[y + down, x + right]
                value = self.sensor.values[x % 3][ranks[y, x]]
                self.e[y + BORDER][x + BORDER] = _near(value - self.p[y + BORDER][x + BORDER])
        found: Ints = np.stack(self.sensor.codes)[np.array(self.layout.channels), ranks]
        return found

    def _repeated(self, ranks: Ints, y: int, x: int) -> tuple[int, int] | None:
        """Rows and columns to the pixel that the one at row y, column x repeats (3.10)."""

        def same(one: tuple[int, int], other: tuple[int, int]) -> bool:
            pixels = []
            for down, right in (one, other):
                row, column = y + down, x + right
                if row < 0 or not 0 <= column < self.shape[1]:
                    return False
                pixels.append(ranks[row, column : column + 3].tolist())
            return bool(pixels[0] == pixels[1])

        known = [same(one, other) for one, other in REPEATS]
        context = sum(int(bit) << i for i, bit in enumerate(known))
        if x and self.repeats.single(2 * context):
            return 0, -3
        if y and not known[0] and self.repeats.single(2 * context + 1):
            return -1, 0
        return None

    def _features(self, y: int, x: int) -> list[int]:
        """What the prediction is made of, at bordered places (point 1)."""
        e, p = self.e, self.p
        found = [e[y + down][x + right] for down, right in self.errors]
        for (ay, ax), (by, bx) in self.straight:
            found.append(_near(p[y + ay][x + ax] + p[y + by][x + bx] - 2 * p[y][x]))
        for (my, mx), (ay, ax), (by, bx) in self.aside:
            found.append(_near(2 * p[y + my][x + mx] - p[y + ay][x + ax] - p[y + by][x + bx]))
        return found

    def _sample(self, row: int, column: int) -> int:
        """The rank of a sample (points 1 to 6)."""
        channel = self.layout.channels[row][column]
        y, x = row + BORDER, column + BORDER
        features = self._features(y, x)
        around = sum(abs(features[i]) for i in AROUND)
        number = bisect_right(ACTIVITIES, around)
        if self.layout.linear:
            number = 2 * _parity(row, column) + (around >= LARGE)
        weights = self.sensor.weights[number][channel]
        total = sum(w * f for w, f in zip(weights, features, strict=True))
        predicted = self.p[y][x] + (total + 128 >> 8)
        values = self.sensor.values[channel]
        rank = self._decode_rank(values, predicted, (y, x), channel)
        self.e[y][x] = _near(values[rank] - self.p[y][x])
        self.u[y][x] = min(abs(values[rank] - predicted), BOUND)
        return rank

    def _decode_rank(
        self, values: list[int], predicted: int, place: tuple[int, int], channel: int
    ) -> int:
        """The rank that the decisions tell (points 2 to 5)."""
        y, x = place
        n, models, by = len(values), self.models, self.by
        here, above, second = self.u[y], self.u[y - 1], self.u[y - 2]
        e, j = _eighths(values, predicted), _eighths(values, self.p[y][x]) >> 3
        width = max(values[min(j + 4, n - 1)] - values[max(j - 4, 0)], 1)
        total = (
            3 * (here[x - by] + above[x])
            + 2 * (here[x - 2 * by] + second[x])
            + sum(above[x + i * by] for i in (-2, -1, 1, 2))
            + second[x - by]
            + second[x + by]
        )
        spread = min(max(half_octaves((total + 12) * 32 // width) - 2, 0), 39)
        shift = 0 if spread < 13 else spread - 11 >> 1
        f = (e >> shift) % 8
        starts, late = self._starts((y, x), channel, spread, f), NODES + spread

        def decide(node: int) -> int:
            return models.mixed([s + node for s in starts], node, late, late=True)

        up, v = decide(0), 1
        while v < 15 and decide(v if up else v + 14):
            v += 1
        models.catch_up(late)
        if v == 15:
            v += models.golomb(GOLOMB_START + 16 * up)
        d = v if up else 1 - v
        rank = (e >> (3 + shift)) + d
        low = LOW_START + 5 * (15 * spread + min(max(d + 7, 0), 14))
        for which in (f >> 1, 4)[:shift]:
            rank = 2 * rank + models.single(low + which)
        if shift > 2:
            rank = (rank << shift - 2) + models.coder.even(shift - 2)
        return min(max(rank, 0), n - 1)

    def _starts(self, place: tuple[int, int], channel: int, spread: int, f: int) -> list[int]:
        """The first counter of each context (3.10)."""
        y, x = place
        p, green, by = self.p, self.sensor.green[channel], self.by
        here, above, second = self.u[y], self.u[y - 1], self.u[y - 2]
        across = h(here[x - by] + here[x - 2 * by] + 1 >> 1)
        down = h(above[x] + second[x] + 1 >> 1)
        light = h(max(p[y][x], 0) >> 4)
        up, left = self.alike
        bend = h(abs(p[y][x - left] - p[y][x + left]) + abs(p[y - up][x] - p[y + up][x]))
        spot = self.spots[(y - BORDER) // self.layout.side][(x - BORDER) // self.layout.across]
        third = _parity(y - BORDER, x - BORDER) if self.layout.linear else f >> 1
        contexts = (
            (spread, f),
            (across, down),
            (light, spot, green, third),
            (bend, spread),
        )
        return [
            counter(start, (*parts, NODES), (*values, 0))
            for start, parts, values in zip(STARTS, CONTEXTS, contexts, strict=True)
        ]
