# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic behind the window, without a window."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rawback
from rawback import rawio
from rawback_gui.models import clipping, colormaps, errormap
from rawback_gui.models.actions import ACTIONS, MENUS
from rawback_gui.models.command import embed_command, restore_command
from rawback_gui.models.curves import ByteAxis, reliable_point
from rawback_gui.models.demosaic import camera_light
from rawback_gui.models.errormap import ErrorView, reduced
from rawback_gui.models.filenames import proposed, shortened, with_ending
from rawback_gui.models.gain import gain_sentence, measure_gain, size_text
from rawback_gui.models.histogram import histograms_of
from rawback_gui.models.look import fit_look, linear_look, neutral_look
from rawback_gui.models.orientation import (
    from_upright,
    to_raw,
    to_upright,
    upright,
    upright_size,
)
from rawback_gui.models.pairing import Pair, neighbour, pair_up, partner_of, taken_by
from rawback_gui.models.rates import parse_rate
from rawback_gui.models.rendering import Development, jpeg_gains, neutral_at, neutral_of
from rawback_gui.models.slider import LOSSLESS, RateScale, preset_rate
from rawback_gui.models.state import SOURCES, Source, ViewState, changed, resolved
from rawback_gui.models.texts import (
    bits_text,
    bytes_text,
    duration_text,
    percent_text,
    psnr_text,
)
from rawback_gui.models.viewport import Viewport

if TYPE_CHECKING:
    from rawback.types import BayerPattern


@pytest.fixture(scope="module")
def frame(shot: tuple[bytes, bytes]) -> rawback.RawFrame:
    return rawio.read_raw(shot[0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_turn_with_the_picture(orientation: int) -> None:
    marked = np.zeros((30, 40), np.uint8)
    marked[6:10, 4:12] = 1
    turned = upright(marked, orientation)
    left, top, width, height = to_upright((4, 6, 8, 4), orientation, 40, 30)
    assert turned.shape[::-1] == upright_size(orientation, 40, 30)
    assert turned[top : top + height, left : left + width].all()
    assert turned.sum() == width * height
    assert to_raw((left, top, width, height), orientation, 40, 30) == (4, 6, 8, 4)
    assert np.array_equal(from_upright(turned, orientation), marked)


@given(
    zoom=st.floats(0.1, 30),
    at=st.tuples(st.floats(0, 799), st.floats(0, 599)),
    place=st.tuples(st.floats(0, 4000), st.floats(0, 3000)),
)
def test_what_is_under_the_pointer_stays_there(
    zoom: float, at: tuple[float, float], place: tuple[float, float]
) -> None:
    view = Viewport(800, 600, 4000, 3000, *place, zoom=0.5, fitted=False)
    zoomed = view.zoomed(zoom, at)
    inside = zoomed.zoomed(zoomed.zoom * 2, at)
    before, after = zoomed.to_picture(*at), inside.to_picture(*at)
    # From 1:1 on pictures lie on whole device pixels.
    near = 0.51 * (1 / zoomed.zoom + 1 / inside.zoom)
    assert after == pytest.approx(before, abs=near) or inside.zoom == zoomed.zoom
    if inside.zoom >= 1:
        start = inside.to_pane(0, 0)
        assert start == pytest.approx([round(part) for part in start], abs=1e-6)
    left, top, width, height = zoomed.visible()
    assert 0 <= left <= left + width <= 4000
    assert 0 <= top <= top + height <= 3000
    assert left % 2 == top % 2 == 0


def test_fitting_follows_the_pane_and_one_to_one_does_not() -> None:
    view = Viewport().resized(800, 600).of_picture(4000, 3000)
    assert view.zoom == pytest.approx(0.2)
    assert view.resized(400, 600).zoom == pytest.approx(0.1)
    actual = view.zoomed(1.0)
    assert actual.resized(400, 300).zoom == 1
    assert actual.panned(10, -20).to_picture(0, 0) == pytest.approx((1590, 1220))
    assert actual.panned(1e9, 1e9).visible()[:2] == (0, 0)
    assert actual.fit().visible() == (0, 0, 4000, 3000)


def test_files_are_paired_by_name(tmp_path: Path) -> None:
    for name in ("a.NEF", "a.jpg", "a.rawback.jpg", "b.cr2", "c.JPEG", "note.txt"):
        (tmp_path / name).touch()
    found = pair_up([tmp_path])
    names = [(p.raw and p.raw.name, p.jpeg and p.jpeg.name) for p in found.pairs]
    assert names == [
        ("a.NEF", "a.jpg"),
        (None, "a.rawback.jpg"),
        ("b.cr2", None),
        (None, "c.JPEG"),
    ]
    assert [path.name for path in found.ignored] == ["note.txt"]


def test_one_raw_and_one_jpeg_go_together_whatever_their_names(tmp_path: Path) -> None:
    raw, jpeg = tmp_path / "IMG_1.dng", tmp_path / "final edit.jpg"
    raw.touch()
    jpeg.touch()
    assert pair_up([jpeg, raw]).pairs == (Pair(raw, jpeg),)
    sorted_ = pair_up([jpeg, tmp_path / "gone.dng"])
    assert sorted_.ignored == ()
    assert sorted_.missing == (tmp_path / "gone.dng",)


def test_what_cannot_be_told_is_left_to_people(tmp_path: Path) -> None:
    for name in ("a.dng", "a.nef", "a.jpg"):
        (tmp_path / name).touch()
    files = [pair.files for pair in pair_up([tmp_path]).pairs]
    assert files == [(tmp_path / name,) for name in ("a.dng", "a.jpg", "a.nef")]


@given(st.floats(0, 1))
def test_the_axis_of_the_curve_is_logarithmic_in_bytes(position: float) -> None:
    scale = ByteAxis(500, 8e6)
    assert scale.position(scale.size(position)) == pytest.approx(position, abs=1e-9)
    assert scale.size(0.5) == pytest.approx(math.sqrt(500 * 8e6))


def test_rates_are_typed_as_people_write_them() -> None:
    rate = rawback.Rate
    for text, expected in {
        "50kB": rate.size(50_000),
        "50 000": None,
        "50000": rate.size(50_000),
        "0.05 MB": rate.size(50_000),
        "50 k": rate.size(50_000),
        "50 KiB": rate.size(51_200),
        "12 bytes": rate.size(12),
        "0.1 bpp": rate.bpp(0.1),
        "0,1 bpp": rate.bpp(0.1),
        "48 dB": rate.psnr(48),
        "quality 60": rate.quality(60),
        "q60": rate.quality(60),
        "lossless": rate.lossless(),
        "Exact ": rate.lossless(),
    }.items():
        assert parse_rate(text) == expected, text
    for text in ("", "much", "-3 kB", "0 dB", "0 kB", "50 %", "kB", "quality 300", "quality 3 kB"):
        assert parse_rate(text) is None, text


def test_numbers_are_written_with_the_digits_that_count() -> None:
    bits = [bits_text(value) for value in (0.0000123, 0.00041, 0.05, 1.2, 13.7)]
    assert bits == ["0.0000123", "0.000410", "0.0500", "1.20", "13.7"]
    shares = [percent_text(value) for value in (0, 0.00002, 0.004, 0.031, 0.42, 0.9993, 1)]
    assert shares == ["0 %", "< 0.01 %", "0.40 %", "3.1 %", "42 %", "> 99.9 %", "100 %"]
    assert [duration_text(seconds) for seconds in (3, 600, 9000)] == ["3 s", "10 min", "2.5 h"]
    texts = [bytes_text(size) for size in (12, 2345, 20_000, 123_456, 999_700, 12_345_678)]
    assert texts == ["12 B", "2.35 kB", "20.0 kB", "123 kB", "1.00 MB", "12.3 MB"]
    assert psnr_text(48.128) == "48.13 dB"
    assert psnr_text(math.inf) == "exact"


def test_errors_in_all_units(frame: rawback.RawFrame) -> None:
    original = np.full((4, 4), 4096, np.uint16)
    restored = original.copy()
    restored[0, 0] += 40
    restored[1, 1] -= 20

    def at(row: int, column: int, **view: object) -> float:
        shown = ErrorView(**view)  # type: ignore[arg-type]
        return float(errormap.errors_of(original, restored, frame, shown)[row, column])

    signal = 4096 - frame.black[0]
    scale = frame.white - frame.black[0]
    sigma = scale * math.sqrt(
        frame.noise.scale * signal / scale + frame.noise.offset + 1 / 12 / scale**2
    )
    assert at(0, 0, unit="DN") == 40
    assert at(1, 1, unit="DN", kind="signed") == -20
    assert at(0, 0, unit="sigma") == pytest.approx(40 / sigma, rel=1e-4)
    assert at(0, 0, unit="EV") == pytest.approx(math.log2((signal + 40) / signal), rel=1e-4)
    assert at(0, 0, kind="relative") == pytest.approx(100 * 40 / signal, rel=1e-4)
    red = errormap.errors_of(original, restored, frame, ErrorView(channel="R"))
    assert np.isfinite(red).sum() == 4
    assert np.isnan(red[1, 1])


def test_figures_of_a_region(frame: rawback.RawFrame) -> None:
    restored = frame.cfa.copy()
    restored[::2, ::2] += 8
    found = errormap.statistics_of(frame.cfa, restored, frame, ErrorView(unit="DN"))
    assert found.count == frame.cfa.size
    assert found.mean == pytest.approx(2)
    assert found.bias == pytest.approx(2)
    restored[::2, ::2] -= 16
    lower = errormap.statistics_of(frame.cfa, restored, frame, ErrorView(unit="DN"))
    # Under "absolute" the mean is of magnitudes; the bias has the sign.
    assert lower.mean == pytest.approx(2)
    assert lower.bias == pytest.approx(-2)
    assert found.rms == pytest.approx(4)
    assert found.largest == 8
    scale = frame.white - min(frame.black)
    assert found.psnr_db == pytest.approx(-20 * math.log10(4 / scale), abs=0.01)
    assert found.counts.sum() == frame.cfa.size
    same = errormap.statistics_of(frame.cfa, frame.cfa, frame, ErrorView())
    assert same.psnr_db == math.inf


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("kind", ["absolute", "signed"])
def test_the_scale_reads_back(kind: errormap.Kind, log: bool) -> None:
    view = ErrorView(kind=kind, log=log)
    values = np.array([[0.02, 0.3, 1.9]], np.float32)
    if view.signed:
        values = np.concatenate([values, -values], axis=1)
    places = errormap.scale_position(values, view, 2.0)
    back = [errormap.value_at(float(place), view, 2.0) for place in places[0]]
    assert back == pytest.approx(values[0].tolist(), rel=1e-3)


@pytest.mark.parametrize("name", [*colormaps.SEQUENTIAL, *colormaps.DIVERGING])
def test_maps_are_even_in_lightness(name: str) -> None:
    red, green, blue = (colormaps.table(name)[:, k].astype(float) for k in range(3))
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    if name in colormaps.SEQUENTIAL:
        assert (np.diff(light) > -1.5).all()
    else:
        assert (np.diff(light[:128]) > -1.5).all()
        assert (np.diff(light[128:]) < 1.5).all()


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
@pytest.mark.parametrize("halved", [False, True])
def test_grey_renders_grey_and_red_red(
    frame: rawback.RawFrame, pattern: BayerPattern, halved: bool
) -> None:
    plain = replace(frame, pattern=pattern, neutral=(1.0, 1.0, 1.0))
    cfa = np.full((64, 64), 4000, np.uint16)
    light = camera_light(cfa, plain, plain.shown_neutral, halved=halved)
    picture = neutral_look(plain).develop(light, 0.0)
    inner = picture[4:-4, 4:-4].astype(int)
    assert np.abs(inner - inner[0, 0, 0]).max() <= 2
    for position, colour in enumerate(str(pattern)):
        if colour == "R":
            cfa[position // 2 :: 2, position % 2 :: 2] = 9000
    light = camera_light(cfa, plain, plain.shown_neutral, halved=halved)
    assert (light[8:-8, 8:-8, 0] > 1.5 * light[8:-8, 8:-8, 1]).all()
    assert np.allclose(light[8:-8, 8:-8, 1], light[8:-8, 8:-8, 2], atol=1e-3)


def test_exposure_doubles_light(frame: rawback.RawFrame) -> None:
    light = camera_light(frame.cfa, frame, frame.shown_neutral, halved=True) * np.float32(0.2)
    look = linear_look(frame)
    one = look.develop(light, 0.0).astype(int)
    two = look.develop(light, 1.0).astype(int)
    open_ = (two < 255) & (one > 20)
    assert np.abs(two[open_] - 2 * one[open_]).max() <= 2


def test_white_is_picked_where_it_can_be(frame: rawback.RawFrame) -> None:
    cfa = np.full((8, 8), 3000, np.uint16)
    assert neutral_at(cfa, frame) == pytest.approx((1, 1, 1))
    assert neutral_at(np.full((8, 8), frame.white, np.uint16), frame) is None
    assert neutral_at(np.full((8, 8), round(frame.black[0]), np.uint16), frame) is None


def test_command_lines_quote_names() -> None:
    raw, jpeg = Path("a b.dng"), Path("c'd.jpg")
    text = embed_command(raw, jpeg, rawback.Rate.quality(51.625))
    assert text == """rawback embed 'a b.dng' 'c'"'"'d.jpg' -q 51.625"""
    assert embed_command(raw, jpeg, rawback.Rate.lossless()).endswith("--lossless")
    lossless = rawback.Rate.lossless()
    assert embed_command(raw, jpeg, lossless, keep=True).endswith("--lossless --original")
    assert restore_command(jpeg).startswith("rawback restore ")


def test_every_action_has_a_shortcut_of_its_own() -> None:
    keys = [key for action in ACTIONS for key in action.shortcuts]
    assert len(keys) == len(set(keys))
    assert all(action.shortcuts for action in ACTIONS)
    assert {action.menu for action in ACTIONS} == set(MENUS)
    for menu in MENUS:
        texts = [action.text for action in ACTIONS if action.menu == menu]
        marks = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
        assert len(marks) == len(set(marks)), menu


def test_states_tell_what_differs() -> None:
    state = ViewState()
    assert changed(state, replace(state, divider=0.2, layout="side")) == {"divider", "layout"}
    assert changed(state, ViewState()) == frozenset()


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_error_maps_shrink_by_whole_factors(factor: int) -> None:
    rng = np.random.default_rng(factor)
    errors = rng.normal(0, 2, (37, 50)).astype(np.float32)
    small = reduced(errors, ErrorView(kind="absolute"), factor)
    assert small.shape == (-(-37 // factor), -(-50 // factor))
    block = errors[factor : 2 * factor, :factor]
    assert small[1, 0] == pytest.approx(math.sqrt((block**2).mean()), rel=1e-5)
    signed = reduced(errors, ErrorView(kind="signed"), factor)
    assert signed[1, 0] == pytest.approx(block.mean(), abs=1e-5)


def test_one_channel_fills_its_error_map() -> None:
    errors = np.full((24, 32), np.nan, np.float32)
    errors[::2, 1::2] = 3
    for factor, shape in ((1, (12, 16)), (2, (12, 16)), (4, (6, 8))):
        found = reduced(errors, ErrorView(kind="absolute", channel="G1"), factor)
        assert found.shape == shape
        assert np.allclose(found, 3)


# Looks.


def rendered(frame: rawback.RawFrame, stops: float = 0.0) -> rawback.Guide:
    """A JPEG that a camera with a look of its own makes, on the raw's grid."""
    light = np.minimum(camera_light(frame.cfa, frame, frame.shown_neutral, halved=False), 1)
    matrix = np.array([[1.5, -0.4, -0.1], [-0.2, 1.5, -0.3], [0.0, -0.5, 1.5]])
    linear = np.clip(light @ matrix.T.astype(np.float32) * 2**stops, 0, 1)
    curve = np.clip(1.3 * linear**0.42 - 0.05, 0, 1)
    pixels = np.rint(255 * curve).astype(np.uint8)
    return rawback.Guide(pixels, np.ones(frame.cfa.shape, np.uint8))


@pytest.fixture(scope="module")
def large_frame() -> rawback.RawFrame:
    return rawio.read_raw(Path(__file__).parents[2] / "assets" / "sample.dng")


def test_a_raw_is_rendered_as_its_jpeg_is(large_frame: rawback.RawFrame) -> None:
    guide = rendered(large_frame)
    look = fit_look(large_frame, guide)
    assert look is not None
    light = camera_light(large_frame.cfa, large_frame, large_frame.shown_neutral, halved=False)
    error = look.develop(light, 0.0).astype(int) - guide.pixels.astype(int)
    neutral = neutral_look(large_frame).develop(light, 0.0).astype(int) - guide.pixels
    assert np.abs(error).mean() < 2.5
    assert np.abs(error).mean() < 0.2 * np.abs(neutral).mean()


def test_a_pushed_jpeg_looks_like_the_pushed_raw(large_frame: rawback.RawFrame) -> None:
    """Wherever the JPEG still holds what the raw does."""
    guide = rendered(large_frame)
    look = fit_look(large_frame, guide)
    assert look is not None
    for development in (Development(exposure=-2.0), Development(exposure=1.0, warmth=0.4)):
        gains = jpeg_gains(large_frame, development)
        pushed = look.push(guide.pixels, development.exposure, gains, look).astype(int)
        neutral = neutral_of(large_frame, development)
        light = camera_light(large_frame.cfa, large_frame, neutral, halved=False)
        raw = look.develop(light, development.exposure).astype(int)
        open_ = (guide.pixels.max(axis=2) < 250) & (guide.pixels.min(axis=2) > 5)
        assert np.abs(pushed - raw)[open_].mean() < 4
    same = look.push(guide.pixels, 0.0, (1.0, 1.0, 1.0), look)
    assert same is guide.pixels
    # Beyond the JPEG's white, the raw has more to show.
    bright = rendered(large_frame, stops=2.0)
    look = fit_look(large_frame, bright)
    assert look is not None
    assert look.white_point < 0.5
    clipped = bright.pixels.min(axis=2) >= 254
    dark = look.push(bright.pixels, -2.0, (1.0, 1.0, 1.0), look)[clipped]
    light = camera_light(large_frame.cfa, large_frame, large_frame.shown_neutral, halved=False)
    assert dark.std() < 0.5 * look.develop(light, -2.0)[clipped].std()


def test_no_look_is_made_up(frame: rawback.RawFrame) -> None:
    pixels = np.zeros((*frame.cfa.shape, 3), np.uint8)
    assert fit_look(frame, rawback.Guide(pixels, np.zeros(frame.cfa.shape, np.uint8))) is None
    assert fit_look(frame, rawback.Guide(pixels, np.ones(frame.cfa.shape, np.uint8))) is None


def test_warmth_and_tint_shift_the_white() -> None:
    class Plain:
        shown_neutral = (0.5, 1.0, 0.6)

    plain: rawback.RawFrame = Plain()  # type: ignore[assignment]
    assert neutral_of(plain, Development()) == pytest.approx((0.5, 1.0, 0.6))
    warm = neutral_of(plain, Development(warmth=1.0))
    assert warm[0] < 0.5
    assert warm[2] > 0.6
    assert jpeg_gains(plain, Development()) == (1.0, 1.0, 1.0)
    red, green, blue = jpeg_gains(plain, Development(warmth=0.5))
    assert red > green > blue
    picked = neutral_of(plain, Development(picked=(0.7, 1.0, 0.7)))
    assert picked == pytest.approx((0.7, 1.0, 0.7))


# What clips, and what comes back.


def test_histograms_count_every_sample(frame: rawback.RawFrame) -> None:
    cfa = frame.cfa.copy()
    cfa[:10, :10] = frame.white
    found = histograms_of(replace(frame, cfa=cfa))
    assert [item.channel for item in found] == ["R", "G1", "G2", "B"]
    for item in found:
        assert item.counts.sum() + item.clipped == frame.cfa.size // 4
        assert item.clipped >= 25
        assert item.clipped_share == item.clipped / (frame.cfa.size // 4)


def test_clipping_is_counted_where_the_jpeg_covers(frame: rawback.RawFrame) -> None:
    pixels = np.full((*frame.cfa.shape, 3), 100, np.uint8)
    pixels[:, :40] = 255
    pixels[:, 40:60] = 0
    mask = np.ones(frame.cfa.shape, np.uint8)
    mask[:, :20] = 0
    cfa = frame.cfa.copy()
    cfa[:12] = frame.white
    cfa[12:18] = 0
    shares = clipping.shares_of(replace(frame, cfa=cfa), rawback.Guide(pixels, mask))
    assert shares.of("jpeg_highlights") == pytest.approx(20 / 140)
    assert shares.of("jpeg_shadows") == pytest.approx(20 / 140)
    raw_highlights, raw_shadows = shares.of("raw_highlights"), shares.of("raw_shadows")
    assert raw_highlights is not None
    assert raw_shadows is not None
    assert raw_highlights >= 0.1
    assert raw_shadows >= 0.05
    alone = clipping.shares_of(frame, None)
    assert alone.of("jpeg_highlights") is None


def test_gain_is_measured_and_said(frame: rawback.RawFrame) -> None:
    pixels = np.full((*frame.cfa.shape, 3), 100, np.uint8)
    pixels[:60] = 255
    guide = rawback.Guide(pixels, np.ones(frame.cfa.shape, np.uint8))
    cfa = np.minimum(frame.cfa, frame.white - 1)
    open_ = replace(frame, cfa=cfa)
    restored = cfa.copy()
    restored[:15] = 0
    gain = measure_gain(open_, restored, guide, highlight_psnr_db=41.5, exact=False)
    assert gain.clipped_share == pytest.approx(0.5)
    assert gain.recovered_share == pytest.approx(0.75, abs=0.02)
    sentence = gain_sentence(gain)
    assert "% of the 50 % of the picture that the JPEG clips is back" in sentence
    assert "41.5 dB" in sentence
    same = measure_gain(open_, cfa, guide, highlight_psnr_db=math.inf, exact=True)
    assert (same.recovered_share, same.exact) == (1, True)
    assert "inf" not in gain_sentence(same)
    lossy = replace(same, exact=False)
    assert "inf" not in gain_sentence(lossy)
    assert size_text(2_460_000, 200_000, measured=True) == "JPEG 2.46 MB + 200 kB"
    assert size_text(2_460_000, 200_000, measured=False) == "JPEG 2.46 MB + \u2248 200 kB"
    assert size_text(2_460_000, None, measured=False) == "JPEG 2.46 MB"


# The slider.


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


# Files and states.


def test_a_partner_is_found_beside(tmp_path: Path, shot: tuple[bytes, bytes]) -> None:
    raw, jpeg = tmp_path / "IMG_1.DNG", tmp_path / "img_1.jpg"
    raw.write_bytes(shot[0])
    jpeg.write_bytes(shot[1])
    assert partner_of(Pair(raw, None)) == Pair(raw, jpeg)
    assert partner_of(Pair(None, jpeg)) == Pair(raw, jpeg)
    assert partner_of(Pair(raw, jpeg)) == Pair(raw, jpeg)
    (tmp_path / "img_1_01.jpg").write_bytes(shot[1])
    assert partner_of(Pair(raw, None)) == Pair(raw, jpeg)
    lonely = tmp_path / "other.jpg"
    lonely.write_bytes(shot[1])
    assert partner_of(Pair(None, lonely)) == Pair(None, lonely)
    # What is dropped on an open raw is taken, unless it has a raw of its own.
    assert taken_by(Pair(tmp_path / "open.dng", None), Pair(None, lonely)) == Pair(
        tmp_path / "open.dng", lonely
    )
    assert taken_by(Pair(tmp_path / "open.dng", None), Pair(None, jpeg)) == Pair(raw, jpeg)
    assert taken_by(None, Pair(None, lonely)) == Pair(None, lonely)


def test_a_carrier_is_opened_alone(
    tmp_path: Path, shot: tuple[bytes, bytes], lossless_carrier: bytes
) -> None:
    raw, carrier = tmp_path / "a.dng", tmp_path / "a.jpg"
    raw.write_bytes(shot[0])
    carrier.write_bytes(lossless_carrier)
    assert partner_of(Pair(None, carrier)) == Pair(None, carrier)


def test_neighbours_in_a_folder() -> None:
    shots = tuple(Pair(Path(f"{name}.dng"), Path(f"{name}.jpg")) for name in "abc")
    assert neighbour(shots, Pair(Path("b.dng"), None), 1) == shots[2]
    assert neighbour(shots, shots[1], -1) == shots[0]
    assert neighbour(shots, shots[2], 1) is None
    assert neighbour(shots, Pair(Path("z.dng"), None), 1) is None


def test_names_of_files() -> None:
    assert proposed(Path("a/photo.rawback.jpg"), ".rawback.dng") == Path("a/photo.rawback.dng")
    assert with_ending(Path("a/photo"), (".jpg", ".jpeg")) == Path("a/photo.jpg")
    assert with_ending(Path("a/photo.JPEG"), (".jpg", ".jpeg")) == Path("a/photo.JPEG")
    assert with_ending(Path("a/v1.2"), (".jpg",)) == Path("a/v1.2.jpg")
    long = "x" * 150 + ".dng"
    assert len(shortened(long, 40)) == 40
    assert shortened(long, 40).endswith(".dng")
    assert shortened("short.dng", 40) == "short.dng"


@given(
    left=st.sampled_from(SOURCES),
    right=st.sampled_from(SOURCES),
    available=st.sets(st.sampled_from(SOURCES), min_size=1),
)
def test_two_pictures_are_shown_where_there_are_two(
    left: Source, right: Source, available: set[Source]
) -> None:
    state = resolved(ViewState(left=left, right=right), frozenset(available))
    assert {state.left, state.right} <= available
    if left != right and len(available) > 1:
        assert state.left != state.right
    if {left, right} <= available:
        assert (state.left, state.right) == (left, right)
