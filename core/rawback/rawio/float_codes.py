"""Floating point numbers as samples: which codes suit those of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.floats import Scale, linear_scale, ratio_scale
from rawback.types import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic

__all__ = ["coded_floats"]

_DARK = 2.0**-16, 2.0**-13
"""Light, of white, that a single exposure shows little but noise in."""

_CLEAR = 0.4
"""Neighbours of a merge differ by less there, beside their light; those of an exposure, by more."""

_FEWEST = 1 / 256
"""Share of dark samples from which on they count."""

_EVERY = 4


def coded_floats(
    numbers: NDArray[np.float32], mosaic: Mosaic, white: float
) -> tuple[NDArray[np.uint16], Floats]:
    """The codes of numbers, and what they stand for.

    Args:
        numbers: float32 ``[H, W]``, or ``[H, W, n]``.
        mosaic: Of which colours they are.
        white: The number of white.
    """
    scale = ratio_scale(white) if _shows_shadows(numbers, mosaic, white) else linear_scale(white)
    halves = Scale()
    if not scale.is_linear and halves.codes.are_all(halves.codes.split(numbers)[0], numbers):
        scale = halves
    codes, remainders = scale.codes.split(numbers)
    exact = scale.codes.are_all(codes, numbers)
    return codes, Floats(scale, None if exact else remainders)


def _shows_shadows(numbers: NDArray[np.float32], mosaic: Mosaic, white: float) -> bool:
    """Whether the deepest shadows are as clear as only merged exposures have them."""
    across = 1 if mosaic.samples > 1 else mosaic.period[1]
    rows = numbers[::_EVERY]
    here, beyond = rows[:, :-across], rows[:, across:]
    with np.errstate(invalid="ignore", over="ignore"):
        light = (here + beyond) / np.float32(2 * white)
        dark = (light > _DARK[0]) & (light < _DARK[1])
        if np.count_nonzero(dark) < _FEWEST * dark.size:
            return False
        change = np.abs(here[dark] - beyond[dark]) / np.float32(white)
        return bool(np.median(change / light[dark]) < _CLEAR)
