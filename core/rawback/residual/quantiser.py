"""Steps of the residual layer: one number for a payload, one integer per band.

A *step code* ``c`` stands for a step of ``2 ** (c / 32)`` coefficient units, a coefficient unit
being ``1 / 32`` of the sensor noise's standard deviation. Codes 32 apart are a factor of two apart,
as one quality layer is from the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual.wavelet import Band, band_gain, bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CODES_PER_LAYER", "COEFFICIENT_UNIT", "MAX_STEP_CODE", "Quantiser"]

_dequantise = Kernel(
    "dequantise", *(Read(np.int32, 2), Integer, Integer, Integer, Write(np.int32, 2))
)

COEFFICIENT_UNIT = 32
"""Coefficient units per standard deviation of the sensor noise."""

CODES_PER_LAYER = 32
"""Step codes per factor of two."""

MAX_STEP_CODE = 16 * CODES_PER_LAYER - 1

_FINE = 4
"""Band steps are integers in units of ``2 ** -_FINE`` coefficient units."""

# round(2**16 * 2**(i / 32)); the values lie at least 0.008 from a half, far beyond rounding error.
_MANTISSAS = tuple(round(65536 * 2 ** (i / CODES_PER_LAYER)) for i in range(CODES_PER_LAYER))
_RECIPROCALS = {band: round(4096 / band_gain(band)) for band in bands()}
_MAX_INDEX = 60_000


@dataclass(frozen=True, slots=True)
class Quantiser:
    """The quantiser of one quality layer.

    Attributes:
        step_code: See the module's docstring, 0 to MAX_STEP_CODE.
        near: By how many sixteenths of a step the value restored for index 1 lies below the middle
            of its interval, 0 to 7.
        far: The same for larger indices.
    """

    step_code: int
    near: int = 0
    far: int = 0

    def step(self, band: Band) -> int:
        """The band's step in units of ``1 / 16`` coefficient unit, at least 1."""
        octave, part = divmod(self.step_code, CODES_PER_LAYER)
        return max(1, _MANTISSAS[part] * _RECIPROCALS[band] >> (28 - _FINE - octave))

    def noise_level(self) -> int:
        """Mean magnitude of noise of standard deviation 1, in half steps / 256, 1 to 13312."""
        # The mean magnitude of a Gaussian is 0.8 standard deviations: 26 of 32 coefficient units,
        # in every band, as steps are divided by the bands' gains.
        octave, part = divmod(self.step_code, CODES_PER_LAYER)
        return max(1, (26 * 512 << 16) // (_MANTISSAS[part] << octave))

    def indices(
        self, coefficients: NDArray[np.float32], band: Band, lift: float = 0.0
    ) -> NDArray[np.int32]:
        """Quantise: dead zone of two steps around 0, then intervals of one step.

        What lies within `lift` steps below the next index takes that.
        """
        scaled = coefficients * np.float32((1 << _FINE) / self.step(band))
        if lift:
            scaled += np.copysign(np.float32(lift), scaled)
        found: NDArray[np.int32] = np.clip(scaled, -_MAX_INDEX, _MAX_INDEX).astype(np.int32)
        return found

    def values(
        self, indices: NDArray[np.int32], band: Band, out: NDArray[np.int32] | None = None
    ) -> NDArray[np.int32]:
        """Restore coefficients ``[h, w]``, in coefficient units, from signed indices.

        Args:
            indices: int32 ``[h, w]``.
            band: Whose.
            out: Where the coefficients go; a new array by default.
        """
        values = np.empty(indices.shape, dtype=np.int32) if out is None else out
        _dequantise(indices, self.step(band), self.near, self.far, values)
        return values
