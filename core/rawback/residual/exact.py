"""The exact layer: every sample, given what the layers below it restored.

What is left at the top is nearly white noise, so a flat set of groups serves: the 16 phases of the
mosaic's 4x4 cells, greens first, each coded at once. A group's samples are predicted from the
restored value and, linearly, from the errors of the neighbours already coded; how far the truth may
lie from the prediction follows from how far it lay at those neighbours and from what the guide says
of the spot. Both sets of weights are fitted to the frame by the encoder and sent.

Sensors that use few of their codes (log-coded cameras, 8-bit sensors in 10-bit files) are coded by
the rank of a code, not by its value. Prediction happens in the noise-normalised domain and is then
turned into a rank; all of it in integers.

A sample's rank ``k`` is coded against its predicted rank ``m``, a multiple of 1/8, as the
difference ``(k >> s) - (m >> s)``; the `s` low bits, noise when the spread is wide, go as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawback.entropy import SymbolCoder, TableSet
from rawback.errors import PayloadDamaged
from rawback.residual.spots import Spot
from rawback.types import BayerPattern

__all__ = ["FAMILY", "ExactModel", "ExactTile", "RankDomain", "code_exact", "fit_exact"]

CELL = 4
REACH = 2
ERROR_CAP = 192
ESCAPE = 40
"""Differences of this size and more are told outside the tables."""

SHAPES = 4
SCALES = 28
FRACTIONS = 8
FAMILY = (SHAPES, SCALES, FRACTIONS)
"""The stored tables: shape of the distribution, its scale (quarter octaves from 1/8 of a rank),
eighth of a rank by which the prediction exceeds a whole one."""

CLASSES = 56
"""Classes of predicted spread, quarter octaves from 1/16 of a rank."""

_WEIGHT_SHIFT = 8
_SPREAD_SHIFT = 6


@dataclass(frozen=True, slots=True)
class RankDomain:
    """From the noise-normalised domain to ranks and back.

    Attributes:
        values: int32 ``[4, ranks]``: domain value of each rank at each position of the 2x2 cell,
            not decreasing.
    """

    values: NDArray[np.int32]

    def position_table(self, position: int) -> tuple[int, NDArray[np.int32]]:
        """First domain value, and the rank in eighths of that value and of each one after it."""
        row = self.values[position].astype(np.int64)
        wanted = np.arange(row[0], row[-1] + 1)
        below = np.clip(np.searchsorted(row, wanted, side="right") - 1, 0, max(len(row) - 2, 0))
        gap = np.maximum(np.diff(row, append=row[-1:] + 1)[below], 1)
        return int(row[0]), (below * 8 + (wanted - row[below]) * 8 // gap).astype(np.int32)

    def width_table(self, position: int) -> NDArray[np.int32]:
        """Domain values per eight ranks around each rank, at least 1."""
        row = np.pad(self.values[position], 4, mode="edge")
        return np.maximum(row[8:] - row[:-8], 1)


@dataclass(frozen=True, slots=True)
class ExactModel:
    """What the encoder fitted to the frame.

    Attributes:
        predictors: int8, per group one weight / 256 for each known neighbour.
        spreads: uint8, per group one weight / 64 for each known neighbour, then one for each kind
            of spot in 1/16 standard deviation of noise.
        choices: uint8 ``[4, CLASSES]``: table (``shape * SCALES + scale``) of each class of spread
            at each position of the 2x2 cell.
    """

    predictors: tuple[NDArray[np.int8], ...]
    spreads: tuple[NDArray[np.uint8], ...]
    choices: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """All weights in the order of the groups, then the choices."""
        parts = [a.tobytes() for pair in zip(self.predictors, self.spreads, strict=True) for a in pair]
        return b"".join(parts) + self.choices.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, pattern: BayerPattern) -> ExactModel:
        """Undo :meth:`to_bytes`.

        Raises:
            PayloadDamaged: The length is not that of a model, or a choice names no table.
        """
        known = [len(neighbours) for _, neighbours in _groups(pattern)]
        sizes = [size for n in known for size in (n, n + len(Spot))] + [4 * CLASSES]
        if len(data) != sum(sizes):
            message = "the exact layer's model has a wrong length; restore without it"
            raise PayloadDamaged(message)
        parts = [
            np.frombuffer(data, np.uint8, size, offset)
            for size, offset in zip(sizes, np.cumsum([0, *sizes[:-1]]), strict=True)
        ]
        choices = parts[-1].reshape(4, CLASSES)
        if (choices >= SHAPES * SCALES).any():
            message = "the exact layer's model names a table that does not exist"
            raise PayloadDamaged(message)
        return cls(tuple(p.view(np.int8) for p in parts[0:-1:2]), tuple(parts[1:-1:2]), choices)


@dataclass(frozen=True, slots=True)
class ExactTile:
    """What the exact layer knows of a tile before it is coded.

    Attributes:
        restored: int32 ``[h, w]`` mosaic in the noise-normalised domain, as restored below.
        spots: uint8 ``[h, w]``: the kind of spot of each sample.
    """

    restored: NDArray[np.int32]
    spots: NDArray[np.uint8]

    @classmethod
    def of(cls, planes: NDArray[np.int32], spots: NDArray[np.uint8]) -> ExactTile:
        """Of restored planes ``[4, h, w]`` and the spots of quads ``[h, w]``."""
        _, height, width = planes.shape
        restored = np.empty((2 * height, 2 * width), dtype=np.int32)
        for position in range(4):
            restored[position // 2 :: 2, position % 2 :: 2] = planes[position]
        return cls(restored, spots.repeat(2, axis=0).repeat(2, axis=1))


def _groups(pattern: BayerPattern) -> list[tuple[tuple[int, int], list[tuple[int, int]]]]:
    """First sample of each group, and the offsets of the neighbours coded before it."""
    positions = sorted(range(4), key=lambda p: (pattern[p] != "G", p))
    known: set[tuple[int, int]] = set()
    groups = []
    for position in positions:
        for y, x in ((0, 0), (1, 1), (0, 1), (1, 0)):
            first = (position // 2 + 2 * y, position % 2 + 2 * x)
            near = [
                (dy, dx)
                for dy in range(-REACH, REACH + 1)
                for dx in range(-REACH, REACH + 1)
                if ((first[0] + dy) % CELL, (first[1] + dx) % CELL) in known
            ]
            groups.append((first, near))
            known.add(first)
    return groups


class _Canvas:
    """Errors of the samples coded so far, and how much each surprised its prediction."""

    def __init__(self, tile: ExactTile) -> None:
        self.tile = tile
        height, width = tile.restored.shape
        self.error = np.zeros((height + 2 * REACH, width + 2 * REACH), dtype=np.int32)
        self.surprise = np.zeros_like(self.error)

    def group(self, array: NDArray[np.integer], first: tuple[int, int]) -> NDArray:
        return array[first[0] :: CELL, first[1] :: CELL]

    def neighbour(
        self, padded: NDArray[np.int32], first: tuple[int, int], offset: tuple[int, int]
    ) -> NDArray[np.int32]:
        y, x = first[0] + offset[0] + REACH, first[1] + offset[1] + REACH
        rows, columns = self.group(self.tile.restored, first).shape
        return padded[y : y + CELL * rows : CELL, x : x + CELL * columns : CELL][:rows, :columns]

    def record(
        self, first: tuple[int, int], value: NDArray[np.int32], predicted: NDArray[np.int32]
    ) -> None:
        error = value - self.group(self.tile.restored, first)
        self.neighbour(self.error, first, (0, 0))[...] = np.clip(error, -ERROR_CAP, ERROR_CAP)
        surprise = np.minimum(np.abs(value - predicted), ERROR_CAP)
        self.neighbour(self.surprise, first, (0, 0))[...] = surprise

    def predicted(
        self,
        first: tuple[int, int],
        near: Sequence[tuple[int, int]],
        weights: NDArray[np.int8],
    ) -> NDArray[np.int32]:
        total = np.full(self.group(self.tile.restored, first).shape, 1 << (_WEIGHT_SHIFT - 1), np.int32)
        for offset, weight in zip(near, weights.tolist(), strict=True):
            if weight:
                total += weight * self.neighbour(self.error, first, offset)
        return self.group(self.tile.restored, first) + (total >> _WEIGHT_SHIFT)

    def spread(
        self,
        first: tuple[int, int],
        near: Sequence[tuple[int, int]],
        weights: NDArray[np.uint8],
    ) -> NDArray[np.int32]:
        kinds = weights[len(near) :].astype(np.int32) << _SPREAD_SHIFT
        total = kinds[self.group(self.tile.spots, first)]
        for offset, weight in zip(near, weights.tolist(), strict=False):
            if weight:
                total += weight * self.neighbour(self.surprise, first, offset)
        return total >> _SPREAD_SHIFT


def code_exact(
    coder: SymbolCoder,
    tables: TableSet,
    model: ExactModel,
    domain: RankDomain,
    pattern: BayerPattern,
    tile: ExactTile,
    ranks: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    """Code the ranks of a tile's samples.

    Args:
        coder: Writes or reads the symbols.
        tables: The stored family, ``shape, scale, fraction`` in this order of significance.
        model: Fitted to the frame.
        domain: Of the frame's codes.
        pattern: The frame's.
        tile: What is known before.
        ranks: int32 ``[h, w]``; None to decode.

    Returns:
        The ranks, int32 ``[h, w]``.

    Raises:
        PayloadDamaged: A decoded rank does not exist.
    """
    canvas = _Canvas(tile)
    found = np.zeros_like(tile.restored)
    for index, (first, near) in enumerate(_groups(pattern)):
        if not canvas.group(found, first).size:
            continue
        position = first[0] % 2 * 2 + first[1] % 2
        predicted = canvas.predicted(first, near, model.predictors[index])
        spread = canvas.spread(first, near, model.spreads[index])
        place = _Placement.of(domain, position, predicted, spread)
        given = None if ranks is None else canvas.group(ranks, first).ravel()
        rank = _code_ranks(coder, tables, model.choices[position], place, given)
        if ranks is None and (rank.min() < 0 or rank.max() >= domain.values.shape[1]):
            message = "the exact layer decodes to samples that cannot be; restore without it"
            raise PayloadDamaged(message)
        rank = rank.reshape(predicted.shape)
        canvas.group(found, first)[...] = rank
        canvas.record(first, domain.values[position][rank], predicted)
    return found


@dataclass(frozen=True, slots=True)
class _Placement:
    """Predicted rank in eighths, and class of spread, of each sample of a group."""

    eighths: NDArray[np.int32]
    classes: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        domain: RankDomain,
        position: int,
        predicted: NDArray[np.int32],
        spread: NDArray[np.int32],
    ) -> _Placement:
        start, table = domain.position_table(position)
        eighths = table[np.clip(predicted.ravel() - start, 0, len(table) - 1)]
        width = domain.width_table(position)[eighths >> 3]
        # Spread in sixty-fourths of a rank: `width` domain values are eight ranks.
        ratio = spread.ravel() * np.int32(8 * 64) // width
        return cls(eighths, _CLASS_OF_RATIO[np.minimum(ratio, len(_CLASS_OF_RATIO) - 1)])


def _code_ranks(
    coder: SymbolCoder,
    tables: TableSet,
    choices: NDArray[np.uint8],
    place: _Placement,
    given: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    shift = _SHIFT_OF_CLASS[place.classes]
    whole = place.eighths >> (3 + shift)
    fraction = (place.eighths >> shift) & 7
    index = choices[place.classes].astype(np.uint16) * FRACTIONS + fraction.astype(np.uint16)
    difference = None if given is None else (given >> shift) - whole
    symbols = None if difference is None else np.clip(difference, -ESCAPE, ESCAPE) + ESCAPE
    coded = coder.code(tables, index, symbols) - ESCAPE
    far = np.flatnonzero(np.abs(coded) == ESCAPE)
    rest = None if difference is None else np.abs(difference[far]) - ESCAPE
    coded[far] += np.sign(coded[far]) * coder.code_escapes(rest, len(far))
    high = coded + whole
    low = np.zeros_like(high)
    for bits in np.unique(shift[shift > 0]):
        here = np.flatnonzero(shift == bits)
        told = None if given is None else given[here] & ((1 << bits) - 1)
        low[here] = coder.code(_uniform(int(bits)), np.zeros(len(here), np.uint8), told)
    return (high << shift) | low


def _uniform(bits: int) -> TableSet:
    return TableSet(np.full((1, 1 << bits), 1 << (16 - bits), dtype=np.uint16))


# Quarter octaves as multiples of 1/64: 1.19, 1.41, 1.68 and 2, rounded by hand so that every edge is
# an integer in its own right.
_QUARTERS = (1218, 1448, 1722, 2048)
_CLASS_EDGES = [_QUARTERS[i % 4] << (i // 4) >> 8 for i in range(CLASSES - 1)]
_CLASS_OF_RATIO = np.searchsorted(
    np.array(_CLASS_EDGES), np.arange(1 << 17), side="right"
).astype(np.uint8)
# From 8 ranks of spread on, one low bit per octave goes uncoded.
_SHIFT_OF_CLASS = np.maximum((np.arange(CLASSES) - 28) // 4, 0).astype(np.int32)


def fit_exact(
    tiles: Iterable[tuple[ExactTile, NDArray[np.int32]]],
    domain: RankDomain,
    pattern: BayerPattern,
    tables: TableSet,
    samples: int = 30_000,
) -> ExactModel:
    """Fit the weights and choose the tables on some tiles of a frame and their ranks."""
    pairs = [(_Canvas(tile), ranks) for tile, ranks in tiles]
    generator = np.random.default_rng(0)
    predictors, spreads = [], []
    bits = np.zeros((4, CLASSES, SHAPES * SCALES))
    cost = tables.cost().reshape(SHAPES * SCALES, FRACTIONS, -1)
    for first, near in _groups(pattern):
        position = first[0] % 2 * 2 + first[1] % 2
        truth = [domain.values[position][c.group(ranks, first)] for c, ranks in pairs]
        weights = _fit_predictor(pairs, truth, first, near, generator, samples)
        guesses = [c.predicted(first, near, weights) for c, _ in pairs]
        for (canvas, _), value, guess in zip(pairs, truth, guesses, strict=True):
            canvas.record(first, value, guess)
        widths = _fit_spread(pairs, first, near, generator, samples)
        for (canvas, ranks), guess in zip(pairs, guesses, strict=True):
            place = _Placement.of(domain, position, guess, canvas.spread(first, near, widths))
            _add_costs(bits[position], cost, place, canvas.group(ranks, first).ravel())
        predictors.append(weights)
        spreads.append(widths)
    # Classes that were not seen take the table of the nearest one by their own scale.
    bits += np.abs(np.arange(SHAPES * SCALES) % SCALES - np.arange(CLASSES)[:, None] + 4) * 1e-3
    return ExactModel(tuple(predictors), tuple(spreads), bits.argmin(axis=2).astype(np.uint8))


def _rows(
    pairs: Sequence[tuple[_Canvas, NDArray[np.int32]]],
    generator: np.random.Generator,
    first: tuple[int, int],
    samples: int,
) -> list[NDArray[np.intp]]:
    """Which samples of the group in each tile take part in a fit."""
    sizes = [canvas.group(ranks, first).size for canvas, ranks in pairs]
    share = samples / max(sum(sizes), 1)
    return [generator.permutation(size)[: max(1, int(size * share) + 1)] for size in sizes]


def _fit_predictor(
    pairs: Sequence[tuple[_Canvas, NDArray[np.int32]]],
    truth: Sequence[NDArray[np.int32]],
    first: tuple[int, int],
    near: Sequence[tuple[int, int]],
    generator: np.random.Generator,
    samples: int,
) -> NDArray[np.int8]:
    if not near:
        return np.zeros(0, dtype=np.int8)
    rows = _rows(pairs, generator, first, samples)
    columns = [
        [c.neighbour(c.error, first, offset).ravel()[row] for offset in near]
        for (c, _), row in zip(pairs, rows, strict=True)
    ]
    design = np.concatenate([np.stack(column, axis=1) for column in columns]).astype(np.float64)
    target = np.concatenate(
        [
            (value - c.group(c.tile.restored, first)).ravel()[row]
            for (c, _), value, row in zip(pairs, truth, rows, strict=True)
        ]
    )
    inside = np.abs(target) < ERROR_CAP
    weights = _ridge(design[inside], target[inside].astype(np.float64))
    return np.clip(np.rint(weights * (1 << _WEIGHT_SHIFT)), -128, 127).astype(np.int8)


def _fit_spread(
    pairs: Sequence[tuple[_Canvas, NDArray[np.int32]]],
    first: tuple[int, int],
    near: Sequence[tuple[int, int]],
    generator: np.random.Generator,
    samples: int,
) -> NDArray[np.uint8]:
    rows = _rows(pairs, generator, first, samples)
    designs, targets = [], []
    for (canvas, _), row in zip(pairs, rows, strict=True):
        spots = canvas.group(canvas.tile.spots, first).ravel()[row]
        around = [canvas.neighbour(canvas.surprise, first, o).ravel()[row] for o in near]
        designs.append(np.stack([*around, *(spots == kind for kind in Spot)], axis=1))
        targets.append(canvas.neighbour(canvas.surprise, first, (0, 0)).ravel()[row])
    design = np.concatenate(designs).astype(np.float64)
    target = np.concatenate(targets).astype(np.float64)
    weights = np.maximum(_ridge(design, target), 0)
    weights[: len(near)] *= 1 << _SPREAD_SHIFT
    return np.clip(np.rint(weights), 0, 255).astype(np.uint8)


def _ridge(design: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = design.T @ design
    normal[np.diag_indices_from(normal)] += 1e-3 * len(design) + 1
    solution: NDArray[np.float64] = np.linalg.solve(normal, design.T @ target)
    return solution


def _add_costs(
    bits: NDArray[np.float64],
    cost: NDArray[np.float32],
    place: _Placement,
    ranks: NDArray[np.int32],
) -> None:
    """Add to ``bits[class, table]`` what each table would take for a group's samples."""
    shift = _SHIFT_OF_CLASS[place.classes]
    difference = (ranks >> shift) - (place.eighths >> (3 + shift))
    symbols = np.clip(difference, -ESCAPE, ESCAPE) + ESCAPE
    fraction = (place.eighths >> shift) & 7
    width = cost.shape[2]
    key = (place.classes.astype(np.int64) * FRACTIONS + fraction) * width + symbols
    counts = np.bincount(key, minlength=CLASSES * FRACTIONS * width)
    bits += counts.reshape(CLASSES, -1) @ cost.reshape(len(cost), -1).T
