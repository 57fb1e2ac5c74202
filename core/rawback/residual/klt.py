"""The transform across the planes of a frame.

Where highlights clip or chroma was subsampled the residuals of all planes err together, so they are
turned into their principal components first (Karhunen-Loeve). The decoder's half, the synthesis
matrix, is sent as small integers and applied as such; the encoder inverts it in float.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Kernel, Read, Write

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KLT", "MATRIX_BITS"]

_components_of_planes = Kernel("components_of_planes", Read(np.float32, 2), Write(np.float32, 3))

MATRIX_BITS = 6
"""A synthesis matrix is in units of ``2 ** -MATRIX_BITS``."""

_ONE = 1 << MATRIX_BITS


@dataclass(frozen=True, slots=True)
class KLT:
    """A synthesis matrix in units of 1/64.

    Attributes:
        matrix: int8 ``[n, n]``: planes from components.
    """

    matrix: NDArray[np.int8]

    @classmethod
    def of_axes(cls, axes: NDArray[np.float64]) -> KLT:
        """The transform whose components are along the columns of ``[n, n]``, of length 1."""
        return cls(np.ascontiguousarray(np.clip(np.rint(axes * _ONE), -127, 127), np.int8))

    @classmethod
    def fit(cls, covariance: NDArray[np.float64]) -> KLT:
        """Principal components of a residual of this `covariance` ``[n, n]``, largest first."""
        _, vectors = np.linalg.eigh(covariance)
        return cls.of_axes(vectors[:, ::-1] * np.where(vectors.sum(axis=0) < 0, -1, 1)[::-1])

    @staticmethod
    def covariance(residual: NDArray[np.float32], cap: int) -> NDArray[np.float64]:
        """Of the planes of a residual ``[n, h, w]``, errors counted up to `cap`."""
        some = residual.reshape(len(residual), -1)[:, :: KLT.stride(residual[0].size)]
        some = np.clip(some, -cap, cap).astype(np.float64)
        return np.asarray(some @ some.T / max(some.shape[1], 1))

    @staticmethod
    def stride(size: int) -> int:
        """Of planes of so many samples, as they lie in a row, one in how many `covariance` sees."""
        return max(1, size // 500_000)

    @property
    def components(self) -> NDArray[np.float32]:
        """Components from planes, ``[n, n]``."""
        inverse: NDArray[np.float32] = np.linalg.inv(self.matrix / _ONE).astype(np.float32)
        return inverse

    def to_components(self, planes: NDArray[np.float32], scale: float = 1.0) -> None:
        """Turn planes ``[n, h, w]`` into their components, times a power of two, in place."""
        _components_of_planes(self.components * np.float32(scale), planes)
