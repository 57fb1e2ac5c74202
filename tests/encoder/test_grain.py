"""How strong grain is to be: what flat patches lack, and they alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.common.grain import SPECTRUM_LEVELS
from rawback.common.prediction import Prediction
from rawback.common.tiles import Grid, Window
from rawback.encoder.flat_patches import PATCH, FlatPatches
from rawback.encoder.grain import OCTAVES, RESPONSE, equations, octave_powers, solved
from rawback.residual import (
    RegionClass,
    TileCoefficients,
    band_gain,
    band_shape,
    bands,
    synthesise,
)
from rawback.tone import UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE = 1 << 14
ONE = 1024
AXES = np.array([[1, 1, 1, 1], [1, -1, -1, 1], [1, 0, 0, -1], [0, 1, -1, 0]], float).T
AXES /= np.sqrt(np.square(AXES).sum(axis=0))


def noise(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    return UNIT * rng.standard_normal(shape)


def predicted_over(
    planes: NDArray[np.int16], classes: NDArray[np.uint8] | None = None
) -> list[Prediction]:
    """A base for each tile: the planes themselves."""
    shape = planes.shape[1], planes.shape[2]
    if classes is None:
        classes = np.zeros(shape, np.uint8)
    return [
        Prediction(tile, planes[(slice(None), *tile.slices)], classes[tile.slices])
        for tile in Grid(*shape).tiles()
    ]


def places(patches: FlatPatches) -> NDArray[np.intp]:
    corners = [(window.top, window.left) for window in patches.windows]
    return np.asarray(np.array(corners) + np.array(patches.offsets), np.intp)


def test_patches_lie_where_nothing_but_noise_is() -> None:
    rng = np.random.default_rng(0)
    planes = 2000 + noise(rng, 4, 320, 640)
    planes[:, :, 300:] += 900 * np.sin(np.arange(340) / 5)
    planes[1, 40:90, 60:110] = 0
    classes = np.zeros((320, 640), np.uint8)
    classes[200:, :100] = RegionClass.CLIPPED
    whole = planes.astype(np.int16)
    patches = FlatPatches.of(whole, predicted_over(whole, classes), WHITE)
    assert patches.are_noise
    rows, columns = places(patches).T
    assert len(rows) > 30
    assert (columns + PATCH <= 304).all()
    assert not ((rows + PATCH > 202) & (columns < 98)).any()
    assert not ((rows + PATCH > 41) & (rows < 89) & (columns + PATCH > 61) & (columns < 109)).any()


def test_frames_that_are_nowhere_flat_give_their_flattest_patches() -> None:
    rng = np.random.default_rng(0)
    planes = (2000 + noise(rng, 4, 256, 256) + 400 * np.sin(np.arange(256) / 9)).astype(np.int16)
    patches = FlatPatches.of(planes, predicted_over(planes), WHITE)
    assert not patches.are_noise
    assert len(patches.windows) == 16


@pytest.mark.parametrize("shape", [(95, 400), (400, 64), (1, 1)])
def test_small_frames_have_no_patches(shape: tuple[int, int]) -> None:
    planes = noise(np.random.default_rng(0), 4, *shape).astype(np.int16)
    assert FlatPatches.of(planes, predicted_over(planes), WHITE).windows == ()


def test_frames_without_noise_have_no_patches() -> None:
    planes = np.full((4, 128, 128), 500, np.int16)
    assert FlatPatches.of(planes, predicted_over(planes), WHITE).windows == ()


def test_what_is_put_together_is_what_stands_in_the_frame() -> None:
    rng = np.random.default_rng(1)
    planes = (3000 + noise(rng, 3, 640, 704)).astype(np.int16)
    predicted = predicted_over(planes, rng.integers(0, 3, (640, 704)).astype(np.uint8))
    tiles = {}
    for part in predicted:
        tile = TileCoefficients.zeros(part.window.shape, 3)
        tile.indices[:] = rng.integers(-9, 9, tile.indices.size)
        tiles[part.window] = tile
    patches = FlatPatches.of(planes, predicted, WHITE)
    cut = patches.cut(patches.samples(planes))
    base = patches.predicted(predicted)
    own = patches.coefficients(tiles).bands()
    across = patches.shape[1] // 96
    assert any(window.left < 512 < window.right for window in patches.windows)
    for number, (row, column) in enumerate(places(patches)):
        wanted = planes[:, row : row + PATCH, column : column + PATCH]
        assert np.array_equal(cut[number], wanted)
        window = patches.windows[number]
        top, left = 96 * (number // across), 96 * (number % across)
        target = slice(top, top + 96), slice(left, left + 96)
        assert np.array_equal(
            base.planes[(slice(None), *target)], planes[(slice(None), *window.slices)]
        )
        # A coefficient of each band that lies within the first tile.
        if window.bottom <= 512 and window.right <= 512:
            first = tiles[Window(0, 0, 512, 512)].bands()
            for band, values in own.items():
                here = values[:, (top >> band.level) + 1, (left >> band.level) + 2]
                place = (window.top >> band.level) + 1, (window.left >> band.level) + 2
                assert np.array_equal(here, first[band][(slice(None), *place)])
    assert patches.within().sum() == len(patches.windows) * PATCH**2


def grain_of(
    rng: np.random.Generator, deviations: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """Grain of one component, by deviations of the levels of a spectrum; in domain units."""
    coefficients = {}
    for band in bands():
        shape = band_shape(band, (side, side))
        deviation = deviations[min(band.level, SPECTRUM_LEVELS) - 1] / band_gain(band)
        if not (band.high_x or band.high_y):
            deviation = 0
        values = np.rint(ONE * deviation * rng.standard_normal(shape))
        coefficients[band] = values.astype(np.int32)
    plane = np.empty((side, side), np.int32)
    synthesise(coefficients, plane)
    return np.asarray(plane * (UNIT / ONE), np.float64)


def cut(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """All patches ``[patches, n, 32, 32]`` of planes."""
    count, height, width = planes.shape
    parts = planes.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH)
    return parts.transpose(1, 3, 0, 2, 4).reshape(-1, count, PATCH, PATCH)


def test_levels_reach_into_octaves_as_the_table_says() -> None:
    rng = np.random.default_rng(0)
    found = []
    for level in range(SPECTRUM_LEVELS):
        plane = grain_of(rng, np.eye(SPECTRUM_LEVELS)[level], 1024)
        found.append(octave_powers(cut(plane[None])).mean(axis=(0, 1)) / UNIT**2)
    assert np.array(found) == pytest.approx(RESPONSE, rel=0.08, abs=0.005)


def test_white_noise_has_even_power() -> None:
    patches = cut(noise(np.random.default_rng(0), 1, 512, 512))
    patches += 99 * np.arange(PATCH)
    powers = octave_powers(patches).mean(axis=(0, 1)) / UNIT**2
    # Part of the lowest octave goes with the slopes.
    assert powers == pytest.approx([1, 1, 1, 0.82], rel=0.08)


def test_what_is_missing_in_components_comes_back() -> None:
    """Noise of which the first component was kept in part, and the others hardly, is made whole."""
    rng = np.random.default_rng(2)
    side = 512
    own = noise(rng, 4, side, side)
    share = np.array([0.7, 0.3, 0.2, 0.1])
    kept = np.einsum("pk,kyx->pyx", AXES * share, own)
    whole = np.einsum("pk,kyx->pyx", AXES, own)
    uncoded = np.ones((4, SPECTRUM_LEVELS))
    rows, values = equations(cut(whole), cut(kept), np.zeros((256, 4)), uncoded, AXES)
    deviations = np.sqrt(solved(rows, values, 4.0)).reshape(4, SPECTRUM_LEVELS)
    grain = np.stack([grain_of(rng, row, side) for row in deviations])
    grained = np.einsum("pk,kyx->pyx", AXES, grain) + kept
    found = octave_powers(cut(grained)).mean(axis=(0, 1))
    wanted = octave_powers(cut(whole)).mean(axis=(0, 1))
    assert 10 * np.log10(found / wanted) == pytest.approx(np.zeros(OCTAVES), abs=0.4)
    assert deviations[:, 0] == pytest.approx(np.sqrt(1 - share**2), abs=0.1)


def test_where_half_is_coded_the_rest_gets_twice_as_much() -> None:
    rng = np.random.default_rng(3)
    whole = cut(noise(rng, 4, 512, 512))
    kept = 0.8 * whole
    found = []
    for share in (1.0, 0.5):
        uncoded = np.full((4, SPECTRUM_LEVELS), share)
        system = equations(whole, kept, np.zeros((256, 4)), uncoded, AXES)
        found.append(solved(*system, 4.0))
    assert found[1][:4] == pytest.approx(2 * found[0][:4], rel=0.01)


def test_what_is_there_already_gets_no_grain() -> None:
    whole = cut(noise(np.random.default_rng(4), 4, 256, 256))
    uncoded = np.ones((4, SPECTRUM_LEVELS))
    system = equations(whole, 1.2 * whole, np.zeros((64, 4)), uncoded, AXES)
    assert not solved(*system, 4.0).any()


def test_rounding_counts_as_noise() -> None:
    whole = cut(noise(np.random.default_rng(5), 4, 256, 256))
    uncoded = np.ones((4, SPECTRUM_LEVELS))
    plain, rounded = (
        solved(*equations(whole, 0 * whole, np.full((64, 4), variance), uncoded, AXES), 4.0)
        for variance in (0.0, 0.25 * UNIT**2)
    )
    assert rounded.sum() == pytest.approx(0.75 * plain.sum(), rel=0.05)


def test_no_unknown_leaves_its_bounds() -> None:
    rng = np.random.default_rng(6)
    rows = rng.uniform(0, 1, (20, 8))
    wanted = rng.uniform(-0.5, 2, 8)
    found = solved(rows, rows @ wanted, 1.0)
    assert found.min() >= 0
    assert found.max() <= 1
    assert solved(rows, rows @ np.abs(wanted), 9.0) == pytest.approx(np.abs(wanted), abs=0.05)
