"""How far steps are to follow the eye: raw PSNR against what is seen, at equal bits.

Finer steps at coarse levels are paid for with errors at fine ones. Where the base leaves little but
noise that is cheap; where it leaves large errors, at a tiny size, it costs decibels and helps the
eye little. So slopes may be a part of what visibility asks for: what is best by the exchange that
payloads are compared by. What each strength would give is foretold from a sample's coefficients,
without coding any: one below its step is left away, a larger one costs some bits and keeps the
error of a step.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rawback.encoder.merit import DECIBELS_PER_OCTAVE
from rawback.encoder.visibility import MEAN_SLOPE, SLOPE_PER_OCTAVE
from rawback.rate import FINEST_STEP
from rawback.residual import CODES_PER_LAYER, MAX_STEP_CODE, band_gain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rawback.residual import Band, Slopes

__all__ = ["STRENGTHS", "CodingModel"]

STRENGTHS = (1.0, 0.75, 0.5, 0.25)
"""Parts of their slopes that components may have."""

_CODED, _BITS = 1.15, 6.0
"""Steps from which on coefficients are coded, and bits that the first step of one takes."""

_SEEN_LEVEL = 3
"""The finest level of which errors are seen after a blur of three pixels."""

_TURNS = 10
_STRIDE = 2


class CodingModel:
    """What coding a frame at a step takes and leaves, about.

    Args:
        samples: Coefficients of the frame, float32 ``[planes, h, w]`` of each band.
        slopes: Of the components, whole.
    """

    def __init__(
        self, samples: Sequence[Mapping[Band, NDArray[np.float32]]], slopes: Slopes
    ) -> None:
        self._groups = [
            _Magnitudes(
                np.concatenate([sample[band][component, ::_STRIDE].ravel() for sample in samples]),
                band,
                slopes[component],
            )
            for band in samples[0]
            for component in range(len(samples[0][band]))
        ]

    def strength_at(self, step: float) -> float:
        """The best of STRENGTHS for a payload as large as one of the whole slopes at a step."""
        bits, *_ = self.estimate(step, 1.0)
        return max(STRENGTHS, key=lambda strength: self._merit(bits, strength))

    def _merit(self, bits: float, strength: float) -> float:
        """PSNR that so many bits give, in dB from some zero, what is seen exchanged into it."""
        finest, coarsest = FINEST_STEP - 1.0, float(MAX_STEP_CODE)
        for _ in range(_TURNS):
            middle = (finest + coarsest) / 2
            if self.estimate(middle, strength)[0] > bits:
                finest = middle
            else:
                coarsest = middle
        _, error, seen = self.estimate(coarsest, strength)
        return -10 * math.log10(error) - DECIBELS_PER_OCTAVE * math.log2(seen) / 2

    def estimate(self, step: float, strength: float) -> tuple[float, float, float]:
        """Bits, squared error, and what is seen of it."""
        bits = error = seen = math.ulp(0.0)
        for group in self._groups:
            own, left = group.at(step, strength)
            bits += own
            error += left
            seen += group.visibility * left
        return bits, error, seen


class _Magnitudes:
    """Sorted magnitudes of a band of a component, in units of the plane, and their sums."""

    def __init__(self, coefficients: NDArray[np.float32], band: Band, slope: int) -> None:
        sizes = np.sort(np.abs(coefficients).astype(np.float64)) * band_gain(band)
        self._sizes = sizes
        self._squares = np.concatenate([[0.0], np.cumsum(np.square(sizes))])
        logarithms = np.log2(np.maximum(sizes, np.finfo(np.float32).tiny))
        self._logarithms = np.concatenate([[0.0], np.cumsum(logarithms)])
        depth = band.level - int(band.high_x or band.high_y)
        self._finer = slope * depth
        is_seen = band.level >= _SEEN_LEVEL
        self.visibility = 4 ** ((slope - MEAN_SLOPE) / SLOPE_PER_OCTAVE) if is_seen else 0.0

    def at(self, code: float, strength: float) -> tuple[float, float]:
        """Bits and squared error at a step code."""
        octaves = (code - strength * self._finer) / CODES_PER_LAYER
        step = 2**octaves
        first = int(np.searchsorted(self._sizes, _CODED * step))
        coded = len(self._sizes) - first
        bits = (_BITS - octaves) * coded + self._logarithms[-1] - self._logarithms[first]
        return float(bits), float(self._squares[first] + coded * step * step / 12)
