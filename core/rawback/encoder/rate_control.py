"""Rate control: the quantiser step whose payload has a given size.

Bits are estimated from samples of the frame, see :mod:`.sampling`.

Steps are real numbers here: a step between two step codes stands for the coarser of them, and
the encoder rounds up what comes close to the next index, see
:mod:`rawback.encoder.rd_quantisation`.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.coding_tables import coding_tables
from rawback.encoder.quantisation import coarsened
from rawback.encoder.sampling import samples_of
from rawback.parallel import in_threads
from rawback.rate import COARSEST_STEP, FINEST_STEP, LAYERS
from rawback.residual import (
    CODES_PER_LAYER,
    MAX_STEP_CODE,
    Quantiser,
    TileCoefficients,
    encode_layer,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.encoder.analysis import Analysis
    from rawback.encoder.rd_quantisation import RdQuantiser
    from rawback.encoder.sampling import Coefficients, Sample
    from rawback.residual import Band, LayerModel, Slopes

__all__ = [
    "BEYOND",
    "CLOSE",
    "SECTION_BYTES",
    "StepSearch",
    "aim",
    "layers_size",
    "rough_bits",
]

CLOSE, _AIM = 0.98, 0.99
"""Parts of a size that a payload should fill, and that is aimed at."""

SECTION_BYTES = 14
"""What a section takes besides its data, about."""

_ROUNDS, _NEAR, _CLOSER = 8, 0.01, 0.004
"""How many steps are tried at most, and how near their sizes are to come, first and at last."""

_GRAIN = 8
"""Steps are tried at so many places from one code to the next."""

BEYOND = COARSEST_STEP + 1 / _GRAIN
"""The first step that no payload can name: a step between codes is named by the next one."""

_CODED, _BITS, _ROWS = 1.15, 6.0, 64
"""Steps from which on coefficients are coded, bits that the first step of one takes, about, and how
many rows of a band are looked at at a time."""

_MIDDLE = 320
"""A step code that no slopes make negative."""

_ROUGHLY = 0.7
"""What magnitudes alone tell of the bits of a sample, commonly: half of them to all."""


def aim(size: int, bare: int) -> float:
    """Bytes that the layers of a payload of `size` are to take, of which `bare` precede them."""
    room = size - bare
    return max(room - (1 - _AIM) * size, room / 2)


def layers_size(
    sample: Sample, quantiser: RdQuantiser, layers: int, model: LayerModel | None = None
) -> tuple[int, int]:
    """What a sample takes down to the step of a quantiser.

    Args:
        sample: A tile.
        quantiser: Of the last layer.
        layers: How many are coded.
        model: What they begin with; by default as stored.

    Returns:
        Bytes of these layers; and of the `LAYERS` that a payload has, how many are not empty.
    """
    finest = quantiser.indices(sample.coefficients)
    planes = len(next(iter(sample.coefficients.values())))
    tile = TileCoefficients.zeros(sample.context.shape, planes)
    model, size = model or coding_tables().layers, 0
    for octaves in reversed(range(layers)):
        layer = quantiser.quantiser.coarser(octaves)
        indices = {band: coarsened(index, octaves) for band, index in finest.items()}
        size += len(encode_layer(model, sample.context, tile, layer, indices) or b"")
    largest = max(int(np.abs(index).max(initial=0)) for index in finest.values())
    return size, min(largest.bit_length(), LAYERS)


def rough_bits(coefficients: Coefficients, quantiser: Quantiser) -> float:
    """What coefficients take, in bits, by their magnitudes alone: right but for a factor.

    Args:
        coefficients: float32 ``[planes, h, w]`` of each band.
        quantiser: Of the last layer.
    """

    def of_plane(band: Band, component: int) -> float:
        least = _CODED * quantiser.step(band, component) / 16
        bits = 0.0
        plane = coefficients[band][component]
        for top in range(0, len(plane), _ROWS):
            sizes = np.abs(plane[top : top + _ROWS])
            sizes = sizes[sizes > least]
            bits += _BITS * sizes.size + float(np.log2(sizes / least).sum(dtype=np.float64))
        return bits

    places = [(band, component) for band, c in coefficients.items() for component in range(len(c))]
    return sum(in_threads(lambda place: of_plane(*place), places))


class _RoughSizes:
    """Sizes of layers at every step, by the magnitudes of a sample's coefficients alone.

    Args:
        samples: Of a frame.
        slopes: Of its components.
        times: How many times as large as the samples the frame is.
    """

    def __init__(self, samples: list[Sample], slopes: Slopes, times: float) -> None:
        steps = np.arange(MAX_STEP_CODE + 1)
        quantiser = Quantiser(_MIDDLE, slopes=slopes)
        counts = np.zeros(len(steps), np.int64)

        def codes(plane: NDArray[np.float32], step: int) -> NDArray[np.int64]:
            """How many coefficients are coded from each step code down."""
            least = np.float32(16 / (_CODED * step))
            octaves = np.log2(np.maximum(np.abs(plane).ravel() * least, np.float32(1e-6)))
            last = np.clip(_MIDDLE + CODES_PER_LAYER * octaves, 0, steps[-1])
            return np.bincount(last.astype(np.intp), minlength=len(steps))

        places = [
            (plane, quantiser.step(band, component))
            for sample in samples
            for band, planes in sample.coefficients.items()
            for component, plane in enumerate(planes)
        ]
        for found in in_threads(lambda place: codes(*place), places):
            counts += found
        coded, depths = (np.cumsum(of[::-1])[::-1] for of in (counts, counts * (steps + 0.5)))
        bits = _BITS * coded + (depths - coded * steps) / CODES_PER_LAYER
        self._steps = steps
        self._octaves = np.log2(np.maximum(bits, 1) * times / 8)

    def size_at(self, step: float) -> float:
        """Bytes at a step."""
        return float(np.exp2(np.interp(step, self._steps, self._octaves)))

    def step_for(self, size: float) -> float:
        """The step of so many bytes, of those that steps are tried at."""
        step = np.interp(-math.log2(max(size, 1)), -self._octaves, self._steps)
        return round(float(step) * _GRAIN) / _GRAIN


class StepSearch:
    """Finds a step for a size from estimates of what a part of the frame takes.

    Args:
        analysis: Of the frame.
        start: A step to begin with, as near as is known.
    """

    def __init__(self, analysis: Analysis, start: float | None = None) -> None:
        self.analysis = analysis
        self._start = start
        self._samples = samples_of(analysis)
        self._known: dict[float, float] = {}
        self._guessed: dict[float, float] = {}
        self._learned: dict[float, float] = {}

    def size_at(self, step: float) -> float:
        """Bytes of the layers, about: as one layer."""
        if step not in self._known:
            self._known[step] = self._estimated(step, self._samples, 1)
        return self._known[step]

    def learn(self, step: float, size: float) -> None:
        """Be told what the layers down to a step really take."""
        self._learned[step] = math.log2(max(size, 1) / self.size_at(step))

    def step_for(self, size: float, over: float = FINEST_STEP - 1, under: float = BEYOND) -> float:
        """The step whose layers take about `size` bytes, between two that are excluded."""
        if not self._guessed:
            step = self._solved(size, FINEST_STEP, COARSEST_STEP)
            self._guessed[step] = math.log2(self._closely(step) / self.size_at(step))
        grain = 1 / _GRAIN
        return self._solved(size, over + grain, under - grain)

    def expected(self, step: float) -> float:
        """Bytes of the layers: as estimated, and as much more or less as was learned near by."""
        factors = self._learned or self._guessed or {step: 0.0}
        steps = sorted(factors)
        octaves = float(np.interp(step, steps, [factors[known] for known in steps]))
        return self.size_at(step) * math.exp2(octaves)

    def _solved(self, size: float, finest: float, coarsest: float) -> float:
        """The step whose layers take about `size` bytes."""
        start = self._start or self._rough.step_for(_ROUGHLY * size)
        start = min(self._known, key=lambda step: abs(self.expected(step) - size), default=start)
        step = min(max(start, finest), coarsest)
        near = _CLOSER if self._guessed else _NEAR
        for _ in range(_ROUNDS):
            ratio = self.expected(step) / size
            if abs(ratio - 1) < near:
                break
            if ratio > 1:
                finest = step
            else:
                coarsest = step
            moved = self._rough.step_for(self._rough.size_at(step) / ratio)
            if not finest < moved < coarsest:
                moved = round((finest + coarsest) / 2 * _GRAIN) / _GRAIN
            if moved in {finest, coarsest, step}:
                break
            step = moved
        return step

    @cached_property
    def _rough(self) -> _RoughSizes:
        slopes = self.analysis.quantisers.slopes
        return _RoughSizes(self._samples, slopes, self._scale(self._samples))

    def _closely(self, step: float) -> float:
        """Bytes of the layers, as their number is; of a large frame, by more than one sample."""
        samples = samples_of(self.analysis, several=True)
        size = self._estimated(step, samples, LAYERS)
        if len(samples) > len(self._samples):
            # What takes bits may be gathered in a few places, of which samples meet more or fewer.
            quantiser = self.analysis.quantisers.at(step).quantiser
            whole = rough_bits(self.analysis.coefficients, quantiser)
            part = sum(rough_bits(sample.coefficients, quantiser) for sample in samples)
            size *= max(whole, 1) / max(part * self._scale(samples), 1)
        return size

    def _scale(self, samples: list[Sample]) -> float:
        """How many times as large as some samples the frame is."""
        tiles = self.analysis.predicted
        return sum(tile.window.area for tile in tiles) / sum(sample.area for sample in samples)

    def _estimated(self, step: float, samples: list[Sample], layers: int) -> float:
        quantiser = self.analysis.quantisers.at(step)
        work = in_threads(lambda sample: layers_size(sample, quantiser, layers), samples)
        size, filled = map(sum, zip(*work, strict=True))
        sections = filled / len(samples) * len(self.analysis.predicted)
        return size * self._scale(samples) + max(sections, 1) * SECTION_BYTES
