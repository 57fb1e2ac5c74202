"""What an error counts at each sample: quantisation that follows the brightness of the base.

In the noise-normalised domain all errors count alike, in raw samples those in bright places are
larger: a standard deviation of the noise at white is ten times one in deep shadow. Neither measure
is right alone: the first keeps what shadows can be lifted to, the second is what raw PSNR sees. The
residual is multiplied by a power of the noise's standard deviation at the base, so that the power 0
is the first measure and 1 the second; both sides know the base, so nothing is sent but the power.
Midway, at 1/2, each measure loses a quarter of what it loses at the other's end; at 1/4, lifted
shadows lose a sixteenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Kernel, Read, Write
from rawback.tone import NoiseDomain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import NoiseModel

__all__ = ["WEIGHT_POWER", "ErrorWeights"]

WEIGHT_POWER = 1
"""Quarters of the power that the encoder takes: 1/4. At sizes of linear frames that are tuned for
raw PSNR it takes what restores most."""

_weighted_residual = Kernel(
    "weighted_residual",
    *(Read(np.int16, 3), Read(np.int16, 3), Read(np.float32, 1), Write(np.float32, 3)),
)

_ONE = 256
_BINS, _BIN_SHIFT = 1024, 4
_REFERENCE = 1 / 8
_RANGE = (64, 1024)


@dataclass(frozen=True, slots=True)
class ErrorWeights:
    """Weights of a frame.

    Attributes:
        inverse: int32 ``[1024]``: 256 divided by the weight, 64 to 1024, of each value of the base
            in standard deviations of the noise.
    """

    inverse: NDArray[np.int32]

    @classmethod
    def of(cls, noise: NoiseModel, quarters: int) -> ErrorWeights:
        """The weights of a frame with this noise, and of a power in quarters, 0 to 4.

        Only IEEE operations that are rounded correctly are used: the same on every machine.
        """
        values = np.arange(_BINS, dtype=np.float64)
        ratio = NoiseDomain.deviation_at(noise, values) / NoiseDomain.deviation(noise, _REFERENCE)
        root = np.sqrt(ratio)
        fourth = np.sqrt(root)
        powers = (np.ones_like(ratio), fourth, root, root * fourth, ratio)
        inverse = np.rint(_ONE / np.maximum(powers[quarters], 1e-3))
        return cls(np.clip(inverse, *_RANGE).astype(np.int32))

    def weigh(
        self,
        planes: NDArray[np.int16],
        base: NDArray[np.int16],
        residual: NDArray[np.float32],
    ) -> None:
        """Write what a base leaves of planes, all ``[4, h, w]``, times its weights."""
        _weighted_residual(planes, base, self._weights, residual)

    @property
    def _weights(self) -> NDArray[np.float32]:
        return (_ONE / self.inverse).astype(np.float32)

    def at(self, base: NDArray[np.int16]) -> NDArray[np.float32]:
        """The weights where the base has these values."""
        weights: NDArray[np.float32] = self._weights[_bins(base)]
        return weights

    def noise(self, base: NDArray[np.int32]) -> NDArray[np.uint16]:
        """Standard deviation of weighed noise where the base has these values, in 1/256."""
        deviation: NDArray[np.uint16] = (_ONE * _ONE // self.inverse).astype(np.uint16)[_bins(base)]
        return deviation


def _bins(base: NDArray[np.integer]) -> NDArray[np.integer]:
    bins: NDArray[np.integer] = base >> _BIN_SHIFT
    return np.clip(bins, 0, _BINS - 1, out=bins)
