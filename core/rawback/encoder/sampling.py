"""Parts of a frame that stand for it: all of a small one, blocks from all over a large one.

Blocks are put together to a tile, so that what codes or quantises tiles can be tried on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.prediction import Prediction
from rawback.common.reconstruction import band_slices, tile_context
from rawback.common.tiles import TILE, Grid, Window
from rawback.residual import Band, band_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.encoder.analysis import Analysis
    from rawback.residual import TileContext

    Coefficients = dict[Band, NDArray[np.float32]]

__all__ = ["Sample", "sample_coefficients", "samples_of", "spread_places", "tile_coefficients"]

_WHOLE_TILES, _BLOCK = 4, 64
_PLASTIC = (0.7548776662466927, 0.5698402909980532)
"""Multiples of these, less their whole parts, fill a square evenly (Roberts, 2018)."""

_LARGE, _CELLS_EACH, _MOST, _LARGE_BLOCK = 1 << 23, 1 << 21, 8, 256
"""Cells of frames from which on there are several samples where they are asked for, cells of the
frame for each of them, how many there are at most, and the blocks that they are made of: as large
as that, hardly any context is lost at their borders."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A tile, or blocks from all over the frame put together as one."""

    context: TileContext
    coefficients: Coefficients

    @classmethod
    def of_tile(cls, analysis: Analysis, prediction: Prediction) -> Sample:
        """A tile as it is."""
        coefficients = tile_coefficients(
            analysis.coefficients, analysis.source.grid, prediction.window
        )
        return cls(_context(analysis, prediction), coefficients)

    def copy(self) -> Sample:
        """The same, of coefficients of its own that do not keep all of the frame's in memory."""
        return Sample(self.context, {band: v.copy() for band, v in self.coefficients.items()})

    @property
    def area(self) -> int:
        """Cells in it."""
        rows, columns = self.context.shape
        return rows * columns


def samples_of(analysis: Analysis, *, several: bool = False) -> list[Sample]:
    """Samples of a frame.

    Args:
        analysis: Of the frame.
        several: Of a large frame, take more than one: its parts differ more.
    """
    grid = analysis.source.grid
    if several and grid.whole.area >= _LARGE:
        chosen = _blocks(grid, min(grid.whole.area // _CELLS_EACH, _MOST), _LARGE_BLOCK)
    else:
        chosen = _blocks(grid)
    if chosen:
        return [_of_blocks(analysis, blocks) for blocks in chosen]
    predicted = {prediction.window: prediction for prediction in analysis.predicted}
    return [Sample.of_tile(analysis, predicted[tile]) for tile in _some_tiles(grid)]


def sample_coefficients(
    coefficients: Mapping[Band, NDArray[np.float32]], grid: Grid
) -> list[Coefficients]:
    """The coefficients of the same samples, float32 ``[planes, h, w]`` of each band."""
    chosen = _blocks(grid)
    if chosen:
        return [_blocks_of_bands(coefficients, grid, blocks) for blocks in chosen]
    return [tile_coefficients(coefficients, grid, tile) for tile in _some_tiles(grid)]


def tile_coefficients(
    coefficients: Mapping[Band, NDArray[np.float32]], grid: Grid, tile: Window
) -> Coefficients:
    """A tile's part of the coefficients of a frame."""
    return {
        band: values[(slice(None), *band_slices(band, tile, grid.whole))]
        for band, values in coefficients.items()
    }


def _context(analysis: Analysis, prediction: Prediction) -> TileContext:
    return tile_context(prediction, analysis.weights, analysis.transform)


def _some_tiles(grid: Grid) -> list[Window]:
    tiles = grid.tiles()
    return tiles[:: -(-len(tiles) // _WHOLE_TILES)]


def spread_places(rows: int, columns: int, count: int) -> list[tuple[int, int]]:
    """So many different places of a grid, of which there are enough, spread evenly over it."""
    # So many points surely fall on as many different places as are needed.
    points = np.arange(1, 32 * count)[:, None] * _PLASTIC % 1
    inside = (points * (rows, columns)).astype(int).tolist()
    places = dict.fromkeys((row, column) for row, column in inside)
    return list(places)[:count]


def _blocks(grid: Grid, samples: int = 1, side: int = _BLOCK) -> list[list[Window]]:
    """For each sample as many blocks as a tile holds, from all over; none of a small frame."""
    each = (TILE // side) ** 2
    rows, columns = (length // side for length in grid.whole.shape)
    count = samples * each
    if len(grid.tiles()) <= _WHOLE_TILES or rows * columns < count:
        return []
    blocks = [
        Window(side * row, side * column, side * (row + 1), side * (column + 1))
        for row, column in spread_places(rows, columns, count)
    ]
    return [blocks[start : start + each] for start in range(0, count, each)]


def _of_blocks(analysis: Analysis, blocks: list[Window]) -> Sample:
    prediction = _put_together(analysis.predicted, blocks)
    coefficients = _blocks_of_bands(analysis.coefficients, analysis.source.grid, blocks)
    return Sample(_context(analysis, prediction), coefficients)


def _target(number: int, side: int) -> Window:
    """Where a block is put: row by row."""
    row, column = (side * place for place in divmod(number, TILE // side))
    return Window(row, column, row + side, column + side)


def _put_together(predicted: list[Prediction], blocks: list[Window]) -> Prediction:
    tiles = {(p.window.top, p.window.left): p for p in predicted}
    window = Window(0, 0, TILE, TILE)
    planes = np.empty((len(predicted[0].planes), *window.shape), np.int16)
    classes = np.empty(window.shape, np.uint8)
    for number, block in enumerate(blocks):
        target = _target(number, block.shape[0])
        tile = tiles[block.top // TILE * TILE, block.left // TILE * TILE]
        source = block.within(tile.window)
        planes[(slice(None), *target.slices)] = tile.planes[(slice(None), *source)]
        classes[target.slices] = tile.classes[source]
    return Prediction(window, planes, classes)


def _blocks_of_bands(
    coefficients: Mapping[Band, NDArray[np.float32]], grid: Grid, blocks: list[Window]
) -> Coefficients:
    window = Window(0, 0, TILE, TILE)
    found = {
        band: np.empty((len(values), *band_shape(band, window.shape)), np.float32)
        for band, values in coefficients.items()
    }
    for number, block in enumerate(blocks):
        for band, values in coefficients.items():
            there = band_slices(band, _target(number, block.shape[0]), window)
            here = band_slices(band, block, grid.whole)
            found[band][(slice(None), *there)] = values[(slice(None), *here)]
    return found
