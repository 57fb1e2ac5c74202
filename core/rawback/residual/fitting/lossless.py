"""Fitting the lossless layer to a frame: encoder only, in float.

Both what predicts samples and what tells how far predictions miss are ridge regressions on samples
of some tiles, those among large values counting less. Where a channel has several phases, each
departs from what fits all of them as far as its own samples ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Kernel, Read, Write
from rawback.parallel import in_threads
from rawback.residual.lossless import (
    INPUTS,
    LARGEST_WEIGHT,
    WEIGHT_ONE,
    LosslessModel,
    LosslessStart,
    LosslessTile,
    Pixels,
    phases_of,
    survey_samples,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.residual.code_indices import CodeIndexDomain

__all__ = ["fit_lossless"]

_ROWS = 192
"""Rows of samples of each tile that are looked at."""

_RIDGE, _PHASE_RIDGE = 1e-4, 30.0
_SCALE_RIDGE = 1e-4
_EARLIER = 40
"""Inputs that are errors or misses of earlier samples."""

_FIRST_SCALE = 8
"""Weight of each of the nearest 24 misses before scales are fitted."""

_gram = Kernel("gram", Read(np.float32, 2), Write(np.float64, 2))


def fit_lossless(
    start: LosslessStart,
    tiles: Iterable[tuple[LosslessTile, NDArray[np.int32]]],
    domain: CodeIndexDomain,
    samples: int = 120_000,
    *,
    pixels: Pixels = Pixels.PLAIN,
) -> LosslessModel:
    """Fit the model on some tiles of a frame and their code indices.

    Args:
        start: What the layer begins with.
        tiles: The tiles, and the code indices of their samples.
        domain: Of the frame's codes.
        samples: How many samples are looked at.
        pixels: As the model's attribute.
    """
    parts = [_middle(tile, indices) for tile, indices in tiles]
    mosaic = parts[0][0].mosaic
    channels = len(mosaic.colours)
    scales = np.zeros((channels, INPUTS), np.int32)
    scales[:, :24] = _FIRST_SCALE
    weights = np.zeros((channels * phases_of(mosaic), INPUTS), np.int32)
    model = LosslessModel(weights, scales)
    for misses in (False, True):
        grams, counts = _grams(start, parts, domain, model, samples, misses=misses)
        if misses:
            model = LosslessModel(model.weights, _units(map(_scale, grams)), pixels)
        else:
            model = LosslessModel(_units(_phases(grams, counts, mosaic)), scales)
    return model


def _middle(
    tile: LosslessTile, indices: NDArray[np.int32]
) -> tuple[LosslessTile, NDArray[np.int32]]:
    """Some rows in the middle of a tile, which begin as the tile does."""
    mosaic = tile.mosaic
    cells = len(indices) // mosaic.cell
    taken = min(cells, max(1, _ROWS // mosaic.cell))
    first = (cells - taken) // 2
    rows = slice(first * mosaic.cell, (first + taken) * mosaic.cell)
    top, left = tile.place
    classes = tile.classes[first : first + taken]
    part = LosslessTile(tile.restored[rows], classes, mosaic, (top + first, left))
    return part, indices[rows]


def _grams(
    start: LosslessStart,
    parts: Sequence[tuple[LosslessTile, NDArray[np.int32]]],
    domain: CodeIndexDomain,
    model: LosslessModel,
    samples: int,
    *,
    misses: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Products of inputs and what they predict, weighted, by row of weights; how many samples."""

    def surveyed(part: tuple[LosslessTile, NDArray[np.int32]]) -> list[NDArray[np.float32]]:
        most = samples // len(parts) + 1
        rows, sets = survey_samples(start, model, domain, *part, most, misses=misses)
        rows /= np.abs(rows[:, :_EARLIER]).mean(axis=1, keepdims=True) + 4
        return [rows[sets == number] for number in range(count)]

    count = len(model.scales if misses else model.weights)
    grams = np.zeros((count, INPUTS + 1, INPUTS + 1))
    counts = np.zeros(count, np.int64)
    for sets in in_threads(surveyed, parts):
        for number, rows in enumerate(sets):
            _gram(rows, grams[number])
            counts[number] += len(rows)
    return grams, counts


def _phases(
    grams: NDArray[np.float64], counts: NDArray[np.int64], mosaic: Mosaic
) -> Iterable[NDArray[np.float64]]:
    """Weights of each phase of each channel."""
    phases = phases_of(mosaic)
    for channel in range(0, len(grams), phases):
        own = slice(channel, channel + phases)
        shared = _ridge(grams[own].sum(axis=0), _RIDGE * counts[own].sum() + 1, np.zeros(INPUTS))
        if phases == 1:
            yield shared
            continue
        for gram, count in zip(grams[own], counts[own], strict=True):
            yield _ridge(gram, _RIDGE * count + _PHASE_RIDGE, shared)


def _scale(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of what tells how far predictions miss."""
    ridge = _SCALE_RIDGE * np.trace(gram[:-1, :-1]) / INPUTS + 1e-6
    return _ridge(gram, ridge, np.zeros(INPUTS))


def _ridge(
    gram: NDArray[np.float64], ridge: float, expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights near those `expected`, from the upper triangle of products, what is wanted last."""
    upper = np.triu(gram[:-1, :-1])
    normal = upper + np.triu(upper, 1).T
    left = gram[:-1, -1] - normal @ expected
    return expected + np.linalg.solve(normal + ridge * np.eye(INPUTS), left)


def _units(weights: Iterable[NDArray[np.float64]]) -> NDArray[np.int32]:
    units = np.rint(np.stack(list(weights)) * WEIGHT_ONE)
    return np.clip(units, -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int32)
