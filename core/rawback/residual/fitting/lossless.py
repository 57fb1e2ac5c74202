"""Fitting the lossless layer to a frame: encoder only, in float.

For each channel weights are a ridge regression on samples of some tiles, those among large errors
counting less; each class then departs from these as far as its own samples ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Kernel, Read, Write
from rawback.parallel import in_threads
from rawback.residual.lossless import (
    CLASSES,
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
_BORDER = 6


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Where what predicts a sample lies: row and column from it.

    Attributes:
        errors: Of the errors of samples coded before.
        bends: Of second differences of what is restored: both ends, and the middle, which counts
            twice. The first four count their ends for, the others their middle.
    """

    errors: tuple[tuple[int, int], ...]
    bends: tuple[tuple[tuple[int, int], tuple[int, int], tuple[int, int]], ...]


_MOSAIC = _Neighbours(
    (
        *((0, -1), (0, -2), (0, -3), (0, -4)),
        *((-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2)),
        *((-2, -2), (-2, -1), (-2, 0), (-2, 1), (-2, 2)),
        *((-3, 0), (-4, 0)),
    ),
    (
        *(((0, -2), (0, 2), (0, 0)), ((-2, 0), (2, 0), (0, 0))),
        *(((-2, -2), (2, 2), (0, 0)), ((-2, 2), (2, -2), (0, 0))),
        *(((0, -3), (0, 1), (0, -1)), ((0, -1), (0, 3), (0, 1))),
        *(((-3, 0), (1, 0), (-1, 0)), ((-1, 0), (3, 0), (1, 0))),
    ),
)

_LINEAR = _Neighbours(
    (
        *((0, -3), (0, -6), (0, -1), (0, -2)),
        *((-1, -4), (-1, -3), (-1, 0), (-1, 3), (-1, 2)),
        *((-1, -1), (-1, 1), (-2, 0), (-2, -1), (-1, -5)),
        *((0, -4), (0, -5)),
    ),
    (
        *(((0, -3), (0, 3), (0, 0)), ((-1, 0), (1, 0), (0, 0))),
        *(((-1, -3), (1, 3), (0, 0)), ((-1, 3), (1, -3), (0, 0))),
        *(((0, -6), (0, 0), (0, -3)), ((0, 0), (0, 6), (0, 3))),
        *(((0, -4), (0, 2), (0, -1)), ((-1, -1), (1, -1), (0, -1))),
    ),
)
"""Of frames whose pixels have three samples, side by side."""

_AROUND = (0, 1, 5, 6, 7, 11)
_ACTIVITY_EDGES = (60, 90, 130, 200, 400, 900, 1800)
_LARGE = 150
"""From which sum of errors around it on a sample of a linear frame is of a class for large ones."""
_RIDGE, _CLASS_RIDGE = 1e-4, 30.0

_gram = Kernel("gram", Read(np.float32, 2), Write(np.float64, 2))


def fit_lossless(
    tiles: Iterable[tuple[LosslessTile, NDArray[np.int32]]],
    domain: CodeIndexDomain,
    samples: int = 40_000,
    *,
    repeating: bool = False,
) -> LosslessModel:
    """Fit the weights on some tiles of a frame and their code indices.

    Args:
        tiles: The tiles, and the code indices of their samples.
        domain: Of the frame's codes.
        samples: How many samples of each channel are looked at.
        repeating: As the model's attribute.
    """
    pairs = list(tiles)
    mosaic = pairs[0][0].mosaic
    errors = list(in_threads(lambda pair: _errors(*pair, domain), pairs))
    count = samples // len(pairs) + 1

    def fitted(channel: int) -> NDArray[np.int32]:
        generator = np.random.default_rng(channel)
        parts = [
            _rows(tile, error, channel, generator, count)
            for (tile, _), error in zip(pairs, errors, strict=True)
        ]
        return _fit(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    weights = np.stack(list(in_threads(fitted, range(len(mosaic.colours)))), axis=1)
    return LosslessModel(weights, repeating)


def _errors(
    tile: LosslessTile, indices: NDArray[np.int32], domain: CodeIndexDomain
) -> NDArray[np.int32]:
    """What the samples of a tile differ from what is restored."""
    channels = tile.mosaic.channel_map(*tile.place)
    errors = np.empty_like(tile.restored)
    down, across = channels.shape
    for row, column in np.ndindex(down, across):
        at = np.s_[row::down, column::across]
        errors[at] = domain.values[channels[row, column]][indices[at]] - tile.restored[at]
    return errors


def _rows(
    tile: LosslessTile,
    errors: NDArray[np.int32],
    channel: int,
    generator: np.random.Generator,
    count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Features ``[n, FEATURES]`` of samples drawn from a channel; their errors and classes."""
    channels = tile.mosaic.channel_map(*tile.place)
    down, across = channels.shape
    places = np.argwhere(channels == channel)
    rows, columns = (
        max(1, size // by) for size, by in zip(errors.shape, channels.shape, strict=True)
    )
    y, x = (generator.integers(0, size, count) for size in (rows, columns))
    if len(places) > 1:
        place = places[generator.integers(0, len(places), count)]
        y, x = down * y + place[:, 0], across * x + place[:, 1]
        y, x = np.minimum(y, rows - 1), np.minimum(x, columns - 1)
    else:
        y, x = down * y + places[0, 0], across * x + places[0, 1]
    linear = tile.mosaic.samples > 1
    neighbours = _LINEAR if linear else _MOSAIC
    framed = np.pad(np.clip(errors, -_NEAR, _NEAR), _BORDER)
    # Edges hardly count: beyond them is simply what lies at them.
    extended = np.pad(tile.restored, _BORDER, mode="edge")
    features = np.zeros((count, FEATURES))
    for number, (below, right) in enumerate(neighbours.errors):
        features[:, number] = framed[y + _BORDER + below, x + _BORDER + right]
    for number, ends in enumerate(neighbours.bends, len(neighbours.errors)):
        first, last, middle = (extended[y + _BORDER + d, x + _BORDER + r] for d, r in ends)
        bend = first + last - 2 * middle
        own = bend if number < len(neighbours.errors) + 4 else -bend
        features[:, number] = np.clip(own, -_NEAR, _NEAR)
    around = np.abs(features[:, _AROUND]).sum(axis=1)
    if linear:
        classes = 4 * (y % 2) + 2 * (x // tile.mosaic.samples % 2) + (around >= _LARGE)
    else:
        classes = np.digitize(around, _ACTIVITY_EDGES)
    return features, errors[y, x].astype(np.float64), classes


def _fit(
    features: NDArray[np.float64], wanted: NDArray[np.float64], classes: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Weights ``[CLASSES, FEATURES]`` of one channel."""
    magnitudes = np.abs(features[:, : len(_MOSAIC.errors)])
    trust = 1 / (magnitudes.mean(axis=1) + 4)
    rows = np.concatenate([features, wanted[:, None]], axis=1) * trust[:, None]
    grams = np.zeros((CLASSES, FEATURES + 1, FEATURES + 1))
    for number, gram in enumerate(grams):
        _gram(rows[classes == number].astype(np.float32), gram)
    counts = np.bincount(classes, minlength=CLASSES)
    shared = _ridge(grams.sum(axis=0), _RIDGE * len(rows) + 1, np.zeros(FEATURES))
    weights = [
        _ridge(gram, _RIDGE * count + _CLASS_RIDGE, shared)
        for gram, count in zip(grams, counts, strict=True)
    ]
    units = np.rint(np.stack(weights) * WEIGHT_ONE)
    return np.clip(units, -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int32)


def _ridge(
    gram: NDArray[np.float64], ridge: float, expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights near those `expected`, from the upper triangle of products, what is wanted last."""
    upper = np.triu(gram[:-1, :-1])
    normal = upper + np.triu(upper, 1).T
    left = gram[:-1, -1] - normal @ expected
    return expected + np.linalg.solve(normal + ridge * np.eye(FEATURES), left)
