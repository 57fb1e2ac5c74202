"""The linear part of the base: a small filter per channel, fitted to this very rendering.

Demosaicing, sharpening, denoising and chroma subsampling spread each sample over its neighbourhood;
a linear filter over the 5x5 neighbourhood of all colours of the pointwise base takes back what it
can, as the adaptive loop filter of H.266 (VVC) does for its own distortions. Its taps act
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

    from rawback.mosaic import Mosaic


__all__ = ["REACH", "SIDE", "TAP_ONE", "LinearFilter", "apply_filters"]

REACH = 2
"""Pixels on each side of the central one."""

SIDE = 2 * REACH + 1
TAP_ONE = 256
"""Taps are multiples of 1/256."""

_LARGEST_SUM = 1 << 11

_filter = Kernel(
    "linear_filter",
    *(Read(np.int16, 3), Read(np.int32, 2), Read(np.int32, 3), Read(np.uint8, 3)),
    *(Integer, Integer, Integer, Integer, Integer),
    *(Read(np.uint8, 2), Write(np.int16, 2), Write(np.int16, 3)),
)


@dataclass(frozen=True, slots=True)
class LinearFilter:
    """The filters of one class of cells.

    Attributes:
        taps: int32 ``[channels, colours, 5, 5]``: channel of the sample, colour, offset; the
            central taps are 0, being implied.
        bias: int32 ``[channels]`` in domain units.
    """

    taps: NDArray[np.int32]
    bias: NDArray[np.int32]

    @classmethod
    def identity(cls, mosaic: Mosaic) -> LinearFilter:
        """The filter that changes nothing."""
        channels, colours = len(mosaic.colours), len(mosaic.palette)
        return cls(
            np.zeros((channels, colours, SIDE, SIDE), dtype=np.int32),
            np.zeros(channels, dtype=np.int32),
        )

    def whole_taps(self, mosaic: Mosaic) -> NDArray[np.int64]:
        """The taps with the central ones: int64 ``[channels, colours, 5, 5]``."""
        taps = self.taps.astype(np.int64)
        taps[:, :, REACH, REACH] = -self.taps.sum(axis=(2, 3))
        for channel, colour in enumerate(mosaic.colours):
            taps[channel, mosaic.palette.index(colour), REACH, REACH] += TAP_ONE
        return taps

    def fits(self, mosaic: Mosaic) -> bool:
        """Whether no sum that the filters form exceeds 24 bits."""
        return bool(np.abs(self.whole_taps(mosaic)).sum(axis=(1, 2, 3)).max() <= _LARGEST_SUM)


def apply_filters(
    filters: Sequence[LinearFilter],
    colours: NDArray[np.int32],
    classes: NDArray[np.uint8],
    mosaic: Mosaic,
    origin: tuple[int, int] = (REACH, REACH),
    place: tuple[int, int] = (0, 0),
) -> NDArray[np.int16]:
    """Filter a window, each cell by the filter of its class.

    Args:
        filters: One for each class, the last one also for higher ones; all fit.
        colours: int32 ``[colours, H, W]`` around the window, repeated where the filters reach
            beyond; they count as at least 0 and at most 2**14.
        classes: uint8 ``[h, w]``: of each cell.
        mosaic: The frame's.
        origin: Row and column in `colours` of the window's first pixel.
        place: Row and column of the window's first cell in the frame.

    Returns:
        int16 ``[planes, h, w]``, a plane for each sample of a cell, magnitudes up to LIMIT.
    """
    count, cell = len(mosaic.palette), mosaic.cell
    taps = np.stack([f.whole_taps(mosaic) for f in filters]).astype(np.int16)
    taps = taps.reshape(len(filters), len(mosaic.colours), count * SIDE * SIDE)
    bias = np.stack([f.bias for f in filters])
    rows = 1 + count * (2 * REACH + cell)
    planes = np.empty((mosaic.planes, *classes.shape), dtype=np.int16)
    layout = mosaic.layout()
    layout = layout.reshape(*layout.shape[:2], -1)
    columns = cell * (classes.shape[1] + 3 * layout.shape[1]) + 2 * REACH
    scratch = np.empty((rows, columns), dtype=np.int16)
    _filter(taps, bias, colours, layout, cell, *place, *origin, classes, scratch, planes)
    return planes
