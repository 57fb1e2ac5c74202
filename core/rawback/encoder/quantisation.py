"""Samples of a frame, and what coding them would take: from them the rest is concluded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.coding_tables import coding_tables
from rawback.common.prediction import Prediction
from rawback.common.reconstruction import band_slices, blank_tile
from rawback.common.tiles import TILE, Window
from rawback.entropy import BitCounter
from rawback.residual import (
    CODES_PER_LAYER,
    Band,
    Quantiser,
    band_shape,
    bands,
    code_layer,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.common.error_weights import ErrorWeights
    from rawback.encoder.analysis import Analysis

__all__ = ["Sample", "coarsened", "indices_at", "meter", "samples_of"]

_WHOLE_TILES, _BLOCK = 4, 64
_PER_TILE = (TILE // _BLOCK) ** 2
_PLASTIC = (0.7548776662466927, 0.5698402909980532)
"""Multiples of these, less their whole parts, fill a square evenly (Roberts, 2018)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A tile, or blocks from all over the frame put together as one."""

    prediction: Prediction
    coefficients: dict[Band, NDArray[np.float32]]

    @classmethod
    def of_tile(cls, prepared: Analysis, prediction: Prediction) -> Sample:
        """A tile as it is."""
        whole = prepared.shot.grid.whole
        coefficients = {
            band: values[(slice(None), *band_slices(band, prediction.window, whole))]
            for band, values in prepared.coefficients.items()
        }
        return cls(prediction, coefficients)


def samples_of(prepared: Analysis) -> list[Sample]:
    """All of a small frame, blocks from all over a large one."""
    some = prepared.predicted
    if len(some) > _WHOLE_TILES:
        rows, columns = (side // _BLOCK for side in prepared.shot.grid.whole.shape)
        if rows * columns >= _PER_TILE:
            return [_mosaic(prepared, _blocks(rows, columns))]
        some = some[:: -(-len(some) // _WHOLE_TILES)]
    return [Sample.of_tile(prepared, prediction) for prediction in some]


def indices_at(
    coefficients: dict[Band, NDArray[np.float32]], step: float
) -> dict[Band, NDArray[np.int32]]:
    """Quantised coefficients of each band.

    A step between two step codes is the coarser one, but what comes close to the next index takes
    it: as many coefficients more are not 0 as a step in between would have.
    """
    quantiser = Quantiser(math.ceil(step))
    lift = 1 - 2 ** ((step - quantiser.step_code) / CODES_PER_LAYER)
    return {band: quantiser.indices(values, band, lift) for band, values in coefficients.items()}


def coarsened(
    indices: dict[Band, NDArray[np.int32]], octaves: int
) -> dict[Band, NDArray[np.int32]]:
    """Indices at a step that is ``2 ** octaves`` times as large."""
    if octaves == 0:
        return indices
    return {band: np.sign(v) * (np.abs(v) >> octaves) for band, v in indices.items()}


def meter(sample: Sample, worth: ErrorWeights, step: float, layers: int) -> float:
    """Bits that the layers of a sample take down to a step, see :func:`indices_at`."""
    finest = indices_at(sample.coefficients, step)
    tile = blank_tile(sample.prediction, worth)
    symbols = BitCounter()
    for octaves in reversed(range(layers)):
        quantiser = Quantiser(math.ceil(step) + octaves * CODES_PER_LAYER)
        code_layer(symbols, coding_tables().layers, tile, quantiser, coarsened(finest, octaves))
    return symbols.bits


def _blocks(rows: int, columns: int) -> list[Window]:
    """As many blocks as a tile holds, from all over a frame of so many."""
    # So many points surely fall on as many different blocks as are needed.
    points = np.arange(1, 32 * _PER_TILE)[:, None] * _PLASTIC % 1
    places = dict.fromkeys(map(tuple, (points * (rows, columns)).astype(int).tolist()))
    return [
        Window(_BLOCK * row, _BLOCK * column, _BLOCK * (row + 1), _BLOCK * (column + 1))
        for row, column in list(places)[:_PER_TILE]
    ]


def _mosaic(prepared: Analysis, blocks: list[Window]) -> Sample:
    """A tile made of blocks, row by row."""
    whole, window = prepared.shot.grid.whole, Window(0, 0, TILE, TILE)
    tiles = {(p.window.top, p.window.left): p for p in prepared.predicted}
    planes = np.empty((4, *window.shape), np.int16)
    spots = np.empty(window.shape, np.uint8)
    coefficients = {
        band: np.empty((4, *band_shape(band, window.shape)), np.float32) for band in bands()
    }
    for number, block in enumerate(blocks):
        row, column = (_BLOCK * place for place in divmod(number, TILE // _BLOCK))
        target = Window(row, column, row + _BLOCK, column + _BLOCK)
        tile = tiles[block.top // TILE * TILE, block.left // TILE * TILE]
        source = block.within(tile.window)
        planes[(slice(None), *target.slices)] = tile.planes[(slice(None), *source)]
        spots[target.slices] = tile.spots[source]
        for band, values in prepared.coefficients.items():
            there = band_slices(band, target, window)
            coefficients[band][(slice(None), *there)] = values[
                (slice(None), *band_slices(band, block, whole))
            ]
    return Sample(Prediction(window, planes, spots), coefficients)
