"""How close a restored raw is to the original, in the measures the benchmarks report.

All compare samples normalised to ``(sample - black) / (white - black)`` and clipped to
``[0, 1]``, each frame by its own levels, so 14-bit and 10-bit cameras read on one scale. Frames
are walked in strips of rows: a 24-megapixel pair needs a few MiB beside itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rawback.rendering import lines_of_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from rawback.types import Guide, RawFrame

__all__ = [
    "CLIPPED",
    "bits_per_pixel",
    "error_over_sigma",
    "highlight_psnr",
    "raw_psnr",
    "worst_error",
]

CLIPPED = 254
"""A carrier pixel with a channel at or above this value counts as clipped."""

_STRIP_ROWS = 256


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
    return _decibels(_mean(original, restored, _squared, _rows_of(mask, original)))


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

    return _decibels(_mean(original, restored, _squared, clipped))


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
    scale = np.float32(original.noise.scale)
    rounding = 1 / 12 / (original.white - max(original.black)) ** 2
    floor = np.float32(original.noise.offset + rounding)

    def relative(truth: NDArray[np.float32], error: NDArray[np.float32]) -> NDArray[np.float32]:
        return error * error / (scale * truth + floor)

    return math.sqrt(_mean(original, restored, relative, None))


def worst_error(original: RawFrame, restored: RawFrame) -> int:
    """The largest difference between samples of the two, in DN: 0 where all samples agree.

    Args:
        original: The raw as the camera gave it.
        restored: A frame of the same size and pattern.

    Raises:
        ValueError: The frames differ in size.
    """
    _check_size(restored.cfa.shape, original.cfa.shape)
    return max(
        int(np.abs(original.cfa[rows].astype(np.int32) - restored.cfa[rows]).max())
        for rows in _strips(original.height)
    )


def bits_per_pixel(size: int, frame: RawFrame) -> float:
    """The rate of a payload of `size` bytes, all bytes counted, at the frame's true pixels."""
    return 8 * size / (frame.height * frame.width)


def _mean(
    original: RawFrame,
    restored: RawFrame,
    measure: Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]],
    selected: Callable[[slice], NDArray[np.bool_]] | None,
) -> float:
    """Mean of `measure` (of true signal and error) over the selected samples, in float64."""
    _check_size(restored.cfa.shape, original.cfa.shape)
    if restored.pattern != original.pattern:
        message = f"cannot compare a {restored.pattern} frame with a {original.pattern} one"
        raise ValueError(message)
    total, count = 0.0, 0
    for rows in _strips(original.height):
        truth = _signal(original.cfa[rows], original, rows.start)
        values = measure(truth, _signal(restored.cfa[rows], original, rows.start) - truth)
        if selected is not None:
            values = values[selected(rows)]
        total += float(values.sum(dtype=np.float64))
        count += values.size
    return total / count if count else math.nan


def _squared(truth: NDArray[np.float32], error: NDArray[np.float32]) -> NDArray[np.float32]:
    del truth
    return error * error


def _decibels(mean_squared_error: float) -> float:
    return math.inf if mean_squared_error == 0 else -10 * math.log10(mean_squared_error)


def _strips(height: int) -> Iterator[slice]:
    """Slices of some hundred rows."""
    for start in range(0, height, _STRIP_ROWS):
        yield slice(start, min(start + _STRIP_ROWS, height))


def _signal(samples: NDArray[np.uint16], frame: RawFrame, first_row: int) -> NDArray[np.float32]:
    """Samples with the levels of a frame as signal in ``[0, 1]``, float32 in their shape.

    Args:
        samples: Rows of the frame, or of another of its kind.
        frame: Whose levels they have.
        first_row: Where in the frame they begin.
    """
    signal = samples.astype(np.float32)
    black = np.array(frame.black, np.float32)
    scale = np.array([frame.white - level for level in frame.black], np.float32)
    if not frame.mosaic.pattern:
        signal -= black
        signal /= scale
        return np.clip(signal, 0, 1, out=signal)
    for lines, channels in lines_of_channels(frame.mosaic, frame.width, (first_row, 0)):
        signal[lines] -= black[channels]
        signal[lines] /= scale[channels]
    return np.clip(signal, 0, 1, out=signal)


def _rows_of(
    mask: NDArray[np.uint8] | NDArray[np.bool_] | None, frame: RawFrame
) -> Callable[[slice], NDArray[np.bool_]] | None:
    if mask is None:
        return None
    _check_size(mask.shape, frame.cfa.shape[:2])
    return lambda rows: mask[rows] != 0


def _check_size(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        message = f"cannot compare {shape} with a frame of {expected}"
        raise ValueError(message)
