"""One Bayer pattern for the networks: every other one is RGGB seen in a mirror.

The networks see each frame mirrored so that red comes first; what they say is mirrored back. So
four patterns need neither four networks nor shifts by a pixel, which would tear quads apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["flipped_pixels", "flipped_planes"]

_Scalar = TypeVar("_Scalar", bound=np.generic)


def flipped_pixels(pixels: NDArray[_Scalar], pattern: str) -> NDArray[_Scalar]:
    """Mirror ``[H, W, ...]`` of even sides so that RGGB starts in its corner; its own inverse."""
    red = pattern.index("R")
    return pixels[:: -1 if red // 2 else 1, :: -1 if red % 2 else 1]


def flipped_planes(planes: NDArray[_Scalar], pattern: str) -> NDArray[_Scalar]:
    """Mirror planes ``[n, h, w]`` alike, and sort those of Bayer mosaics; its own inverse."""
    red = pattern.index("R")
    rows, columns = (-1 if red // 2 else 1), (-1 if red % 2 else 1)
    return planes[np.arange(len(planes)) ^ red, ::rows, ::columns]
