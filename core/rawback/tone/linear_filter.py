"""The linear part of the base: a small filter per CFA phase, fitted to this very rendering.

Demosaicing, sharpening, denoising and chroma subsampling spread each sample over its neighbourhood;
a linear filter over the 5x5 neighbourhood of all three colours of the pointwise base takes back
what it can, as the adaptive loop filter of H.266 (VVC) does for its own distortions. Its taps act
on differences to the central pixel, so that its gain at frequency zero is exactly 1. The kernel
is in ``kernels/base.c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


__all__ = ["REACH", "TAPS", "TAP_ONE", "LinearFilter", "apply_filters", "colour_of"]

REACH = 2
"""Pixels on each side of the central one."""

TAPS = 3 * (2 * REACH + 1) ** 2
TAP_ONE = 256
"""Taps are multiples of 1/256."""

_LARGEST_SUM = 1 << 11

_filter = Kernel(
    "linear_filter",
    *(Read(np.int16, 2), Read(np.int32, 2), Read(np.int32, 3), Integer, Integer),
    *(Read(np.uint8, 2), Write(np.int16, 2), Write(np.int16, 3)),
)


def colour_of(pattern: str, position: int) -> int:
    """0, 1 or 2 for the red, green or blue sample at a position of the 2x2 cell."""
    return "RGB".index(pattern[position])


@dataclass(frozen=True, slots=True)
class LinearFilter:
    """The filters of one class of quads.

    Attributes:
        taps: int32 ``[4, 3, 5, 5]``: position in the 2x2 cell, colour, offset; the central taps are
            0, being implied.
        bias: int32 ``[4]`` in domain units.
    """

    taps: NDArray[np.int32]
    bias: NDArray[np.int32]

    @classmethod
    def identity(cls) -> LinearFilter:
        """The filter that changes nothing."""
        side = 2 * REACH + 1
        return cls(np.zeros((4, 3, side, side), dtype=np.int32), np.zeros(4, dtype=np.int32))

    def windows(self, pattern: str) -> NDArray[np.int64]:
        """The taps as whole filters over each quad's window, the central ones included.

        Returns:
            int64 ``[4, 3, 6, 6]``: position, colour, and offset from the pixel two rows above and
            two columns left of the quad.
        """
        side = 2 * REACH + 1
        windows = np.zeros((4, 3, side + 1, side + 1), dtype=np.int64)
        for position, taps in enumerate(self.taps):
            y, x = divmod(position, 2)
            window = windows[position, :, y : y + side, x : x + side]
            window[...] = taps
            window[:, REACH, REACH] = -taps.sum(axis=(1, 2))
            window[colour_of(pattern, position), REACH, REACH] += TAP_ONE
        return windows

    def fits(self, pattern: str) -> bool:
        """Whether no sum that the filters form exceeds 24 bits."""
        return bool(np.abs(self.windows(pattern)).sum(axis=(1, 2, 3)).max() <= _LARGEST_SUM)


def apply_filters(
    filters: Sequence[LinearFilter],
    colours: NDArray[np.int32],
    classes: NDArray[np.uint8],
    pattern: str,
    origin: tuple[int, int] = (REACH, REACH),
) -> NDArray[np.int16]:
    """Filter a window, each quad by the filter of its class.

    Args:
        filters: One for each class, the last one also for higher ones; all fit.
        colours: int32 ``[3, H, W]`` around the window, repeated where the filters reach beyond;
            they count as at least 0 and at most 2**14.
        classes: uint8 ``[h, w]``: of each quad.
        pattern: The frame's.
        origin: Row and column in `colours` of the window's first pixel.

    Returns:
        int16 ``[4, h, w]``, one plane for each position, magnitudes up to LIMIT.
    """
    taps = np.stack([f.windows(pattern).astype(np.int16).ravel() for f in filters])
    bias = np.stack([f.bias for f in filters])
    side = 2 * REACH + 2
    scratch = np.empty((3 * side, 2 * classes.shape[1] + 2 * REACH), dtype=np.int16)
    planes = np.empty((4, *classes.shape), dtype=np.int16)
    _filter(taps, bias, colours, *origin, classes, scratch, planes)
    return planes
