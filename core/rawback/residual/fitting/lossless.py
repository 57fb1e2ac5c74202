"""Fitting the lossless layer to a frame: encoder only, in float.

For each position of the 2x2 cell weights are a ridge regression on all samples of some tiles, those
among large errors counting less; each class of activity then departs from these as far as its own
samples ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.residual.lossless import (
    ACTIVITIES,
    FEATURES,
    LARGEST_WEIGHT,
    WEIGHT_ONE,
    LosslessModel,
    LosslessTile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rawback.residual.code_indices import CodeIndexDomain

__all__ = ["fit_lossless"]

_NEAR = 1023
_BORDER = 4
_ERRORS = (
    *((0, -1), (0, -2), (0, -3), (0, -4)),
    *((-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2)),
    *((-2, -2), (-2, -1), (-2, 0), (-2, 1), (-2, 2)),
    *((-3, 0), (-4, 0)),
)
"""Row and column of the errors that predict, from the sample."""

_BENDS = (
    *(((0, -2), (0, 2), (0, 0)), ((-2, 0), (2, 0), (0, 0))),
    *(((-2, -2), (2, 2), (0, 0)), ((-2, 2), (2, -2), (0, 0))),
    *(((0, -3), (0, 1), (0, -1)), ((0, -1), (0, 3), (0, 1))),
    *(((-3, 0), (1, 0), (-1, 0)), ((-1, 0), (3, 0), (1, 0))),
)
"""Second differences of what is restored: both ends, and the middle, which counts twice. The first
four count their ends for, the others their middle."""

_AROUND = (0, 1, 5, 6, 7, 11)
_ACTIVITY_EDGES = (60, 90, 130, 200, 400, 900, 1800)
_RIDGE, _CLASS_RIDGE = 1e-4, 30.0


def fit_lossless(
    tiles: Iterable[tuple[LosslessTile, NDArray[np.int32]]],
    domain: CodeIndexDomain,
    samples: int = 40_000,
) -> LosslessModel:
    """Fit the weights on some tiles of a frame and their code indices.

    Args:
        tiles: The tiles, and the code indices of their samples.
        domain: Of the frame's codes.
        samples: How many samples of each position are looked at.
    """
    pairs = list(tiles)
    generator = np.random.default_rng(0)
    weights = np.zeros((ACTIVITIES, 4, FEATURES), np.int32)
    errors = [_errors(tile, indices, domain) for tile, indices in pairs]
    for position in range(4):
        parts = [
            _rows(tile.restored, error, position, generator, samples // len(pairs) + 1)
            for (tile, _), error in zip(pairs, errors, strict=True)
        ]
        features = np.concatenate([part[0] for part in parts])
        wanted = np.concatenate([part[1] for part in parts])
        weights[:, position] = _fit(features, wanted)
    return LosslessModel(weights)


def _errors(
    tile: LosslessTile, indices: NDArray[np.int32], domain: CodeIndexDomain
) -> NDArray[np.int32]:
    """What the samples of a tile differ from what is restored."""
    errors = np.empty_like(tile.restored)
    for position in range(4):
        at = np.s_[position // 2 :: 2, position % 2 :: 2]
        errors[at] = domain.values[position][indices[at]] - tile.restored[at]
    return errors


def _rows(
    restored: NDArray[np.int32],
    errors: NDArray[np.int32],
    position: int,
    generator: np.random.Generator,
    count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features ``[n, FEATURES]`` of samples drawn from a position, and their errors ``[n]``."""
    rows, columns = restored.shape
    y = position // 2 + 2 * generator.integers(0, rows // 2, count)
    x = position % 2 + 2 * generator.integers(0, columns // 2, count)
    framed = np.pad(np.clip(errors, -_NEAR, _NEAR), _BORDER)
    # Edges hardly count: beyond them is simply what lies at them.
    extended = np.pad(restored, _BORDER, mode="edge")
    features = np.zeros((count, FEATURES))
    for number, (down, right) in enumerate(_ERRORS):
        features[:, number] = framed[y + _BORDER + down, x + _BORDER + right]
    for number, ends in enumerate(_BENDS):
        first, last, middle = (extended[y + _BORDER + d, x + _BORDER + r] for d, r in ends)
        bend = first + last - 2 * middle
        features[:, len(_ERRORS) + number] = np.clip(bend if number < 4 else -bend, -_NEAR, _NEAR)
    return features, errors[y, x].astype(np.float64)


def _fit(features: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.int32]:
    """Weights ``[ACTIVITIES, FEATURES]`` of one position."""
    magnitudes = np.abs(features[:, : len(_ERRORS)])
    trust = 1 / (magnitudes.mean(axis=1) + 4)
    activities = np.digitize(magnitudes[:, _AROUND].sum(axis=1), _ACTIVITY_EDGES)
    trusted, values = features * trust[:, None], wanted * trust
    shared = _ridge(trusted, values, _RIDGE * len(trusted) + 1)
    weights = np.empty((ACTIVITIES, FEATURES))
    for activity in range(ACTIVITIES):
        own = trusted[activities == activity]
        left = values[activities == activity] - own @ shared
        weights[activity] = shared + _ridge(own, left, _RIDGE * len(own) + _CLASS_RIDGE)
    units = np.rint(weights * WEIGHT_ONE)
    return np.clip(units, -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int32)


def _ridge(
    features: NDArray[np.float64], wanted: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    gram = features.T @ features + ridge * np.eye(FEATURES)
    return np.linalg.solve(gram, features.T @ wanted).astype(np.float64)
