"""Binary logarithms and powers of two in 64ths of octaves, the same on every machine."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOGARITHMS", "POWERS", "binary_logarithms"]

_STEPS = 64
"""Of an octave: 2 ** 6, so its root is six times a square root."""


def _power(steps: int) -> int:
    """Two to so many steps, in ``2 ** -16``, rounded down."""
    root = 1 << (16 * _STEPS + steps)
    for _ in range(6):
        root = isqrt(root)
    return root


LOGARITHMS = np.array(
    [((_STEPS + i) ** _STEPS).bit_length() - 1 - 6 * _STEPS for i in range(_STEPS)], np.uint8
)
"""Of ``1 + i / 64``, in steps, rounded down."""

POWERS = np.array([_power(i) for i in range(_STEPS)], np.uint32)
"""Two to each number of steps below an octave, in ``2 ** -16``, rounded down."""


def binary_logarithms(values: NDArray[np.integer]) -> NDArray[np.int32]:
    """In steps; numbers from 1 to 2^52 count by their first seven binary digits."""
    octaves = np.frexp(values.astype(np.float64))[1] - 1
    digits = (values.astype(np.int64) << 6 >> octaves) & (_STEPS - 1)
    found: NDArray[np.int32] = (octaves * _STEPS + LOGARITHMS[digits]).astype(np.int32)
    return found
