"""Coding shots at steps drawn at random, to see what contexts hold and which symbols come.

Each try counts by what it takes to code, so that sparse ones tell as much as dense ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rawback.common.reconstruction import empty_tile
from rawback.encoder.quantisation import coarsened, indices_at
from rawback.encoder.rate_control import Sample
from rawback.rate import LAYERS
from rawback.residual import CODES_PER_LAYER, Quantiser, code_layer
from rawback.residual.contexts import FEATURES, SPOTS, place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.encoder.analysis import Analysis
    from rawback.entropy import TableSet
    from rawback.residual import LayerModel
    from rawback.residual.layers import Observation

_STEPS = (48, 340)
_TRIES, _TILES = 8, 1
"""How often a shot is coded, and the tiles coded each time."""

_ROWS_PER_GROUP = 100
_LEAST = 400
"""Indices other than 0 that a try counts for at least: below, it is hardly worth coding well."""

Key: TypeAlias = tuple[int, int, int, int]
"""Refining or not, regime, kind of band, group: what each row of weights is for."""


@dataclass(slots=True)
class Seen:
    """What one set of weights is fitted to, gathered piece by piece.

    Attributes:
        around: uint16 ``[n, len(FEATURES)]``.
        spots: Row of the noise weights by place, times SPOTS, plus spot.
        noise: float32 ``[n]``: half steps.
        before: Indices at the layer before.
        index: Magnitudes of the indices coded.
        counts: What each row counts.
    """

    around: list[NDArray[np.uint16]] = field(default_factory=list)
    spots: list[NDArray[np.int64]] = field(default_factory=list)
    noise: list[NDArray[np.float32]] = field(default_factory=list)
    before: list[NDArray[np.int64]] = field(default_factory=list)
    index: list[NDArray[np.int64]] = field(default_factory=list)
    counts: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, seen: Observation, share: float, rng: np.random.Generator) -> None:
        """Keep some rows; all that were seen count `share` each."""
        size = seen.index.size
        rows = rng.permutation(size)[:_ROWS_PER_GROUP]
        shape = seen.index.shape
        place = place_of(seen.band) * SPOTS
        self.around.append(seen.found.reshape(len(FEATURES), -1)[:, rows].T)
        self.spots.append(place + np.broadcast_to(seen.spots, shape).ravel()[rows].astype(np.int64))
        self.noise.append(np.broadcast_to(seen.noise, shape).ravel()[rows])
        self.before.append(seen.before.ravel()[rows].astype(np.int64))
        self.index.append(np.abs(seen.index.ravel()[rows]).astype(np.int64))
        self.counts.append(np.full(len(rows), share * size / max(len(rows), 1), np.float32))


class Counter:
    """A coder that counts symbols by table instead of writing them."""

    decoding = False

    def __init__(self, model: LayerModel) -> None:
        # Sets of tables are told apart by their shapes.
        self._names = {
            getattr(model, name).frequencies.shape: name
            for name in ("first", "grow", "refine", "empty")
        }
        self.counts = {name: np.zeros(shape) for shape, name in self._names.items()}

    def code(
        self, tables: TableSet, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Count symbols, which must be given."""
        if symbols is None:
            message = "there is nothing to read from"
            raise ValueError(message)
        name = self._names.get(tables.frequencies.shape)
        if name is not None:
            rows, width = tables.frequencies.shape
            places = indices * np.int64(width) + symbols
            self.counts[name] += np.bincount(places, minlength=rows * width).reshape(rows, width)
        return symbols.astype(np.int32)

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Pass values on, which must be given."""
        if values is None or len(values) != count:
            message = "there is nothing to read from"
            raise ValueError(message)
        return values.astype(np.int32)


def code_at_random_steps(
    analysis: Analysis,
    model: LayerModel,
    rng: np.random.Generator,
    keep: dict[Key, Seen] | None,
) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Code a shot's tiles at steps drawn at random.

    Returns:
        How often each symbol of each table came, by the share of its try; and the sum of shares.
    """
    total: dict[str, NDArray[np.float64]] = {}
    shares = 0.0
    for _ in range(_TRIES):
        step = int(rng.integers(*_STEPS))
        chosen = rng.permutation(len(analysis.predicted))[:_TILES]
        samples = [Sample.of_tile(analysis, analysis.predicted[index]) for index in chosen]
        finest = [indices_at(sample.coefficients, step) for sample in samples]
        filled = sum(np.count_nonzero(index) for tile in finest for index in tile.values())
        share = 1 / max(filled, _LEAST)

        def observe(seen: Observation, share: float = share) -> None:
            if keep is not None:
                kind = int(seen.band.high_x) + int(seen.band.high_y)
                keep[seen.refining, seen.regime, kind, seen.group].add(seen, share, rng)

        counter = Counter(model)
        for sample, indices in zip(samples, finest, strict=True):
            tile = empty_tile(sample.prediction, analysis.weights)
            for octaves in reversed(range(LAYERS)):
                quantiser = Quantiser(step + octaves * CODES_PER_LAYER)
                code_layer(counter, model, tile, quantiser, coarsened(indices, octaves), observe)
        for name, counts in counter.counts.items():
            total[name] = total.get(name, 0) + share * counts
        shares += share
    return total, shares
