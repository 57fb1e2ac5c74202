"""Rate-distortion-optimised quantisation: of each coefficient, the index that costs least.

A plain quantiser rounds a coefficient without asking what its index costs. Among quiet neighbours
an index of 1 takes six bits and more and seldom saves the error it is worth; among large ones it
takes one or two. So each coefficient becomes the index ``k`` with the least ``(x - r_k)^2 +
LAMBDA R(k | class)``, x in steps, r_k where k is restored to, R the bits of k among coefficients
of the same class: of similar magnitudes around, see ``kernels/quantise.c``.

Bits are those an adaptive coder would need for a sample of the frame, by how often each index
comes in each class; no coder's tables are asked. As indices shape classes and classes choose
indices, both are found in turns. For a class the choice is a matter of four thresholds, so the
frame itself is quantised in two passes over each tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rawback.encoder.weight_strength import CodingModel
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual import CODES_PER_LAYER, LEVELS, Band, Quantiser, Slopes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Coefficients = Mapping[Band, NDArray[np.float32]]
    Levels = dict[Band, NDArray[np.uint8]]

__all__ = ["CLASSES", "CLASS_OF", "LAMBDA", "PASSES", "FittedQuantisers", "RdQuantiser"]

LAMBDA = 0.11
"""Squared error, in steps, that a bit must save: for large coefficients, whose distribution is
even within a step, the derivative of ``step^2 / 12`` by bits is ``ln(2) / 6 = 0.1155``."""

PASSES = 2
"""How many times indices are chosen by what the pass before chose around them."""

CLASSES = 16
"""Of means around; 0 is where all is 0, and from there on two a factor of two."""

_UNIT = 128
"""Means around are counted in ``1 / _UNIT`` of a step."""

_FIRST = 0.02
"""Where the second class begins, in steps."""

_MOST = 12
"""Magnitudes count up to so many steps."""


def _class_table() -> NDArray[np.uint8]:
    means = np.arange(_MOST * _UNIT + 1) / _UNIT
    above = 1 + 2 * np.log2(np.maximum(means, _FIRST) / _FIRST)
    return np.where(means > 0, np.minimum(above, CLASSES - 1), 0).astype(np.uint8)


CLASS_OF = _class_table()
"""The class of each mean around, uint8 ``[1537]``."""

_RESTORED = (0.0, 1.2, 2.4, 3.4)
"""Where indices 0 to 3 are restored to, in steps, about: quantised so, magnitudes lie so far below
the middles of their intervals."""

_FAR = 0.1
"""How far below the middle larger ones are restored."""

_PRIOR = (0.5, 0.1, 0.05, 0.02, 0.02)
"""Counts that each class begins with."""

_WEIGHTS = {"own": 60, "first": 20, "parent": 20, "sibling": 15}
"""Weights of the mean around: of neighbours in the band (all eight), of the same place in plane 0,
in the parent, and in each sibling that there is."""

_FINEST_CODE = 72
"""The least step code that slopes lead to: 1/7 of the noise's deviation."""

_array = Read(np.uint8, 3)
_floats = Read(np.float32, 1)
_around = (_array, _array, _array, _array, Integer, Integer, Read(np.uint8, 1))
_plain_levels = Kernel("plain_levels", Read(np.float32, 3), _floats, _floats, Write(np.uint8, 3))
_count_levels = Kernel("count_levels", *_around, Write(np.int64, 2))
_decide_levels = Kernel(
    "decide_levels",
    Read(np.float32, 3),
    _floats,
    _floats,
    *_around,
    Read(np.float32, 2),
    Write(np.uint8, 3),
    Write(np.int32, 3),
)
_NO_LEVELS = np.zeros((0, 0, 0), np.uint8)
_NO_INDICES = np.zeros((0, 0, 0), np.int32)


@dataclass(frozen=True, slots=True)
class RdQuantiser:
    """A quantiser whose decisions were fitted to a frame; or a plain one.

    Attributes:
        quantiser: Steps of the bands.
        lift: Part of a step that is added to every magnitude: more of them become larger, as with
            a step in between this step code and the next finer one.
        thresholds: Of each pass, float32 ``[CLASSES, 4]``: the least magnitudes, in steps, of
            indices 1, 2 and 3, and by how much more than themselves larger ones begin. None in the
            plain quantiser, whose dead zone is two steps wide and its other intervals one.
    """

    quantiser: Quantiser
    lift: float
    thresholds: tuple[NDArray[np.float32], ...] = ()

    @classmethod
    def plain(cls, step: float, slopes: Slopes) -> RdQuantiser:
        """The plain quantiser of a step code; between two codes it is the coarser one, lifted.

        Slopes are cut off where they would make steps finer than anybody sees.
        """
        code = math.ceil(step)
        steepest = max(0, (code - _FINEST_CODE) // LEVELS)
        quantiser = Quantiser(code, slopes=tuple(min(slope, steepest) for slope in slopes))
        return cls(quantiser, 1 - 2 ** ((step - quantiser.step_code) / CODES_PER_LAYER))

    @classmethod
    def fit(cls, samples: Sequence[Coefficients], step: float, slopes: Slopes) -> RdQuantiser:
        """Fit the decisions to samples of a frame.

        Args:
            samples: Coefficients, float32 ``[planes, h, w]`` of each band.
            step: Step code; between two codes it is the coarser one, lifted.
            slopes: Of the components.
        """
        fitted = cls.plain(step, slopes)
        levels = [fitted._plain(sample) for sample in samples]
        for turn in range(PASSES):
            if turn:
                table = fitted.thresholds[-1]
                levels = [
                    fitted._decided(sample, known, table)
                    for sample, known in zip(samples, levels, strict=True)
                ]
            counts = np.zeros((CLASSES, 5), np.int64)
            for known in levels:
                for band in known:
                    _count_levels(*_neighbourhood(known, band), counts)
            fitted = replace(fitted, thresholds=(*fitted.thresholds, _thresholds(counts)))
        return fitted

    def indices(self, coefficients: Coefficients) -> dict[Band, NDArray[np.int32]]:
        """Quantise a tile: signed indices, int32 ``[planes, h, w]`` of each band."""
        if not self.thresholds:
            return {
                band: np.stack(
                    [
                        self.quantiser.indices(plane, band, component, self.lift)
                        for component, plane in enumerate(values)
                    ]
                )
                for band, values in coefficients.items()
            }
        levels = self._plain(coefficients)
        for table in self.thresholds[:-1]:
            levels = self._decided(coefficients, levels, table)
        indices = {}
        for band, values in coefficients.items():
            indices[band] = np.empty(values.shape, np.int32)
            around = _neighbourhood(levels, band)
            scales = self._scales(band, len(values))
            _decide_levels(values, *scales, *around, self.thresholds[-1], _NO_LEVELS, indices[band])
        return indices

    def _plain(self, coefficients: Coefficients) -> Levels:
        levels = {}
        for band, values in coefficients.items():
            levels[band] = np.empty(values.shape, np.uint8)
            _plain_levels(values, *self._scales(band, len(values)), levels[band])
        return levels

    def _decided(
        self, coefficients: Coefficients, known: Levels, table: NDArray[np.float32]
    ) -> Levels:
        levels = {}
        for band, values in coefficients.items():
            levels[band] = np.empty(values.shape, np.uint8)
            around = _neighbourhood(known, band)
            scales = self._scales(band, len(values))
            _decide_levels(values, *scales, *around, table, levels[band], _NO_INDICES)
        return levels

    def _scales(self, band: Band, planes: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What turns coefficients of each plane into steps, and the lift."""
        scales = [16 / self.quantiser.step(band, component) for component in range(planes)]
        return np.array(scales, np.float32), np.full(1, self.lift, np.float32)


class FittedQuantisers:
    """The quantiser of each step, fitted when it is first asked for; from any thread.

    Args:
        draw: Gives the samples to fit to.
        slopes: Of the components.
    """

    def __init__(self, draw: Callable[[], Sequence[Coefficients]], slopes: Slopes) -> None:
        self.slopes = slopes
        self._draw = draw
        self._samples: Sequence[Coefficients] | None = None
        self._fitted: dict[float, RdQuantiser] = {}
        self._lock = Lock()

    @property
    def samples(self) -> Sequence[Coefficients]:
        """What quantisers are fitted to."""
        if self._samples is None:
            self._samples = self._draw()
        return self._samples

    def strength_at(self, step: float) -> float:
        """The strength of slopes that suits payloads as large as one of a step."""
        return CodingModel(self.samples, self.slopes).strength_at(step)

    def following(self, strength: float) -> FittedQuantisers:
        """Those of slopes so strong."""
        slopes = tuple(round(strength * slope) for slope in self.slopes)
        return FittedQuantisers(lambda: self.samples, slopes)

    def at(self, step: float) -> RdQuantiser:
        """The quantiser of a step code, or of a step between two."""
        with self._lock:
            if step not in self._fitted:
                self._fitted[step] = RdQuantiser.fit(self.samples, step, self.slopes)
            return self._fitted[step]


def _neighbourhood(
    levels: Levels, band: Band
) -> tuple[
    NDArray[np.uint8],
    NDArray[np.uint8],
    NDArray[np.uint8],
    NDArray[np.uint8],
    int,
    int,
    NDArray[np.uint8],
]:
    """What surrounds a band, as kernels take it."""
    parent = levels.get(Band(band.level + 1, band.high_y, band.high_x), _NO_LEVELS)
    siblings = [
        other
        for other in levels
        if other.level == band.level and other != band and (other.high_x or other.high_y)
    ]
    if not (band.high_x or band.high_y):
        siblings = []
    first, second = [levels[other] for other in siblings] or [_NO_LEVELS, _NO_LEVELS]
    total = _WEIGHTS["own"] + 2 * _WEIGHTS["sibling"] * bool(siblings)
    total += _WEIGHTS["parent"] * bool(parent.size)
    # Levels are half steps: with the sum of weights, 2 * total stand for one step.
    plane_0, others = (round((_UNIT << 16) / (2 * t)) for t in (total, total + _WEIGHTS["first"]))
    if not parent.size:
        parent = _NO_LEVELS
    return levels[band], parent, first, second, plane_0, others, CLASS_OF


def _thresholds(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Decisions by how often indices 0, 1, 2, 3 and more come in each class."""
    shares = counts + np.array(_PRIOR)
    total, tail = shares.sum(axis=1), shares[:, 3:].sum(axis=1)
    bits = -np.log2(shares / total[:, None])
    # Magnitudes from 3 on fall by a constant factor.
    further = np.clip(shares[:, 4] / tail, 0.05, 0.98)
    third = -np.log2(tail / total) - np.log2(1 - further)
    _, one, two, three = _RESTORED
    least_1 = one / 2 + LAMBDA * (bits[:, 1] + 1 - bits[:, 0]) / (2 * one)
    least_2 = (one + two) / 2 + LAMBDA * (bits[:, 2] - bits[:, 1]) / (2 * (two - one))
    least_3 = (two + three) / 2 + LAMBDA * np.clip(third - bits[:, 2], 0, 8) / (2 * (three - two))
    more = LAMBDA * -np.log2(further) / 2 - _FAR
    least_1 = np.clip(least_1, 0.5, 1.9)
    least_2 = np.clip(least_2, np.maximum(least_1, 1.5), 2.9)
    least_3 = np.clip(least_3, np.maximum(least_2, 2.5), 3.9)
    found = np.stack([least_1, least_2, least_3, np.clip(more, -0.5, 0.9)], axis=1)
    return np.ascontiguousarray(found, np.float32)
