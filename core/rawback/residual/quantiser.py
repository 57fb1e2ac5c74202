"""Steps of the residual layer: a number for a payload, an integer per band and component.

A *step code* ``c`` stands for a step of ``2 ** (c / 32)`` coefficient units, a coefficient unit
being ``1 / 32`` of the sensor noise's standard deviation. Codes 32 apart are a factor of two apart,
as one quality layer is from the next.

The eye sees an error sooner the coarser it is, and that of some colours sooner than of others. So
each component has a *slope*: by how much finer its step becomes from each level to the next coarser
one. No step code may become negative by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual.wavelet import LEVELS, Band, band_gain, bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CODES_PER_LAYER",
    "COEFFICIENT_UNIT",
    "EVEN",
    "MAX_SLOPE",
    "MAX_STEP_CODE",
    "Quantiser",
    "Slopes",
]

Slopes: TypeAlias = tuple[int, ...]
"""Of each component, in step codes per level, 0 to MAX_SLOPE."""

EVEN: Slopes = (0,) * 16
"""One step for all levels: errors of all of them count alike."""

MAX_SLOPE = 63

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


@lru_cache(maxsize=4096)
def _step_of(code: int, band: Band) -> int:
    octave, part = divmod(code, CODES_PER_LAYER)
    return max(1, _MANTISSAS[part] * _RECIPROCALS[band] >> (28 - _FINE - octave))


@lru_cache(maxsize=1024)
def _noise_level_of(code: int) -> int:
    # The mean magnitude of a Gaussian is 0.8 standard deviations: 26 of 32 coefficient units,
    # in every band, as steps are divided by the bands' gains.
    octave, part = divmod(code, CODES_PER_LAYER)
    return max(1, (26 * 512 << 16) // (_MANTISSAS[part] << octave))


@dataclass(frozen=True, slots=True)
class Quantiser:
    """The quantiser of one quality layer.

    Attributes:
        step_code: Of the bands of level 1, 0 to MAX_STEP_CODE; see the module's docstring.
        near: By how many sixteenths of a step the value restored for index 1 lies below the middle
            of its interval, 0 to 7.
        far: The same for larger indices.
        slopes: Of the components.
    """

    step_code: int
    near: int = 0
    far: int = 0
    slopes: Slopes = EVEN

    def __post_init__(self) -> None:
        if self.step_code < LEVELS * max(self.slopes):
            message = f"slopes {self.slopes} are too large for step code {self.step_code}"
            raise ValueError(message)

    def coarser(self, layers: int) -> Quantiser:
        """The quantiser so many layers before this one, restoring to the middle of intervals."""
        code = self.step_code + layers * CODES_PER_LAYER
        return replace(self, step_code=code, near=0, far=0)

    def code(self, band: Band, component: int = 0) -> int:
        """The step code of a band of a component."""
        # LL is one level coarser than the other bands of the last level.
        depth = band.level - int(band.high_x or band.high_y)
        return self.step_code - self.slopes[component] * depth

    def step(self, band: Band, component: int = 0) -> int:
        """The step there in units of ``1 / 16`` coefficient unit, at least 1."""
        return _step_of(self.code(band, component), band)

    def noise_level(self, band: Band, component: int = 0) -> int:
        """Mean magnitude there of noise of deviation 1, in half steps / 256, 1 to 13312."""
        return _noise_level_of(self.code(band, component))

    def indices(
        self,
        coefficients: NDArray[np.float32],
        band: Band,
        component: int = 0,
        lift: float = 0.0,
    ) -> NDArray[np.int32]:
        """Quantise: dead zone of two steps around 0, then intervals of one step.

        What lies within `lift` steps below the next index takes that.
        """
        scaled = coefficients * np.float32((1 << _FINE) / self.step(band, component))
        if lift:
            scaled += np.copysign(np.float32(lift), scaled)
        found: NDArray[np.int32] = np.clip(scaled, -_MAX_INDEX, _MAX_INDEX).astype(np.int32)
        return found

    def values(
        self,
        indices: NDArray[np.int32],
        band: Band,
        component: int = 0,
        out: NDArray[np.int32] | None = None,
    ) -> NDArray[np.int32]:
        """Restore coefficients ``[h, w]``, in coefficient units, from signed indices.

        Args:
            indices: int32 ``[h, w]``.
            band: Whose.
            component: Whose.
            out: Where the coefficients go; a new array by default.
        """
        values = np.empty(indices.shape, dtype=np.int32) if out is None else out
        _dequantise(indices, self.step(band, component), self.near, self.far, values)
        return values
