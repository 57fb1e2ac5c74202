"""How close a restored raw is to the original, in the measures the benchmarks report.

All compare samples normalised to ``(sample - black) / (white - black)`` and clipped to
``[0, 1]``, so 14-bit and 10-bit cameras read on one scale. The kernel is in ``kernels/errors.c``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Kernel, Read, Write
from rawback.parallel import in_threads, row_bands

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.types import Guide, RawFrame

__all__ = [
    "CLIPPED",
    "RawErrors",
    "bits_per_pixel",
    "error_over_sigma",
    "highlight_psnr",
    "raw_psnr",
    "worst_error",
]

CLIPPED = 254
"""A carrier pixel with a channel at or above this value counts as clipped."""

_sample_errors = Kernel(
    "sample_errors",
    *(Read(np.uint16, 2), Read(np.uint16, 2), Read(np.float32, 2), Read(np.float32, 2)),
    *(Read(np.float32, 1), Read(np.uint8, 2), Write(np.float64, 1)),
)


@dataclass(frozen=True, slots=True)
class RawErrors:
    """How far selected samples of two frames are apart.

    Attributes:
        squares: Sum of squared errors of the signal.
        relative: Sum of squared errors in units of the original's noise.
        count: Samples.
        worst: The largest difference in DN, or of floating point numbers, of which all count.
    """

    squares: float
    relative: float
    count: int
    worst: float

    @classmethod
    def of(
        cls,
        original: RawFrame,
        restored: RawFrame,
        selected: Callable[[slice], NDArray[np.bool_]] | None = None,
    ) -> RawErrors:
        """Compare two frames.

        Args:
            original: The raw as the camera gave it, whose levels both have.
            restored: A frame of the same size and pattern.
            selected: Gives for rows which pixels count, bool ``[rows, W]``; all by default.

        Raises:
            ValueError: The frames differ in size or pattern.
        """
        _check_size(restored.cfa.shape, original.cfa.shape)
        if restored.pattern != original.pattern:
            message = f"cannot compare a {restored.pattern} frame with a {original.pattern} one"
            raise ValueError(message)
        samples = original.cfa.shape[1:]
        channels = original.mosaic.channel_map()
        across = math.prod(samples)
        places = np.arange(across) % channels.shape[1]
        black = np.array(original.black, np.float32)
        scale = np.array([original.white - level for level in original.black], np.float32)
        # What rounding to whole DN adds to the noise.
        rounding = 1 / 12 / (original.white - max(original.black)) ** 2
        noise = np.array([original.noise.scale, original.noise.offset + rounding], np.float32)

        def compared(rows: slice) -> NDArray[np.float64]:
            pixels = np.zeros((0, 0), np.uint8)
            if selected is not None:
                pixels = selected(rows).view(np.uint8)
                if not pixels.any():
                    return np.zeros(4)
                pixels = pixels if len(samples) == 1 else pixels.repeat(samples[1], axis=1)
            of_rows = channels[np.arange(rows.start, rows.stop)[: len(channels)] % len(channels)]
            levels = (level[of_rows.take(places, axis=1)] for level in (black, scale))
            parts = (
                np.ascontiguousarray(frame.cfa[rows]).reshape(-1, across)
                for frame in (original, restored)
            )
            sums = np.empty(4)
            _sample_errors(*parts, *levels, noise, pixels, sums)
            return sums

        found = np.array(list(in_threads(compared, row_bands(original.height))))
        squares, relative, count, _ = found.sum(axis=0).tolist()
        worst = int(found[:, 3].max()) if original.floats is None else _apart(original, restored)
        return cls(squares, relative, int(count), worst)

    @property
    def psnr(self) -> float:
        """Decibels; ``inf`` where all samples agree, ``nan`` where there are none."""
        if not self.count:
            return math.nan
        return math.inf if self.squares == 0 else -10 * math.log10(self.squares / self.count)

    @property
    def over_sigma(self) -> float:
        """See `error_over_sigma`."""
        return math.sqrt(self.relative / self.count) if self.count else math.nan


def raw_psnr(
    original: RawFrame,
    restored: RawFrame,
    mask: NDArray[np.uint8] | NDArray[np.bool_] | None = None,
) -> float:
    """Peak signal-to-noise ratio of the restored samples, all of them together.

    Args:
        original: The raw as the camera gave it.
        restored: A frame of the same size and pattern.
        mask: ``[H, W]``; only samples of pixels where it is not 0 count. All count without it.

    Returns:
        Decibels; ``inf`` where all samples agree, ``nan`` where the mask selects none.

    Raises:
        ValueError: The frames or the mask differ in size, or the frames in pattern.
    """
    if mask is None:
        return RawErrors.of(original, restored).psnr
    _check_size(mask.shape, original.cfa.shape[:2])
    return RawErrors.of(original, restored, lambda rows: mask[rows] != 0).psnr


def highlight_psnr(original: RawFrame, restored: RawFrame, guide: Guide) -> float:
    """`raw_psnr` of the samples under clipped carrier pixels, where the guide knows least.

    Args:
        original: The raw as the camera gave it.
        restored: A frame of the same size and pattern.
        guide: The carrier on the raw grid; a pixel counts where it is covered and a channel is
            at least `CLIPPED`.

    Returns:
        Decibels; ``inf`` where all samples agree, ``nan`` where nothing is clipped.

    Raises:
        ValueError: The frames or the guide differ in size, or the frames in pattern.
    """
    _check_size(guide.mask.shape, original.cfa.shape[:2])

    def clipped(rows: slice) -> NDArray[np.bool_]:
        # Channel by channel: a maximum over three neighbours in memory takes many times as long.
        red, green, blue = (guide.pixels[rows, :, channel] for channel in range(3))
        counted: NDArray[np.bool_] = np.maximum(np.maximum(red, green), blue) >= CLIPPED
        counted &= guide.mask[rows] != 0
        return counted

    return RawErrors.of(original, restored, clipped).psnr


def error_over_sigma(original: RawFrame, restored: RawFrame) -> float:
    """RMS error in units of the noise the original itself carries: below 1 it drowns in it.

    The noise variance of each sample follows `RawFrame.noise` of the original, plus the
    variance of rounding to whole DN.

    Args:
        original: The raw as the camera gave it.
        restored: A frame of the same size and pattern.

    Returns:
        The root of the mean of ``error**2 / variance``; 0 where all samples agree.

    Raises:
        ValueError: The frames differ in size or pattern.
    """
    return RawErrors.of(original, restored).over_sigma


def _apart(original: RawFrame, restored: RawFrame) -> float:
    """The largest finite difference between floating point numbers of two frames."""
    first, second = (f.floats.numbers_of(f.cfa) for f in (original, restored) if f.floats)
    with np.errstate(invalid="ignore", over="ignore"):
        differences = np.abs(first - second)
    return float(differences.max(where=np.isfinite(differences), initial=0.0))


def worst_error(original: RawFrame, restored: RawFrame) -> float:
    """The largest difference between samples of the two: 0 where all agree.

    That is a whole number of DN, or a difference of floating point numbers where samples are such.

    Args:
        original: The raw as the camera gave it.
        restored: A frame of the same size and pattern.

    Raises:
        ValueError: The frames differ in size or pattern.
    """
    return RawErrors.of(original, restored).worst


def bits_per_pixel(size: int, frame: RawFrame) -> float:
    """The rate of a payload of `size` bytes, all bytes counted, at the frame's true pixels."""
    return 8 * size / (frame.height * frame.width)


def _check_size(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        message = f"cannot compare {shape} with a frame of {expected}"
        raise ValueError(message)
