"""The curves of logistic mixing as stored integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Curves"]

_POINTS = 4096
_RATES = 512


@dataclass(frozen=True, slots=True)
class Curves:
    """What compiled models of binary decisions look up (``kernels/binary_models.h``).

    Attributes:
        stretch: int16 ``[4096]``: logarithm of the odds, in 1/256, of each probability of 12 bits,
            -2047 to 2047.
        squash: uint16 ``[4096]``: probability, in ``2 ** -16``, of logarithms of odds in 1/256 from
            -2048 on.
    """

    stretch: NDArray[np.int16]
    squash: NDArray[np.uint16]

    def __post_init__(self) -> None:
        fit = self.stretch.shape == self.squash.shape == (_POINTS,)
        if not fit or np.abs(self.stretch).max() >= _POINTS // 2 or not self.squash.all():
            message = "curves have 4096 points, log odds below 2048 and probabilities above 0"
            raise ValueError(message)

    @property
    def rate(self) -> NDArray[np.uint32]:
        """How far a counter goes to what comes, in ``2 ** -16``, by how often it was used."""
        return np.array([(1 << 17) // (2 * uses + 3) for uses in range(_RATES)], np.uint32)
