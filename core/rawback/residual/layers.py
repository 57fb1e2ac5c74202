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

from rawback.residual.contexts import (
    CLASSES,
    FEATURES,
    PHASES,
    ContextWeights,
    Field,
    class_of,
    features,
    inside,
    regime_of,
)
from rawback.residual.wavelet import Band, bands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rawback.entropy import SymbolCoder, TableSet

__all__ = ["ESCAPE", "LayerModel", "Observation", "TileCoefficients", "code_layer"]

ESCAPE = 15
"""First index that the tables of the first layer do not hold."""

_Scalar = TypeVar("_Scalar", bound=np.generic)

_CAP = 511
_BATCHES = (slice(0, 1), slice(1, 4))


@dataclass(frozen=True, slots=True)
class LayerModel:
    """What steers the coding of layers; trained offline, the same for every payload.

    Attributes:
        weights: Weights of the context sums.
        first: Tables over indices ``-ESCAPE .. ESCAPE``, offset by ESCAPE, a row per
            regime and class.
        grow: Tables over what becomes of an index 0: 0, +1, -1; a row per regime
            and class.
        refine: Tables over the new bit of any other index, three rows (index 1, 2, more) per
            regime and class.
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
        layers: How many layers have been coded.
    """

    magnitude: dict[Band, NDArray[np.uint16]]
    negative: dict[Band, NDArray[np.bool_]]
    spots: dict[Band, NDArray[np.uint8]]
    layers: int = 0

    @classmethod
    def blank(cls, spots: dict[Band, NDArray[np.uint8]]) -> TileCoefficients:
        """A tile of which nothing is known yet."""
        return cls(
            {band: np.zeros((4, *spot.shape), dtype=np.uint16) for band, spot in spots.items()},
            {band: np.zeros((4, *spot.shape), dtype=np.bool_) for band, spot in spots.items()},
            spots,
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """What one group's symbols were coded from; training looks at these."""

    refining: int
    kind: int
    group: int
    found: NDArray[np.uint16]
    spots: NDArray[np.uint8]
    noise_level: int
    before: NDArray[np.uint16]
    index: NDArray[np.int32]


def code_layer(
    coder: SymbolCoder,
    model: LayerModel,
    tile: TileCoefficients,
    noise_level: int,
    indices: dict[Band, NDArray[np.int32]] | None,
    observe: Callable[[Observation], None] | None = None,
) -> None:
    """Code the next layer of a tile and bring `tile` to its precision.

    Args:
        coder: Writes or reads the symbols.
        model: Weights and tables.
        tile: What earlier layers told; updated.
        noise_level: Magnitude that sensor noise alone has at this layer's step, in half steps / 16,
            or whatever other level makes for good contexts.
        indices: Signed indices ``[4, h, w]`` of each band at this layer's step; None to decode.
        observe: Called with what each group saw.
    """
    layer = _LayerCoder(coder, model, tile, noise_level, observe)
    for band in bands():
        layer.code(band, None if indices is None else indices[band])
    tile.layers += 1


class _LayerCoder:
    """One layer of a tile in the making."""

    def __init__(
        self,
        coder: SymbolCoder,
        model: LayerModel,
        tile: TileCoefficients,
        noise_level: int,
        observe: Callable[[Observation], None] | None,
    ) -> None:
        self.coder = coder
        self.model = model
        self.tile = tile
        self.noise_level = noise_level
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
            kinds = np.zeros((1, sibling.shape[-1]), dtype=np.uint8)
            inside(kinds, shape, phase)[0] = self.tile.spots[band][y::2, x::2]
            old, sign = _phase(magnitude, planes, y, x), _phase(negative, planes, y, x)
            wanted = None if given is None else _phase(given, planes, y, x)
            index = self._code_group(band, group, found, kinds[0], old, sign, wanted)
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
        spots: NDArray[np.uint8],
        old: NDArray[np.uint16],
        sign: NDArray[np.bool_],
        wanted: NDArray[np.int32] | None,
    ) -> NDArray[np.int32]:
        """Code the coefficients of a group: signed indices ``[planes, rows, columns]``."""
        weights, level = self.model.weights, self.noise_level
        regime, kind = regime_of(level), int(band.high_x) + int(band.high_y)
        row = self.refining, regime, kind, group
        cells = class_of(found, len(old), spots, weights.magnitude[row], weights.noise[row], level)
        cells += np.uint8(regime * CLASSES)
        shape = self.tile.spots[band].shape
        y, x = PHASES[group]
        classes = inside(cells, shape, 2 * y + x).ravel()
        flat = None if wanted is None else wanted.ravel()
        if self.refining:
            new = _code_refining(self.coder, self.model, classes, old.ravel(), sign.ravel(), flat)
        else:
            new = _code_first(self.coder, self.model, classes, flat)
        index = new.reshape(old.shape)
        if self.observe is not None:
            whole = np.zeros((len(FEATURES), *cells.shape), dtype=np.uint16)
            for target, feature in zip(whole, found, strict=True):
                rim = (len(spots) - feature().shape[-1]) // 2
                target[:, rim:-rim] = feature()
            around = np.stack([inside(values, shape, 2 * y + x) for values in whole])
            seen = self.tile.spots[band][y::2, x::2]
            self.observe(Observation(self.refining, kind, group, around, seen, level, old, index))
        return index


def _phase(values: NDArray[_Scalar], planes: list[int], y: int, x: int) -> NDArray[_Scalar]:
    """A phase of some planes of a band ``[4, h, w]``."""
    return np.stack([values[plane, y::2, x::2] for plane in planes])


def _half_steps(magnitude: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """What indices of these magnitudes say of the coefficients, in half steps, at most _CAP."""
    return 2 * np.minimum(magnitude, _CAP // 2) + (magnitude > 0)


def _code_first(
    coder: SymbolCoder,
    model: LayerModel,
    classes: NDArray[np.uint8],
    wanted: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    """Code whole indices; returns them signed."""
    symbols = None if wanted is None else np.clip(wanted, -ESCAPE, ESCAPE) + ESCAPE
    index = coder.code(model.first, classes, symbols) - ESCAPE
    far = np.flatnonzero(np.abs(index) == ESCAPE)
    rest = None if wanted is None else np.abs(wanted[far]) - ESCAPE
    index[far] += np.sign(index[far]) * coder.code_escapes(rest, len(far))
    return index


def _code_refining(
    coder: SymbolCoder,
    model: LayerModel,
    classes: NDArray[np.uint8],
    old: NDArray[np.uint16],
    sign: NDArray[np.bool_],
    wanted: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    """Code one more bit of each index; returns them signed."""
    filled = old != 0
    zero, more = np.flatnonzero(~filled), np.flatnonzero(filled)
    given = None if wanted is None else wanted[zero]
    # Symbols 0, 1, 2 stand for 0, +1, -1.
    grown = coder.code(
        model.grow, classes[zero], None if given is None else given + 3 * (given < 0)
    )
    index = np.zeros(len(old), dtype=np.int32)
    # Nearly all stay zero.
    new = np.flatnonzero(grown != 0)
    index[zero[new]] = 3 - 2 * grown[new]
    size = 2 * old[more].astype(np.int32)
    row = classes[more].astype(np.uint16) * 3 + np.minimum(old[more], 3) - 1
    bits = None if wanted is None else np.abs(wanted[more]) & 1
    size += coder.code(model.refine, row, bits)
    index[more] = np.where(sign[more], -size, size)
    return index


def _parent_of(band: Band) -> Band:
    return Band(band.level + 1, band.high_y, band.high_x)
