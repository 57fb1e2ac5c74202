"""Numbers of half precision (IEEE 754 binary16) as integers in the same order.

HDR merges keep samples as such numbers. Their bits, read as integers, grow with the number but for
its sign, so that 16-bit integers in the very order of the numbers stand for them: 32768 for 0, more
for more. Equal steps of the integers are about equal ratios of the numbers, which is how light that
is lifted or lowered by stops compares. Nothing is rounded, and all that works on samples works on
them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["code_of", "codes_of", "values_of"]

_SIGN, _INFINITE = 0x8000, 0x7C00

_LARGEST_NUMBER = 65504.0


def codes_of(numbers: NDArray[np.floating]) -> NDArray[np.uint16] | None:
    """The codes of numbers, uint16 in their shape.

    Both zeros have one code.

    Args:
        numbers: Floating point numbers.

    Returns:
        The codes; None where a number is not finite, or not one of half precision.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        half = numbers.astype(np.float16)
    exact = np.isfinite(half).all() and np.array_equal(half, numbers)
    return _codes_of_bits(half.view(np.uint16)) if exact else None


def code_of(number: float) -> int:
    """The code of the number of half precision that is nearest to a finite one."""
    nearest = np.clip(number, -_LARGEST_NUMBER, _LARGEST_NUMBER).astype(np.float16)
    return int(_codes_of_bits(nearest.view(np.uint16)))


def _codes_of_bits(bits: NDArray[np.uint16]) -> NDArray[np.uint16]:
    wide = bits.astype(np.int32)
    signed = np.where(wide & _SIGN, _SIGN - wide, wide)
    return np.asarray(signed + _SIGN, np.uint16)


@lru_cache(maxsize=1)
def _table() -> NDArray[np.float16]:
    distance = np.arange(1 << 16) - _SIGN
    sign = np.where(distance < 0, _SIGN, 0)
    table = (np.minimum(np.abs(distance), _INFINITE - 1) | sign).astype(np.uint16).view(np.float16)
    table.setflags(write=False)
    return table


def values_of(codes: NDArray[np.uint16]) -> NDArray[np.float16]:
    """The numbers of codes, float16 in their shape; what is no code is the nearest finite one."""
    return _table()[codes]
