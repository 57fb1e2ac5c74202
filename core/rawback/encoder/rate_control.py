"""Rate control: the quantiser step whose payload has a given size, or reaches a given PSNR.

Bits are estimated from samples of the frame: all of a small one, blocks from all over a large one.

For sizes, steps are real numbers: a step between two step codes stands for the coarser of them, and
the encoder rounds up what comes close to the next index, see
:func:`rawback.encoder.quantisation.indices_at`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.coding_tables import coding_tables
from rawback.common.prediction import Prediction
from rawback.common.reconstruction import band_slices, tile_context
from rawback.common.tiles import TILE, Window
from rawback.encoder.quantisation import coarsened, indices_at
from rawback.parallel import in_threads
from rawback.rate import COARSEST_STEP, FINEST_STEP, LAYERS
from rawback.residual import (
    CODES_PER_LAYER,
    Band,
    Quantiser,
    TileCoefficients,
    TileContext,
    band_shape,
    bands,
    encode_layer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.encoder.analysis import Analysis
    from rawback.types import Progress

__all__ = [
    "BEYOND",
    "CLOSE",
    "SECTION_BYTES",
    "Sample",
    "StepSearch",
    "coarsest_reaching",
    "coefficients_of",
    "layers_size",
    "samples_of",
]

CLOSE = 0.98
"""Part of a size that a payload should fill."""

SECTION_BYTES = 14
"""What a section takes besides its data, about."""

_WHOLE_TILES, _BLOCK = 4, 64
_PER_TILE = (TILE // _BLOCK) ** 2
_PLASTIC = (0.7548776662466927, 0.5698402909980532)
"""Multiples of these, less their whole parts, fill a square evenly (Roberts, 2018)."""

_START, _ROUNDS, _NEAR = 200.0, 8, 0.004
_GRAIN = 8
"""Steps are tried at so many places from one code to the next."""

BEYOND = COARSEST_STEP + 1 / _GRAIN
"""The first step that no payload can name: a step between codes is named by the next one."""

_SLOPE = 0.03
"""Octaves by which a payload shrinks for each step code, about."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A tile, or blocks from all over the frame put together as one."""

    context: TileContext
    coefficients: dict[Band, NDArray[np.float32]]

    @classmethod
    def of_tile(cls, analysis: Analysis, prediction: Prediction) -> Sample:
        """A tile as it is."""
        context = tile_context(prediction, analysis.weights, analysis.transform)
        return cls(context, coefficients_of(analysis, prediction.window))

    def copy(self) -> Sample:
        """The same, of coefficients of its own that do not keep all of the frame's in memory."""
        return Sample(self.context, {band: v.copy() for band, v in self.coefficients.items()})

    @property
    def area(self) -> int:
        """Quads in it."""
        rows, columns = self.context.shape
        return rows * columns


def coefficients_of(analysis: Analysis, tile: Window) -> dict[Band, NDArray[np.float32]]:
    """Views of a tile's coefficients, ``[4, h, w]`` of each band."""
    whole = analysis.source.grid.whole
    return {
        band: values[(slice(None), *band_slices(band, tile, whole))]
        for band, values in analysis.coefficients.items()
    }


def samples_of(analysis: Analysis) -> list[Sample]:
    """All of a small frame, blocks from all over a large one."""
    predicted = analysis.predicted
    if len(predicted) > _WHOLE_TILES:
        rows, columns = (side // _BLOCK for side in analysis.source.grid.whole.shape)
        if rows * columns >= _PER_TILE:
            return [_mosaic(analysis, _blocks(rows, columns))]
        predicted = predicted[:: -(-len(predicted) // _WHOLE_TILES)]
    return [Sample.of_tile(analysis, prediction) for prediction in predicted]


def layers_size(sample: Sample, step: float, layers: int) -> int:
    """Bytes that the layers of a sample take down to a step, see :func:`indices_at`."""
    finest = indices_at(sample.coefficients, step)
    tile = TileCoefficients.zeros(sample.context.shape)
    model, size = coding_tables().layers, 0
    for octaves in reversed(range(layers)):
        quantiser = Quantiser(math.ceil(step) + octaves * CODES_PER_LAYER)
        indices = {band: coarsened(index, octaves) for band, index in finest.items()}
        size += len(encode_layer(model, sample.context, tile, quantiser, indices) or b"")
    return size


def _blocks(rows: int, columns: int) -> list[Window]:
    """As many blocks as a tile holds, from all over a frame of so many."""
    # So many points surely fall on as many different blocks as are needed.
    points = np.arange(1, 32 * _PER_TILE)[:, None] * _PLASTIC % 1
    places = dict.fromkeys(map(tuple, (points * (rows, columns)).astype(int).tolist()))
    return [
        Window(_BLOCK * row, _BLOCK * column, _BLOCK * (row + 1), _BLOCK * (column + 1))
        for row, column in list(places)[:_PER_TILE]
    ]


def _mosaic(analysis: Analysis, blocks: list[Window]) -> Sample:
    """A tile made of blocks, row by row."""
    whole, window = analysis.source.grid.whole, Window(0, 0, TILE, TILE)
    tiles = {(p.window.top, p.window.left): p for p in analysis.predicted}
    planes = np.empty((4, *window.shape), np.int16)
    classes = np.empty(window.shape, np.uint8)
    coefficients = {
        band: np.empty((4, *band_shape(band, window.shape)), np.float32) for band in bands()
    }
    for number, block in enumerate(blocks):
        row, column = (_BLOCK * place for place in divmod(number, TILE // _BLOCK))
        target = Window(row, column, row + _BLOCK, column + _BLOCK)
        tile = tiles[block.top // TILE * TILE, block.left // TILE * TILE]
        source = block.within(tile.window)
        planes[(slice(None), *target.slices)] = tile.planes[(slice(None), *source)]
        classes[target.slices] = tile.classes[source]
        for band, values in analysis.coefficients.items():
            there = band_slices(band, target, window)
            coefficients[band][(slice(None), *there)] = values[
                (slice(None), *band_slices(band, block, whole))
            ]
    prediction = Prediction(window, planes, classes)
    context = tile_context(prediction, analysis.weights, analysis.transform)
    return Sample(context, coefficients)


class StepSearch:
    """Finds a step for a size from estimates of what a part of the frame takes."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._samples = samples_of(analysis)
        quads = sum(sample.area for sample in self._samples)
        self._scale = sum(tile.window.area for tile in analysis.predicted) / quads
        self._known: dict[float, float] = {}
        self._guessed: dict[float, float] = {}
        self._learned: dict[float, float] = {}

    def size_at(self, step: float) -> float:
        """Bytes of the layers, about: as one layer."""
        if step not in self._known:
            self._known[step] = self._estimated(step, 1)
        return self._known[step]

    def learn(self, step: float, size: float) -> None:
        """Be told what the layers down to a step really take."""
        self._learned[step] = math.log2(max(size, 1) / self.size_at(step))

    def step_for(self, size: float, over: float = FINEST_STEP - 1, under: float = BEYOND) -> float:
        """The step whose layers take about `size` bytes, between two that are excluded."""
        if not self._guessed:
            step = self._solved(size, FINEST_STEP, COARSEST_STEP)
            self._guessed[step] = math.log2(self._estimated(step, LAYERS) / self.size_at(step))
        grain = 1 / _GRAIN
        return self._solved(size, over + grain, under - grain)

    def _expected(self, step: float) -> float:
        """Bytes of the layers: as estimated, and as much more or less as was learned near by."""
        factors = self._learned or self._guessed or {step: 0.0}
        steps = sorted(factors)
        octaves = float(np.interp(step, steps, [factors[known] for known in steps]))
        return self.size_at(step) * math.exp2(octaves)

    def _solved(self, size: float, finest: float, coarsest: float) -> float:
        """The step whose layers take about `size` bytes."""
        start = min(self._known, key=lambda step: abs(self._expected(step) - size), default=_START)
        step = min(max(start, finest), coarsest)
        for _ in range(_ROUNDS):
            ratio = self._expected(step) / size
            if abs(ratio - 1) < _NEAR:
                break
            if ratio > 1:
                finest = step
            else:
                coarsest = step
            moved = self._corrected(step, ratio)
            if not finest < moved < coarsest:
                moved = round((finest + coarsest) / 2 * _GRAIN) / _GRAIN
            if moved in {finest, coarsest, step}:
                break
            step = moved
        return step

    def _corrected(self, step: float, ratio: float) -> float:
        """A better step, seeing that this one's payload takes `ratio` times the size."""
        # Steps that share a code differ by what is rounded up, which tells little of the slope.
        far = [known for known in self._known if abs(known - step) >= 1]
        slope = _SLOPE
        if far:
            near = min(far, key=lambda known: abs(known - step))
            octaves = math.log2(self._known[near] / self._known[step])
            slope = max(octaves / (step - near), _SLOPE / 3)
        return round((step + math.log2(ratio) / slope) * _GRAIN) / _GRAIN

    def _estimated(self, step: float, layers: int) -> float:
        size = sum(in_threads(lambda sample: layers_size(sample, step, layers), self._samples))
        sections = LAYERS * len(self.analysis.predicted) * SECTION_BYTES
        return size * self._scale + sections


def coarsest_reaching(
    decibels: float,
    psnr_at: Callable[[int | None], float],
    report: Progress,
    finest: int = FINEST_STEP,
) -> int | None:
    """The coarsest step whose raw PSNR is at least `decibels`, or None if no step's is.

    Args:
        decibels: What is to be reached.
        psnr_at: Raw PSNR at a step, and of the base alone at None.
        report: Is told how far the search is.
        finest: The finest step to look at.
    """
    reached, missed = finest, COARSEST_STEP + 1
    best, worst = psnr_at(finest), psnr_at(None)
    if best < decibels:
        return None
    while missed - reached > 1:
        # Between the two, decibels fall about evenly; the middle guards against slow progress.
        share = (best - decibels) / max(best - worst, 1e-9)
        guess = reached + (missed - reached) * (0.5 + min(max(share, 0.1), 0.9)) / 2
        step = min(max(round(guess), reached + 1), missed - 1)
        report("Searching the step", 0.5 * (1 - (missed - reached) / (COARSEST_STEP - FINEST_STEP)))
        psnr = psnr_at(step)
        if psnr >= decibels:
            reached, best = step, psnr
        else:
            missed, worst = step, psnr
    return reached
