"""Contexts: the class of a sum is the same by its edges and by its bits."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.common.coding_tables import coding_tables
from rawback.residual import MAX_STEP_CODE, Quantiser, bands
from rawback.residual.contexts import (
    CLASSES,
    FEATURES,
    LARGEST_NOISE,
    LARGEST_WEIGHT,
    PLACES,
    REGIMES,
    SPOTS,
    class_of,
    class_of_sums,
    expected_at,
    inside,
    place_of,
    regime_of,
)


def test_classes_rise_a_third_of_an_octave_at_a_time() -> None:
    classes = class_of_sums(np.arange(40_000))
    edges = np.flatnonzero(np.diff(classes)) + 1
    assert edges[:9].tolist() == [5, 6, 8, 10, 13, 16, 20, 26, 32]
    assert edges[-1] == 32_768
    assert (np.diff(classes.astype(int)) <= 1).all()
    assert classes[-1] == CLASSES - 1


@pytest.mark.parametrize("start", [0, 1 << 12, (1 << 24) - 4096])
def test_classes_are_those_of_the_sums(start: int) -> None:
    sums = np.arange(start, start + 4096, dtype=np.float32)
    expected = np.zeros(len(sums) + 2, np.float32)
    weights = np.eye(1, len(FEATURES), dtype=np.uint16)[0]
    classes = class_of([lambda: sums[None]] * len(FEATURES), 1, expected, weights)
    assert (classes[0, 1:-1] == class_of_sums(sums.astype(int))).all()


def test_no_sum_is_too_large_to_be_exact() -> None:
    held = coding_tables().layers.weights
    assert held.magnitude.max() <= LARGEST_WEIGHT
    assert held.noise.max() <= LARGEST_NOISE
    neighbours = 2 + 2 + 4 + 1 + 4 + 2 + 1 + 4
    level = max(Quantiser(code).noise_level() for code in range(MAX_STEP_CODE + 1))
    expected = (LARGEST_NOISE * level >> 8) * 1024
    assert expected < 1 << 31
    assert 511 * neighbours * LARGEST_WEIGHT + (expected >> 8) < 1 << 24


def test_what_a_spot_lets_expect_follows_its_class_and_its_noise() -> None:
    spots = np.arange(15, dtype=np.uint8).reshape(3, 5) % SPOTS
    noise = np.full((3, 5), 256, np.uint16)
    noise[1, 3] = 512
    weights = np.array([256, 512, 0, 4095, 1], np.uint16)
    cells = expected_at(spots, noise, weights, 100, phase=3)
    shaped = inside(cells[None], spots.shape, 3)[0]
    # Row 1 and columns 1 and 3 of the band: spots 1 and 3.
    assert shaped.tolist() == [[200, (4095 * 100 >> 8) * 2]]
    assert cells.sum() == shaped.sum()


def test_every_kind_of_band_has_its_place() -> None:
    places = [place_of(band) for band in bands()]
    assert places[:4] == [0, 9, 9, 10]
    assert set(places) == set(range(PLACES))


def test_regimes_are_octaves() -> None:
    codes = [0, 127, 128, 160, 319, 320, MAX_STEP_CODE]
    assert [regime_of(code) for code in codes] == [0, 0, 1, 2, 6, REGIMES - 1, REGIMES - 1]
