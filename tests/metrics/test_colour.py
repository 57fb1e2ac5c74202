"""Colour differences against published values."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.metrics import delta_e_2000, lab_from_linear

# Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula", table 1.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "difference"), SHARMA)
def test_delta_e_2000_agrees_with_the_published_pairs(
    one: tuple[float, float, float], other: tuple[float, float, float], difference: float
) -> None:
    for pair in ((one, other), (other, one)):
        assert delta_e_2000(*map(np.array, pair)) == pytest.approx(difference, abs=1e-4)


def test_lab_of_white_grey_and_red() -> None:
    linear = np.array([[1, 1, 1], [0.18418652, 0.18418652, 0.18418652], [1, 0, 0]], np.float32)
    expected = np.array([[100, 0, 0], [50, 0, 0], [53.24, 80.09, 67.22]])
    assert lab_from_linear(linear) == pytest.approx(expected, abs=0.02)


def test_single_precision_agrees_with_double() -> None:
    rng = np.random.default_rng(0)
    one = rng.uniform((0, -90, -90), (100, 90, 90), (20_000, 3))
    for step in (0.05, 1, 30):
        other = one + step * rng.normal(size=one.shape)
        exact = delta_e_2000(one, other)
        single = delta_e_2000(one.astype(np.float32), other.astype(np.float32))
        assert single.dtype == np.float32
        # Where hues are opposite the formula itself jumps, by which turn is the shorter one.
        off = np.abs(single - exact) / (1 + exact)
        assert np.quantile(off, 0.999) < 2e-3


def test_the_difference_of_colours_does_not_depend_on_their_order_and_touches_no_input() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.uniform(-60, 60, (2, 5000, 3))
    kept = one.copy()
    assert delta_e_2000(one, other) == pytest.approx(delta_e_2000(other, one), abs=1e-9)
    assert np.array_equal(one, kept)
    assert delta_e_2000(one, one).max() == 0
