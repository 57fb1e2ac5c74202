"""The linear part of the base: a small filter per channel, fitted to this very rendering.

Demosaicing, sharpening, denoising and chroma subsampling spread each sample over its neighbourhood;
a linear filter over the 5x5 neighbourhood of all colours of the pointwise base takes back what it
can, as the adaptive loop filter of H.266 (VVC) does for its own distortions. Its taps act
on differences to the central pixel, so that its gain at frequency zero is exactly 1. In large
patterns the colours around the pixels of a channel lie alike but turned, so taps are turned with
them; or each phase has taps of its own, as a demosaicing goes over pixels in some order. The kernel
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


__all__ = [
    "MOST_PHASES",
    "REACH",
    "SIDE",
    "TAP_ONE",
    "LinearFilter",
    "apply_filters",
    "has_phase_filters",
]

REACH = 2
"""Pixels on each side of the central one."""

SIDE = 2 * REACH + 1
TAP_ONE = 256
"""Taps are multiples of 1/256."""

MOST_PHASES = 32
"""Phases of the patterns that may have a filter for each."""

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
        taps: int32 ``[n, colours, 5, 5]``: channel or phase of the sample, see
            :class:`rawback.mosaic.Mosaic`, colour, offset; the central taps are 0, being implied.
            Offsets are those of the first phase of the channel, before they are turned.
        bias: int32 ``[n]`` in domain units.
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
        """The taps with the central ones: int64 ``[n, colours, 5, 5]``."""
        taps = self.taps.astype(np.int64)
        taps[:, :, REACH, REACH] = -self.taps.sum(axis=(2, 3))
        for number, channel in enumerate(self.channels(mosaic)):
            colour = mosaic.palette.index(mosaic.colours[channel])
            taps[number, colour, REACH, REACH] += TAP_ONE
        return taps

    def is_by_phase(self, mosaic: Mosaic) -> bool:
        """Whether it has taps for each phase rather than each channel."""
        return len(self.taps) != len(mosaic.colours)

    def channels(self, mosaic: Mosaic) -> tuple[int, ...]:
        """The channel of the samples that each of its taps are for."""
        return mosaic.phases if self.is_by_phase(mosaic) else tuple(range(len(mosaic.colours)))

    def fits(self, mosaic: Mosaic) -> bool:
        """Whether no sum that the filters form exceeds 24 bits."""
        return bool(np.abs(self.whole_taps(mosaic)).sum(axis=(1, 2, 3)).max() <= _LARGEST_SUM)


def has_phase_filters(mosaic: Mosaic) -> bool:
    """Whether filters of a mosaic may be by phase."""
    return len(mosaic.colours) < len(mosaic.phases) <= MOST_PHASES


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
        filters: One for each class, the last one also for higher ones; all fit, and all are for
            channels or all for phases.
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
    bias = np.stack([f.bias for f in filters])
    by_phase = has_phase_filters(mosaic)
    if by_phase:
        if not filters[0].is_by_phase(mosaic):
            taps, bias = taps.take(mosaic.phases, axis=1), bias.take(mosaic.phases, axis=1)
        taps = _turned(taps, mosaic.turns)
    taps = taps.reshape(len(filters), -1, count * SIDE * SIDE)
    rows = 1 + count * (2 * REACH + cell)
    planes = np.empty((mosaic.planes, *classes.shape), dtype=np.int16)
    layout = mosaic.layout(by_phase=by_phase)
    layout = layout.reshape(*layout.shape[:2], -1)
    columns = cell * (classes.shape[1] + 3 * layout.shape[1]) + 2 * REACH
    if not (cell == 2 and layout.shape[1] == 1):
        columns *= 2  # each pixel beside the one after it
    scratch = np.empty((rows, columns), dtype=np.int16)
    _filter(taps, bias, colours, layout, cell, *place, *origin, classes, scratch, planes)
    return planes


def _turned(taps: NDArray[np.int16], turns: Sequence[int]) -> NDArray[np.int16]:
    """The taps ``[filters, phases, colours, 5, 5]`` where they act."""
    found = np.empty_like(taps)
    for number, turn in enumerate(turns):
        own = taps[:, number]
        if turn & 4:
            own = own.swapaxes(2, 3)
        found[:, number] = own[:, :, :: -1 if turn & 2 else 1, :: -1 if turn & 1 else 1]
    return found
