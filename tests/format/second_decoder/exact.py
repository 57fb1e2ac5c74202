"""The sensor's codes and the very samples (3.10 of FORMAT.md)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from .frame import SPOTS
from .payload import Source
from .refusal import refuse, require
from .symbols import BITS, Symbols, Table

if TYPE_CHECKING:
    from .arrays import Ints
    from .domain import Domain

CLASSES = 56
MOST_BYTES = 2 * 65536
BOUND = 192
LIMIT = 40
QUADS = ((0, 0), (1, 1), (0, 1), (1, 0))
EDGES = np.array(
    [((1218, 1448, 1722, 2048)[i % 4] << i // 4) >> 8 for i in range(CLASSES - 1)], np.int64
)


def sensor_codes(data: bytes) -> Ints:
    """CODES, layer 0: the codes that occur, ascending (3.10)."""
    try:
        inflated = zlib.decompressobj().decompress(data, MOST_BYTES + 1)
    except zlib.error:
        refuse("the codes are damaged")
    require(0 < len(inflated) <= MOST_BYTES and len(inflated) % 2 == 0, "no codes")
    raw = np.frombuffer(inflated, np.uint8).astype(np.int64)
    low, high = raw.reshape(2, -1)
    codes = (low + 256 * high).cumsum()
    require(bool((np.diff(codes) > 0).all()) and codes[-1] < 1 << 16, "impossible codes")
    return codes


@dataclass(frozen=True)
class Group:
    """Samples that are coded together, and the model fitted to them (3.10)."""

    position: int
    corner: tuple[int, int]
    neighbours: list[tuple[int, int]]
    error_weights: list[int]
    surprise_weights: list[int]
    spreads: Ints


@dataclass(frozen=True)
class Model:
    """CODES, layer 1: the groups, and the choice of each position and class of spread (3.10)."""

    groups: list[Group]
    choices: Ints


def sensor_model(data: bytes, pattern: str) -> Model:
    """CODES, layer 1 (3.10)."""
    source = Source(data)
    positions = sorted(range(4), key=lambda p: (pattern[p] != "G", p))
    before: set[tuple[int, int]] = set()
    groups = []
    for position, (y, x) in product(positions, QUADS):
        corner = (2 * y + position // 2, 2 * x + position % 2)
        around = product(range(-2, 3), repeat=2)
        neighbours = [
            (dy, dx) for dy, dx in around if ((corner[0] + dy) % 4, (corner[1] + dx) % 4) in before
        ]
        errors = np.frombuffer(source.take(len(neighbours)), np.int8).tolist()
        surprises = list(source.take(len(neighbours)))
        spreads = np.array(list(source.take(SPOTS)), np.int64)
        groups.append(Group(position, corner, neighbours, errors, surprises, spreads))
        before.add(corner)
    choices = np.array(list(source.take(4 * CLASSES)), np.int64).reshape(4, CLASSES)
    require(source.at_end and bool((choices < 112).all()), "an impossible model")
    return Model(groups, choices)


@dataclass(frozen=True)
class Sensor:
    """The same for all tiles: codes, their values at each position, and the model (3.10)."""

    codes: Ints
    values: list[Ints]
    model: Model
    table: Ints


def sensor(codes: Ints, model: Model, domain: Domain, table: Ints) -> Sensor:
    """The sensor of CODES, with the stored table `exact` (3.10)."""
    return Sensor(codes, [domain.values(codes, p) for p in range(4)], model, table)


def _predicted_rank(values: Ints, predicted: Ints) -> Ints:
    """e: the rank of predicted values, in eighths (point 2)."""
    n = len(values)
    if n == 1:
        return np.zeros_like(predicted)
    t = np.clip(predicted, values[0], values[-1])
    b = np.clip(np.searchsorted(values, t, side="right"), 1, n - 1) - 1
    found: Ints = 8 * b + (t - values[b]) * 8 // np.maximum(values[b + 1] - values[b], 1)
    return found


def _spread_class(values: Ints, e: Ints, spread: Ints) -> Ints:
    """The class of a spread, measured by the codes around the predicted rank (point 3)."""
    j = e >> 3
    upper, lower = np.minimum(j + 4, len(values) - 1), np.maximum(j - 4, 0)
    width = np.maximum(values[upper] - values[lower], 1)
    ratio: Ints = spread * 512 // width
    return np.searchsorted(EDGES, ratio, side="right")


class ExactTile:
    """The samples of one tile, restored group by group (3.10)."""

    def __init__(self, sensor: Sensor, symbols: Symbols, predictions: Ints, spots: Ints) -> None:
        """`predictions` is the mosaic P of the tile, `spots` has the class of each quad (3.10)."""
        self.sensor, self.symbols = sensor, symbols
        self.table = Table(sensor.table)
        self.predictions, self.spots = predictions, spots
        self.ranks = np.zeros_like(predictions)
        # Two samples of nothing around the tile.
        self.errors = np.pad(np.zeros_like(predictions), 2)
        self.surprises = self.errors.copy()

    def samples(self) -> Ints:
        """The mosaic of the tile (3.10)."""
        for group in self.sensor.model.groups:
            self._decode_group(group)
        found: Ints = self.sensor.codes[self.ranks]
        return found

    def _decode_group(self, group: Group) -> None:
        """All samples of a group (points 1 and 5)."""
        top, left = group.corner
        place = slice(top, None, 4), slice(left, None, 4)
        p = self.predictions[place]
        spots = self.spots[top // 2 :: 2, left // 2 :: 2]
        error = np.full_like(p, 128)
        spread = 64 * group.spreads[spots]
        for (dy, dx), weight, other in zip(
            group.neighbours, group.error_weights, group.surprise_weights, strict=True
        ):
            around = self._at(top + dy, left + dx, p.shape)
            error += weight * self.errors[around]
            spread += other * self.surprises[around]
        predicted = p + (error >> 8)
        values = self.sensor.values[group.position]
        ranks = self._decode_ranks(group.position, predicted.ravel(), (spread >> 6).ravel())
        self.ranks[place] = ranks.reshape(p.shape)
        found = values[self.ranks[place]]
        here = self._at(top, left, p.shape)
        self.errors[here] = np.clip(found - p, -BOUND, BOUND)
        self.surprises[here] = np.minimum(np.abs(found - predicted), BOUND)

    @staticmethod
    def _at(top: int, left: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Where the padded arrays hold every fourth sample from (top, left) on (3.10)."""
        rows, columns = shape
        return (
            slice(top + 2, top + 2 + 4 * rows, 4),
            slice(left + 2, left + 2 + 4 * columns, 4),
        )

    def _decode_ranks(self, position: int, predicted: Ints, spread: Ints) -> Ints:
        """The ranks of a group (points 2 to 4)."""
        values = self.sensor.values[position]
        e = _predicted_rank(values, predicted)
        kind = _spread_class(values, e, spread)
        s = np.maximum((kind - 28) // 4, 0)
        rows = self.sensor.model.choices[position][kind] * 8 + (e >> s) % 8
        d = self.symbols.array(self.table, rows) - LIMIT
        d = self.symbols.with_escapes(d, LIMIT)
        ranks: Ints = d + (e >> (3 + s))
        for bits in range(1, 7):
            chosen = s == bits
            if chosen.any():
                low = self.symbols.plain(BITS[bits], int(chosen.sum()))
                ranks[chosen] = (ranks[chosen] << bits) + low
        require(bool(((ranks >= 0) & (ranks < len(values))).all()), "an impossible rank")
        return ranks
