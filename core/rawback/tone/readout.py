"""The linear part of the base: a small filter per CFA phase, fitted to this very rendering.

Demosaicing, sharpening, denoising and chroma subsampling spread each sample over its neighbourhood;
a linear filter over the 5x5 neighbourhood of all three colours of the pointwise base takes back
what it can, as the adaptive loop filter of H.266 (VVC) does for its own distortions. Its taps act
on differences to the central pixel, so that its gain at frequency zero is exactly 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.tone.vst import LIMIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import BayerPattern

__all__ = ["REACH", "TAPS", "TAP_ONE", "Readout", "colour_of"]

REACH = 2
"""Pixels on each side of the central one."""

TAPS = 3 * (2 * REACH + 1) ** 2
TAP_ONE = 256
"""Taps are multiples of 1/256."""

_MIDDLE = 1 << 13
_LARGEST_SUM = 1 << 11


def colour_of(pattern: BayerPattern, position: int) -> int:
    """0, 1 or 2 for the red, green or blue sample at a position of the 2x2 cell."""
    return "RGB".index(pattern[position])


@dataclass(frozen=True, slots=True)
class Readout:
    """The filters of one class of quads.

    Attributes:
        taps: int32 ``[4, 3, 5, 5]``: position in the 2x2 cell, colour, offset; the central taps are
            0, being implied.
        bias: int32 ``[4]`` in domain units.
    """

    taps: NDArray[np.int32]
    bias: NDArray[np.int32]

    @classmethod
    def identity(cls) -> Readout:
        """The filter that changes nothing."""
        side = 2 * REACH + 1
        return cls(np.zeros((4, 3, side, side), dtype=np.int32), np.zeros(4, dtype=np.int32))

    def kernels(self, pattern: BayerPattern) -> NDArray[np.float32]:
        """The taps as whole filters, the central ones included: float32 integers."""
        kernels = self.taps.astype(np.float32)
        kernels[:, :, REACH, REACH] = -self.taps.sum(axis=(2, 3))
        for position in range(4):
            kernels[position, colour_of(pattern, position), REACH, REACH] += TAP_ONE
        return kernels

    def fits(self, pattern: BayerPattern) -> bool:
        """Whether every sum the filters form stays below 2**24, so that float32 is exact."""
        return bool(np.abs(self.kernels(pattern)).sum(axis=(1, 2, 3)).max() <= _LARGEST_SUM)

    def apply(self, values: NDArray[np.int32], pattern: BayerPattern) -> NDArray[np.int32]:
        """Filter a window.

        Args:
            values: int32 ``[3, h + 4, w + 4]``, with a border of 2 pixels, below 2**14; h, w even.
            pattern: The frame's.

        Returns:
            int32 ``[4, h / 2, w / 2]``, one plane for each position, magnitudes up to LIMIT.
        """
        centred = (np.clip(values, 0, 2 * _MIDDLE) - _MIDDLE).astype(np.float32)
        height, width = values.shape[1] // 2 - 2, values.shape[2] // 2 - 2
        total = np.zeros((4, height, width), dtype=np.float32)
        kernels = self.kernels(pattern)
        # The phases of the window are filtered at half size: a fourth of the work of filtering all
        # pixels, and the border of 2 pixels is one row or column of each phase.
        for colour, y, x in np.ndindex(3, 2, 2):
            phase = np.ascontiguousarray(centred[colour, y::2, x::2])
            for position in range(4):
                small = _phase_kernel(kernels[position, colour], position, y, x)
                if small.any():
                    filtered = cv2.filter2D(phase, cv2.CV_32F, small)
                    total[position] += filtered[1:-1, 1:-1]
        found = (total.astype(np.int32) + TAP_ONE // 2) >> 8
        found += (_MIDDLE + self.bias)[:, None, None]
        return np.clip(found, -LIMIT, LIMIT, out=found)


def _phase_kernel(
    kernel: NDArray[np.float32], position: int, y: int, x: int
) -> NDArray[np.float32]:
    """The 3x3 part of a 5x5 filter that falls on one phase of the window."""
    small = np.zeros((3, 3), dtype=np.float32)
    for row, column in np.ndindex(2 * REACH + 1, 2 * REACH + 1):
        dy, dx = position // 2 + row - REACH, position % 2 + column - REACH
        if dy % 2 == y and dx % 2 == x:
            small[dy // 2 + 1, dx // 2 + 1] = kernel[row, column]
    return small
