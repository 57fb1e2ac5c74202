"""Fitting the filters: encoder only, in float.

Each is a ridge regression in the noise-normalised domain on a sample of the frame. One filter, one
for each class of quads, or none: whichever takes more off the squared error than its bytes are
worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.tone.fitting.pointwise import OUTLIER
from rawback.tone.linear_filter import REACH, TAP_ONE, TAPS, LinearFilter, colour_of
from rawback.tone.vst import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rawback.tone.base import Base

__all__ = ["Patch", "fit_linear_filters"]


_LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a frame that filters are fitted to.

    Attributes:
        colours: int32 ``[3, 2 h + 4, 2 w + 4]`` from :meth:`Base.colours`, with a border of 2.
        planes: int16 ``[4, h, w]``: the raw in domain units.
        classes: uint8 ``[h, w]``: the class of each quad.
        usable: bool ``[h, w]``: whether a quad may take part.
    """

    colours: NDArray[np.int32]
    planes: NDArray[np.int16]
    classes: NDArray[np.uint8]
    usable: NDArray[np.bool_]


def fit_linear_filters(
    base: Base,
    patches: Iterable[Patch],
    base_lambda: float,
    quads: int,
    trusted: int,
) -> Base:
    """Add filters to a base where they pay.

    Args:
        base: From :func:`choose_pointwise`.
        patches: Of the frame.
        base_lambda: As for :func:`choose_pointwise`.
        quads: Quads in the frame.
        trusted: Classes below this one have filters of their own when four are used.

    Returns:
        The base with no filter, one, or one per class.
    """
    gathered = [_gather(patch, base.pattern) for patch in patches]
    design = [np.concatenate([g[0][p] for g in gathered]) for p in range(4)]
    target = [np.concatenate([g[1][p] for g in gathered]) for p in range(4)]
    classes = np.minimum(np.concatenate([g[2] for g in gathered]), trusted)
    scale = quads / max(len(classes), 1)
    if len(classes) < 2 * TAPS:
        return base
    grams = [
        [_Gram.of(design[p][classes == c], target[p][classes == c]) for p in range(4)]
        for c in range(trusted + 1)
    ]
    everywhere = [sum((gram[p] for gram in grams[1:]), start=grams[0][p]) for p in range(4)]
    best = (sum(gram.energy for gram in everywhere) / UNIT**2 * scale, base)
    for groups in ([everywhere], grams):
        fitted = [g if g[0].count >= 2 * TAPS else everywhere for g in groups]
        filters = tuple(_fit_filter(group, base.pattern) for group in fitted)
        trial = replace(base, filters=filters)
        left = sum(
            gram.left(linear_filter, p)
            for group, linear_filter in zip(groups, filters, strict=True)
            for p, gram in enumerate(group)
        )
        cost = left / UNIT**2 * scale + 8 * len(trial.filter_bytes()) * base_lambda
        # Filters take time to apply, four of them four times as much.
        if cost < (1 - _LEAST_GAIN) * best[0]:
            best = (cost, trial)
    return best[1]


@dataclass(frozen=True, slots=True)
class _Gram:
    """What a least-squares fit needs of its samples, taps and a bias: sums add up over groups."""

    normal: NDArray[np.float64]
    moment: NDArray[np.float64]
    energy: float
    count: int

    @classmethod
    def of(cls, design: NDArray[np.float32], target: NDArray[np.float32]) -> _Gram:
        full = np.concatenate([design, np.ones((len(design), 1), np.float32)], axis=1)
        return cls(
            (full.T @ full).astype(np.float64),
            (full.T @ target).astype(np.float64),
            float((target**2).sum(dtype=np.float64)),
            len(target),
        )

    def __add__(self, other: _Gram) -> _Gram:
        return _Gram(
            self.normal + other.normal,
            self.moment + other.moment,
            self.energy + other.energy,
            self.count + other.count,
        )

    def left(self, linear_filter: LinearFilter, position: int) -> float:
        """Squared error that a filter leaves."""
        weights = np.append(
            linear_filter.taps[position].ravel() / TAP_ONE, linear_filter.bias[position]
        )
        return float(self.energy - 2 * weights @ self.moment + weights @ self.normal @ weights)


def _gather(
    patch: Patch, pattern: str, count: int = 8_000
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]], NDArray[np.uint8]]:
    """Designs and targets, a pair for each position, and classes, of some quads of a patch."""
    colours = patch.colours
    usable = np.flatnonzero(patch.usable)
    some = np.random.default_rng(0).integers(max(len(usable), 1), size=min(count, len(usable)))
    chosen = usable[some]
    rows, columns = np.unravel_index(chosen, patch.classes.shape)
    designs, targets = [], []
    for position in range(4):
        y, x = 2 * rows + position // 2 + REACH, 2 * columns + position % 2 + REACH
        centre = colours[:, y, x]
        around = [
            colours[:, y + dy, x + dx] - centre
            for dy in range(-REACH, REACH + 1)
            for dx in range(-REACH, REACH + 1)
        ]
        designs.append(np.stack(around, axis=1).reshape(TAPS, -1).T.astype(np.float32))
        error = patch.planes[position][rows, columns] - centre[colour_of(pattern, position)]
        targets.append(np.clip(error, -OUTLIER, OUTLIER).astype(np.float32))
    return designs, targets, patch.classes[rows, columns]


def _fit_filter(grams: list[_Gram], pattern: str) -> LinearFilter:
    """The filter of each position, halved until all sums are exact in float32."""
    solutions = [
        np.linalg.solve(gram.normal + np.eye(TAPS + 1) * 20 * UNIT**2, gram.moment)
        for gram in grams
    ]
    side = 2 * REACH + 1
    taps = np.rint([solution[:-1] * TAP_ONE for solution in solutions]).astype(np.int32)
    bias = np.rint([solution[-1] for solution in solutions]).astype(np.int32)
    linear_filter = LinearFilter(taps.reshape(4, 3, side, side), bias)
    while not linear_filter.fits(pattern):
        linear_filter = LinearFilter(linear_filter.taps // 2, bias)
    return linear_filter
