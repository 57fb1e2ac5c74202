"""Bjontegaard's deltas on curves whose answer is known."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback_lab.bd import Interpolation, NoOverlap, Point, bd_psnr, bd_rate, frontier

CURVE = [Point(0.01, 40.0), Point(0.02, 43.0), Point(0.05, 45.0), Point(0.2, 49.0)]
LINE = [Point(2.0**k, 40.0 + 6 * k) for k in range(5)]
"""Six decibels for each doubling: a straight line over the logarithm of rate."""

either = pytest.mark.parametrize("interpolation", get_args(Interpolation))


@either
def test_a_curve_equals_itself(interpolation: Interpolation) -> None:
    assert bd_rate(CURVE, CURVE, interpolation) == 0
    assert bd_psnr(CURVE, CURVE, interpolation) == 0


@either
@pytest.mark.parametrize("factor", [0.5, 0.8, 2.0])
def test_a_curve_at_a_part_of_the_rate_saves_that_part(
    interpolation: Interpolation, factor: float
) -> None:
    test = [Point(point.rate * factor, point.psnr) for point in CURVE]
    assert bd_rate(CURVE, test, interpolation) == pytest.approx(100 * (factor - 1))


@either
def test_a_curve_that_lies_higher_gains_as_much(interpolation: Interpolation) -> None:
    test = [Point(point.rate, point.psnr + 1.5) for point in CURVE]
    assert bd_psnr(CURVE, test, interpolation) == pytest.approx(1.5)


@either
def test_on_a_straight_line_both_deltas_are_one_shift(interpolation: Interpolation) -> None:
    test = [Point(point.rate, point.psnr + 6) for point in LINE]
    assert bd_psnr(LINE, test, interpolation) == pytest.approx(6)
    assert bd_rate(LINE, test, interpolation) == pytest.approx(-50)


@either
def test_lines_of_two_slopes_by_hand(interpolation: Interpolation) -> None:
    # Over ln 2 octaves 0 to 4 the gap grows from 0 to 4 dB: 2 on average.
    test = [Point(point.rate, point.psnr + octave) for octave, point in enumerate(LINE)]
    assert bd_psnr(LINE, test, interpolation) == pytest.approx(2)
    # At 40 + q dB the octaves are q / 6 and q / 7, over the shared range q = 0 to 24.
    octaves = 12 / 7 - 12 / 6
    assert bd_rate(LINE, test, interpolation) == pytest.approx(100 * (2**octaves - 1))


def test_only_the_shared_range_counts() -> None:
    assert bd_rate(LINE[1:3], LINE[:4]) == pytest.approx(0, abs=1e-9)
    assert bd_psnr(LINE[1:3], [Point(r, q + 1) for r, q in LINE]) == pytest.approx(1)


def test_swapping_the_curves_inverts_the_deltas() -> None:
    test = [Point(0.012, 41.0), Point(0.03, 45.5), Point(0.3, 49.0)]
    forth, back = bd_rate(CURVE, test), bd_rate(test, CURVE)
    assert (1 + forth / 100) * (1 + back / 100) == pytest.approx(1)
    assert bd_psnr(CURVE, test) == pytest.approx(-bd_psnr(test, CURVE))


@pytest.mark.parametrize("delta", [bd_rate, bd_psnr])
def test_curves_that_share_nothing_are_refused(delta: object) -> None:
    assert callable(delta)
    far = [Point(rate * 1000, psnr + 100) for rate, psnr in CURVE]
    with pytest.raises(NoOverlap, match="share no range"):
        delta(CURVE, far)
    with pytest.raises(NoOverlap, match="two points at least, not 1"):
        delta(CURVE, CURVE[:1])


@pytest.mark.parametrize("bad", [Point(0, 40), Point(-1, 40), Point(1, math.inf)])
def test_points_that_are_none_are_refused(bad: Point) -> None:
    with pytest.raises(ValueError, match="no point of a curve"):
        bd_rate(CURVE, [*CURVE, bad])


def test_a_curve_that_turns_back_loses_the_points_that_did_worse() -> None:
    worse = [Point(0.03, 42.0), Point(0.05, 44.0), Point(0.1, 45.0)]
    assert frontier(reversed([*CURVE, *worse])) == CURVE
    assert bd_rate(CURVE, [*CURVE, *worse]) == 0


@given(st.lists(st.floats(0.1, 2), min_size=2, max_size=6), st.floats(0.1, 10))
def test_scaling_rates_of_any_rising_curve_is_what_is_measured(
    steps: list[float], factor: float
) -> None:
    curve = [Point(2.0**k, sum(steps[: k + 1])) for k in range(len(steps))]
    scaled = [Point(point.rate * factor, point.psnr) for point in curve]
    assert bd_rate(curve, scaled) == pytest.approx(100 * (factor - 1), rel=1e-6, abs=1e-6)
