# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the JPEG and the raw have no more to tell: highlights and shadows at their ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rawback_gui.models.planes import planes_of

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
    """Which pixels have a sample at saturation: bool ``[h, w]``."""
    clipped = np.asarray(cfa >= frame.white)
    return clipped if clipped.ndim == 2 else np.asarray(clipped.any(axis=-1))


def raw_shadows(cfa: NDArray[np.uint16], frame: RawFrame) -> NDArray[np.bool_]:
    """Which pixels have all samples at the black level or below: bool ``[h, w]``.

    Args:
        cfa: uint16 ``[h, w]`` or ``[h, w, n]``, beginning at a whole pattern.
        frame: Whose levels and mosaic these are.
    """
    dark = np.empty(cfa.shape, np.bool_)
    for plane in planes_of(frame.mosaic):
        at = plane.index()
        dark[at] = cfa[at] <= frame.black[plane.channel]
    return dark if dark.ndim == 2 else np.asarray(dark.all(axis=-1))


def shares_of(frame: RawFrame, guide: Guide | None) -> ClippedShares:
    """What part of the whole picture clips.

    Args:
        frame: The raw.
        guide: The JPEG on its grid, of which only what it covers counts; None without one.
    """
    every = max(round(math.sqrt(frame.cfa.size / _SAMPLES)), 1)
    count = bright = dark = 0
    # Whole patterns, so that all colours count alike.
    for plane in planes_of(frame.mosaic):
        samples = frame.cfa[plane.index(every)]
        count += samples.size
        bright += int((samples >= frame.white).sum())
        dark += int((samples <= frame.black[plane.channel]).sum())
    if guide is None:
        return ClippedShares(None, None, bright / count, dark / count)
    part = (slice(None, None, every), slice(None, None, every))
    covered = guide.mask[part] > 0
    if not covered.any():
        return ClippedShares(None, None, bright / count, dark / count)
    highlights, shadows = (
        float((find(guide.pixels[part]) & covered).sum() / covered.sum())
        for find in (jpeg_highlights, jpeg_shadows)
    )
    return ClippedShares(highlights, shadows, bright / count, dark / count)
