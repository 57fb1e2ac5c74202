"""The noise-normalised domain: samples on a scale where the sensor's noise is 1 everywhere.

For noise of variance ``a s + b`` at signal ``s`` the generalised Anscombe transform
``T(s) = 2/a sqrt(a s + 3/8 a^2 + b)`` (Starck, Murtagh and Bijaoui, *Image Processing and Data
Analysis*, 1998) has a standard deviation near 1 at every signal. Below black it continues as its
tangent.

A sensor with hardly any read noise would stretch the deepest shadows without end, so the variance
at black counts as at least that of a signal of 1/1000.

Values are integers in units of ``1/UNIT`` of the noise's standard deviation. Both directions are
tables, one entry per digital number and one per integer of the domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import NoiseModel

__all__ = ["LIMIT", "UNIT", "NoiseDomain"]

_look_up = Kernel("look_up", Read(np.int32, 2), Integer, Read(np.uint16, 1), Write(np.uint16, 2))

UNIT = 16
"""Integer units per standard deviation of the noise."""

_SHADOW = 1e-3

LIMIT = (1 << 15) - 1
"""No value of the domain is larger in magnitude: samples far below black or above white count as
being there."""

_TOP = 1 << 14
"""The white level maps to at most this: leaves float32 sums over neighbourhoods exact."""


@dataclass(frozen=True, slots=True)
class NoiseDomain:
    """Tables between samples in DN and the noise-normalised domain.

    Attributes:
        forward: int32 ``[4, 65536]``: position in the 2x2 cell (reading order), sample in DN; rows
            never decrease.
        black: Black level of each position in DN.
        white: Saturation level in DN.
    """

    forward: NDArray[np.int32]
    black: tuple[float, float, float, float]
    white: int

    @classmethod
    def of(
        cls, noise: NoiseModel, black: tuple[float, float, float, float], white: int
    ) -> NoiseDomain:
        """Build the tables of a frame.

        Only IEEE additions, divisions and square roots are used, each correctly rounded, so the
        tables are the same on every machine.
        """
        samples = np.arange(1 << 16, dtype=np.float64)
        rows = []
        for level in black:
            signal = (samples - level) / (white - level)
            values = np.rint(_transform(signal, noise) * UNIT)
            rows.append(np.clip(values, -LIMIT, LIMIT).astype(np.int32))
        return cls(np.stack(rows), black, white)

    @staticmethod
    def deviation(noise: NoiseModel, signal: float) -> float:
        """Standard deviation of the noise, full scale 1, at a signal of 0 to 1."""
        scale, floor = _shape(noise)
        return float(np.sqrt(np.float64(scale * signal + floor)))

    @staticmethod
    def deviation_at(noise: NoiseModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same where the domain has these values, at least 0, in standard deviations."""
        scale, floor = _shape(noise)
        found: NDArray[np.float64] = np.sqrt(np.float64(floor)) + scale / 2 * values
        return found

    def to_domain(self, samples: NDArray[np.uint16], position: int) -> NDArray[np.int32]:
        """Map DN samples of one CFA position into the domain."""
        found: NDArray[np.int32] = self.forward[position].take(samples)
        return found

    def to_samples(self, values: NDArray[np.int32], position: int) -> NDArray[np.uint16]:
        """Map domain values of one CFA position to the nearest DN, at most the white level.

        Args:
            values: int32 ``[w]`` or ``[h, w]``, units of ``1/UNIT`` sigma.
            position: Position in the 2x2 cell, 0 to 3.
        """
        found = np.empty(values.shape, dtype=np.uint16)
        first = int(self.forward[position][0])
        table = self.inverse_table(position)
        _look_up(np.atleast_2d(values), first, table, np.atleast_2d(found))
        return found

    def inverse_table(self, position: int) -> NDArray[np.uint16]:
        """The DN nearest to each domain value from ``forward[position][0]`` up to white."""
        row = self.forward[position][: self.white + 1]
        middles = row[:-1] + row[1:]
        values = np.arange(row[0], row[-1] + 1)
        return np.searchsorted(middles, 2 * values, side="right").astype(np.uint16)


def _shape(noise: NoiseModel) -> tuple[float, float]:
    """Scale and floor of the variance that the domain is built for."""
    # A floor on the shot noise bounds the domain: T(1) - T(0) is about 2 / sqrt(scale).
    scale = max(noise.scale, (2 * UNIT / _TOP) ** 2)
    return scale, max(0.375 * scale * scale + noise.offset, scale * _SHADOW)


def _transform(signal: NDArray[np.float64], noise: NoiseModel) -> NDArray[np.float64]:
    scale, floor = _shape(noise)
    root = np.sqrt(scale * np.maximum(signal, 0) + floor)
    at_zero = np.sqrt(np.float64(floor))
    found: NDArray[np.float64] = np.where(
        signal < 0, signal / at_zero, (root - at_zero) * 2 / scale
    )
    return found
