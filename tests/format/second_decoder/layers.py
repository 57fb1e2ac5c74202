"""The layers of the coded difference between base and raw (3.9 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .contexts import (
    GROUPS,
    classes,
    far_sums,
    known_before,
    known_now,
    level_maps,
    near_sums,
)
from .refusal import require
from .symbols import LearningTable, Symbols, Table
from .wavelet import LEVELS, Band, band_shape, bands

if TYPE_CHECKING:
    from .arrays import Bools, Ints
    from .domain import Domain
    from .stored import Tables

MANTISSAS = [round(65536 * 2 ** (i / 32)) for i in range(32)]
# By level from 5 on: HL and LH, then HH.
BAND_STEPS = {5: (1234, 1618), 4: (1648, 2169), 3: (2230, 2976), 2: (3098, 4239), 1: (4050, 5212)}
LOWEST_STEP = 941
COMPONENTS = 4


@dataclass(frozen=True)
class Parameters:
    """The header's field `residual` (3.9)."""

    codes: list[int]
    power: int
    matrix: Ints
    points: list[tuple[int, int]]


def parameters(data: bytes) -> Parameters:
    """What the header's field `residual` tells (3.9)."""
    require(len(data) >= 19, "no parameters of the residual")
    code, power = int.from_bytes(data[:2], "big"), data[2]
    matrix = np.frombuffer(data[3:19], np.int8).astype(np.int64).reshape(4, 4)
    points = [(byte >> 4, byte & 15) for byte in data[19:]]
    codes = [code - 32 * layer for layer in range(len(points))]
    require(all(0 <= c <= 511 for c in codes) and power <= 4, "impossible parameters")
    return Parameters(codes, power, matrix, points)


def band_step(code: int, band: Band) -> int:
    """The step of a band in 1/16 unit (3.9, Steps)."""
    size = LOWEST_STEP if band.is_lowest else BAND_STEPS[band.level][band.kind - 1]
    return max(1, MANTISSAS[code % 32] * size >> (24 - code // 32))


def noise_level(code: int) -> int:
    """The magnitude of the sensor's noise in 1/256 of half a step (3.9, Steps)."""
    return max(1, 13312 * 65536 // (MANTISSAS[code % 32] << code // 32))


class LayerTables:
    """The probability tables of one section, which learn from its symbols (3.9, Indices)."""

    def __init__(self, tables: Tables) -> None:
        self.empty = Table(tables["empty"])
        self.first = LearningTable(tables["first"], range(30, -1, -1))
        self.grow = LearningTable(tables["grow"], (0, 2, 1))
        self.refine = LearningTable(tables["refine"], (0, 1))


class TileResidual:
    """The indices of one tile, refined layer by layer (3.9, Indices)."""

    def __init__(self, tables: Tables, domain: Domain, power: int, base: Ints, spots: Ints) -> None:
        self.tables = tables
        self.shape: tuple[int, int] = (base.shape[1], base.shape[2])
        self.spots = level_maps(spots, spots=True)
        levels = level_maps(base.sum(axis=0) >> 2, spots=False)
        self.noise = [65536 // domain.residual_scale(level, power) for level in levels]
        self.indices = [
            {band: np.zeros(band_shape(self.shape, band), np.int64) for band in bands()}
            for _ in range(COMPONENTS)
        ]

    def decode(self, data: bytes, layer: int, code: int) -> None:
        """Read the section of a layer with this step code (3.9, Indices)."""
        LayerDecoder(self, Symbols(data), layer, code).decode()

    def coefficients(self, code: int, points: tuple[int, int]) -> list[dict[Band, Ints]]:
        """The coefficients of each component's bands (3.9, Restoring)."""
        near, far = points
        found = []
        for component in self.indices:
            coefficients = {}
            for band, index in component.items():
                m = np.abs(index)
                size = (16 * m + 8 - np.where(m == 1, near, far)) * band_step(code, band) >> 8
                coefficients[band] = np.sign(index) * np.minimum(size, 1 << 20)
            found.append(coefficients)
        return found


class LayerDecoder:
    """Reads one layer of one tile (3.9, Indices)."""

    def __init__(self, tile: TileResidual, symbols: Symbols, layer: int, code: int) -> None:
        self.tile, self.symbols, self.is_first = tile, symbols, layer == 0
        self.tables = LayerTables(tile.tables)
        self.level = noise_level(code)
        refining, regime = int(not self.is_first), min(max((code - 96) // 32, 0), 7)
        self.magnitude = tile.tables["magnitude"][refining, regime]
        self.noise = tile.tables["noise"][refining, regime]
        self.known: list[dict[Band, Ints]] = [{} for _ in range(COMPONENTS)]

    def decode(self) -> None:
        """All bands, of component 0 and then of the others together (3.9, Indices)."""
        for band in bands():
            for components in ((0,), (1, 2, 3)):
                left = self._occupied(band, components)
                for component in components:
                    index = self.tile.indices[component][band]
                    self.known[component][band] = known_before(np.abs(index))
                if left:
                    self._decode_band(band, left)

    def _occupied(self, band: Band, components: tuple[int, ...]) -> list[int]:
        """The components with an index that is not 0 behind this layer (3.9, Indices)."""
        empty = [c for c in components if not self.tile.indices[c][band].any()]
        rows = [2 * (band.level - 1) + self._has_parent(band, c) for c in empty]
        flags = self.symbols.array(self.tables.empty, np.array(rows, np.int64)).tolist()
        still_empty = {c for c, flag in zip(empty, flags, strict=True) if not flag}
        return [c for c in components if c not in still_empty]

    def _has_parent(self, band: Band, component: int) -> bool:
        """The row's `parent` of a band of a component (3.9, Indices)."""
        if band.level == LEVELS:
            return True
        parent = self.known[component][Band(band.level + 1, band.across, band.down)]
        return bool(parent.any())

    def _decode_band(self, band: Band, components: list[int]) -> None:
        """The indices of a band in four groups (3.9, Indices)."""
        shape = band_shape(self.tile.shape, band)
        spots, noise = (
            maps[band.level][: shape[0], : shape[1]] for maps in (self.tile.spots, self.tile.noise)
        )
        far = {
            c: far_sums(band, self.known[c], self.known[0][band] if c else None, shape)
            for c in components
        }
        for group, (top, left) in enumerate(GROUPS):
            place = slice(top, None, 2), slice(left, None, 2)
            amount = self.noise[band.place, group][spots[place]] * self.level >> 8
            part = amount * noise[place] >> 8
            rows, before = [], []
            for c in components:
                sums = [s[place] for s in near_sums(self.known[c][band]) + far[c]]
                found = classes(sums, self.magnitude[band.kind, group], part)
                rows.append((spots[place] * 40 + found).ravel())
                before.append(self.tile.indices[c][band][place].ravel())
            index = self._decode_group(np.concatenate(rows), np.concatenate(before))
            ends = np.cumsum([0] + [len(row) for row in rows]).tolist()
            for c, (start, end) in zip(components, pairwise(ends), strict=True):
                values = index[start:end].reshape(part.shape)
                self.tile.indices[c][band][place] = values
                self.known[c][band][place] = known_now(np.abs(values))

    def _decode_group(self, rows: Ints, before: Ints) -> Ints:
        """The signed indices of a group, of those of the layer before (3.9, Indices)."""
        if self.is_first:
            found = self.symbols.array(self.tables.first, rows) - 15
            return self.symbols.with_escapes(found, 15)
        found = 2 * before
        zero: Bools = before == 0
        grown = self.symbols.array(self.tables.grow, rows[zero])
        found[zero] = np.array([0, 1, -1])[grown]
        m = np.abs(before[~zero])
        bits = self.symbols.array(self.tables.refine, 3 * rows[~zero] + np.minimum(m, 3) - 1)
        found[~zero] += np.sign(before[~zero]) * bits
        require(bool((np.abs(found) < 1 << 16).all()), "too large an index")
        return found
