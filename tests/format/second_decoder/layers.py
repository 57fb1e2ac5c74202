"""The layers of the coded difference between base and raw (3.9 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .contexts import BLOCK, BORDER, EMPTY_START, GOLOMB_START, Near, Planes, bordered
from .models import Models
from .places import Place
from .refusal import require
from .symbols import RangeDecoder
from .wavelet import LEVELS, Band, band_shape, bands, bands_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .arrays import Ints
    from .domain import Domain
    from .stored import Tables

MANTISSAS = [round(65536 * 2 ** (i / 32)) for i in range(32)]
# By level from 5 on: HL and LH, then HH.
BAND_STEPS = {5: (1234, 1618), 4: (1648, 2169), 3: (2230, 2976), 2: (3098, 4239), 1: (4050, 5212)}
LOWEST_STEP = 941


def level_maps(plane: Ints, *, spots: bool) -> list[Ints]:
    """A map of the tile at levels 0 to 5: highest spots, or means rounded down (3.9, Contexts)."""
    maps = [plane]
    for _ in range(LEVELS):
        rows, columns = maps[-1].shape
        padded = np.pad(maps[-1], ((0, rows % 2), (0, columns % 2)), mode="edge")
        blocks = padded.reshape(-(-rows // 2), 2, -(-columns // 2), 2)
        maps.append(blocks.max(axis=(1, 3)) if spots else blocks.sum(axis=(1, 3)) >> 2)
    return maps


@dataclass(frozen=True)
class Parameters:
    """The header's field `residual` (3.9)."""

    codes: list[int]
    power: int
    matrix: Ints
    slopes: list[int]
    points: list[tuple[int, int]]


def parameters(data: bytes, n: int) -> Parameters:
    """What the header's field `residual` tells of n planes (3.9)."""
    end = 3 + n * n
    require(len(data) >= end + n, "no parameters of the residual")
    code, power = int.from_bytes(data[:2], "big"), data[2]
    matrix = np.frombuffer(data[3:end], np.int8).astype(np.int64).reshape(n, n)
    slopes = list(data[end : end + n])
    points = [(byte >> 4, byte & 15) for byte in data[end + n :]]
    codes = [code - 32 * layer for layer in range(len(points))]
    require(all(0 <= c <= 511 for c in codes) and power <= 4, "impossible parameters")
    require(max(slopes) <= 63, "impossible slopes")
    require(all(c >= 5 * max(slopes) for c in codes), "slopes too large for the steps")
    return Parameters(codes, power, matrix, slopes, points)


def band_code(code: int, slope: int, band: Band) -> int:
    """The step code of a component's band (3.9, Steps)."""
    return code - slope * (5 if band.is_lowest else band.level - 1)


def band_step(code: int, band: Band) -> int:
    """The step of a band in 1/16 unit (3.9, Steps)."""
    size = LOWEST_STEP if band.is_lowest else BAND_STEPS[band.level][band.kind - 1]
    return max(1, MANTISSAS[code % 32] * size >> (24 - code // 32))


def noise_level(code: int) -> int:
    """The magnitude of the sensor's noise in 1/256 of half a step (3.9, Steps)."""
    return max(1, 13312 * 65536 // (MANTISSAS[code % 32] << code // 32))


def quarter_octaves(values: Ints) -> Ints:
    """How large values are, in quarters of an octave (3.9, Contexts)."""
    highest = np.frexp(np.maximum(values, 1))[1] - 1
    found: Ints = np.where(values > 0, 4 * highest + (4 * values >> highest) - 3, 0)
    return found


class TileResidual:
    """The indices of one tile, refined layer by layer (3.9, Indices)."""

    def __init__(
        self, tables: Tables, domain: Domain, given: Parameters, base: Ints, spots: Ints
    ) -> None:
        self.tables, self.slopes, power = tables, given.slopes, given.power
        self.shape: tuple[int, int] = (base.shape[1], base.shape[2])
        self.spots = level_maps(spots, spots=True)
        levels = level_maps(base.sum(axis=0) // len(base), spots=False)
        self.noise = [65536 // domain.residual_scale(level, power) for level in levels]
        components = np.tensordot(given.matrix.T, base, 1) + 16 >> 5
        self.base = [bands_of(np.clip(c, -65536, 65536)) for c in components]
        self.indices = [
            {band: np.zeros(band_shape(self.shape, band), np.int64) for band in bands()}
            for _ in range(len(base))
        ]

    def decode(self, data: bytes, layer: int, code: int) -> None:
        """Read the section of a layer with this step code (3.9, Indices)."""
        LayerDecoder(self, data, layer, code).decode()

    def coefficients(self, code: int, points: tuple[int, int]) -> list[dict[Band, Ints]]:
        """The coefficients of each component's bands (3.9, Restoring)."""
        near, far = points
        found = []
        for component, slope in zip(self.indices, self.slopes, strict=True):
            coefficients = {}
            for band, index in component.items():
                m = np.abs(index)
                step = band_step(band_code(code, slope, band), band)
                size = (16 * m + 8 - np.where(m == 1, near, far)) * step >> 8
                coefficients[band] = np.sign(index) * np.minimum(size, 1 << 20)
            found.append(coefficients)
        return found


class LayerDecoder:
    """Reads one layer of one tile (3.9, Indices)."""

    def __init__(self, tile: TileResidual, data: bytes, layer: int, code: int) -> None:
        self.tile, self.refining = tile, layer > 0
        tables, at = tile.tables, (int(self.refining), min(max((code - 96) // 32, 0), 7))
        self.models = Models(
            RangeDecoder(data),
            (tables["stretch"], tables["squash"]),
            (tables["layer_probabilities"][at], tables["layer_uses"][at]),
            16 * tables["layer_weights"][at],
        )
        self.code = code
        self.count = len(tile.indices)
        self.maps: list[dict[Band, Planes]] = [{} for _ in range(self.count)]
        for component in range(self.count):
            for band, index in tile.indices[component].items():
                m = np.minimum(np.abs(index), 127)
                own_code = band_code(code, tile.slopes[component], band)
                details = self._details(tile.base[component][band], band, own_code)
                self.maps[component][band] = Planes(
                    bordered(4 * m + 2 * (m > 0)),
                    bordered(np.where(index < 0, 2, index > 0)),
                    bordered(details),
                )

    def _details(self, base: Ints, band: Band, code: int) -> Ints:
        """The class of each of the base's coefficients, with its sign (3.9, Contexts)."""
        noise = self.tile.noise[band.level][: base.shape[0], : base.shape[1]]
        beside = np.minimum(np.minimum(np.abs(base), 1 << 20) * noise >> 4, (1 << 24) - 1)
        least = max(int(quarter_octaves(np.array(band_step(code, band)))) - 12, 1)
        found: Ints = np.clip((quarter_octaves(beside) - least) >> 2, 0, 11)
        return np.where(base < 0, -found, found)

    def decode(self) -> None:
        """All bands, component by component (3.9, Indices)."""
        for band in bands():
            for component in range(self.count):
                index = self.tile.indices[component][band]
                near = Near(self.maps, band, component, refining=self.refining)
                if index.any() or self._becomes_filled(near):
                    level = noise_level(band_code(self.code, self.tile.slopes[component], band))
                    self._decode_band(near, index, level)

    def _becomes_filled(self, near: Near) -> int:
        """Whether a band of a component that was all 0 is no longer (3.9, Indices)."""
        full = near.parent is None or any(map(any, near.parent.sizes))
        return self.models.single(EMPTY_START + 2 * (near.band.level - 1) + full)

    def _decode_band(self, near: Near, index: Ints, noise_of_band: int) -> None:
        """The indices of a component's band, row by row (3.9, Indices)."""
        level = near.band.level
        spots = self.tile.spots[level].tolist()
        noise = (self.tile.noise[level] * noise_of_band >> 8).tolist()
        for y, row in enumerate(index):
            for left in range(0, len(row), BLOCK):
                block = row[left : left + BLOCK]

                def at(x: int, y: int = y, left: int = left) -> Place:
                    return Place(near, y, left + x, spots[y][left + x], noise[y][left + x])

                self._decode_block(near, at, y, left, block)

    def _decode_block(
        self, near: Near, at: Callable[[int], Place], y: int, left: int, block: Ints
    ) -> None:
        """Some indices of a row, from column `left` on (3.9, Indices)."""
        sizes, signs, _ = near.own
        places = [at(x) for x in range(len(block))]
        quiet = not block.any() and not any(place.total for place in places)
        if quiet and not self.models.single(places[len(block) // 2].quiet(places)):
            return
        for x, before in enumerate(block.tolist()):
            size, sign = self._decode_index(at(x), abs(before), quiet * (len(block) - x))
            if before:
                sign = signs[y + BORDER][left + x + BORDER]
            size = min(size, 65535)
            quiet = quiet and size == 0
            block[x] = -size if sign == 2 else size
            sizes[y + BORDER][left + x + BORDER] = 2 * min(size, 255) + (size > 0)
            signs[y + BORDER][left + x + BORDER] = sign

    def _decode_index(self, place: Place, before: int, first_of: int) -> tuple[int, int]:
        """A magnitude and a sign, of the magnitude of the layer before (3.9, Indices)."""
        models = self.models
        if before:
            return 2 * before + models.mixed(*place.size(before)), 0
        if first_of:
            if first_of > 1 and not models.single(place.first(first_of)):
                return 0, 0
        elif place.total == 0:
            if not models.single(place.silent()):
                return 0, 0
        elif not models.mixed(*place.significance()):
            return 0, 0
        counters, first, second = place.sign()
        sign = 1 + (models.mixed(counters, first, second) ^ place.turned)
        size = 1
        while not self.refining and size <= 14 and models.mixed(*place.size(size)):
            size += 1
        return size + (models.golomb(GOLOMB_START) if size > 14 else 0), sign
