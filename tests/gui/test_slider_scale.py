# SPDX-License-Identifier: GPL-3.0-or-later
"""The scale of the slider, and what is known of a rate."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rawback
from rawback_gui.models.curves import ByteAxis, reliable_point
from rawback_gui.models.slider import LOSSLESS, RateScale, preset_rate


def curve_of(*rows: tuple[float, int, float, float], complete: bool = True) -> rawback.Curve:
    """Qualities, bytes, decibels and errors over noise; -1 and 100 for the ends."""
    points = []
    for quality, size, psnr, sigma in rows:
        rate = rawback.Rate.quality(quality) if quality >= 0 else rawback.Rate.size(size + 16)
        if quality == 100:
            rate = rawback.Rate.lossless()
        points.append(rawback.CurvePoint(rate, size, size / 1e6, psnr, sigma))
    return rawback.Curve(tuple(points), complete)


WHOLE = (
    (-1.0, 400, 30.0, 9.0),
    (0.0, 3000, 40.0, 4.0),
    (1.0, 3100, 41.0, 3.5),
    (30.0, 20_000, 45.0, 2.0),
    (60.0, 200_000, 50.0, 1.2),
    (80.0, 700_000, 60.0, 0.5),
    (99.0, 1_500_000, 70.0, 0.1),
    (100.0, 2_000_000, math.inf, 0.0),
)


@given(st.floats(0, 1))
def test_the_axis_of_the_curve_is_logarithmic_in_bytes(position: float) -> None:
    scale = ByteAxis(500, 8e6)
    assert scale.position(scale.size(position)) == pytest.approx(position, abs=1e-9)
    assert scale.size(0.5) == pytest.approx(math.sqrt(500 * 8e6))


@given(st.floats(0, 1))
def test_places_on_the_slider_are_rates_and_back(place: float) -> None:
    scale, curve = RateScale(3000), curve_of(*WHOLE)
    lowest = scale.lowest(curve)
    assert 0 <= lowest < scale.base_place
    rate = scale.rate(max(place, lowest), curve)
    back = scale.place(rate, curve)
    assert back is not None
    if place >= scale.base_place:
        assert back == pytest.approx(place, abs=0.02)
    else:
        assert back <= scale.base_place
    assert scale.rate(LOSSLESS, curve) == rawback.Rate.lossless()
    assert scale.place(rawback.Rate.lossless(), None) == LOSSLESS


def test_the_scale_needs_no_curve() -> None:
    scale = RateScale(3000)
    assert scale.place(rawback.Rate.quality(60), None) == pytest.approx(0.64, abs=0.02)
    assert scale.rate(0.7, None).kind == "quality"
    assert scale.lowest(None) == scale.base_place
    assert scale.rate(0.0, None) == rawback.Rate.quality(0)
    assert scale.place(rawback.Rate.size(5000), None) is None
    assert scale.byte_marks(None) == ()
    assert scale.byte_marks(curve_of(*WHOLE, complete=False)) == ()
    texts = [mark.text for mark in scale.byte_marks(curve_of(*WHOLE))]
    assert texts == ["1 kB", "3 kB", "10 kB", "30 kB", "100 kB", "300 kB", "1 MB"]
    zones = scale.zones
    assert [zones[0].start, zones[-1].end] == [0, 1]
    assert all(a.end == b.start for a, b in itertools.pairwise(zones))


def test_figures_are_only_of_what_is_measured_near_by() -> None:
    ends = curve_of(WHOLE[1], WHOLE[-1], complete=False)
    assert reliable_point(ends, rawback.Rate.quality(60)) is None
    assert reliable_point(ends, rawback.Rate.size(50_000)) is None
    assert reliable_point(None, rawback.Rate.quality(60)) is None
    exact = reliable_point(ends, rawback.Rate.lossless())
    assert exact is not None
    assert exact.payload_bytes == 2_000_000
    some = curve_of(WHOLE[1], WHOLE[4], WHOLE[5], WHOLE[-1], complete=False)
    point = reliable_point(some, rawback.Rate.quality(70))
    assert point is not None
    assert 200_000 < point.payload_bytes < 700_000
    assert reliable_point(some, rawback.Rate.quality(30)) is None


def test_the_preset_of_noise_is_where_error_equals_noise() -> None:
    rate = preset_rate("noise", curve_of(*WHOLE))
    assert rate.kind == "quality"
    assert 60 < rate.value < 70
    assert preset_rate("noise", None).kind == "quality"
    assert preset_rate("lossless", None) == rawback.Rate.lossless()
    assert preset_rate("highlights", None).value < rate.value
