"""The kernels of rate-distortion-optimised quantisation against the same in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.encoder import quantisation, rd_quantisation
from rawback.encoder.rd_quantisation import CLASS_OF, CLASSES, RdQuantiser
from rawback.residual import Band, Quantiser, band_shape, bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOPES = (0, 11, 31, 5)

Levels = dict[Band, "NDArray[np.uint8]"]


def coefficients(shape: tuple[int, int], seed: int) -> dict[Band, NDArray[np.float32]]:
    """Of a plane of this shape: quiet and busy parts, some zeros, some huge values."""
    rng = np.random.default_rng(seed)
    found = {}
    for band in bands():
        size = (4, *band_shape(band, shape))
        values = rng.laplace(size=size) * rng.choice([3, 40, 600], size, p=[0.7, 0.2, 0.1])
        values[rng.random(size) < 0.1] = 0
        values[rng.random(size) < 0.002] *= 1e6
        found[band] = values.astype(np.float32)
    return found


def levels_of(indices: NDArray[np.integer]) -> NDArray[np.uint8]:
    magnitude = np.minimum(np.abs(indices), 12)
    return np.asarray(np.minimum(2 * magnitude + (magnitude > 0), 24), np.uint8)


def scaled(values: NDArray[np.float32], quantiser: RdQuantiser, band: Band) -> NDArray[np.float32]:
    steps = [quantiser.quantiser.step(band, component) for component in range(4)]
    scales = np.array([16 / step for step in steps], np.float32)
    return np.abs(values) * scales[:, None, None] + np.float32(quantiser.lift)


def plain(values: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.asarray(np.minimum(values, 24), np.int64)


def classes(levels: Levels, band: Band) -> NDArray[np.uint8]:
    """The class of each coefficient by the weights that the module names."""
    weights = rd_quantisation._WEIGHTS
    own = levels[band].astype(np.int64)
    _, height, width = own.shape
    if not own.size:
        return own.astype(np.uint8)
    around = np.pad(own, [(0, 0), (1, 1), (1, 1)], mode="edge")
    total = np.zeros_like(own)
    for dy in range(3):
        for dx in range(3):
            share = {0: 0, 1: 9, 2: 6}[(dy != 1) + (dx != 1)]
            total += share * around[:, dy : dy + height, dx : dx + width]
    weight = np.full((4, 1, 1), weights["own"])
    total[1:] += weights["first"] * own[:1]
    weight[1:] += weights["first"]

    def add(other: NDArray[np.integer], share: int) -> None:
        part = other[:, :height, :width]
        total[:, : part.shape[1], : part.shape[2]] += share * part.astype(np.int64)

    parent = levels.get(Band(band.level + 1, band.high_y, band.high_x))
    if parent is not None and parent.size:
        add(parent.repeat(2, axis=1).repeat(2, axis=2), weights["parent"])
        weight += weights["parent"]
    if band.high_x or band.high_y:
        for other in levels:
            if other.level == band.level and other != band and (other.high_x or other.high_y):
                add(levels[other], weights["sibling"])
        weight += 2 * weights["sibling"]
    reciprocal = np.rint((rd_quantisation._UNIT << 16) / (2 * weight)).astype(np.int64)
    means = total * reciprocal >> 16
    return np.asarray(CLASS_OF[np.minimum(means, len(CLASS_OF) - 1)])


def decided(
    magnitudes: NDArray[np.float32], table: NDArray[np.float32], classes: NDArray[np.uint8]
) -> NDArray[np.int64]:
    least_1, least_2, least_3, more = np.moveaxis(table[classes], -1, 0)
    shifted = np.minimum(magnitudes - more, np.float32(60_000))
    large = np.maximum(np.trunc(shifted), 3).astype(np.int64)
    small = (magnitudes >= least_1).astype(np.int64) + (magnitudes >= least_2)
    return np.asarray(np.where(magnitudes >= least_3, large, small))


def twin(quantiser: RdQuantiser, tile: dict[Band, NDArray[np.float32]]) -> Levels:
    """`RdQuantiser.indices` in NumPy."""
    levels = {
        band: levels_of(plain(scaled(values, quantiser, band))) for band, values in tile.items()
    }
    indices: dict[Band, NDArray[np.int64]] = {}
    for table in quantiser.thresholds:
        indices = {
            band: decided(scaled(values, quantiser, band), table, classes(levels, band))
            for band, values in tile.items()
        }
        levels = {band: levels_of(index) for band, index in indices.items()}
    return {band: np.where(tile[band] < 0, -index, index) for band, index in indices.items()}


@pytest.mark.parametrize("shape", [(64, 64), (96, 33), (31, 640), (2, 5), (1, 1)])
@pytest.mark.parametrize("step", [150, 231.375, 330])
def test_the_kernels_quantise_as_numpy_does(shape: tuple[int, int], step: float) -> None:
    tile = coefficients(shape, 1)
    quantiser = RdQuantiser.fit([tile, coefficients((64, 96), 2)], step, SLOPES)
    assert len(quantiser.thresholds) == rd_quantisation.PASSES
    expected = twin(quantiser, tile)
    indices = quantiser.indices(tile)
    for band in bands():
        assert np.array_equal(indices[band], expected[band])


def test_a_tile_within_a_frame_is_quantised_in_place() -> None:
    frame = coefficients((128, 192), 3)
    parts = {
        band: values[:, values.shape[1] // 4 :, values.shape[2] // 3 :]
        for band, values in frame.items()
    }
    copies = {band: values.copy() for band, values in parts.items()}
    quantiser = RdQuantiser.fit([copies], 240, SLOPES)
    again = RdQuantiser.fit([parts], 240, SLOPES)
    assert np.array_equal(quantiser.thresholds, again.thresholds)
    for band, indices in quantiser.indices(copies).items():
        assert np.array_equal(indices, quantiser.indices(parts)[band])


def test_values_that_are_no_numbers_are_survived() -> None:
    tile = coefficients((64, 64), 4)
    for number, bad in enumerate((np.nan, np.inf, -np.inf)):
        for values in tile.values():
            values.reshape(-1)[number :: max(7, values.size // 3)] = bad
    indices = RdQuantiser.fit([tile], 240, SLOPES).indices(tile)
    assert all(np.abs(index).max(initial=0) <= 60_000 for index in indices.values())


def test_arrays_that_do_not_fit_each_other_are_refused() -> None:
    tile = coefficients((64, 64), 5)
    quantiser = RdQuantiser.fit([tile], 240, SLOPES)
    band = bands()[-1]
    around = rd_quantisation._neighbourhood(quantiser._plain(tile), band)
    counts = np.zeros((CLASSES, 4), np.int64)
    with pytest.raises(ValueError, match="do not fit"):
        rd_quantisation._count_levels(*around, counts)
    levels = np.zeros((4, 3, 3), np.uint8)
    with pytest.raises(ValueError, match="do not fit"):
        rd_quantisation._decide_levels(
            tile[band],
            *quantiser._scales(band, 4),
            *around,
            quantiser.thresholds[0],
            levels,
            np.zeros((0, 0, 0), np.int32),
        )


def test_the_plain_quantiser_is_that_of_the_format() -> None:
    tile = coefficients((64, 64), 6)
    indices = RdQuantiser.plain(240, SLOPES).indices(tile)
    for band, values in tile.items():
        for component, plane in enumerate(values):
            expected = Quantiser(240, slopes=SLOPES).indices(plane, band, component)
            assert np.array_equal(indices[band][component], expected)


@pytest.mark.parametrize("octaves", [0, 1, 2])
def test_coarse_layers_are_those_of_shifted_magnitudes(octaves: int) -> None:
    values = coefficients((37, 50), 3)
    quantiser = Quantiser(180, slopes=SLOPES)
    finest = RdQuantiser.plain(180, SLOPES).indices(values)
    layer = quantiser.coarser(octaves)
    indices, sums = quantisation.coarse_layer(values, finest, layer, octaves)
    expected = np.zeros((2, 2))
    for band, index in indices.items():
        assert np.array_equal(index, quantisation.coarsened(finest[band], octaves))
        for plane, of_plane in enumerate(index):
            factor = np.float32(16 / layer.step(band, plane))
            places = np.abs(values[band][plane]) * factor - np.abs(of_plane).astype(np.float64)
            for row, where in enumerate((np.abs(of_plane) == 1, np.abs(of_plane) > 1)):
                expected[row] += where.sum(), places[where].sum()
    assert (expected[:, 0] > 0).all()
    assert np.array_equal(sums[:, 0], expected[:, 0])
    np.testing.assert_allclose(sums[:, 1], expected[:, 1], rtol=1e-9)
