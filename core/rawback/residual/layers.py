"""Quality layers: the wavelet coefficients of a tile, coded coarse first, then ever finer.

The quantiser is the embedded one with a dead zone twice a step wide (Taubman and Marcellin, *JPEG
2000*, 2002, section 3.2): the index of magnitude ``m`` at one layer is ``m >> 1`` at the layer
before, so a layer refines each index by one bit. The first layer codes whole indices; in a later
one an index that was 0 stays 0 or becomes +1 or -1, and any other gains a bit.

One function codes in both directions, see :mod:`rawback.entropy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.entropy import AdaptiveTables
from rawback.residual.contexts import (
    CLASSES,
    FEATURES,
    PHASES,
    ContextWeights,
    Field,
    class_of,
    expected_at,
    features,
    inside,
    place_of,
    regime_of,
)
from rawback.residual.wavelet import Band, bands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rawback.entropy import SymbolCoder, TableSet
    from rawback.residual.quantiser import Quantiser

__all__ = ["ESCAPE", "LayerModel", "Observation", "TileCoefficients", "code_layer"]

ESCAPE = 15
"""First index that the tables of the first layer do not hold."""

_Scalar = TypeVar("_Scalar", bound=np.generic)

_CAP = 511
_BATCHES = (slice(0, 1), slice(1, 4))


@dataclass(frozen=True, slots=True)
class LayerModel:
    """What steers the coding of layers; trained offline, the same for every payload.

    All tables but `empty` are what each layer of each tile begins with; they learn from there on.

    Attributes:
        weights: Weights of the context sums.
        first: Tables over indices ``-ESCAPE .. ESCAPE``, offset by ESCAPE, a row per spot and
            class.
        grow: Tables over what becomes of an index 0: 0, +1, -1; a row per spot and class.
        refine: Tables over the new bit of any other index, three rows (index 1, 2, more) per spot
            and class.
        empty: Tables over whether a band of one plane stays all zero, a row per level and per
            whether its parent band did.
    """

    weights: ContextWeights
    first: TableSet
    grow: TableSet
    refine: TableSet
    empty: TableSet


@dataclass(slots=True)
class TileCoefficients:
    """The quantisation indices of one tile: four planes, all bands.

    Attributes:
        magnitude: uint16 ``[4, h, w]`` of each band, at the precision of the layers coded so far.
        negative: bool, the same shape.
        spots: uint8 ``[h, w]`` of each band: what the guide says there, below SPOTS.
        noise: uint16 ``[h, w]`` of each band: standard deviation of the noise there, in 1/256, at
            most 1024.
        layers: How many layers have been coded.
    """

    magnitude: dict[Band, NDArray[np.uint16]]
    negative: dict[Band, NDArray[np.bool_]]
    spots: dict[Band, NDArray[np.uint8]]
    noise: dict[Band, NDArray[np.uint16]]
    layers: int = 0

    @classmethod
    def blank(
        cls, spots: dict[Band, NDArray[np.uint8]], noise: dict[Band, NDArray[np.uint16]]
    ) -> TileCoefficients:
        """A tile of which nothing is known yet."""
        return cls(
            {band: np.zeros((4, *spot.shape), dtype=np.uint16) for band, spot in spots.items()},
            {band: np.zeros((4, *spot.shape), dtype=np.bool_) for band, spot in spots.items()},
            spots,
            noise,
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """What one group's symbols were coded from; training looks at these.

    Attributes:
        refining: Whether the tile had a layer before.
        regime: From :func:`regime_of`.
        band: Which.
        group: Index into PHASES.
        found: uint16 ``[len(FEATURES), planes, h, w]``: the magnitudes around, in half steps.
        spots: uint8 ``[h, w]``.
        noise: float32 ``[h, w]``: mean magnitude of the noise, in half steps.
        before: uint16 ``[planes, h, w]``: magnitudes of the indices in the layer before.
        index: int32 ``[planes, h, w]``: the indices now.
    """

    refining: int
    regime: int
    band: Band
    group: int
    found: NDArray[np.uint16]
    spots: NDArray[np.uint8]
    noise: NDArray[np.float32]
    before: NDArray[np.uint16]
    index: NDArray[np.int32]


def code_layer(
    coder: SymbolCoder,
    model: LayerModel,
    tile: TileCoefficients,
    quantiser: Quantiser,
    indices: dict[Band, NDArray[np.int32]] | None,
    observe: Callable[[Observation], None] | None = None,
) -> None:
    """Code the next layer of a tile and bring `tile` to its precision.

    Args:
        coder: Writes or reads the symbols.
        model: Weights and tables.
        tile: What earlier layers told; updated.
        quantiser: Of this layer.
        indices: Signed indices ``[4, h, w]`` of each band at this layer's step; None to decode.
        observe: Called with what each group saw.
    """
    layer = _LayerCoder(coder, model, tile, quantiser, observe)
    for band in bands():
        layer.code(band, None if indices is None else indices[band])
    tile.layers += 1


class _Tables:
    """A layer's tables, as they stand."""

    def __init__(self, model: LayerModel) -> None:
        self.first = AdaptiveTables(model.first, range(2 * ESCAPE, -1, -1))
        self.grow = AdaptiveTables(model.grow, (0, 2, 1))
        self.refine = AdaptiveTables(model.refine, (0, 1))


class _LayerCoder:
    """One layer of a tile in the making."""

    def __init__(
        self,
        coder: SymbolCoder,
        model: LayerModel,
        tile: TileCoefficients,
        quantiser: Quantiser,
        observe: Callable[[Observation], None] | None,
    ) -> None:
        self.coder = coder
        self.model = model
        self.tile = tile
        self.tables = _Tables(model)
        self.noise_level = quantiser.noise_level()
        self.regime = regime_of(quantiser.step_code)
        self.observe = observe
        self.refining = int(tile.layers > 0)
        # Magnitudes in half steps of this layer, as far as they are known.
        self.known = {band: self._known(values) for band, values in tile.magnitude.items()}

    def _known(self, magnitude: NDArray[np.uint16]) -> Field:
        known = Field.blank(4, magnitude.shape[1:])
        if self.refining and magnitude.any():
            for phase, (y, x) in enumerate(np.ndindex(2, 2)):
                # Of the layer before; a half step was half of what it is now.
                half_steps = 2 * _half_steps(magnitude[:, y::2, x::2])
                np.minimum(half_steps, _CAP, out=known.inside(phase))
        return known

    def code(self, band: Band, given: NDArray[np.int32] | None) -> None:
        """Code a band; plane 0 comes first and is context for the other three."""
        for batch in _BATCHES:
            planes = self._planes_to_code(band, batch, given)
            if planes:
                self._code_planes(band, planes, given)

    def _code_planes(
        self,
        band: Band,
        planes: list[int],
        given: NDArray[np.int32] | None,
    ) -> None:
        """Code the band in some planes, group by group."""
        magnitude, negative = self.tile.magnitude[band], self.tile.negative[band]
        shape = magnitude.shape[1:]
        known = self.known[band].of_planes(planes)
        before = self.known[band].of_planes([0]) if planes[0] else Field.blank(1, shape)
        parent, sibling = self._parent(band, planes), self._sibling(band, planes)
        for group, (y, x) in enumerate(PHASES):
            phase = 2 * y + x
            half_steps = known.inside(phase)
            if not half_steps.size:
                continue
            found = features(known, parent, sibling[phase], before, group)
            old, sign = _phase(magnitude, planes, y, x), _phase(negative, planes, y, x)
            wanted = None if given is None else _phase(given, planes, y, x)
            index = self._code_group(band, group, found, old, sign, wanted)
            size = np.abs(index).astype(np.uint16)
            for row, plane in enumerate(planes):
                magnitude[plane, y::2, x::2] = size[row]
                negative[plane, y::2, x::2] = index[row] < 0
            half_steps[...] = _half_steps(size)
        self.known[band].values[:, planes] = known.values

    def _planes_to_code(
        self, band: Band, batch: slice, given: NDArray[np.int32] | None
    ) -> list[int]:
        """The planes of the batch whose band is not all zero, told by one symbol each."""
        planes = range(4)[batch]
        magnitude = self.tile.magnitude[band]
        unsure = [plane for plane in planes if not magnitude[plane].any()]
        parents = self.known.get(_parent_of(band))
        level = band.level - 1
        full = [level * 2 + int(parents is None or parents.values[:, p].any()) for p in unsure]
        flags = None if given is None else np.array([int(given[p].any()) for p in unsure], np.int32)
        filled = self.coder.code(self.model.empty, np.array(full, dtype=np.uint8), flags)
        empty = [plane for plane, flag in zip(unsure, filled, strict=True) if not flag]
        return [plane for plane in planes if plane not in empty]

    def _parent(self, band: Band, planes: list[int]) -> NDArray[np.float32]:
        shape = self.tile.spots[band].shape
        source = self.known.get(_parent_of(band), Field.blank(4, (0, 0)))
        return source.of_planes(planes).as_parent(shape)

    def _sibling(self, band: Band, planes: list[int]) -> NDArray[np.float32]:
        """Sum of the bands of the level that are coded before, phase by phase."""
        total = Field.blank(len(planes), self.tile.spots[band].shape)
        level, y, x = band.level, band.high_y, band.high_x
        earlier = [Band(level, False, True), Band(level, True, False)][: (y and 1) + (y and x)]
        for other in earlier:
            source = self.known[other].of_planes(planes)
            for phase in range(4):
                # Bands of a level may differ by a row or a column.
                target, part = total.inside(phase), source.inside(phase)
                part = part[:, : target.shape[1], : target.shape[2]]
                target[:, : part.shape[1], : part.shape[2]] += part
        return total.values

    def _code_group(
        self,
        band: Band,
        group: int,
        found: Sequence[Callable[[], NDArray[np.float32]]],
        old: NDArray[np.uint16],
        sign: NDArray[np.bool_],
        wanted: NDArray[np.int32] | None,
    ) -> NDArray[np.int32]:
        """Code the coefficients of a group: signed indices ``[planes, rows, columns]``."""
        weights, kind = self.model.weights, int(band.high_x) + int(band.high_y)
        spots, noise = self.tile.spots[band], self.tile.noise[band]
        y, x = PHASES[group]
        phase = 2 * y + x
        noisy = weights.noise[self.refining, self.regime, place_of(band), group]
        expected = expected_at(spots, noise, noisy, self.noise_level, phase)
        row = weights.magnitude[self.refining, self.regime, kind, group]
        cells = class_of(found, len(old), expected, row)
        # Before NumPy 2 a scalar does not widen an array, and rows do not fit its 8 bits.
        of_spots = spots[y::2, x::2].astype(np.uint16) * CLASSES
        rows = inside(cells, spots.shape, phase) + of_spots
        flat = None if wanted is None else wanted.ravel()
        if self.refining:
            new = _code_refining(
                self.coder, self.tables, rows.ravel(), old.ravel(), sign.ravel(), flat
            )
        else:
            new = _code_first(self.coder, self.tables, rows.ravel(), flat)
        index = new.reshape(old.shape)
        if self.observe is not None:
            whole = np.zeros((len(FEATURES), *cells.shape), dtype=np.uint16)
            rim = (len(expected) - found[0]().shape[-1]) // 2
            for target, feature in zip(whole, found, strict=True):
                target[:, rim:-rim] = feature()
            around = np.stack([inside(values, spots.shape, phase) for values in whole])
            at = spots[y::2, x::2]
            level = noise[y::2, x::2] * np.float32(self.noise_level / (1 << 16))
            self.observe(
                Observation(self.refining, self.regime, band, group, around, at, level, old, index)
            )
        return index


def _phase(values: NDArray[_Scalar], planes: list[int], y: int, x: int) -> NDArray[_Scalar]:
    """A phase of some planes of a band ``[4, h, w]``."""
    return np.stack([values[plane, y::2, x::2] for plane in planes])


def _half_steps(magnitude: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """What indices of these magnitudes say of the coefficients, in half steps, at most _CAP."""
    return 2 * np.minimum(magnitude, _CAP // 2) + (magnitude > 0)


def _code_first(
    coder: SymbolCoder,
    tables: _Tables,
    rows: NDArray[np.uint16],
    wanted: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    """Code whole indices; returns them signed."""
    symbols = None if wanted is None else np.clip(wanted, -ESCAPE, ESCAPE) + ESCAPE
    index = tables.first.code(coder, rows, symbols) - ESCAPE
    far = np.flatnonzero(np.abs(index) == ESCAPE)
    rest = None if wanted is None else np.abs(wanted[far]) - ESCAPE
    index[far] += np.sign(index[far]) * coder.code_escapes(rest, len(far))
    return index


def _code_refining(
    coder: SymbolCoder,
    tables: _Tables,
    rows: NDArray[np.uint16],
    old: NDArray[np.uint16],
    sign: NDArray[np.bool_],
    wanted: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    """Code one more bit of each index; returns them signed."""
    filled = old != 0
    zero, more = np.flatnonzero(~filled), np.flatnonzero(filled)
    given = None if wanted is None else wanted[zero]
    # Symbols 0, 1, 2 stand for 0, +1, -1.
    grown = tables.grow.code(coder, rows[zero], None if given is None else given + 3 * (given < 0))
    index = np.zeros(len(old), dtype=np.int32)
    # Nearly all stay zero.
    new = np.flatnonzero(grown != 0)
    index[zero[new]] = 3 - 2 * grown[new]
    size = 2 * old[more].astype(np.int32)
    row = rows[more] * 3 + np.minimum(old[more], 3) - 1
    bits = None if wanted is None else np.abs(wanted[more]) & 1
    size += tables.refine.code(coder, row, bits)
    index[more] = np.where(sign[more], -size, size)
    return index


def _parent_of(band: Band) -> Band:
    return Band(band.level + 1, band.high_y, band.high_x)
