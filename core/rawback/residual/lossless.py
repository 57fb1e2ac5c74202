"""The exact layer: every sample, given what the layers below it restored.

What is left at the top is nearly white noise, so a flat set of groups serves: the 16 phases of the
mosaic's 4x4 cells, greens first, each coded at once. A group's samples are predicted from the
restored value and, linearly, from the errors of the neighbours already coded; how far the truth may
lie from the prediction follows from how far it lay at those neighbours and from what the guide says
of the spot. Both sets of weights are fitted to the frame by the encoder and sent.

Prediction and spread are in the noise-normalised domain, what is coded are ranks, see
:mod:`.ranks`; all of it is integer arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.entropy import SymbolCoder, TableSet
from rawback.errors import PayloadDamaged
from rawback.residual.code_indices import SPREADS, CodeIndexDomain, Placement
from rawback.residual.region_classes import RegionClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.types import BayerPattern

__all__ = [
    "ERROR_CAP",
    "ESCAPE",
    "FAMILY",
    "SPREAD_BITS",
    "WEIGHT_BITS",
    "Canvas",
    "LosslessModel",
    "LosslessTile",
    "code_lossless",
    "groups",
]

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

WEIGHT_BITS = 8
"""Fractional bits of the weights of errors."""

SPREAD_BITS = 6
"""Fractional bits of the weights of surprises."""

_LIMIT = (1 << 15) - 1
"""Samples lie in this range, so restored values beyond it count as its ends."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class LosslessModel:
    """What the encoder fitted to the frame.

    Attributes:
        predictors: int8, per group one weight / 256 for each known neighbour.
        spreads: uint8, per group one weight / 64 for each known neighbour, then one for each kind
            of spot in 1/16 standard deviation of noise.
        choices: uint8 ``[4, SPREADS]``: table (``shape * SCALES + scale``) of each class of spread
            at each position of the 2x2 cell.
    """

    predictors: tuple[NDArray[np.int8], ...]
    spreads: tuple[NDArray[np.uint8], ...]
    choices: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """All weights in the order of the groups, then the choices."""
        parts = [
            a.tobytes() for pair in zip(self.predictors, self.spreads, strict=True) for a in pair
        ]
        return b"".join(parts) + self.choices.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, pattern: BayerPattern) -> LosslessModel:
        """Undo :meth:`to_bytes`.

        Raises:
            PayloadDamaged: The length is not that of a model, or a choice names no table.
        """
        known = [len(neighbours) for _, neighbours in groups(pattern)]
        sizes = [size for n in known for size in (n, n + len(RegionClass))] + [4 * SPREADS]
        if len(data) != sum(sizes):
            message = "the exact layer's model has a wrong length; restore without it"
            raise PayloadDamaged(message)
        parts = [
            np.frombuffer(data, np.uint8, size, offset)
            for size, offset in zip(sizes, np.cumsum([0, *sizes[:-1]]), strict=True)
        ]
        choices = parts[-1].reshape(4, SPREADS)
        if (choices >= SHAPES * SCALES).any():
            message = "the exact layer's model names a table that does not exist"
            raise PayloadDamaged(message)
        return cls(tuple(p.view(np.int8) for p in parts[0:-1:2]), tuple(parts[1:-1:2]), choices)


@dataclass(frozen=True, slots=True)
class LosslessTile:
    """What the exact layer knows of a tile before it is coded.

    Attributes:
        restored: int32 ``[h, w]`` mosaic in the noise-normalised domain, as restored below.
        spots: uint8 ``[h, w]``: the kind of spot of each sample.
    """

    restored: NDArray[np.int32]
    spots: NDArray[np.uint8]

    @classmethod
    def of(cls, planes: NDArray[np.int32], spots: NDArray[np.uint8]) -> LosslessTile:
        """Of restored planes ``[4, h, w]`` and the spots of quads ``[h, w]``."""
        _, height, width = planes.shape
        planes = np.clip(planes, -_LIMIT, _LIMIT)
        restored = np.empty((2 * height, 2 * width), dtype=np.int32)
        for position in range(4):
            restored[position // 2 :: 2, position % 2 :: 2] = planes[position]
        return cls(restored, spots.repeat(2, axis=0).repeat(2, axis=1))


def groups(pattern: BayerPattern) -> list[tuple[tuple[int, int], list[tuple[int, int]]]]:
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


class Canvas:
    """Errors of the samples coded so far, and how much each surprised its prediction."""

    def __init__(self, tile: LosslessTile) -> None:
        self.tile = tile
        height, width = tile.restored.shape
        # Each phase of the cells by itself, with a border of one cell: what lies at an offset from
        # the samples of a group is then read row by row, without gaps.
        cells = -(-height // CELL) + 2, -(-width // CELL) + 2
        self.error = np.zeros((CELL, CELL, *cells), dtype=np.int32)
        self.surprise = np.zeros_like(self.error)

    def group(self, array: NDArray[_Scalar], first: tuple[int, int]) -> NDArray[_Scalar]:
        """The samples of a group, of an array of the tile's shape."""
        return array[first[0] :: CELL, first[1] :: CELL]

    def neighbour(
        self, phases: NDArray[np.int32], first: tuple[int, int], offset: tuple[int, int]
    ) -> NDArray[np.int32]:
        """What lies at an offset from each sample of a group, in `error` or `surprise`."""
        (down, y), (right, x) = (
            divmod(at + by, CELL) for at, by in zip(first, offset, strict=True)
        )
        rows, columns = self.group(self.tile.restored, first).shape
        return phases[y, x, down + 1 : down + 1 + rows, right + 1 : right + 1 + columns]

    def record(
        self, first: tuple[int, int], value: NDArray[np.int32], predicted: NDArray[np.int32]
    ) -> None:
        """Note a group's samples, so that later groups learn from them."""
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
        """Each sample of a group from the errors around it."""
        restored = self.group(self.tile.restored, first)
        total = np.full(restored.shape, 1 << (WEIGHT_BITS - 1), np.int32)
        for offset, weight in zip(near, weights.tolist(), strict=True):
            if weight:
                total += weight * self.neighbour(self.error, first, offset)
        found: NDArray[np.int32] = restored + (total >> WEIGHT_BITS)
        return found

    def spread(
        self,
        first: tuple[int, int],
        near: Sequence[tuple[int, int]],
        weights: NDArray[np.uint8],
    ) -> NDArray[np.int32]:
        """How far each sample of a group may lie from its prediction."""
        kinds = weights[len(near) :].astype(np.int32) << SPREAD_BITS
        total = kinds.take(self.group(self.tile.spots, first))
        for offset, weight in zip(near, weights.tolist(), strict=False):
            if weight:
                total += weight * self.neighbour(self.surprise, first, offset)
        found: NDArray[np.int32] = total >> SPREAD_BITS
        return found


def code_lossless(
    coder: SymbolCoder,
    tables: TableSet,
    model: LosslessModel,
    domain: CodeIndexDomain,
    pattern: BayerPattern,
    tile: LosslessTile,
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
    canvas = Canvas(tile)
    found = np.zeros_like(tile.restored)
    for index, (first, near) in enumerate(groups(pattern)):
        if not canvas.group(found, first).size:
            continue
        position = first[0] % 2 * 2 + first[1] % 2
        predicted = canvas.predicted(first, near, model.predictors[index])
        spread = canvas.spread(first, near, model.spreads[index])
        place = Placement.of(domain, position, predicted, spread)
        given = None if ranks is None else canvas.group(ranks, first).ravel()
        rank = _code_ranks(coder, tables, model.choices[position], place, given)
        if ranks is None and (rank.min() < 0 or rank.max() >= domain.values.shape[1]):
            message = "the exact layer decodes to samples that cannot be; restore without it"
            raise PayloadDamaged(message)
        rank = rank.reshape(predicted.shape)
        canvas.group(found, first)[...] = rank
        canvas.record(first, domain.values[position].take(rank), predicted)
    return found


def _code_ranks(
    coder: SymbolCoder,
    tables: TableSet,
    choices: NDArray[np.uint8],
    place: Placement,
    given: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    shift, whole = place.low_bits, place.whole
    index = choices.take(place.classes).astype(np.uint16) * FRACTIONS
    index += place.fraction.astype(np.uint16)
    difference = None if given is None else (given >> shift) - whole
    symbols = None if difference is None else np.clip(difference, -ESCAPE, ESCAPE) + ESCAPE
    coded = coder.code(tables, index, symbols) - ESCAPE
    far = np.flatnonzero(np.abs(coded) == ESCAPE)
    rest = None if difference is None else np.abs(difference[far]) - ESCAPE
    coded[far] += np.sign(coded[far]) * coder.code_escapes(rest, len(far))
    high = coded + whole
    low = np.zeros_like(high)
    for bits in (1 + np.flatnonzero(np.bincount(shift)[1:])).tolist():
        here = np.flatnonzero(shift == bits)
        told = None if given is None else given[here] & ((1 << bits) - 1)
        low[here] = coder.code(_uniform(bits), np.zeros(len(here), np.uint8), told)
    return (high << shift) | low


def _uniform(bits: int) -> TableSet:
    return TableSet(np.full((1, 1 << bits), 1 << (16 - bits), dtype=np.uint16))
