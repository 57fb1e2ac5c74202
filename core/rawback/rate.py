"""What to aim for: how large or how good, and the quantiser steps that qualities stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rawback.residual import CODES_PER_LAYER, MAX_STEP_CODE

__all__ = [
    "COARSEST_STEP",
    "FINEST_STEP",
    "LAYERS",
    "LOSSLESS_STEP",
    "OperatingPoint",
    "Rate",
    "Tune",
    "step_of_quality",
]

Tune: TypeAlias = Literal["visual", "psnr"]
"""What a payload's errors are to be small for: the eye, on a display and after shadows were lifted,
or raw PSNR, for comparisons by it."""

LAYERS = 3
"""Quality layers of a payload: each can be cut away later, and costs a few percent."""

COARSEST_STEP, FINEST_STEP = MAX_STEP_CODE - (LAYERS - 1) * CODES_PER_LAYER, 48
"""Step codes of the last quality layer."""

LOSSLESS_STEP = 310
"""Step code below the lossless layer, 25 standard deviations of noise: what quality layers code
finer is mostly noise, which the lossless layer would code again."""

_BEST_QUALITY = 100
_QUALITY_POINTS = 12
"""Points of quality that halve the step."""
_COARSEST_OCTAVE = 11 + 12 / CODES_PER_LAYER
"""Octave of the step at quality 1: 83 standard deviations of the noise."""

_BOUNDS = {
    "size": (1, 1 << 32),
    "bpp": (math.ulp(0), 1 << 10),
    "quality": (0, 100),
    "psnr": (0, 200),
    "lossless": (0, 0),
}
"""Least and largest values: a payload is below 4 GiB, and no sample has a thousand bits."""


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
            least = "above 0" if self.kind == "bpp" else f"at least {low}"
            message = f"A {self.kind} is {least} and at most {high}, not {self.value}."
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

        Between them 12 points halve the quantiser's step: from 83 standard deviations of the
        sensor's noise at 1 to about a quarter of one at 99.
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

    @property
    def is_lossless(self) -> bool:
        """Whether every sample is to come back: lossless by name, or of the best quality."""
        return self.kind == "lossless" or (self.kind == "quality" and self.value >= _BEST_QUALITY)


def step_of_quality(quality: float) -> int | None:
    """Step code of a quality below 100; None at 0, where there is no residual."""
    if quality <= 0:
        return None
    octaves = _COARSEST_OCTAVE - (quality - 1) / _QUALITY_POINTS
    return min(max(round(octaves * CODES_PER_LAYER), FINEST_STEP), COARSEST_STEP)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One payload among those the encoder can make.

    Attributes:
        base_level: Which of the bases, 0 the largest.
        step_code: Of the quality layers; None for the base alone.
        exact: With the lossless layer on top.
    """

    base_level: int = 0
    step_code: int | None = None
    exact: bool = False

    @classmethod
    def of_quality(cls, quality: float) -> OperatingPoint:
        """What the encoder makes of a quality, 0 to 100; see :meth:`Rate.quality`."""
        if quality >= _BEST_QUALITY:
            return cls(0, LOSSLESS_STEP, exact=True)
        return cls(0, step_of_quality(quality))
