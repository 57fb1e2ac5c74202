"""Which codes the lossless layer counts samples among: those of the frame, or of parts of it.

And what else of a frame's samples decides how they are coded without loss.

Where a table or a gain stretched the samples of one channel to other codes than those of the next,
each channel uses few of the codes that the frame does. Where a linear frame was made of a mosaic,
so do pixels of one phase, whose sample was measured: in 16 bits a sensor's 12 are one code of 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.common.tiles import completed
from rawback.kernels import Kernel, Read, Write
from rawback.parallel import in_threads, row_bands
from rawback.residual import PHASES, Pixels, list_numbers, write_code_values
from rawback.tone import UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.tone import NoiseDomain
    from rawback.types import RawFrame

__all__ = ["are_codes_coarse", "code_lists", "do_pixels_repeat", "pixels_of"]

_count_codes = Kernel("count_codes", Read(np.uint16, 2), Read(np.uint8, 2), Write(np.int64, 2))

_REPEATED_SHARE, _EVERY = 0.5, 8
"""Of pixels that repeat others, above which they are coded as such: a quarter of them does not pay.
One of so many rows is looked at."""

_MANY_ROWS = 1024

_INTERPOLATED_SHARE = 0.1
"""Of samples of red and blue that are where interpolation would have put them, above which they are
looked for there; those that any samples would be by chance left out."""

_LOOKED_AT, _ROWS = 32, 6
"""So many parts of a frame, of so many rows each, are looked at for that."""


def code_lists(
    samples: NDArray[np.uint16], mosaic: Mosaic, pixels: Pixels = Pixels.PLAIN
) -> list[NDArray[np.uint16]]:
    """The codes in use, ascending: one list, or more where that pays.

    Args:
        samples: uint16 ``[h, w]``: rows of whole cells.
        mosaic: The frame's.
        pixels: What is looked for in those of a linear frame.

    Returns:
        One list, one for each channel, or, of linear frames whose pixels do not repeat, one for
        each channel and phase.
    """
    has_phases = mosaic.samples > 1 and pixels != Pixels.REPEATING
    finest = _histograms(samples, _phase_map(mosaic) if has_phases else mosaic.channel_map())
    channels = len(mosaic.colours)
    everywhere = finest.sum(axis=0)
    best, least = [_used(everywhere)], 0.0
    for counts in (finest.reshape(channels, -1, 1 << 16).sum(axis=1), finest):
        own = [_used(row) for row in counts]
        if len(own) == 1 or min(map(len, own)) == 0:
            continue
        saved = _told_bytes(counts, own, everywhere) - samples.size / 256
        if saved <= least:
            continue
        more = len(write_code_values(*own)) - len(write_code_values(_used(everywhere)))
        if saved - more > least:
            best, least = own, saved - more
    return best


def _used(counts: NDArray[np.int64]) -> NDArray[np.uint16]:
    return np.flatnonzero(counts).astype(np.uint16)


def _told_bytes(
    counts: NDArray[np.int64], own: list[NDArray[np.uint16]], everywhere: NDArray[np.int64]
) -> float:
    """Bytes that samples save as they are counted in lists of their own.

    A sample is told from the other lists' codes up to the next one of its own.
    """
    bits, ranks = 0.0, np.cumsum(everywhere > 0)
    for row, codes in zip(counts, own, strict=True):
        gaps = np.diff(ranks[codes])
        bits += float(row[codes[:-1]] @ np.log2(gaps))
    return bits / 8


def _phase_map(mosaic: Mosaic) -> NDArray[np.uint8]:
    """The list of each sample of two by two pixels of a linear frame."""
    return list_numbers(len(mosaic.colours) * PHASES, mosaic, (2, 2 * mosaic.samples))


def are_codes_coarse(frame: RawFrame, domain: NoiseDomain) -> bool:
    """Whether the codes in use lie a standard deviation of the noise apart, on average.

    One of so many rows of a large frame, with those of the same period, tells as much as all.
    """
    samples = completed(frame.cfa, frame.mosaic)
    if len(samples) > _MANY_ROWS:
        period = len(frame.mosaic.channel_map())
        samples = samples[np.arange(len(samples)) // period % _EVERY == 0]
    counts = _histograms(samples, frame.mosaic.channel_map())
    for table, row in zip(domain.forward, counts, strict=True):
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


def pixels_of(samples: NDArray[np.uint16], mosaic: Mosaic) -> Pixels:
    """What is to be looked for in the pixels of a frame before they are predicted.

    Args:
        samples: uint16 ``[h, w]``: rows of whole cells.
        mosaic: The frame's.
    """
    if do_pixels_repeat(samples, mosaic):
        return Pixels.REPEATING
    if mosaic.samples > 1 and _interpolated_share(samples) > _INTERPOLATED_SHARE:
        return Pixels.INTERPOLATED
    return Pixels.PLAIN


def _interpolated_share(samples: NDArray[np.uint16]) -> float:
    """Of how many red and blue samples the difference to green goes on as in both pixels before.

    From left to right or downwards, within two codes. As many as there are of the phase that has
    fewest do so by chance: a mosaic measured that phase's samples of the other colour.
    """
    height, width = len(samples), samples.shape[1] // 3
    if height < _ROWS or width < _ROWS:
        return 0.0
    tops = np.unique(np.linspace(0, height - _ROWS, _LOOKED_AT).astype(np.intp) & ~1)
    parts = samples.reshape(height, width, 3)[tops[:, None] + np.arange(_ROWS)].astype(np.int32)
    differences = parts[..., 0::2] - parts[..., 1:2]
    here = differences[:, 2:, 2:]
    down = here - 2 * differences[:, 1:-1, 2:] + differences[:, :-2, 2:]
    along = here - 2 * differences[:, 2:, 1:-1] + differences[:, 2:, :-2]
    met = (np.abs(down) <= 2) | (np.abs(along) <= 2)
    shares = np.array([met[:, y::2, x::2].mean(axis=(0, 1, 2)) for y in (0, 1) for x in (0, 1)])
    return float((shares - shares.min(axis=0)).mean())


def _histograms(samples: NDArray[np.uint16], pattern: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each list has each code, ``[lists, 65536]``; `pattern` repeats over the samples."""
    lists = int(pattern.max()) + 1

    def counted(rows: slice) -> NDArray[np.int64]:
        counts = np.zeros((lists, 1 << 16), np.int64)
        _count_codes(np.ascontiguousarray(samples[rows]), pattern, counts)
        return counts

    bands = row_bands(len(samples), len(pattern))
    return sum(in_threads(counted, bands), np.zeros((lists, 1 << 16), np.int64))
