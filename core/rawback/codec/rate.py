"""What to aim for: how large, or how good."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Rate"]

_BOUNDS = {
    "size": (1, math.inf),
    "bpp": (0, math.inf),
    "quality": (0, 100),
    "psnr": (0, 200),
    "lossless": (0, 0),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """A point on the slider; made by one of the class methods.

    Raises:
        ValueError: The value is out of range.
    """

    kind: Literal["size", "bpp", "quality", "psnr", "lossless"]
    value: float

    def __post_init__(self) -> None:
        low, high = _BOUNDS[self.kind]
        if not low <= self.value <= high:
            message = f"{self.kind} {self.value} is not between {low} and {high}"
            raise ValueError(message)

    @classmethod
    def size(cls, size: float) -> Rate:
        """At most so many bytes, at least 1."""
        return cls("size", size)

    @classmethod
    def bpp(cls, bits: float) -> Rate:
        """At most so many bits for each pixel of the raw, above 0."""
        return cls("bpp", bits)

    @classmethod
    def quality(cls, quality: float) -> Rate:
        """From 0, without a residual, to 100, lossless.

        Between them 12 points halve the quantiser's step: from 64 standard deviations of the
        sensor's noise at 1 to about a fifth of one at 99.
        """
        return cls("quality", quality)

    @classmethod
    def psnr(cls, decibels: float) -> Rate:
        """The smallest payload that reaches a raw PSNR."""
        return cls("psnr", decibels)

    @classmethod
    def lossless(cls) -> Rate:
        """Every sample as it was."""
        return cls("lossless", 0)
