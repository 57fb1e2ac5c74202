"""Stored tables that are computed: the curves of mixing, and families of distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from rawback.entropy import Curves, quantise_counts
from rawback.residual.lossless import ESCAPE, FAMILY

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POINTS = 4096
_FARTHEST = 2047
_LEAST = 16
"""Mixed probabilities stay so many units of ``2 ** -16`` away from 0 and 1."""


def curves() -> Curves:
    """Logarithms of odds in 1/256 of probabilities of 12 bits, and back to 16 bits."""
    points = np.arange(_POINTS)
    probability = (points + 0.5) / _POINTS
    odds = np.rint(256 * np.log(probability / (1 - probability)))
    back = np.rint((1 << 16) / (1 + np.exp((_POINTS // 2 - points) / 256)))
    return Curves(
        np.clip(odds, -_FARTHEST, _FARTHEST).astype(np.int16),
        np.clip(back, _LEAST, (1 << 16) - _LEAST).astype(np.uint16),
    )


def rank_tables() -> NDArray[np.uint16]:
    """The exact layer's family: Gaussian, logistic, Laplacian and Student's t with 3 degrees."""
    shapes, scales, fractions = FAMILY
    spread = 2.0 ** (np.arange(scales) / 4 - 3)[:, None, None]
    middle = (np.arange(fractions) / fractions + 1 / (2 * fractions))[None, :, None]
    edges = np.arange(-ESCAPE, ESCAPE) + 0.5 - middle
    families = (stats.norm, stats.logistic, stats.laplace, stats.t(3))
    # Factors that give the families a like spread.
    factors = (1.0, 0.5513, 0.7071, 0.6)
    tables = []
    for family, factor in zip(families[:shapes], factors, strict=True):
        below = family.cdf(edges / (spread * factor))
        below = np.pad(below, ((0, 0), (0, 0), (1, 1)), constant_values=((0, 0), (0, 0), (0, 1)))
        tables.append(np.diff(below, axis=2).reshape(scales * fractions, -1))
    return quantise_counts(np.maximum(np.concatenate(tables), 0) + 1e-6)
