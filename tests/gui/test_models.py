# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic behind the window, without a window."""

from __future__ import annotations

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
from rawback_gui.models import colormaps, errormap
from rawback_gui.models.actions import ACTIONS, MENUS
from rawback_gui.models.command import embed_command, restore_command
from rawback_gui.models.errormap import ErrorView, reduced
from rawback_gui.models.orientation import to_raw, to_upright, upright, upright_size
from rawback_gui.models.pairing import Pair, pair_up
from rawback_gui.models.rates import RateScale, bytes_text, parse_rate, psnr_text
from rawback_gui.models.rendering import Development, develop, light_of, neutral_at
from rawback_gui.models.state import ViewState, changed
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
    assert after == pytest.approx(before, abs=1e-6) or inside.zoom == zoomed.zoom
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
    assert pair_up([jpeg, tmp_path / "gone.dng"]).ignored == (tmp_path / "gone.dng",)


def test_what_cannot_be_told_is_left_to_people(tmp_path: Path) -> None:
    for name in ("a.dng", "a.nef", "a.jpg"):
        (tmp_path / name).touch()
    files = [pair.files for pair in pair_up([tmp_path]).pairs]
    assert files == [(tmp_path / name,) for name in ("a.dng", "a.jpg", "a.nef")]


@given(st.floats(0, 1))
def test_the_slider_is_logarithmic_in_bytes(position: float) -> None:
    scale = RateScale(500, 8e6)
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
    light = light_of(cfa, plain, plain.neutral, halved=halved)
    picture = develop(light, plain, Development())
    inner = picture[4:-4, 4:-4].astype(int)
    assert np.abs(inner - inner[0, 0, 0]).max() <= 2
    for position, colour in enumerate(str(pattern)):
        if colour == "R":
            cfa[position // 2 :: 2, position % 2 :: 2] = 9000
    light = light_of(cfa, plain, plain.neutral, halved=halved)
    assert (light[8:-8, 8:-8, 0] > 1.5 * light[8:-8, 8:-8, 1]).all()
    assert np.allclose(light[8:-8, 8:-8, 1], light[8:-8, 8:-8, 2], atol=1e-3)


def test_exposure_doubles_light(frame: rawback.RawFrame) -> None:
    light = light_of(frame.cfa, frame, frame.neutral, halved=True) * np.float32(0.2)
    one = develop(light, frame, Development(linear=True)).astype(int)
    two = develop(light, frame, Development(exposure=1, linear=True)).astype(int)
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
