# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the JPEG and the raw have no more to tell: highlights and shadows at their ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import Guide, RawFrame

__all__ = [
    "CLIPPINGS",
    "ClippedShares",
    "Clipping",
    "jpeg_highlights",
    "jpeg_shadows",
    "raw_highlights",
    "raw_shadows",
    "shares_of",
]

Clipping: TypeAlias = Literal["jpeg_highlights", "jpeg_shadows", "raw_highlights", "raw_shadows"]
CLIPPINGS: tuple[Clipping, ...] = (
    "jpeg_highlights",
    "jpeg_shadows",
    "raw_highlights",
    "raw_shadows",
)

_SAMPLES = 6_000_000
"""Samples and pixels that shares are counted from, about."""

_BRIGHTEST, _DARKEST = 254, 1
"""Codes from which on, and up to which, a JPEG's pixel clips."""


@dataclass(frozen=True, slots=True)
class ClippedShares:
    """Parts of the picture that clip, 0 to 1; None for what is not known."""

    jpeg_highlights: float | None = None
    jpeg_shadows: float | None = None
    raw_highlights: float | None = None
    raw_shadows: float | None = None

    def of(self, clipping: Clipping) -> float | None:
        """The share of one of `CLIPPINGS`."""
        value: float | None = getattr(self, clipping)
        return value


def jpeg_highlights(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a JPEG's pixel has a channel at the upper end: bool ``[h, w]``."""
    return np.asarray(_brightest(pixels) >= _BRIGHTEST)


def jpeg_shadows(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where all channels are at the lower end: bool ``[h, w]``."""
    return np.asarray(_brightest(pixels) <= _DARKEST)


def _brightest(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # By hand, as NumPy is slow along a short last axis.
    red, green, blue = (pixels[..., channel] for channel in range(3))
    return np.maximum(np.maximum(red, green), blue)


def raw_highlights(cfa: NDArray[np.uint16], frame: RawFrame) -> NDArray[np.bool_]:
    """Which samples are at saturation: bool ``[h, w]``."""
    return np.asarray(cfa >= frame.white)


def raw_shadows(cfa: NDArray[np.uint16], frame: RawFrame) -> NDArray[np.bool_]:
    """Which samples are at the black level or below: bool ``[h, w]``.

    Args:
        cfa: uint16 ``[h, w]``, beginning at an even row and column.
        frame: Whose levels these are.
    """
    dark = np.empty(cfa.shape, np.bool_)
    for position, black in enumerate(frame.black):
        part = (slice(position // 2, None, 2), slice(position % 2, None, 2))
        dark[part] = cfa[part] <= black
    return dark


def shares_of(frame: RawFrame, guide: Guide | None) -> ClippedShares:
    """What part of the whole picture clips.

    Args:
        frame: The raw.
        guide: The JPEG on its grid, of which only what it covers counts; None without one.
    """
    every = max(round(math.sqrt(frame.cfa.size / _SAMPLES)), 1)
    # Whole cells, so that all colours count alike.
    cells = [
        frame.cfa[row :: 2 * every, column :: 2 * every] for row in (0, 1) for column in (0, 1)
    ]
    count = sum(cell.size for cell in cells)
    bright = sum(int((cell >= frame.white).sum()) for cell in cells) / count
    dark = sum(int((c <= black).sum()) for c, black in zip(cells, frame.black, strict=True))
    if guide is None:
        return ClippedShares(None, None, bright, dark / count)
    part = (slice(None, None, every), slice(None, None, every))
    covered = guide.mask[part] > 0
    if not covered.any():
        return ClippedShares(None, None, bright, dark / count)
    highlights, shadows = (
        float((find(guide.pixels[part]) & covered).sum() / covered.sum())
        for find in (jpeg_highlights, jpeg_shadows)
    )
    return ClippedShares(highlights, shadows, bright, dark / count)
