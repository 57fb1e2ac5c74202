"""The classes of coefficients, from what is known around them (3.9, "Contexts", of FORMAT.md)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .arrays import Ints
from .wavelet import LEVELS, Band

EDGES = np.array([5, 6, 8] + [edge << i for i in range(12) for edge in (10, 13, 16)], np.int64)
GROUPS = ((0, 0), (1, 1), (0, 1), (1, 0))
Known = Mapping[Band, Ints]


def known_now(m: Ints) -> Ints:
    """Known magnitudes of indices that this layer has coded (3.9, Contexts)."""
    return np.minimum(2 * m + (m > 0), 511)


def known_before(m: Ints) -> Ints:
    """Known magnitudes of indices of the layer before (3.9, Contexts)."""
    return np.minimum(4 * m + 2 * (m > 0), 511)


def level_maps(plane: Ints, *, spots: bool) -> list[Ints]:
    """A map of the tile at levels 0 to 5: highest spots, or means rounded down (3.9, Contexts)."""
    maps = [plane]
    for _ in range(LEVELS):
        rows, columns = maps[-1].shape
        padded = np.pad(maps[-1], ((0, rows % 2), (0, columns % 2)), mode="edge")
        blocks = padded.reshape(-(-rows // 2), 2, -(-columns // 2), 2)
        maps.append(blocks.max(axis=(1, 3)) if spots else blocks.sum(axis=(1, 3)) >> 2)
    return maps


def _fitted(values: Ints, shape: tuple[int, ...]) -> Ints:
    """Values cut to a shape, with zeros where they end before it (3.9, Contexts)."""
    found = np.zeros(shape, np.int64)
    part = values[: shape[0], : shape[1]]
    found[: part.shape[0], : part.shape[1]] = part
    return found


def _shifts(values: Ints) -> list[list[Ints]]:
    """The values at the 3 x 3 places around each one, with zeros outside (3.9, Contexts)."""
    rows, columns = values.shape
    padded = np.pad(values, 1)
    return [[padded[y : y + rows, x : x + columns] for x in range(3)] for y in range(3)]


def _cross(values: Ints) -> Ints:
    """Sums of the four values beside, above and below (3.9, Contexts)."""
    around = _shifts(values)
    return around[0][1] + around[1][0] + around[1][2] + around[2][1]


def near_sums(known: Ints) -> list[Ints]:
    """Sums 0 to 2, which change while a band is coded (3.9, Contexts)."""
    a = _shifts(known)
    diagonal = a[0][0] + a[0][2] + a[2][0] + a[2][2]
    return [a[1][0] + a[1][2], a[0][1] + a[2][1], diagonal]


def _parents(band: Band, known: Known, shape: tuple[int, ...]) -> list[Ints]:
    """Sums 3 and 4: the parent and the four around it (3.9, Contexts)."""
    if band.level == LEVELS:
        return [np.zeros(shape, np.int64)] * 2
    parent = known[Band(band.level + 1, band.across, band.down)]
    # A child at the end of its band may have a parent just outside; that one has neighbours.
    parent = np.pad(parent, ((0, 1), (0, 1)))
    sums = []
    for values in (parent, _cross(parent)):
        twice = values.repeat(2, axis=0).repeat(2, axis=1)
        sums.append(_fitted(twice, shape))
    return sums


def far_sums(band: Band, known: Known, first: Ints | None, shape: tuple[int, ...]) -> list[Ints]:
    """Sums 3 to 7, where `first` is what is known of component 0 (3.9, Contexts)."""
    earlier = np.zeros(shape, np.int64)
    if band.down:
        earlier += _fitted(known[Band(band.level, True, False)], shape)
        if band.across:
            earlier += _fitted(known[Band(band.level, False, True)], shape)
    if first is None:
        return [*_parents(band, known, shape), earlier]
    return [*_parents(band, known, shape), earlier, first, _cross(first)]


def classes(sums: list[Ints], weights: Ints, noise: Ints) -> Ints:
    """The class of each coefficient, of its sums and the part of its noise (3.9, Contexts)."""
    total = noise.copy()
    for weight, one in zip(weights.tolist(), sums, strict=False):
        total += weight * one
    return np.searchsorted(EDGES, total, side="right")
