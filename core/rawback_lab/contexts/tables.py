"""Stored tables that are computed: the curves of mixing."""

from __future__ import annotations

import numpy as np

from rawback.entropy import Curves

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
