"""Finding the quantiser step whose payload has a given size.

Steps are real numbers here: a step between two step codes stands for the coarser of them, and the
encoder rounds up what comes close to the next index, see :meth:`Quantiser.indices`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rawback.codec.draft import LAYERS
from rawback.codec.samples import meter, samples_of
from rawback.codec.threads import in_threads
from rawback.residual import CODES_PER_LAYER, MAX_STEP_CODE

if TYPE_CHECKING:
    from rawback.codec.source import Prepared

__all__ = ["BEYOND", "CLOSE", "COARSEST", "FINEST", "SECTION_BYTES", "StepSearch"]

COARSEST, FINEST = MAX_STEP_CODE - (LAYERS - 1) * CODES_PER_LAYER, 48
"""Step codes of the last layer."""

CLOSE = 0.98
"""Part of a size that a payload should fill."""

SECTION_BYTES = 14
"""What a section takes besides its data, about."""

_START, _ROUNDS, _NEAR = 200.0, 8, 0.004
_GRAIN = 8
"""Steps are tried at so many places from one code to the next."""

BEYOND = COARSEST + 1 / _GRAIN
"""The first step that no payload can name: a step between codes is named by the next one."""

_SLOPE = 0.03
"""Octaves by which a payload shrinks for each step code, about."""


class StepSearch:
    """Finds a step for a size by metering a part of the frame."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        every = prepared.predicted
        self._samples = samples_of(prepared)
        quads = sum(sample.prediction.window.area for sample in self._samples)
        self._scale = sum(tile.window.area for tile in every) / quads
        self._known: dict[float, float] = {}
        self._factor: float | None = None

    def size_at(self, step: float) -> float:
        """Bytes of the layers, about: as one layer."""
        if step not in self._known:
            self._known[step] = self._metered(step, 1)
        return self._known[step]

    def learn(self, step: float, size: float) -> None:
        """Be told what the layers down to a step really take."""
        self._factor = size / self.size_at(step)

    def step_for(self, size: float, over: float = FINEST - 1, under: float = BEYOND) -> float:
        """The step whose layers take about `size` bytes, between two that are excluded."""
        if self._factor is None:
            step = self._solved(size, FINEST, COARSEST)
            self.learn(step, self._metered(step, LAYERS))
        grain = 1 / _GRAIN
        return self._solved(size / (self._factor or 1), over + grain, under - grain)

    def _solved(self, size: float, finest: float, coarsest: float) -> float:
        """The step whose single layer takes about `size` bytes."""
        start = min(self._known, key=lambda step: abs(self._known[step] - size), default=_START)
        step = min(max(start, finest), coarsest)
        for _ in range(_ROUNDS):
            ratio = self.size_at(step) / size
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
        near = sorted(self._known, key=lambda known: abs(known - step))[:2]
        low, high = min(near), max(near)
        slope = _SLOPE
        if high > low:
            slope = max(math.log2(self._known[low] / self._known[high]) / (high - low), _SLOPE / 3)
        return round((step + math.log2(ratio) / slope) * _GRAIN) / _GRAIN

    def _metered(self, step: float, layers: int) -> float:
        worth = self.prepared.worth
        bits = sum(in_threads(lambda s: meter(s, worth, step, layers), self._samples))
        sections = LAYERS * len(self.prepared.predicted) * SECTION_BYTES
        return bits / 8 * self._scale + sections
