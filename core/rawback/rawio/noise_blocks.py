"""How the samples of blocks of a frame vary, once what is smooth is taken away from them.

Two ways, by the pattern. Where the samples of a place make a dense plane, as in Bayer mosaics and
linear frames, a second difference in both directions removes what is smooth: the residual of
J. Immerkaer, "Fast Noise Variance Estimation", CVIU 64 (1996). In larger patterns such samples lie
far apart, but others of their colour are near: there a smooth surface is fitted to the samples of a
colour in each window of the size of the pattern, and what is left of them is the residual.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic

__all__ = ["Blocks", "measure_blocks"]

_BLOCK_SIZES = (16, 8, 4)
_MOST_BLOCKS = 5000
_ENOUGH_BLOCKS = 48
_NEAR_WHITE = 0.97

# A mask of weights 1 -2 1 in both directions has a correlation that leaves N residuals worth
# N / (70/36)^2 independent ones.
_CORRELATION = (70 / 36) ** 2

# Of quad Bayer sensors: what is twisted shows in so few samples of so near places.
_BLOCK_OF_FOUR = 4

_LARGEST_DENSE_PERIOD = (2, 2)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Statistics of blocks; signals and variances in units of full scale.

    Attributes:
        signal: float64 ``[N]``, mean of each block.
        variance: float64 ``[N]``, mean square of its residual.
        weight: float64 ``[N]``, how much it counts: each colour the same, whatever its share.
        freedom: float64 ``[N]``, how many independent values the mean square is as good as.
        codes: int64 ``[M]``, the distinct samples, ascending, in DN.
    """

    signal: NDArray[np.float64]
    variance: NDArray[np.float64]
    weight: NDArray[np.float64]
    freedom: NDArray[np.float64]
    codes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Levels:
    """Black of each channel, and saturation, in DN."""

    black: tuple[float, ...]
    white: int


def measure_blocks(
    cfa: NDArray[np.uint16], mosaic: Mosaic, black: tuple[float, ...], white: int
) -> Blocks:
    """Statistics of the unclipped blocks, at the largest block size that leaves enough of them.

    Args:
        cfa: uint16 ``[H, W]``, or ``[H, W, n]`` of several samples to a pixel.
        mosaic: Of which colours they are.
        black: Black level of each channel, in DN.
        white: Saturation level in DN.
    """
    dense = max(mosaic.period) <= max(_LARGEST_DENSE_PERIOD)
    measure_at = _measure_planes if dense else _measure_windows
    levels = _Levels(black, white)
    best = measure_at(cfa, mosaic, levels, _BLOCK_SIZES[0])
    for size in _BLOCK_SIZES[1:]:
        if best.signal.size >= _ENOUGH_BLOCKS:
            break
        smaller = measure_at(cfa, mosaic, levels, size)
        best = max(best, smaller, key=lambda blocks: blocks.signal.size)
    return best


class _Gatherer:
    """Statistics of blocks as they are measured."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.float64], ...]] = [(np.zeros(0),) * 4]
        self._present = np.zeros(1 << 16, dtype=bool)

    def see(self, samples: NDArray[np.uint16]) -> None:
        """Count the codes of samples as codes that occur."""
        self._present[samples] = True

    def add(
        self,
        signal: NDArray[np.float64],
        variance: NDArray[np.float64],
        weight: float,
        freedom: float,
    ) -> None:
        """Add blocks of a weight and of as many degrees of freedom."""
        alike = (np.full(len(signal), value) for value in (weight, freedom))
        self._parts.append((signal, variance, *alike))

    def blocks(self) -> Blocks:
        """All of them."""
        signal, variance, weight, freedom = map(np.concatenate, zip(*self._parts, strict=True))
        return Blocks(signal, variance, weight, freedom, np.flatnonzero(self._present))


def _measure_planes(cfa: NDArray[np.uint16], mosaic: Mosaic, levels: _Levels, size: int) -> Blocks:
    """Blocks of so many samples on each side, of the plane of each place of the pattern."""
    gathered = _Gatherer()
    channels = [channel for _, channel in _planes(cfa, mosaic)]
    colours = [mosaic.colours[channel] for channel in channels]
    freedom = (size - 2) ** 2 / _CORRELATION
    for plane, channel in _planes(cfa, mosaic):
        black, full_scale = levels.black[channel], levels.white - levels.black[channel]
        samples = _cut(plane, size, size)
        gathered.see(samples if samples.size else plane)
        kept = samples[_unclipped(samples, black, full_scale)].astype(np.float32)
        residual = kept[:, :-2] - 2 * kept[:, 1:-1] + kept[:, 2:]
        residual = residual[:, :, :-2] - 2 * residual[:, :, 1:-1] + residual[:, :, 2:]
        signal = (kept.mean(axis=(1, 2), dtype=np.float64) - black) / full_scale
        variance = np.square(residual).mean(axis=(1, 2), dtype=np.float64) / 36
        variance /= full_scale**2
        gathered.add(signal, variance, 1 / colours.count(mosaic.colours[channel]), freedom)
    return gathered.blocks()


def _unclipped(samples: NDArray[np.uint16], black: float, full_scale: float) -> NDArray[np.bool_]:
    """Which blocks, ``[N, rows, columns]``, have no sample that is clipped."""
    ceiling = black + _NEAR_WHITE * full_scale
    whole = (samples.max(axis=(1, 2)) < ceiling) & (samples.min(axis=(1, 2)) > 0)
    return np.asarray(whole)


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


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of a mosaic, and the samples of one colour in it.

    Attributes:
        shape: Its rows and columns.
        rows: Row of each sample, ``[n]``.
        columns: Column of each.
        channels: Channel of each.
        residual: float32 ``[n, n]``, takes from the samples what is smooth.
        freedom: How many independent values are left then.
    """

    shape: tuple[int, int]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    channels: NDArray[np.intp]
    residual: NDArray[np.float32]
    freedom: int

    @classmethod
    def of(cls, mosaic: Mosaic, colour: str) -> _Window:
        """The smallest whole periods in which a surface fits the samples with some left."""
        pattern = np.array(mosaic.pattern, np.intp)
        while True:
            height, width = pattern.shape
            rows, columns = np.nonzero(mosaic.mask(colour, height, width))
            terms = _surface(rows, columns)
            freedom = rows.size - int(np.linalg.matrix_rank(terms))
            if freedom > 0:
                smooth = terms @ np.linalg.pinv(terms)
                residual = (np.eye(rows.size) - smooth).astype(np.float32)
                channels = pattern[rows, columns]
                return cls((height, width), rows, columns, channels, residual, freedom)
            # The shorter side first.
            pattern = np.tile(pattern, (2, 1) if height <= width else (1, 2))


def _surface(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """What a smooth surface is a sum of at samples: a curved one if they are many, else a plane."""
    y, x = rows.astype(np.float64), columns.astype(np.float64)
    terms = [np.ones(rows.size), y, x]
    if rows.size != _BLOCK_OF_FOUR:
        terms += [x * y, x * x, y * y]
    return np.stack(terms, axis=1)


def _measure_windows(cfa: NDArray[np.uint16], mosaic: Mosaic, levels: _Levels, size: int) -> Blocks:
    """Blocks of about twice so many pixels on each side, of the samples of each colour."""
    gathered = _Gatherer()
    for colour in mosaic.palette:
        window = _Window.of(mosaic, colour)
        height, width = window.shape
        down, across = (max(1, 2 * size // side) for side in window.shape)
        blocks = _cut(cfa, down * height, across * width)
        gathered.see(blocks if blocks.size else cfa)
        tiles = blocks.reshape(-1, down, height, across, width).transpose(0, 1, 3, 2, 4)
        samples = tiles.reshape(-1, down * across, height, width)[:, :, window.rows, window.columns]
        black = np.array(levels.black)[window.channels]
        full_scale = levels.white - black
        kept = samples[_unclipped(samples, float(black.min()), float(full_scale.min()))]
        signal = ((kept - black) / full_scale).astype(np.float32)
        squares = np.square(signal @ window.residual).sum(axis=(1, 2), dtype=np.float64)
        freedom = float(down * across * window.freedom)
        mean = signal.mean(axis=(1, 2), dtype=np.float64)
        gathered.add(mean, squares / freedom, 1.0, freedom)
    return gathered.blocks()


def _cut(plane: NDArray[np.uint16], height: int, width: int) -> NDArray[np.uint16]:
    """About `_MOST_BLOCKS` blocks at most, evenly spread: ``[N, height, width]``."""
    rows, columns = plane.shape[0] // height, plane.shape[1] // width
    tiles = plane[: rows * height, : columns * width].reshape(rows, height, columns, width)
    every = math.ceil(rows * columns / _MOST_BLOCKS) or 1
    # Along diagonals, so that no row and no column is left out.
    row, column = np.nonzero(np.add.outer(np.arange(rows), np.arange(columns)) % every == 0)
    return np.ascontiguousarray(tiles[row, :, column, :])
