"""The noise of a single frame, estimated from the frame itself.

The samples at each place of the CFA's pattern make a plane, which is cut into blocks. A second
difference in both directions removes what is smooth, so in a block without texture the residual's
mean square is the noise variance. Texture only ever adds to it: the blocks that say least, at each
signal level, show the noise. They are found by turns: a model tells which blocks are flat, and the
flat blocks, corrected for the bias of having been picked for being low, give the next model.

The residual is that of J. Immerkaer, "Fast Noise Variance Estimation", CVIU 64 (1996).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.types import Mosaic, NoiseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["estimate_noise"]

_BLOCK_SIZES = (16, 8, 4)
_MOST_BLOCKS = 5000
_ENOUGH_BLOCKS = 48
_BINS = 40
_SMALLEST_BIN = 8
_TURNS = 10

# A mask of weights 1 -2 1 in both directions has a correlation that leaves N residuals worth
# N / (70/36)^2 independent ones.
_CORRELATION = (70 / 36) ** 2

# Blocks below this quantile of what the model expects are taken as flat: the lower it is, the less
# texture gets in and the fewer blocks are left.
_FLAT_QUANTILE = 0.7
# The first model assumes that half of all blocks are flat, so that the lowest tenth of all blocks
# is the lowest fifth of the flat ones.
_FIRST_QUANTILE, _FIRST_FLAT_QUANTILE = 0.1, 0.2

# Of offset to scale: the signal at which read noise and shot noise are equal.
_RATIOS = np.geomspace(1e-5, 10, 97)

_FEWEST_FLAT = 0.05
_NEAR_WHITE = 0.97
_LEAST_SCALE, _MOST_SCALE, _MOST_OFFSET = 1e-7, 0.5, 0.5


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Statistics of blocks; signals and variances in units of full scale.

    Attributes:
        signal: float64 ``[N]``, mean of each block.
        variance: float64 ``[N]``, mean square of its residual.
        weight: float64 ``[N]``, how much it counts: each colour the same, whatever its share.
        codes: int64 ``[M]``, the distinct samples, ascending, in DN.
        size: Samples along a block's side.
    """

    signal: NDArray[np.float64]
    variance: NDArray[np.float64]
    weight: NDArray[np.float64]
    codes: NDArray[np.int64]
    size: int


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
    blocks = _measure(cfa, pattern, black, white)
    gap, full_scale = _code_gaps(blocks.codes), white - max(black)
    if blocks.signal.size == 0:
        return _model(0.0, 0.0, (gap[0] / full_scale) ** 2 / 12)
    # Signals are binned on a square root axis, on which noise is about as wide everywhere.
    position = np.sqrt(np.maximum(blocks.signal, 0))
    step = np.interp(blocks.signal * full_scale + min(black), blocks.codes, gap) / full_scale
    floor = step**2 / 12
    edges = np.linspace(0, max(position.max(), 1e-6), _BINS + 1)[1:-1]
    return _fit_iteratively(blocks, np.digitize(position, edges), floor)


def _measure(
    cfa: NDArray[np.uint16],
    pattern: str,
    black: tuple[float, ...],
    white: int,
) -> _Blocks:
    """Statistics of the unclipped blocks, at the largest block size that leaves enough of them."""
    best = _measure_at(cfa, pattern, black, white, _BLOCK_SIZES[0])
    for size in _BLOCK_SIZES[1:]:
        if best.signal.size >= _ENOUGH_BLOCKS:
            break
        smaller = _measure_at(cfa, pattern, black, white, size)
        best = max(best, smaller, key=lambda blocks: blocks.signal.size)
    return best


def _measure_at(
    cfa: NDArray[np.uint16],
    pattern: str,
    black: tuple[float, ...],
    white: int,
    size: int,
) -> _Blocks:
    signals, variances, weights = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    present = np.zeros(1 << 16, dtype=bool)
    mosaic = Mosaic.parse(pattern)
    channels = [channel for _, channel in _planes(cfa, mosaic)]
    colours = [mosaic.colours[channel] for channel in channels]
    most = min(_MOST_BLOCKS, 4 * _MOST_BLOCKS // len(channels))
    for plane, channel in _planes(cfa, mosaic):
        samples = _cut(plane, size, most)
        present[samples if samples.size else plane] = True
        full_scale = white - black[channel]
        ceiling = black[channel] + _NEAR_WHITE * full_scale
        whole = (samples.max(axis=(1, 2)) < ceiling) & (samples.min(axis=(1, 2)) > 0)
        kept = samples[whole].astype(np.float32)
        residual = kept[:, :-2] - 2 * kept[:, 1:-1] + kept[:, 2:]
        residual = residual[:, :, :-2] - 2 * residual[:, :, 1:-1] + residual[:, :, 2:]
        signals.append((kept.mean(axis=(1, 2), dtype=np.float64) - black[channel]) / full_scale)
        variances.append(np.square(residual).mean(axis=(1, 2), dtype=np.float64) / 36)
        variances[-1] /= full_scale**2
        weights.append(np.full(len(kept), 1 / colours.count(mosaic.colours[channel])))
    return _Blocks(
        np.concatenate(signals),
        np.concatenate(variances),
        np.concatenate(weights),
        np.flatnonzero(present),
        size,
    )


def _planes(cfa: NDArray[np.uint16], mosaic: Mosaic) -> Iterator[tuple[NDArray[np.uint16], int]]:
    """The samples at each place of the pattern, and the channel that they are of."""
    if not mosaic.pattern:
        for channel in range(mosaic.samples):
            yield cfa[..., channel], channel
        return
    rows, columns = mosaic.period
    for y in range(rows):
        for x in range(columns):
            yield cfa[y::rows, x::columns], mosaic.pattern[y][x]


def _cut(plane: NDArray[np.uint16], size: int, most: int) -> NDArray[np.uint16]:
    """About `most` blocks at most, evenly spread: ``[N, size, size]``."""
    rows, columns = plane.shape[0] // size, plane.shape[1] // size
    tiles = plane[: rows * size, : columns * size].reshape(rows, size, columns, size)
    every = math.ceil(rows * columns / most) or 1
    # Along diagonals, so that no row and no column is left out.
    row, column = np.nonzero(np.add.outer(np.arange(rows), np.arange(columns)) % every == 0)
    return np.ascontiguousarray(tiles[row, :, column, :])


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


def _quantile(probability: float, freedom: float) -> float:
    """Quantile of chi-square over its degrees of freedom."""
    from scipy import special

    return 2 * float(special.gammaincinv(freedom / 2, probability)) / freedom


def _mean_below(limit: float, freedom: float) -> float:
    """Mean of chi-square over its degrees of freedom, of the part below `limit`.

    The density of chi-square times its argument is that of two degrees of freedom more.
    """
    from scipy import special

    half = freedom / 2
    weighted, whole = (special.gammainc(shape, limit * half) for shape in (half + 1, half))
    return float(weighted / whole)


def _fit_iteratively(
    blocks: _Blocks, bins: NDArray[np.int64], floor: NDArray[np.float64]
) -> NoiseModel:
    freedom = (blocks.size - 2) ** 2 / _CORRELATION
    variance = np.maximum(blocks.variance, floor)
    limit = _quantile(_FLAT_QUANTILE, freedom)
    bias = _mean_below(limit, freedom)
    least_offset = float(floor[np.argmin(blocks.signal)])
    groups = [np.flatnonzero(bins == k) for k in np.unique(bins)]
    groups = [g for g in groups if g.size >= _SMALLEST_BIN] or [np.arange(bins.size)]

    first = _quantile(_FIRST_FLAT_QUANTILE, freedom)
    level = np.array([np.quantile(variance[g], _FIRST_QUANTILE) / first for g in groups])
    signal = np.array([blocks.signal[g].mean() for g in groups])
    count = np.array([blocks.weight[g].sum() for g in groups])
    model = _fit_line(signal, level, count, least_offset)
    for _ in range(_TURNS):
        for k, g in enumerate(groups):
            expected = model.scale * np.maximum(blocks.signal[g], 0) + model.offset
            weight = blocks.weight[g] * (variance[g] < limit * expected)
            # A bin with hardly a flat block keeps what it said and its vote, or else the few bins
            # that a codec has smoothed would draw the model down to them.
            if weight.sum() < _FEWEST_FLAT * count[k]:
                continue
            ratio = float((weight * variance[g] / expected).sum() / weight.sum()) / bias
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
    return NoiseModel(min(scale, _MOST_SCALE), offset)
