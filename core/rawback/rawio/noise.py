"""The noise of a single frame, estimated from the frame itself.

The frame is cut into blocks, and what is smooth is taken away from the samples of each colour, so
in a block without texture the residual's mean square is the noise variance (:mod:`.noise_blocks`).
Texture only ever adds to it: the blocks that say least, at each signal level, show the noise. They
are found by turns: a model tells which blocks are flat, and the flat blocks, corrected for the bias
of having been picked for being low, give the next model.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rawback.rawio.noise_blocks import Blocks, measure_blocks
from rawback.types import Mosaic, NoiseModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["estimate_noise"]

_BINS = 40
_SMALLEST_BIN = 8
_TURNS = 10

# Blocks below this quantile of what the model expects are taken as flat: the lower it is, the less
# texture gets in and the fewer blocks are left.
_FLAT_QUANTILE = 0.7
# The first model assumes that half of all blocks are flat, so that the lowest tenth of all blocks
# is the lowest fifth of the flat ones.
_FIRST_QUANTILE, _FIRST_FLAT_QUANTILE = 0.1, 0.2

# Of offset to scale: the signal at which read noise and shot noise are equal.
_RATIOS = np.geomspace(1e-5, 10, 97)

_EXACT = 1e-14
"""The last term of a sum, and how far off a quantile may be, as a part of it."""

_FEWEST_FLAT = 0.05
_LEAST_SCALE, _MOST_SCALE, _MOST_OFFSET = 1e-7, 0.5, 0.5


def estimate_noise(
    cfa: NDArray[np.uint16],
    pattern: str,
    black: tuple[float, ...],
    white: int,
) -> NoiseModel:
    """Estimate variance against signal from one frame.

    The result counts the step of the sample codes (``step**2 / 12``) as noise, leaves out clipped
    samples, and is within the range of sensors' noise for any input, flat and tiny frames included.

    Args:
        cfa: uint16 ``[H, W]``, the mosaic; ``[H, W, n]`` of several samples to a pixel.
        pattern: Its pattern, as `Mosaic` writes it; the colours count alike, as in an average over
            the planes of a DNG NoiseProfile.
        black: Black level of each channel of the mosaic, in DN.
        white: Saturation level in DN.

    Returns:
        The noise model, in units of full scale.
    """
    blocks = measure_blocks(cfa, Mosaic.parse(pattern), black, white)
    gap, full_scale = _code_gaps(blocks.codes), white - max(black)
    if blocks.signal.size == 0:
        return _model(0.0, 0.0, (gap[0] / full_scale) ** 2 / 12)
    # Signals are binned on a square root axis, on which noise is about as wide everywhere.
    position = np.sqrt(np.maximum(blocks.signal, 0))
    step = np.interp(blocks.signal * full_scale + min(black), blocks.codes, gap) / full_scale
    floor = step**2 / 12
    edges = np.linspace(0, max(position.max(), 1e-6), _BINS + 1)[1:-1]
    return _fit_iteratively(blocks, np.digitize(position, edges), floor)


def _code_gaps(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Step between neighbouring codes around each code, in DN.

    A low quantile of nearby gaps: sparse samples leave gaps that are no steps.
    """
    if codes.size < 2:
        return np.ones(codes.size)
    gaps = np.diff(codes).astype(np.float64)
    reach = 16
    padded = np.pad(gaps, (reach, reach + 1), mode="reflect" if gaps.size > reach + 1 else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.partition(windows, 3, axis=1)[: codes.size, 3]


# Of chi-square, in place of SciPy's: to import that takes longer than all the rest.
def _part_below(limit: float, freedom: float) -> float:
    """Part of chi-square over its degrees of freedom below `limit`.

    The series of the incomplete gamma function.
    """
    half = freedom / 2
    at = limit * half
    if at <= 0:
        return 0.0
    term = total = 1 / half
    divisor = half
    while term > total * _EXACT:
        divisor += 1
        term *= at / divisor
        total += term
    return total * math.exp(half * math.log(at) - at - math.lgamma(half))


@lru_cache
def _quantile(probability: float, freedom: float) -> float:
    """Quantile of chi-square over its degrees of freedom."""
    low, high = 0.0, 1.0
    while _part_below(high, freedom) < probability:
        low, high = high, 2 * high
    while high - low > _EXACT * high:
        middle = (low + high) / 2
        if _part_below(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return high


def _mean_below(limit: float, freedom: float) -> float:
    """Mean of chi-square over its degrees of freedom, of the part below `limit`.

    The density of chi-square times its argument is that of two degrees of freedom more.
    """
    weighted = _part_below(limit * freedom / (freedom + 2), freedom + 2)
    return weighted / _part_below(limit, freedom)


def _fit_iteratively(
    blocks: Blocks, bins: NDArray[np.int64], floor: NDArray[np.float64]
) -> NoiseModel:
    variance = np.maximum(blocks.variance, floor)
    least_offset = float(floor[np.argmin(blocks.signal)])
    # Only blocks of as many degrees of freedom can be compared.
    kinds = [blocks.freedom == freedom for freedom in np.unique(blocks.freedom)]
    groups = [np.flatnonzero((bins == k) & kind) for k in np.unique(bins) for kind in kinds]
    groups = [g for g in groups if g.size >= _SMALLEST_BIN] or [
        np.flatnonzero(kind) for kind in kinds
    ]
    freedom = [float(blocks.freedom[g[0]]) for g in groups]
    limit = [_quantile(_FLAT_QUANTILE, f) for f in freedom]
    bias = [_mean_below(most, f) for most, f in zip(limit, freedom, strict=True)]
    first = [_quantile(_FIRST_FLAT_QUANTILE, f) for f in freedom]
    level = np.array(
        [np.quantile(variance[g], _FIRST_QUANTILE) / q for g, q in zip(groups, first, strict=True)]
    )
    signal = np.array([blocks.signal[g].mean() for g in groups])
    count = np.array([blocks.weight[g].sum() for g in groups])
    model = _fit_line(signal, level, count, least_offset)
    for _ in range(_TURNS):
        for k, g in enumerate(groups):
            expected = model.scale * np.maximum(blocks.signal[g], 0) + model.offset
            weight = blocks.weight[g] * (variance[g] < limit[k] * expected)
            # A bin with hardly a flat block keeps what it said and its vote, or else the few bins
            # that a codec has smoothed would draw the model down to them.
            if weight.sum() < _FEWEST_FLAT * count[k]:
                continue
            ratio = float((weight * variance[g] / expected).sum() / weight.sum()) / bias[k]
            signal[k] = float((weight * blocks.signal[g]).sum() / weight.sum())
            level[k] = ratio * (model.scale * max(signal[k], 0.0) + model.offset)
        level = np.maximum(level, least_offset)
        model = _fit_line(signal, level, count, least_offset)
    return model


def _fit_line(
    signal: NDArray[np.float64],
    level: NDArray[np.float64],
    count: NDArray[np.float64],
    least_offset: float,
) -> NoiseModel:
    """The line with the least absolute error of the logarithm.

    Least squares would follow the few bins that are all texture, or that a clipped channel or a
    lossy codec has smoothed. For one ratio of offset to scale the best scale is a weighted median,
    so the ratio is all that has to be searched.
    """
    # Bins of many blocks matter more, but they are not that much better known: texture, not
    # chance, is what is wrong with them.
    weight = np.sqrt(count)
    shape = np.maximum(signal, 0)[None, :] + _RATIOS[:, None]
    logarithm = np.log(level[None, :] / shape)
    order = np.argsort(logarithm, axis=1)
    below = np.cumsum(weight[order], axis=1)
    middle = np.argmax(below >= below[:, -1:] / 2, axis=1)
    each = np.arange(len(_RATIOS))
    scale = logarithm[each, order[each, middle]]
    # The mild cost of the ratio settles frames of one signal level, which do not tell scale from
    # offset, in favour of shot noise.
    error = (weight * np.abs(logarithm - scale[:, None])).sum(axis=1) / below[:, -1]
    best = int(np.argmin(error + 1e-3 * np.log(_RATIOS / _RATIOS[0])))
    found = math.exp(scale[best])
    return _model(found, found * float(_RATIOS[best]), least_offset)


def _model(scale: float, offset: float, least_offset: float) -> NoiseModel:
    offset = min(max(offset, least_offset), _MOST_OFFSET)
    # Against a larger offset the scale would not show, and the variance would not stabilise.
    scale = max(scale, _LEAST_SCALE, offset / float(_RATIOS[-1]))
    return NoiseModel(min(scale, _MOST_SCALE), float(offset))
