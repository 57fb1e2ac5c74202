"""Finding the quantiser step whose payload has a given size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rawback.codec.coefficients import blank_tile
from rawback.codec.draft import LAYERS, tile_indices
from rawback.codec.stored import stored
from rawback.codec.threads import in_threads
from rawback.entropy import SymbolMeter
from rawback.residual import CODES_PER_LAYER, MAX_STEP_CODE, Quantiser, bands, code_layer

if TYPE_CHECKING:
    from rawback.codec.prediction import Prediction
    from rawback.codec.source import Prepared

__all__ = ["CLOSE", "COARSEST", "FINEST", "SECTION_BYTES", "StepSearch"]

COARSEST, FINEST = MAX_STEP_CODE - (LAYERS - 1) * CODES_PER_LAYER, 48
"""Step codes of the last layer."""

CLOSE = 0.98
"""Part of a size that a payload should fill."""

_START, _ROUNDS, _NEAR = 200, 6, 0.04
_SLOPE = 0.03
"""Octaves by which a payload shrinks for each step code, about."""

SECTION_BYTES = 14
"""What a section takes besides its data, about."""


class StepSearch:
    """Finds a step for a size by metering some of the tiles."""

    def __init__(self, prepared: Prepared, tiles: int) -> None:
        count = len(prepared.predicted)
        self.prepared = prepared
        self.chosen = prepared.predicted[:: -(-count // tiles)]
        metered = sum(p.spots.size for p in self.chosen)
        self.scale = sum(p.spots.size for p in prepared.predicted) / metered
        self.known: dict[int, float] = {}

    def size_at(self, step_code: int) -> float:
        """Bytes of the layers, about."""
        if step_code not in self.known:
            quantiser = Quantiser(step_code)
            levels = {band: quantiser.noise_level(band) for band in bands()}

            def metered(prediction: Prediction) -> float:
                meter = SymbolMeter()
                indices = tile_indices(self.prepared, prediction.window, quantiser)
                tile = blank_tile(prediction.spots)
                code_layer(meter, stored().layers, tile, levels, indices)
                return meter.bits / 8 + SECTION_BYTES * LAYERS

            self.known[step_code] = sum(in_threads(metered, self.chosen)) * self.scale
        return self.known[step_code]

    def step_for(self, size: float) -> int:
        """The step whose layers take about `size` bytes."""
        step = _START
        for _ in range(_ROUNDS):
            ratio = self.size_at(step) / size
            nearer = self.corrected(step, ratio)
            if abs(ratio - 1) < _NEAR or nearer in self.known:
                break
            step = nearer
        return step

    def corrected(self, step_code: int, ratio: float) -> int:
        """A better step, seeing that this one's payload takes `ratio` times the size."""
        near = sorted(self.known, key=lambda code: abs(code - step_code))[:2]
        low, high = min(near), max(near)
        slope = _SLOPE
        if high > low and self.known[high] > 0:
            slope = max(math.log2(self.known[low] / self.known[high]) / (high - low), _SLOPE / 3)
        moved = round(math.log2(max(ratio, 1e-3)) / slope)
        return min(max(step_code + moved, FINEST), COARSEST)
