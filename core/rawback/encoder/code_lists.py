"""Which codes the lossless layer counts samples among: those of the frame, or of each channel.

And what else of a frame's samples decides how they are coded without loss.

Where a table or a gain stretched the samples of one channel to other codes than those of the next,
each channel uses few of the codes that the frame does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.common.tiles import completed
from rawback.kernels import Kernel, Read, Write
from rawback.parallel import in_threads, row_bands
from rawback.residual import write_code_values
from rawback.tone import UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.tone import NoiseDomain
    from rawback.types import RawFrame

__all__ = ["are_codes_coarse", "code_lists", "do_pixels_repeat"]

_count_codes = Kernel("count_codes", Read(np.uint16, 2), Read(np.uint8, 2), Write(np.int64, 2))

_REPEATED_SHARE, _EVERY = 0.5, 8
"""Of pixels that repeat others, above which they are coded as such: a quarter of them does not pay.
One of so many rows is looked at."""

_MANY_ROWS = 1024


def code_lists(samples: NDArray[np.uint16], mosaic: Mosaic) -> list[NDArray[np.uint16]]:
    """The codes in use, ascending: one list, or one for each channel where that pays.

    Args:
        samples: uint16 ``[h, w]``: rows of whole cells.
        mosaic: The frame's.
    """
    counts = _histograms(samples, mosaic)
    everywhere = np.flatnonzero(counts.sum(axis=0)).astype(np.uint16)
    own = [np.flatnonzero(row).astype(np.uint16) for row in counts]
    if len(own) == 1 or min(map(len, own)) == 0:
        return [everywhere]
    # A sample is told from the other channels' codes up to the next one of its own channel.
    bits = 0.0
    for row, codes in zip(counts, own, strict=True):
        gaps = np.diff(np.searchsorted(everywhere, codes), append=len(everywhere))
        gaps[-1] = 1
        bits += float(row[codes] @ np.log2(gaps))
    more = len(write_code_values(*own)) - len(write_code_values(everywhere))
    return own if bits / 8 > 2 * more + samples.size / 256 else [everywhere]


def are_codes_coarse(frame: RawFrame, domain: NoiseDomain) -> bool:
    """Whether the codes in use lie a standard deviation of the noise apart, on average.

    One of so many rows of a large frame, with those of the same period, tells as much as all.
    """
    samples = completed(frame.cfa, frame.mosaic)
    if len(samples) > _MANY_ROWS:
        period = len(frame.mosaic.channel_map())
        samples = samples[np.arange(len(samples)) // period % _EVERY == 0]
    for table, row in zip(domain.forward, _histograms(samples, frame.mosaic), strict=True):
        values = table[np.flatnonzero(row)]
        if len(values) < 2 or values[-1] - values[0] < UNIT * len(values):
            return False
    return True


def do_pixels_repeat(samples: NDArray[np.uint16], mosaic: Mosaic) -> bool:
    """Whether most pixels of a linear frame are as the one before them or above them.

    Args:
        samples: uint16 ``[h, w]``: those of a pixel side by side.
        mosaic: The frame's.
    """
    if mosaic.samples == 1:
        return False
    pixels = samples.reshape(len(samples), -1, mosaic.samples)
    rows = pixels[1::_EVERY]
    above = pixels[::_EVERY][: len(rows)]
    repeated = (rows[:, 1:] == rows[:, :-1]).all(axis=2) | (rows == above).all(axis=2)[:, 1:]
    return bool(repeated.sum() > _REPEATED_SHARE * repeated.size)


def _histograms(samples: NDArray[np.uint16], mosaic: Mosaic) -> NDArray[np.int64]:
    """How often each channel has each code, ``[channels, 65536]``."""
    pattern = mosaic.channel_map()

    def counted(rows: slice) -> NDArray[np.int64]:
        counts = np.zeros((len(mosaic.colours), 1 << 16), np.int64)
        _count_codes(np.ascontiguousarray(samples[rows]), pattern, counts)
        return counts

    bands = row_bands(len(samples), len(pattern))
    return sum(in_threads(counted, bands), np.zeros((len(mosaic.colours), 1 << 16), np.int64))
