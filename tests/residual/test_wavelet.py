"""The wavelet: analysed in float, rebuilt in integers, steps spread evenly over its bands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.residual import (
    COEFFICIENT_UNIT,
    LEVELS,
    MAX_STEP_CODE,
    Band,
    Quantiser,
    analyse,
    band_shape,
    bands,
    synthesise,
)
from rawback.residual.wavelet import band_gain

SHAPES = [(1, 1), (1, 2), (2, 1), (3, 5), (31, 33), (64, 64), (65, 1), (100, 75), (131, 97)]


def analysed(plane: np.ndarray) -> dict[Band, np.ndarray]:
    found = {band: np.empty(band_shape(band, plane.shape), np.float32) for band in bands()}
    analyse(plane.copy(), found)
    return found


def synthesised(coefficients: dict[Band, np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    plane = np.empty(shape, np.int32)
    synthesise(coefficients, plane)
    return plane


def rounded(coefficients: dict[Band, np.ndarray]) -> dict[Band, np.ndarray]:
    return {band: np.rint(values).astype(np.int32) for band, values in coefficients.items()}


def test_bands_go_from_coarse_to_fine_and_fill_the_plane() -> None:
    assert len(bands()) == 1 + 3 * LEVELS
    assert bands()[0] == Band(LEVELS, False, False)
    assert [band.level for band in bands()] == sorted((b.level for b in bands()), reverse=True)
    for shape in SHAPES:
        assert sum(np.prod(band_shape(band, shape)) for band in bands()) == np.prod(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plane_comes_back_to_within_rounding(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).normal(0, 3000, shape).astype(np.float32)
    coefficients = analysed(plane)
    assert {band: values.shape for band, values in coefficients.items()} == {
        band: band_shape(band, shape) for band in bands()
    }
    found = synthesised(rounded(coefficients), shape)
    assert found.dtype == np.int32
    assert np.abs(found - plane).max() <= 8
    assert (found - plane).std() <= 2


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 2**32))
def test_any_shape_round_trips(height: int, width: int, seed: int) -> None:
    plane = np.random.default_rng(seed).normal(0, 500, (height, width)).astype(np.float32)
    found = synthesised(rounded(analysed(plane)), (height, width))
    # Rare planes add up the rounding of all five levels: 9.5 was the most of 100,000.
    assert np.abs(found - plane).max() <= 12


@pytest.mark.parametrize("kind", ["flat", "stripes", "checks", "signs"])
def test_the_largest_residual_does_not_overflow(kind: str) -> None:
    top = (1 << 17) - 1
    y, x = np.mgrid[:96, :96]
    plane = {
        "flat": np.ones((96, 96)),
        "stripes": (-1) ** (x // 8),
        "checks": (-1) ** (x + y),
        "signs": np.random.default_rng(1).choice([-1, 1], (96, 96)),
    }[kind] * top
    found = synthesised(rounded(analysed(plane.astype(np.float32))), plane.shape)
    assert np.abs(found - plane).max() <= 8


def test_bands_of_another_plane_are_refused() -> None:
    blank = {band: np.zeros(band_shape(band, (40, 40)), np.int32) for band in bands()}
    with pytest.raises(ValueError, match="wavelet_join: arguments do not fit each other"):
        synthesised(blank, (41, 40))


@pytest.mark.parametrize("band", bands())
def test_gains_are_the_norms_of_the_synthesis_functions(band: Band) -> None:
    shape = (512, 512)
    height = 1 << 12
    coefficients = {b: np.zeros(band_shape(b, shape), np.int32) for b in bands()}
    rows, columns = band_shape(band, shape)
    coefficients[band][rows // 2, columns // 2] = height
    response = synthesised(coefficients, shape) / height
    assert np.linalg.norm(response) == pytest.approx(band_gain(band), rel=2e-3)


@pytest.mark.parametrize("octave", [0, 2, 4])
def test_the_error_in_the_bands_predicts_the_error_in_the_plane(octave: int) -> None:
    rng = np.random.default_rng(2)
    plane = rng.normal(0, COEFFICIENT_UNIT, (192, 160)).cumsum(axis=1).astype(np.float32)
    quantiser = Quantiser(130 + 32 * octave)
    restored, squared = {}, 0.0
    for band, values in analysed(plane).items():
        index = quantiser.indices(values, band)
        restored[band] = quantiser.values(index, band)
        squared += band_gain(band) ** 2 * float(((restored[band] - values) ** 2).sum())
    error = float(((synthesised(restored, plane.shape) - plane) ** 2).sum())
    assert error == pytest.approx(squared, rel=0.2)


@pytest.mark.parametrize("cut", [32, 64])
def test_a_window_cut_where_bands_begin_holds_the_bands_beginning_there(cut: int) -> None:
    for band in bands():
        whole, rest = band_shape(band, (131, 97)), band_shape(band, (131 - cut, 97))
        assert whole[0] == rest[0] + (cut >> band.level)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, MAX_STEP_CODE),
    st.sampled_from(bands()),
    st.integers(0, 7),
    st.integers(0, 7),
    st.integers(0, 2**32),
)
def test_restored_coefficients_lie_in_their_interval(
    code: int, band: Band, near: int, far: int, seed: int
) -> None:
    quantiser = Quantiser(code, near, far)
    step = quantiser.step(band) / 16
    scale = min(30 * step, 1 << 17)
    values = np.random.default_rng(seed).normal(0, scale, (4, 100)).astype(np.float32)
    index = quantiser.indices(values, band)
    restored = quantiser.values(index, band)
    assert (np.sign(restored) * np.sign(values) >= 0).all()
    capped = np.abs(index) < 60_000
    assert (
        np.abs(restored - values)[capped] <= np.where(index == 0, step, step * 15 / 16)[capped] + 1
    ).all()


def test_codes_apart_by_a_layer_are_a_factor_of_two_apart() -> None:
    for band in bands():
        fine, coarse = Quantiser(200).step(band), Quantiser(232).step(band)
        assert coarse in (2 * fine, 2 * fine + 1)
    steps = [Quantiser(code).step(bands()[-1]) for code in range(MAX_STEP_CODE + 1)]
    assert steps == sorted(steps)


def test_steps_become_finer_from_level_to_level_by_the_slope() -> None:
    sloped, even = Quantiser(330, slopes=(0, 8, 32, 63)), Quantiser(330)
    for band in bands():
        levels = band.level - 1 + (band == bands()[0])
        for component, slope in enumerate(sloped.slopes):
            same = Quantiser(330 - slope * levels)
            assert sloped.step(band, component) == same.step(band)
            assert sloped.noise_level(band, component) == same.noise_level(band)
        assert sloped.step(band, 0) == even.step(band)
    with pytest.raises(ValueError, match="too large"):
        Quantiser(314, slopes=(63, 0, 0, 0))


def test_a_coarser_quantiser_is_twice_as_coarse_everywhere() -> None:
    fine = Quantiser(200, 3, 2, (4, 9, 0, 31))
    coarse = fine.coarser(1)
    assert (coarse.near, coarse.far) == (0, 0)
    for band in bands():
        for component in range(4):
            assert coarse.step(band, component) // 2 == fine.step(band, component)


def test_the_noise_level_is_what_white_noise_shows() -> None:
    noise = np.random.default_rng(3).normal(0, COEFFICIENT_UNIT, (512, 512)).astype(np.float32)
    quantiser = Quantiser(128)
    for band, values in analysed(noise).items():
        if band.level <= 3:
            half_step = quantiser.step(band) / 32
            shown = 256 * np.abs(values).mean() / half_step
            assert quantiser.noise_level(band) == pytest.approx(shown, rel=0.2)
