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
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.types import BayerPattern

__all__ = ["REACH", "TAPS", "TAP_ONE", "LinearFilter", "apply_filters", "colour_of"]

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

    def phase_kernels(self, pattern: BayerPattern) -> NDArray[np.float32]:
        """The same, taken apart by the phase of the window they fall on.

        Returns:
            float32 ``[4, 3, 2, 2, 3, 3]``: position, colour, phase, and a filter for the phase.
        """
        side = 2 * REACH + 2
        wide = np.zeros((4, 3, side, side), dtype=np.float32)
        for position, kernel in enumerate(self.kernels(pattern)):
            y, x = divmod(position, 2)
            wide[position, :, y : y + side - 1, x : x + side - 1] = kernel
        return wide.reshape(4, 3, side // 2, 2, side // 2, 2).transpose(0, 1, 3, 5, 2, 4)


def apply_filters(
    filters: Sequence[LinearFilter],
    values: NDArray[np.int32],
    served: NDArray[np.integer],
    pattern: BayerPattern,
) -> NDArray[np.int32]:
    """Filter a window, each quad by a filter of its own.

    Args:
        filters: The filters.
        values: int32 ``[3, h + 4, w + 4]``, with a border of 2 pixels, below 2**14; h, w even.
        served: ``[h / 2, w / 2]``: index of each quad's filter.
        pattern: The frame's.

    Returns:
        int32 ``[4, h / 2, w / 2]``, one plane for each position, magnitudes up to LIMIT.
    """
    # The phases of the window are filtered at half size: a fourth of the work of filtering all
    # pixels, and the border of 2 pixels is one row or column of each phase.
    rows, columns = served.shape[0] + 2, served.shape[1] + 2
    phases = np.empty((3, 2, 2, rows, columns), dtype=np.float32)
    for colour, y, x in np.ndindex(3, 2, 2):
        phase = phases[colour, y, x]
        np.clip(values[colour, y::2, x::2], 0, 2 * _MIDDLE, out=phase, casting="unsafe")
        phase -= _MIDDLE
    sums = np.empty((4, *served.shape), dtype=np.float32)
    found = np.empty_like(sums, dtype=np.int32)
    bias = np.array([linear_filter.bias for linear_filter in filters])
    total, part = np.empty((2, rows, columns), dtype=np.float32)
    for index in np.flatnonzero(np.bincount(served.ravel())).tolist():
        kernels = filters[index].phase_kernels(pattern)
        here = served == index
        for position in range(4):
            total[...] = 0
            for at in np.ndindex(3, 2, 2):
                if kernels[position][at].any():
                    cv2.filter2D(phases[at], cv2.CV_32F, kernels[position][at], dst=part)
                    cv2.add(total, part, dst=total)
            np.copyto(sums[position], total[1:-1, 1:-1], where=here)
    np.copyto(found, sums, casting="unsafe")
    found += TAP_ONE // 2
    found >>= 8
    found += _MIDDLE + bias.T.take(served, axis=1)
    return np.clip(found, -LIMIT, LIMIT, out=found)
