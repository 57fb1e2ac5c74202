# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the JPEG and the raw have no more to tell: highlights and shadows at their ends."""

from __future__ import annotations

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
    return np.asarray(pixels.max(axis=2) >= _BRIGHTEST)


def jpeg_shadows(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where all channels are at the lower end: bool ``[h, w]``."""
    return np.asarray(pixels.max(axis=2) <= _DARKEST)


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
    raw = (
        float(raw_highlights(frame.cfa, frame).mean()),
        float(raw_shadows(frame.cfa, frame).mean()),
    )
    if guide is None or not guide.mask.any():
        return ClippedShares(None, None, *raw)
    covered = guide.mask > 0
    count = covered.sum()
    bright = float((jpeg_highlights(guide.pixels) & covered).sum() / count)
    dark = float((jpeg_shadows(guide.pixels) & covered).sum() / count)
    return ClippedShares(bright, dark, *raw)
