"""Fitting the exact layer to a frame: encoder only, in float.

Both sets of weights are ridge regressions on a sample of each group, in the order of coding, so
that each group is fitted on what the groups before it leave. The table of each class of spread is
then the one that would have coded it in the fewest bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.residual.code_indices import SPREADS, CodeIndexDomain, Placement
from rawback.residual.lossless import (
    ERROR_CAP,
    ESCAPE,
    FRACTIONS,
    SCALES,
    SHAPES,
    SPREAD_BITS,
    WEIGHT_BITS,
    Canvas,
    LosslessModel,
    LosslessTile,
    groups,
)
from rawback.residual.region_classes import RegionClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from rawback.entropy import TableSet
    from rawback.types import BayerPattern

__all__ = ["fit_lossless"]


def fit_lossless(
    tiles: Iterable[tuple[LosslessTile, NDArray[np.int32]]],
    domain: CodeIndexDomain,
    pattern: BayerPattern,
    tables: TableSet,
    samples: int = 30_000,
) -> LosslessModel:
    """Fit the weights and choose the tables on some tiles of a frame and their ranks."""
    pairs = [(Canvas(tile), ranks) for tile, ranks in tiles]
    generator = np.random.default_rng(0)
    predictors, spreads = [], []
    bits = np.zeros((4, SPREADS, SHAPES * SCALES))
    cost = tables.cost().reshape(SHAPES * SCALES, FRACTIONS, -1)
    for first, near in groups(pattern):
        position = first[0] % 2 * 2 + first[1] % 2
        truth = [domain.values[position][c.group(ranks, first)] for c, ranks in pairs]
        weights = _fit_predictor(pairs, truth, first, near, generator, samples)
        guesses = [c.predicted(first, near, weights) for c, _ in pairs]
        for (canvas, _), value, guess in zip(pairs, truth, guesses, strict=True):
            canvas.record(first, value, guess)
        widths = _fit_spread(pairs, first, near, generator, samples)
        for (canvas, ranks), guess in zip(pairs, guesses, strict=True):
            place = Placement.of(domain, position, guess, canvas.spread(first, near, widths))
            _add_costs(bits[position], cost, place, canvas.group(ranks, first).ravel())
        predictors.append(weights)
        spreads.append(widths)
    # Classes that were not seen take the table of the nearest one by their own scale.
    bits += np.abs(np.arange(SHAPES * SCALES) % SCALES - np.arange(SPREADS)[:, None] + 4) * 1e-3
    return LosslessModel(tuple(predictors), tuple(spreads), bits.argmin(axis=2).astype(np.uint8))


def _rows(
    pairs: Sequence[tuple[Canvas, NDArray[np.int32]]],
    generator: np.random.Generator,
    first: tuple[int, int],
    samples: int,
) -> list[NDArray[np.intp]]:
    """Which samples of the group in each tile take part in a fit."""
    sizes = [canvas.group(ranks, first).size for canvas, ranks in pairs]
    share = samples / max(sum(sizes), 1)
    return [generator.permutation(size)[: max(1, int(size * share) + 1)] for size in sizes]


def _fit_predictor(
    pairs: Sequence[tuple[Canvas, NDArray[np.int32]]],
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
    return np.clip(np.rint(weights * (1 << WEIGHT_BITS)), -128, 127).astype(np.int8)


def _fit_spread(
    pairs: Sequence[tuple[Canvas, NDArray[np.int32]]],
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
        designs.append(np.stack([*around, *(spots == kind for kind in RegionClass)], axis=1))
        targets.append(canvas.neighbour(canvas.surprise, first, (0, 0)).ravel()[row])
    design = np.concatenate(designs).astype(np.float64)
    target = np.concatenate(targets).astype(np.float64)
    weights = _ridge(design, target)
    weights[: len(near)] *= 1 << SPREAD_BITS
    return np.clip(np.rint(weights), 0, 255).astype(np.uint8)


def _ridge(design: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = design.T @ design
    normal[np.diag_indices_from(normal)] += 1e-3 * len(design) + 1
    return np.linalg.solve(normal, design.T @ target).astype(np.float64)


def _add_costs(
    bits: NDArray[np.float64],
    cost: NDArray[np.float32],
    place: Placement,
    ranks: NDArray[np.int32],
) -> None:
    """Add to ``bits[class, table]`` what each table would take for a group's samples."""
    difference = (ranks >> place.low_bits) - place.whole
    symbols = np.clip(difference, -ESCAPE, ESCAPE) + ESCAPE
    width = cost.shape[2]
    key = (place.classes.astype(np.int64) * FRACTIONS + place.fraction) * width + symbols
    counts = np.bincount(key, minlength=SPREADS * FRACTIONS * width)
    bits += counts.reshape(SPREADS, -1) @ cost.reshape(len(cost), -1).T
