"""Floating point numbers as codes of 16 bits in the same order, and what those leave out.

HDR merges, stacks of exposures and converters keep samples as such numbers, of half precision (IEEE
754 binary16) or single precision (binary32). Codes stand for some of them, evenly, so that all that
works on samples works on codes. There are two kinds:

- *linear* codes are multiples of a power of two, as the numbers of a sensor are;
- *ratio* codes are numbers of half precision, times a power of two: about equal ratios of light but
  for the deepest shadows. They suit merges, whose noise is about as small, beside the light, in
  shadows as in highlights.

Any number has the nearest code, and a *remainder*: how many numbers of single precision lie between
it and the lowest one of its code, both taken as positive. The two together give back every bit, the
signs of zeros and what is no number included. Remainders are below the noise: only exact copies
need them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXPONENTS", "Codes", "Scale", "linear_scale", "ratio_scale"]

EXPONENTS = range(-100, 113)
"""Of the powers of two: all numbers that codes stand for are normal ones, or 0."""

_RATIO_ZERO, _RATIO_LAST = 0x8000, 0x7BFF
_LINEAR_ZERO = 0x2000

_SIGN, _MAGNITUDE = 1 << 31, (1 << 31) - 1

_AT_ONCE = 1 << 18

_STEP = 12
"""Bits of single precision below which no two ratio codes differ."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Which numbers codes stand for.

    Attributes:
        exponent: Of the power of two, one of `EXPONENTS`.
        is_linear: Whether they are multiples of it; else numbers of half precision times it.
    """

    exponent: int = 0
    is_linear: bool = False

    def __post_init__(self) -> None:
        if self.exponent not in EXPONENTS:
            message = f"numbers times 2^{self.exponent} are not all normal"
            raise ValueError(message)

    @property
    def codes(self) -> Codes:
        """The codes."""
        return _codes(self)


def linear_scale(white: float) -> Scale:
    """Linear codes with room for numbers below 0 and above white, with fine steps between."""
    mantissa, exponent = math.frexp(white)
    exponent -= 16 if mantissa <= 3 / 4 else 15
    return Scale(int(np.clip(exponent, EXPONENTS[0], EXPONENTS[-1])), is_linear=True)


def ratio_scale(white: float) -> Scale:
    """Ratio codes with room for numbers far above white and far below."""
    return Scale(int(np.clip(math.frexp(white)[1] - 1, EXPONENTS[0], EXPONENTS[-1])))


@dataclass(frozen=True, eq=False, slots=True)
class Codes:
    """Codes and the numbers that they stand for.

    Attributes:
        scale: Which these are.
        zero: The code of 0.
        numbers: float32 ``[65536]``: of each code; beyond the outermost codes those of these.
        bits: uint8 ``[65536]``: those that a remainder of each code needs, at most.
    """

    scale: Scale
    zero: int
    numbers: NDArray[np.float32]
    bits: NDArray[np.uint8]
    _below: int
    _above: int
    _lowest: NDArray[np.uint32]
    _of_ratios: NDArray[np.int32]

    @classmethod
    def of(cls, scale: Scale) -> Codes:
        """Those of a scale."""
        if scale.is_linear:
            zero, below, above = _LINEAR_ZERO, _LINEAR_ZERO, 0xFFFF - _LINEAR_ZERO
            positive = np.arange(above + 1, dtype=np.float64)
        else:
            zero, below, above = _RATIO_ZERO, _RATIO_LAST, _RATIO_LAST
            halves = np.arange(above + 1, dtype=np.uint16).view(np.float16)
            positive = halves.astype(np.float64)
        positive = np.ldexp(positive, scale.exponent)
        # The middles between these are numbers of single precision, too.
        middles = ((positive[1:] + positive[:-1]) / 2).astype(np.float32).view(np.uint32)
        lowest = np.concatenate([np.zeros(1, np.uint32), middles])
        steps = np.diff(lowest, append=np.uint32(_SIGN)).astype(np.float64)
        places = np.clip(np.arange(1 << 16) - zero, -below, above)
        bits = np.ceil(np.log2(steps)).astype(np.uint8)[np.abs(places)]
        # With the sign, and with all that lies beyond.
        bits[places == 0], bits[places == -below] = 32, 31
        numbers = np.where(places < 0, -1.0, 1.0) * positive[np.abs(places)]
        begins = np.zeros(_SIGN >> _STEP, np.int32)
        if not scale.is_linear:
            begins[lowest[1:] >> _STEP] = 1
        distances = np.cumsum(begins, dtype=np.int32)
        return cls(scale, zero, numbers.astype(np.float32), bits, below, above, lowest, distances)

    def split(self, numbers: NDArray[np.float32]) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        """Codes and remainders of numbers, uint16 and uint32 in their shape.

        What is no number counts as infinite, of its sign.
        """
        flat = np.ascontiguousarray(numbers, np.float32).reshape(-1).view(np.uint32)
        codes, remainders = np.empty(flat.size, np.uint16), np.empty(flat.size, np.uint32)
        # Part by part, as what this takes meanwhile is several times as much.
        for start in range(0, flat.size, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            codes[part], remainders[part] = self._split(flat[part])
        return codes.reshape(numbers.shape), remainders.reshape(numbers.shape)

    def _split(self, bits: NDArray[np.uint32]) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        magnitude = bits & np.uint32(_MAGNITUDE)
        distance = self._distances(magnitude)
        negative = bits >= _SIGN
        distance[negative] = np.minimum(distance[negative], self._below)
        codes = np.where(negative, self.zero - distance, self.zero + distance).astype(np.uint16)
        # Numbers that round to 0 keep their sign in the remainder.
        return codes, np.where(distance == 0, bits, magnitude - self._lowest[distance])

    def _distances(self, magnitude: NDArray[np.uint32]) -> NDArray[np.int32]:
        """How far the codes of positive numbers, given their bits, lie above that of 0."""
        if not self.scale.is_linear:
            return np.asarray(self._of_ratios[magnitude >> np.uint32(_STEP)], np.int32)
        with np.errstate(invalid="ignore"):
            positive = magnitude.view(np.float32).astype(np.float64)
            steps = np.ldexp(positive, -self.scale.exponent) + 0.5
            return np.fmin(steps, self._above).astype(np.int32)

    def joined(
        self, codes: NDArray[np.uint16], remainders: NDArray[np.uint32]
    ) -> NDArray[np.float32]:
        """Undo `split`."""
        places = np.clip(codes.astype(np.int32) - self.zero, -self._below, self._above)
        bits = self._lowest[np.abs(places)] + remainders
        bits |= np.where(places < 0, np.uint32(_SIGN), np.uint32(0))
        return bits.view(np.float32)

    def usual(self, codes: NDArray[np.uint16]) -> NDArray[np.uint32]:
        """The remainders of the numbers that codes stand for."""
        return self.split(self.numbers)[1][codes]

    def are_all(self, codes: NDArray[np.uint16], numbers: NDArray[np.float32]) -> bool:
        """Whether codes stand for numbers to the last bit."""
        return np.array_equal(self.numbers[codes].view(np.uint32), numbers.view(np.uint32))

    def level(self, number: float) -> float:
        """Where among the codes a finite number lies: the nearest, or between linear ones."""
        if not self.scale.is_linear:
            return float(self.split(np.array([number], np.float32))[0][0])
        place = self.zero + math.ldexp(number, -self.scale.exponent)
        return min(max(place, 0.0), float(0xFFFF))


@lru_cache(maxsize=4)
def _codes(scale: Scale) -> Codes:
    codes = Codes.of(scale)
    for table in (codes.numbers, codes.bits):
        table.setflags(write=False)
    return codes
