"""The sensor's codes and the very samples (3.10 of FORMAT.md)."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from .models import Models
from .refusal import refuse, require
from .symbols import RangeDecoder, Symbols

if TYPE_CHECKING:
    from .arrays import Ints
    from .domain import Domain
    from .mosaics import Frame
    from .stored import Tables


def _root(number: int) -> int:
    """The 64th root, rounded down: six times the square root."""
    for _ in range(6):
        number = isqrt(number)
    return number


INPUTS, SYMBOLS, PHASES = 48, 32, 4
PLAIN, REPEATING, INTERPOLATED = range(3)
ORDER = 1, 0, 2
"""In which the samples of a linear frame's pixel are coded."""
HITS = 2 * PHASES * 54
MOST_BYTES = 2 * 65536
BOUND = 1023
BORDER = 8
STRAIGHT = (
    *(((0, -2), (0, 2)), ((-2, 0), (2, 0))),
    *(((-2, -2), (2, 2)), ((-2, 2), (2, -2))),
)
ASIDE = (
    *(((0, -1), (0, -3), (0, 1)), ((0, 1), (0, -1), (0, 3))),
    *(((-1, 0), (-3, 0), (1, 0)), ((1, 0), (-1, 0), (3, 0))),
)
LINEAR_STRAIGHT = (
    *(((0, -3), (0, 3)), ((-1, 0), (1, 0))),
    *(((-1, -3), (1, 3)), ((-1, 3), (1, -3))),
)
LINEAR_ASIDE = (
    *(((0, -3), (0, -6), (0, 0)), ((0, 3), (0, 0), (0, 6))),
    *(((0, -1), (0, -4), (0, 2)), ((0, -1), (-1, -1), (1, -1))),
)
REPEATS = (
    *(((0, -3), (-1, 0)), ((0, -3), (-1, -3)), ((-1, 0), (-1, -3))),
    *(((-1, 0), (-1, 3)), ((0, -3), (0, -6)), ((-1, 0), (-2, 0))),
)
DISTRIBUTIONS = 24 * 8 + 11 * 16
ENDS = 4 * 16
TOTAL = (65536 - 4 * SYMBOLS) * 64
PACE = 1972
LOGARITHMS = [((64 + i) ** 64).bit_length() - 385 for i in range(64)]
"""floor(64 log2(1 + i / 64)) (3.10)."""
POWERS = [_root(1 << 1024 + i) for i in range(64)]
"""floor(2^(16 + i / 64)) (3.10)."""


def sensor_codes(data: bytes, channels: int, *, linear: bool) -> list[Ints]:
    """CODES, layer 0: lists of the codes that occur, one for each channel at least (3.10)."""
    lists = []
    while data:
        inflater = zlib.decompressobj()
        try:
            inflated = inflater.decompress(data, MOST_BYTES + 1)
        except zlib.error:
            refuse("the codes are damaged")
        lists.append(_ascending(inflated))
        data = inflater.unused_data
    counts = {1, channels, PHASES * channels} if linear else {1, channels}
    require(len(lists) in counts, "too many or too few lists of codes")
    return lists if len(lists) > 1 else lists * channels


def _ascending(inflated: bytes) -> Ints:
    """A list of codes (3.10)."""
    require(0 < len(inflated) <= MOST_BYTES and len(inflated) % 2 == 0, "no codes")
    raw = np.frombuffer(inflated, np.uint8).astype(np.int64)
    low, high = raw.reshape(2, -1)
    codes = (low + 256 * high).cumsum()
    require(bool((np.diff(codes) > 0).all()) and codes[-1] < 1 << 16, "impossible codes")
    return codes


@dataclass(frozen=True)
class Fitted:
    """What the encoder fitted: weights by channel, phase and input, scales by channel and input."""

    weights: Ints
    scales: Ints
    pixels: int = PLAIN


def fitted_model(data: bytes, channels: int, *, linear: bool) -> Fitted:
    """CODES, layer 1 (3.10)."""
    require(data[:1] in {b"\0", b"\1", b"\2"}, "an impossible model")
    symbols = Symbols(data[1:])
    weights, scales = [], []
    for _ in range(channels):
        changes = [symbols.integers(INPUTS) for _ in range(PHASES if linear else 1)]
        weights.append(np.cumsum(changes, axis=0))
        scales.append(symbols.integers(INPUTS))
    found = Fitted(np.array(weights), np.array(scales), data[0])
    for numbers in (found.weights, found.scales):
        require(bool((np.abs(numbers) <= 2047).all()), "an impossible model")
    return found


@dataclass(frozen=True)
class Sensor:
    """The same for all tiles: lists of codes and their values, and the model (3.10)."""

    codes: list[Ints]
    values: list[list[int]]
    fitted: Fitted


def sensor(codes: list[Ints], fitted: Fitted, domain: Domain) -> Sensor:
    """The sensor of both CODES sections (3.10)."""
    channels = len(fitted.scales)
    require(len(codes) == channels or fitted.pixels != REPEATING, "an impossible model")
    each = len(codes) // channels
    values = [domain.values(own, number // each).tolist() for number, own in enumerate(codes)]
    return Sensor(codes, values, fitted)


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


def logarithm(value: int) -> int:
    """L (3.10)."""
    octave = value.bit_length() - 1
    return 64 * octave + LOGARITHMS[(value << 6 >> octave) % 64]


def _near(value: int) -> int:
    return min(max(value, -BOUND), BOUND)


def _parity(row: int, column: int) -> int:
    """Which of four the pixel of a sample of a linear frame is (3.10)."""
    return 2 * (row % 2) + column // 3 % 2


def _eighths(values: list[int], predicted: int) -> int:
    """The rank of a value in eighths (point 4)."""
    n = len(values)
    t = min(max(predicted, values[0]), values[-1])
    b = min(max(bisect_right(values, t), 1), max(n - 1, 1)) - 1
    return 8 * b + (t - values[b]) * 8 // max(values[b + 1] - values[b], 1) if n > 1 else 0


def _bordered(samples: Ints, cell: tuple[int, int]) -> Ints:
    """More samples on each side: those at the same place in the nearest cell (point 1)."""
    around = [
        [
            min(max(i // side, 0), n // side - 1) * side + i % side
            for i in range(-BORDER, n + BORDER)
        ]
        for n, side in zip(samples.shape, cell, strict=True)
    ]
    found: Ints = samples[np.ix_(*around)]
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
        self.shape = predictions.shape
        coder, curves = RangeDecoder(data), (tables["stretch"], tables["squash"])
        unmixed = np.zeros((0, 0), np.int64)
        learned = tables["lossless_probabilities"], tables["lossless_uses"]
        self.models = Models(coder, curves, learned, unmixed)
        even = np.full(2 << len(REPEATS), 1 << 15), np.zeros(2 << len(REPEATS), np.int64)
        self.repeats = Models(coder, curves, even, unmixed)
        self.repeated: tuple[int, int] | None = None
        self.begins = 64 * tables["lossless_distributions"]
        self.seen: list[int] = tables["lossless_seen"].tolist()
        self.weights = 4096 * sensor.fitted.weights
        self.spots: list[list[int]] = spots.tolist()
        self.e = np.zeros([length + 2 * BORDER for length in self.shape], np.int64)
        self.u = np.zeros_like(self.e)
        # In the order in which samples are coded, from here on.
        self.order = np.arange(self.shape[1])
        if layout.linear:
            self.order = self.order // 3 * 3 + np.array(ORDER)[self.order % 3]
        self.p = predictions[:, self.order]
        self.by_phase = len(sensor.codes) > len(sensor.fitted.scales)
        self.differences = np.zeros((*self.shape, 2), np.int64)
        """Of a sample's code to that of green, and where it was found: 0, 1 or 2."""
        self.way = 0
        hits = 2 * HITS + 4 * PHASES * 4
        even = np.full(hits, 1 << 15), np.zeros(hits, np.int64)
        self.hits = Models(coder, curves, even, unmixed)
        self._look_around(_bordered(self.p, (layout.side, layout.across)))

    def _look_around(self, p: Ints) -> None:
        """How P bends and changes around each sample (points 1 and 2)."""

        def at(place: tuple[int, int]) -> Ints:
            rows, columns = (
                slice(BORDER + first, BORDER + first + length)
                for first, length in zip(place, self.shape, strict=True)
            )
            return p[rows, columns]

        linear, here = self.layout.linear, at((0, 0))
        straight, aside = (LINEAR_STRAIGHT, LINEAR_ASIDE) if linear else (STRAIGHT, ASIDE)
        bends = [at(one) + at(other) - 2 * here for one, other in straight]
        bends += [2 * at(middle) - at(one) - at(other) for middle, one, other in aside]
        self.bends = np.clip(np.stack(bends, axis=-1), -BOUND, BOUND)
        sizes = np.abs(self.bends)
        slopes = [np.abs(at(one) - at(other)) for one, other in straight[:2]]
        pairs = [sum(slopes), *(sizes[..., i] + sizes[..., i + 1] for i in (0, 2, 4, 6))]
        across, bent, slanted, first, second = (np.minimum(pair, BOUND) for pair in pairs)
        beside = np.minimum(np.abs(at((0, -1)) - at((0, 1))), BOUND)
        light, one = np.maximum(here, 0) >> 4, np.full_like(here, 16)
        parts = (across, bent, light, one, slanted, first, second, beside)
        self.detail = np.stack(parts, axis=-1)

    def samples(self) -> Ints:
        """The rows of samples of the tile (3.10)."""
        ranks = np.zeros(self.shape, np.int64)
        codes = np.zeros(self.shape, np.int64)
        rows, columns = self.shape
        repeating = self.layout.linear and self.sensor.fitted.pixels == REPEATING
        for y in range(rows):
            for x in range(columns):
                if repeating and x % 3 == 0:
                    self.repeated = self._repeated(ranks, y, x)
                own = self._list(y, x)
                if self.repeated is None:
                    ranks[y, x] = self._sample(ranks, codes, y, x)
                else:
                    down, right = self.repeated
                    ranks[y, x] = ranks[y + down, x + right]
                    value = self.sensor.values[own][ranks[y, x]]
                    self.e[y + BORDER, x + BORDER] = _near(value - int(self.p[y, x]))
                codes[y, x] = self.sensor.codes[own][ranks[y, x]]
                if self.layout.linear:
                    difference = codes[y, x] - codes[y, x - x % 3]
                    self.differences[y, x] = difference, self.way
        found = np.zeros_like(codes)
        found[:, self.order] = codes
        return found

    def _channel(self, y: int, x: int) -> int:
        return self.layout.channels[y][int(self.order[x])]

    def _list(self, y: int, x: int) -> int:
        """The list that a sample's code is one of (3.10)."""
        channel = self._channel(y, x)
        return PHASES * channel + _parity(y, x) if self.by_phase else channel

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

    def _interpolated(self, codes: Ints, y: int, x: int) -> int | None:
        """The rank of a sample that is where interpolation puts it (Interpolated samples)."""
        known, own = self.differences, self._list(y, x)
        green = int(codes[y, x - x % 3])
        number = PHASES * (x % 3 - 1) + _parity(y, x)
        expected: list[int | None] = [None, None]
        if y > 1:
            expected[0] = green + 2 * int(known[y - 1, x, 0]) - int(known[y - 2, x, 0])
        if x > 5:
            expected[1] = green + 2 * int(known[y, x - 3, 0]) - int(known[y, x - 6, 0])
        alike = None not in expected and abs((expected[0] or 0) - (expected[1] or 0)) <= 1
        around = int(known[y, x - 6, 1]) if x > 5 else 0, int(known[y - 2, x, 1]) if y > 1 else 0
        beside = int(known[y, x - 3, 1]) if x > 5 else 0
        context = ((number * 2 + alike) * 3 + around[0]) * 9 + around[1] * 3 + beside
        if alike:
            expected[1] = None
        found = None
        for kind, code in enumerate(expected):
            if found is None and code is not None:
                offsets = 2 * HITS + 4 * (2 * PHASES * kind + number)
                found = self._about(own, code, HITS * kind + context, offsets)
                self.way = 0 if found is None else 1 + kind
        return found

    def _about(self, own: int, code: int, counter: int, offsets: int) -> int | None:
        """The rank of one of four codes from two below the given one on, if it is one."""
        codes = self.sensor.codes[own].tolist()
        least = code - 2
        if not 0 <= least <= 65531:
            return None
        first, end = bisect_left(codes, least), bisect_left(codes, least + 4)
        if first == end or not self.hits.single(counter):
            return None
        while first + 1 < end and not self.hits.single(offsets + codes[first] - least):
            first += 1
        return first

    def _inputs(self, earlier: Ints, others: Ints, y: int, x: int) -> Ints:
        """Those of earlier samples, and others of the sample itself (points 1 and 2)."""
        row, column = y + BORDER, x + BORDER
        above = [earlier[row - i, column - 4 : column + 4] for i in range(1, 5)]
        return np.concatenate([earlier[row, column - 8 : column], *above, others[y, x]])

    def _sample(self, ranks: Ints, codes: Ints, y: int, x: int) -> int:
        """The rank of a sample (points 1 to 6)."""
        channel, p = self._channel(y, x), int(self.p[y, x])
        values = self.sensor.values[self._list(y, x)]
        weights = self.weights[channel][_parity(y, x) if self.layout.linear else 0]
        inputs = self._inputs(self.e, self.bends, y, x)
        predicted = p + (int(inputs @ (weights >> 8)) + 2048 >> 12)
        misses = self._inputs(self.u, self.detail, y, x)
        told = int(misses @ self.sensor.fitted.scales[channel])
        distance = min(max(told, 256), 1 << 26)
        rank, self.way = None, 0
        if self.layout.linear and self.sensor.fitted.pixels == INTERPOLATED and x % 3:
            rank = self._interpolated(codes, y, x)
        if rank is None:
            rank = self._end(ranks, (y, x), values, predicted, distance)
        if rank is None:
            spot = self.spots[y // self.layout.side][x // self.layout.across]
            rank = self._rank(values, p, predicted, distance, spot)
        error, miss = _near(values[rank] - p), _near(values[rank] - predicted)
        self.e[y + BORDER, x + BORDER] = error
        self.u[y + BORDER, x + BORDER] = abs(miss)
        squares = logarithm(int(inputs @ inputs) | 1) + 256
        power = PACE - max(2 * logarithm(distance), squares)
        most = distance >> 6
        step = min(max(miss, -most), most) * POWERS[power % 64] >> 16 - power // 64
        weights += inputs * step + 512 >> 10
        np.clip(weights, -(32767 << 8), 32767 << 8, out=weights)
        return rank

    def _end(
        self, ranks: Ints, place: tuple[int, int], values: list[int], predicted: int, distance: int
    ) -> int | None:
        """The last or the first rank, if it is that (point 3)."""
        y, x = place
        right, down = (3, 1) if self.layout.linear else (2, 2)
        if self.by_phase:
            right, down = 6, 2
        for first in range(2):
            end = 0 if first else len(values) - 1
            apart = 256 * (predicted - values[0] if first else values[end] - predicted)
            if apart > 4 * distance:
                continue
            marks = ((2, -1), (1, 0), (4, 1), (2, 1), (1, 1), (1, 2))
            context = sum(times * apart > many * distance for times, many in marks)
            context = 2 * context + int(x >= right and ranks[y, x - right] == end)
            context = 2 * context + int(y >= down and ranks[y - down, x] == end)
            if self.models.single(ENDS + 32 * first + context):
                return end
        return None

    def _rank(self, values: list[int], p: int, predicted: int, distance: int, spot: int) -> int:
        """The rank that a symbol and what follows it tell (points 4 and 5)."""
        n, e, j = len(values), _eighths(values, predicted), _eighths(values, p) >> 3
        width = max(values[min(j + 4, n - 1)] - values[max(j - 4, 0)], 1)
        level = min(max(logarithm(distance) - logarithm(width) - 320 >> 4, -16), 63) + 16
        s = 0 if level < 24 else (level - 24) // 4 + 1
        f = (e >> s) % 8
        row = 8 * level + f
        if s:
            row = 192 + 16 * (min(s, 11) - 1) + 4 * (level % 4) + f // 2
        symbol = self._symbol(DISTRIBUTIONS * spot + row)
        d = symbol - 15
        if symbol in {0, SYMBOLS - 1}:
            more = self.models.golomb(16 * (2 * (symbol > 0) + (s > 0)))
            d += more if symbol else -more
        rank = (e >> (3 + s)) + d << s
        if s:
            rank += self.models.coder.even(s)
        return min(max(rank, 0), n - 1)

    def _symbol(self, number: int) -> int:
        """A symbol under a distribution, which learns from it (point 4)."""
        coder, begins = self.models.coder, self.begins[number]
        starts = [*((begins >> 6) + 4 * np.arange(SYMBOLS)).tolist(), 65536]
        symbol = bisect_right(starts, coder.code // (coder.range >> 16), 0, SYMBOLS) - 1
        coder.take(starts[symbol], starts[symbol + 1] - starts[symbol])
        seen = self.seen[number]
        rate = (seen + 8).bit_length() - 1
        self.seen[number] = min(seen + 1, 2040)
        above = np.arange(SYMBOLS) > symbol
        begins += TOTAL * above - begins + (1 << rate - 1) >> rate
        return symbol
