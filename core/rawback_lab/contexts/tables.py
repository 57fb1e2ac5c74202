"""Probability tables of the layers: counted, or of families of distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from rawback.entropy import TableSet, quantise_counts
from rawback.residual import ContextWeights, LayerModel
from rawback.residual.contexts import CLASSES, FEATURES, PLACES, REGIMES, SPOTS
from rawback.residual.layers import ESCAPE
from rawback.residual.lossless import ESCAPE as RANK_ESCAPE
from rawback.residual.lossless import FAMILY
from rawback.residual.wavelet import LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CERTAIN = 5.0
"""Symbols of a mean try that the tables of all spots together count as in that of each spot."""


def counted_tables(counts: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.uint16]]:
    """Tables from counts, symmetric in sign.

    Where a spot's class was seen little it is as that class at all spots, and where that was seen
    little, as an exponential distribution of the class's mean.
    """
    first = counts["first"].reshape(SPOTS, CLASSES, -1)
    grow = counts["grow"].reshape(SPOTS, CLASSES, -1)
    refine = counts["refine"].reshape(SPOTS, 3 * CLASSES, -1)
    first = (first + first[..., ::-1]) / 2
    grow = np.concatenate([grow[..., :1], np.repeat(grow[..., 1:].mean(2)[..., None], 2, 2)], 2)
    means = 5 / 256 * 2.0 ** ((np.arange(CLASSES) - 1) / 3)
    size = np.abs(np.arange(-ESCAPE, ESCAPE + 1))
    falling = np.exp(-2 * size / np.maximum(means, 0.05)[:, None])
    grown = 1 / (1 + np.exp(2 / np.maximum(means, 0.15)))
    priors = {
        "first": falling / falling.sum(axis=1, keepdims=True),
        "grow": np.stack([1 - grown, grown / 2, grown / 2], axis=1),
        "refine": np.full((3 * CLASSES, 2), 0.5),
    }
    smoothed = {
        name: _smoothed(part, priors[name])
        for name, part in (("first", first), ("grow", grow), ("refine", refine))
    }
    return {
        name: quantise_counts(table)
        for name, table in (smoothed | {"empty": counts["empty"] + 0.5}).items()
    }


def _smoothed(counts: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities ``[SPOTS * rows, symbols]`` from counts ``[SPOTS, rows, symbols]``."""
    total = counts.sum(axis=0)
    shared = (total + _CERTAIN * prior) / (total.sum(axis=1, keepdims=True) + _CERTAIN)
    found: NDArray[np.float64] = (counts + _CERTAIN * shared) / (
        counts.sum(axis=2, keepdims=True) + _CERTAIN
    )
    return np.reshape(found, (-1, counts.shape[2]))


def rank_tables() -> NDArray[np.uint16]:
    """The exact layer's family: Gaussian, logistic, Laplacian and Student's t with 3 degrees."""
    shapes, scales, fractions = FAMILY
    spread = 2.0 ** (np.arange(scales) / 4 - 3)[:, None, None]
    middle = (np.arange(fractions) / fractions + 1 / (2 * fractions))[None, :, None]
    edges = np.arange(-RANK_ESCAPE, RANK_ESCAPE) + 0.5 - middle
    families = (stats.norm, stats.logistic, stats.laplace, stats.t(3))
    # Factors that give the families a like spread.
    factors = (1.0, 0.5513, 0.7071, 0.6)
    tables = []
    for family, factor in zip(families[:shapes], factors, strict=True):
        below = family.cdf(edges / (spread * factor))
        below = np.pad(below, ((0, 0), (0, 0), (1, 1)), constant_values=((0, 0), (0, 0), (0, 1)))
        tables.append(np.diff(below, axis=2).reshape(scales * fractions, -1))
    return quantise_counts(np.maximum(np.concatenate(tables), 0) + 1e-6)


def blank_model() -> LayerModel:
    """Equal weights and flat tables, to begin with."""

    def flat(tables: int, symbols: int) -> TableSet:
        return TableSet(quantise_counts(np.zeros((tables, symbols))))

    weights = ContextWeights(
        np.full((2, REGIMES, 3, 4, len(FEATURES)), 64, np.uint16),
        np.full((2, REGIMES, PLACES, 4, SPOTS), 64, np.uint16),
    )
    return LayerModel(
        weights,
        flat(SPOTS * CLASSES, 2 * ESCAPE + 1),
        flat(SPOTS * CLASSES, 3),
        flat(3 * SPOTS * CLASSES, 2),
        flat(2 * LEVELS, 2),
    )
