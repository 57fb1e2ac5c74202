"""Quality layers: the wavelet coefficients of a tile, coded coarse first, then ever finer.

The quantiser is the embedded one with a dead zone twice a step wide (Taubman and Marcellin, *JPEG
2000*, 2002, section 3.2): the index of magnitude ``m`` at one layer is ``m >> 1`` at the layer
before, so a layer refines each index by one bit. The first layer codes whole indices; in a later
one an index that was 0 stays 0 or becomes +1 or -1, and any other gains a bit.

One function codes in both directions, see :mod:`rawback.entropy`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rawback.residual.contexts import (
    CLASSES,
    PHASES,
    ContextWeights,
    class_of,
    features,
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

_GROWN = np.array([0, 1, -1], dtype=np.int32)
"""What becomes of an index 0, by symbol: its remainder by three."""

_CAP = 511
_BATCHES = (slice(0, 1), slice(1, 4))
"""Plane 0 comes first and is context for the other three."""


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
        known: uint16 ``[4, h + 2, w + 2]`` of each band, bordered: magnitudes in half steps of the
            layer that is being coded.
    """

    magnitude: dict[Band, NDArray[np.uint16]]
    negative: dict[Band, NDArray[np.bool_]]
    spots: dict[Band, NDArray[np.uint8]]
    layers: int = 0
    known: dict[Band, NDArray[np.uint16]] = field(default_factory=dict)

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
    noise_levels: dict[Band, int],
    indices: dict[Band, NDArray[np.int32]] | None,
    observe: Callable[[Observation], None] | None = None,
) -> None:
    """Code the next layer of a tile and bring `tile` to its precision.

    Args:
        coder: Writes or reads the symbols.
        model: Weights and tables.
        tile: What earlier layers told; updated.
        noise_levels: Magnitude that sensor noise alone has in each band at this layer's step, in
            half steps / 16.
        indices: Signed indices ``[4, h, w]`` of each band at this layer's step; None to decode.
        observe: Called with what each group saw.
    """
    refining = int(tile.layers > 0)
    scale = 4 if refining else 0
    tile.known = {
        band: _bordered(np.minimum(scale * value.astype(np.uint32) + 2 * (value > 0), _CAP))
        for band, value in tile.magnitude.items()
    }
    for band in bands():
        given = None if indices is None else indices[band]
        pair = _BandCoder(coder, model, tile, band, noise_levels[band], observe)
        for batch in _BATCHES:
            pair.code(batch, refining, given)
    tile.layers += 1


@dataclass(slots=True)
class _BandCoder:
    coder: SymbolCoder
    model: LayerModel
    tile: TileCoefficients
    band: Band
    noise_level: int
    observe: Callable[[Observation], None] | None

    def code(self, batch: slice, refining: int, given: NDArray[np.int32] | None) -> None:
        """Code the band in the planes of a batch."""
        planes = self._planes_to_code(batch, given)
        spots = self.tile.spots[self.band]
        if not len(planes) or not spots.size:
            return
        magnitude, negative = self.tile.magnitude[self.band], self.tile.negative[self.band]
        known_all = self.tile.known[self.band]
        known = known_all[planes]
        before = known_all[:1] if batch.start else np.zeros_like(known_all[:1])
        before = np.broadcast_to(before, known.shape)
        parent, sibling = self._parent(planes), self._sibling(planes)
        kind = int(self.band.high_x) + int(self.band.high_y)
        for group, (y, x) in enumerate(PHASES):
            here = (slice(None), slice(y, None, 2), slice(x, None, 2))
            old, sign = magnitude[planes][here], negative[planes][here]
            if not old.size:
                continue
            found = features(known, parent, sibling, before, group)
            wanted = None if given is None else given[planes][here]
            arguments = (spots[here[1:]], self.noise_level)
            new, sign = self._code_group(refining, kind, group, found, arguments, old, sign, wanted)
            for row, plane in enumerate(planes):
                magnitude[plane][here[1:]] = new[row]
                negative[plane][here[1:]] = sign[row]
            half_steps = np.minimum(2 * new.astype(np.uint32) + (new > 0), _CAP)
            known[:, y + 1 : -1 : 2, x + 1 : -1 : 2] = half_steps
        known_all[planes] = known

    def _planes_to_code(self, batch: slice, given: NDArray[np.int32] | None) -> NDArray[np.intp]:
        """The planes of the batch whose band is not all zero, told by one symbol each."""
        planes = np.arange(4)[batch]
        magnitude = self.tile.magnitude[self.band]
        unsure = np.array([plane for plane in planes if not magnitude[plane].any()], dtype=np.intp)
        parents = self.tile.known.get(_parent_of(self.band))
        level = self.band.level - 1
        full = [level * 2 + (1 if parents is None else int(parents[p].any())) for p in unsure]
        flags = None if given is None else np.array([int(given[p].any()) for p in unsure], np.int32)
        filled = self.coder.code(self.model.empty, np.array(full, dtype=np.uint8), flags)
        return np.setdiff1d(planes, unsure[filled == 0])

    def _parent(self, planes: NDArray[np.intp]) -> NDArray[np.uint16]:
        height, width = self.tile.spots[self.band].shape
        parent = np.zeros((len(planes), height // 2 + 3, width // 2 + 3), dtype=np.uint16)
        source = self.tile.known.get(_parent_of(self.band))
        if source is not None:
            part = source[planes, : parent.shape[1], : parent.shape[2]]
            parent[:, : part.shape[1], : part.shape[2]] = part
        return parent

    def _sibling(self, planes: NDArray[np.intp]) -> NDArray[np.uint16]:
        height, width = self.tile.spots[self.band].shape
        total = np.zeros((len(planes), height, width), dtype=np.uint16)
        level, y, x = self.band.level, self.band.high_y, self.band.high_x
        earlier = [Band(level, False, True), Band(level, True, False)][: (y and 1) + (y and x)]
        for band in earlier:
            part = self.tile.known[band][planes, 1 : height + 1, 1 : width + 1]
            part = part[:, : self.tile.spots[band].shape[0], : self.tile.spots[band].shape[1]]
            total[:, : part.shape[1], : part.shape[2]] += part
        return total

    def _code_group(
        self,
        refining: int,
        kind: int,
        group: int,
        found: Sequence[Callable[[], NDArray[np.uint16]]],
        spot: tuple[NDArray[np.uint8], int],
        old: NDArray[np.uint16],
        sign: NDArray[np.bool_],
        wanted: NDArray[np.int32] | None,
    ) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        weights, regime = self.model.weights, regime_of(self.noise_level)
        classes = class_of(
            found,
            len(old),
            spot[0],
            weights.magnitude[refining, regime, kind, group],
            weights.noise[refining, regime, kind, group],
            spot[1],
        )
        classes += np.uint8(regime * CLASSES)
        flat = None if wanted is None else wanted.ravel()
        if refining:
            known = old.ravel(), sign.ravel()
            new = _code_refining(self.coder, self.model, classes.ravel(), *known, flat)
        else:
            new = _code_first(self.coder, self.model, classes.ravel(), flat)
        new = new.reshape(old.shape)
        if self.observe is not None:
            around = np.stack([feature() for feature in found])
            self.observe(Observation(refining, kind, group, around, *spot, old, new))
        return np.abs(new).astype(np.uint16), new < 0


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
    zero, more = np.flatnonzero(old == 0), np.flatnonzero(old)
    index = np.empty(len(old), dtype=np.int32)
    grown = None if wanted is None else wanted[zero] % len(_GROWN)
    index[zero] = _GROWN[coder.code(model.grow, classes[zero], grown)]
    row = classes[more].astype(np.uint16) * 3 + np.minimum(old[more], 3) - 1
    bits = None if wanted is None else np.abs(wanted[more]) & 1
    size = 2 * old[more].astype(np.int32) + coder.code(model.refine, row, bits)
    index[more] = np.where(sign[more], -size, size)
    return index


def _parent_of(band: Band) -> Band:
    return Band(band.level + 1, band.high_y, band.high_x)


def _bordered(values: NDArray[np.uint32]) -> NDArray[np.uint16]:
    return np.pad(values.astype(np.uint16), ((0, 0), (1, 1), (1, 1)))
