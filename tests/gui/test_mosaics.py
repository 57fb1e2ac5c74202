# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is shown and counted, of sensors of every kind."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback import Guide, Rate, RawFrame
from rawback.floats import Scale, linear_scale, ratio_scale
from rawback.types import Floats, Mosaic, NoiseModel
from rawback_gui.controllers.document import Document
from rawback_gui.controllers.inspection import readout_of, statistics_in, white_at
from rawback_gui.controllers.pictures import (
    BLANK,
    blanked,
    raw_region,
    render,
    render_errors,
    render_marks,
)
from rawback_gui.controllers.restoring import RestoredBuffer
from rawback_gui.models.clipping import CLIPPINGS, ClippedShares, shares_of
from rawback_gui.models.demosaic import camera_light
from rawback_gui.models.errormap import ErrorView, errors_of, reduced, statistics_of
from rawback_gui.models.gain import measure_gain
from rawback_gui.models.histogram import histograms_of
from rawback_gui.models.look import fit_look, linear_look, neutral_look
from rawback_gui.models.orientation import upright
from rawback_gui.models.pairing import Pair
from rawback_gui.models.planes import ALL, cell_of, channels_of, planes_of
from rawback_gui.models.rendering import Development, jpeg_gains, neutral_at, neutral_of
from rawback_gui.models.state import ViewState
from rawback_gui.models.viewport import Viewport
from rawback_gui.views._qt.readout import readout_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATTERNS = {
    "RGGB": ("all", "R", "G1", "G2", "B"),
    "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG": ("all", "R", "G", "B"),
    "RRGG/RRGG/GGBB/GGBB": ("all", "R", "G", "B"),
    "R+G+B": ("all", "R", "G", "B"),
    "W": ("all",),
    "GMCY": ("all", "G", "M", "C", "Y"),
}
RGB = [pattern for pattern in PATTERNS if set("RGB") <= set(pattern)]
BLACK, WHITE, HEIGHT, WIDTH = 64, 4064, 96, 120


def frame_of(pattern: str, light: NDArray[np.float64] | None = None) -> RawFrame:
    """A frame of a light, ``[h, w, 3]`` of saturation: by default a grey ramp."""
    if light is None:
        ramp = np.linspace(0.05, 0.8, WIDTH)[None].repeat(HEIGHT, axis=0)
        light = np.repeat(ramp[..., None], 3, axis=-1)
    mosaic = Mosaic.parse(pattern)
    through = {"R": [1, 0, 0], "G": [0, 1, 0], "B": [0, 0, 1], "C": [0, 0.5, 0.5]}
    through |= {"M": [0.5, 0, 0.5], "Y": [0.5, 0.5, 0], "W": [1 / 3, 1 / 3, 1 / 3]}
    cfa = np.empty((*light.shape[:2], *((3,) if mosaic.samples > 1 else ())), np.uint16)
    for plane in planes_of(mosaic):
        seen = light[plane.pixels()] @ np.array(through[plane.colour])
        cfa[plane.index()] = np.rint(BLACK + (WHITE - BLACK) * seen)
    black = (float(BLACK),) * len(mosaic.colours)
    return RawFrame(cfa, pattern, black, WHITE, NoiseModel(1e-4, 1e-6), (1.0, 1.0, 1.0))


@pytest.fixture(params=PATTERNS)
def frame(request: pytest.FixtureRequest) -> RawFrame:
    return frame_of(request.param)


class Shot:
    """What a document asks of a session."""

    def __init__(self, original: RawFrame) -> None:
        self.original = original

    def preview(self, _rate: object, region: tuple[int, int, int, int]) -> Shot:
        left, top, width, height = region
        # As the library asks for it.
        assert left % 2 == top % 2 == 0
        self.restored = self.original.cfa[top : top + height, left : left + width]
        return self


def document_of(frame: RawFrame) -> Document:
    pixels = np.full((frame.height, frame.width, 3), 128, np.uint8)
    return Document(
        opening=1,
        pair=Pair(),
        frame=frame,
        session=Shot(frame),  # type: ignore[arg-type]
        opened=None,
        guide=Guide(pixels, np.ones(pixels.shape[:2], np.uint8)),
        registered=True,
        prepared=True,
        jpeg_bytes=1000,
        looks={"neutral": neutral_look(frame), "linear": linear_look(frame)},
        histograms=histograms_of(frame),
        clipped=ClippedShares(),
    )


def test_planes_hold_every_sample_once(frame: RawFrame) -> None:
    times = np.zeros(frame.cfa.shape, int)
    for plane in planes_of(frame.mosaic):
        times[plane.index()] += 1
    assert (times == 1).all()
    assert channels_of(frame.mosaic) == PATTERNS[frame.pattern]
    for colour in frame.mosaic.palette:
        count = sum(plane.colour == colour for plane in planes_of(frame.mosaic))
        down, across = frame.mosaic.period
        assert count == frame.mosaic.mask(colour, down, across).sum()


@pytest.mark.parametrize("halved", [False, True])
def test_grey_is_rendered_grey(frame: RawFrame, halved: bool) -> None:
    light = camera_light(frame.cfa, frame, frame.shown_neutral, halved=halved)
    pixels = neutral_look(frame).develop(light, 0.0).astype(int)
    inner = pixels[4:-4, 8:-8]
    # The ramp rises, and no colour comes into it, but for what lies beside its pixels.
    assert np.ptp(inner, axis=-1).max() <= 6
    assert (np.diff(inner.mean(axis=(0, 2))) >= -0.5).all()
    half = halved and frame.mosaic.samples == 1
    assert light.shape == ((HEIGHT // 2, WIDTH // 2, 3) if half else (HEIGHT, WIDTH, 3))


@pytest.mark.parametrize("pattern", RGB)
@pytest.mark.parametrize("halved", [False, True])
@pytest.mark.parametrize("colour", [0, 1, 2])
def test_colours_are_rendered_as_they_are(pattern: str, halved: bool, colour: int) -> None:
    light = np.full((HEIGHT, WIDTH, 3), 0.1)
    light[..., colour] = 0.6
    frame = frame_of(pattern, light)
    found = camera_light(frame.cfa, frame, (1.0, 1.0, 1.0), halved=halved)
    assert np.abs(found[4:-4, 4:-4] - light[0, 0]).max() < 0.01
    # The white balance makes it grey.
    neutral = (light[0, 0, 0], light[0, 0, 1], light[0, 0, 2])
    grey = camera_light(frame.cfa, frame, neutral, halved=halved)[4:-4, 4:-4]
    assert np.ptp(grey, axis=-1).max() < 0.01


def test_four_colours_mix_to_red_green_and_blue() -> None:
    light = np.full((HEIGHT, WIDTH, 3), (0.6, 0.2, 0.1))
    frame = frame_of("GMCY", light)
    found = camera_light(frame.cfa, frame, (1.0, 1.0, 1.0), halved=False)[4:-4, 4:-4]
    assert found.mean(axis=(0, 1)) == pytest.approx([0.6, 0.2, 0.1], abs=0.01)


def test_white_is_picked_where_there_are_colours(frame: RawFrame) -> None:
    down, across = cell_of(frame.mosaic)
    flat = frame_of(frame.pattern, np.full((2 * down, 2 * across, 3), (0.2, 0.4, 0.1)))
    found = neutral_at(flat.cfa, flat)
    if frame.mosaic.is_monochrome:
        assert found is None
    else:
        assert found == pytest.approx((0.5, 1.0, 0.25), rel=0.02)
    document = document_of(frame_of(frame.pattern, np.full((HEIGHT, WIDTH, 3), (0.2, 0.4, 0.1))))
    # Wherever people click, whole patterns are looked at.
    for place in ((31.2, 17.9), (0.0, 0.0), (45.0, 50.0)):
        picked = white_at(document, *place)
        assert picked is None or picked == pytest.approx((0.5, 1.0, 0.25), rel=0.03)


def test_grey_sensors_have_no_white_balance() -> None:
    frame, warm = frame_of("W"), Development(warmth=0.7, tint=-0.3)
    assert neutral_of(frame, warm) == jpeg_gains(frame, warm) == (1.0, 1.0, 1.0)
    assert jpeg_gains(frame_of("R+G+B"), warm) != (1.0, 1.0, 1.0)


def test_histograms_and_shares_count_every_sample(frame: RawFrame) -> None:
    cfa = frame.cfa.copy()
    cfa[:12], cfa[12:18] = WHITE, BLACK
    marked = RawFrame(cfa, frame.pattern, frame.black, WHITE, frame.noise)
    found = histograms_of(marked)
    names = PATTERNS[frame.pattern][1:] or ("W",)
    assert tuple(item.channel for item in found) == names
    assert sum(int(item.counts.sum()) + item.clipped for item in found) == cfa.size
    assert all(item.clipped_share == pytest.approx(12 / HEIGHT, abs=0.03) for item in found)
    shares = shares_of(marked, None)
    assert shares.raw_highlights == pytest.approx(12 / HEIGHT, abs=0.02)
    assert shares.raw_shadows == pytest.approx(6 / HEIGHT, abs=0.02)


def test_errors_by_colour(frame: RawFrame) -> None:
    """An error in one colour is seen in its map and in no other, and fills it."""
    channels = [name for name in channels_of(frame.mosaic) if name != ALL] or [ALL]
    for wrong in channels:
        restored = frame.cfa.copy()
        for plane in planes_of(frame.mosaic):
            if wrong in (ALL, plane.name):
                restored[plane.index()] += 8
        for channel in channels:
            view = ErrorView(kind="signed", unit="DN", channel=channel)
            errors = errors_of(frame.cfa, restored, frame, view)
            expected = 8 if channel == wrong else 0
            for factor in (1, 2, 3, 5):
                assert reduced(errors, view, factor) == pytest.approx(expected, abs=1e-4)
        found = statistics_of(frame.cfa, restored, frame, ErrorView(unit="DN"))
        assert found.count == frame.cfa.size
        share = np.count_nonzero(restored != frame.cfa) / frame.cfa.size
        assert found.rms == pytest.approx(8 * math.sqrt(share), rel=1e-5)
        psnr = -20 * math.log10(8 * math.sqrt(share) / (WHITE - BLACK))
        assert found.psnr_db == pytest.approx(psnr, abs=1e-3)


def test_maps_of_all_channels_are_root_mean_squares(frame: RawFrame) -> None:
    rng = np.random.default_rng(2)
    restored = (frame.cfa.astype(int) + rng.integers(-9, 10, frame.cfa.shape)).astype(np.uint16)
    view = ErrorView(unit="DN")
    errors = errors_of(frame.cfa, restored, frame, view)
    for factor in (1, 4):
        small = reduced(errors, view, factor)
        assert small.shape == (HEIGHT // factor, WIDTH // factor)
        block = errors[factor : 2 * factor, 2 * factor : 3 * factor]
        assert small[1, 2] == pytest.approx(math.sqrt(float((block**2).mean())), rel=1e-4)


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_pointer_names_the_colour(frame: RawFrame, orientation: int) -> None:
    turned = RawFrame(
        *(frame.cfa, frame.pattern, frame.black, WHITE, frame.noise), orientation=orientation
    )
    document = document_of(turned)
    restored = turned.cfa + np.uint16(3)
    for x, y in ((0.5, 0.5), (37.2, 55.9), (64.0, 41.5)):
        found = readout_of(document, restored, x, y, ErrorView(unit="DN"))
        assert found is not None
        assert len(found.samples) == turned.mosaic.samples
        assert 0 <= found.column < WIDTH
        values = turned.cfa[found.row, found.column]
        for sample, value in zip(found.samples, np.atleast_1d(values), strict=True):
            assert (sample.original, sample.restored) == (value, value + 3)
            assert sample.error == pytest.approx(3)
            mask = turned.mosaic.mask(sample.channel[0], HEIGHT, WIDTH)
            assert mask[found.row, found.column]
        text = readout_text(found)
        assert all(sample.channel in text for sample in found.samples)
        assert "restored" in text


@pytest.mark.parametrize("scale", [linear_scale(1.0), ratio_scale(1.0)])
def test_floating_point_numbers_are_shown_as_what_they_are(frame: RawFrame, scale: Scale) -> None:
    numbers = ((frame.cfa - np.float32(BLACK)) / (WHITE - BLACK)).astype(np.float32)
    codes, remainders = scale.codes.split(numbers)
    made = replace(
        frame,
        cfa=codes,
        black=(scale.codes.level(0.0),) * len(frame.black),
        white=round(scale.codes.level(1.0)),
        floats=Floats(scale, remainders),
    )
    white = (1.0, 1.0, 1.0)
    for halved in (False, True):
        shown, expected = (
            camera_light(one.cfa, one, white, halved=halved) for one in (made, frame)
        )
        np.testing.assert_allclose(shown, expected, atol=1e-3)
    found = readout_of(document_of(made), codes, 37.2, 55.9, ErrorView())
    assert found is not None
    values = np.atleast_1d(numbers[found.row, found.column])
    originals = [sample.original or 0.0 for sample in found.samples]
    np.testing.assert_allclose(originals, values, rtol=1e-3, atol=1e-4)
    text = readout_text(found)
    assert f"original {originals[0]:.5g}" in text
    assert "DN" not in text.split("error")[0]


@pytest.mark.parametrize("scale", [linear_scale(1.0), ratio_scale(1.0)])
def test_errors_of_floating_point_numbers_are_parts_of_the_light(scale: Scale) -> None:
    """As many codes more are as many parts more of the light only where codes are linear."""
    numbers = np.full((4, 4), 0.25, np.float32)
    codes, _ = scale.codes.split(numbers)
    black, white = (scale.codes.level(0.0),) * 4, round(scale.codes.level(1.0))
    made = RawFrame(codes, "RGGB", black, white, NoiseModel(1e-9, 1e-12), floats=Floats(scale))
    brighter = scale.codes.split(numbers * np.float32(1.5))[0]
    part, stops = (
        errors_of(codes, brighter, made, view)
        for view in (ErrorView(kind="relative"), ErrorView(unit="EV"))
    )
    np.testing.assert_allclose(part, 50, rtol=1e-3)
    np.testing.assert_allclose(stops, math.log2(1.5), rtol=1e-3)


def test_parts_of_the_picture_are_those_of_the_whole(frame: RawFrame) -> None:
    """Rendered anywhere, patterns stay in step."""
    document = document_of(frame)
    viewport = Viewport(400, 300).of_picture(*document.size).zoomed(2.0)
    state = ViewState(viewport=viewport, clipping=frozenset(CLIPPINGS))
    whole = render(document, "original", frame.cfa, state, (0, 0, WIDTH, HEIGHT))
    assert whole is not None
    region = (38, 26, 50, 40)
    raw = raw_region(document, region)
    down, across = cell_of(frame.mosaic)
    assert raw[0] % across == raw[1] % down == 0
    part = render(document, "restored", frame.cfa, state, region)
    assert part is not None
    left, top, width, height = part.region
    cut = whole.pixels[top : top + height, left : left + width].astype(int)
    assert np.abs(cut - part.pixels)[6:-6, 6:-6].max() <= 1
    restored = frame.cfa.copy()
    restored[40:] += 20
    for channel in channels_of(frame.mosaic):
        shown = ViewState(viewport=viewport, errors=ErrorView(unit="DN", channel=channel))
        drawn = render_errors(document, restored, shown, region, 20.0)
        assert drawn is not None
        assert drawn[0].region == part.region
        # Dark above, bright below, in each colour.
        pixels = drawn[0].pixels.astype(int)
        assert pixels[:2].max() < pixels[-2:].mean()
    found = statistics_in(document, restored, region, ErrorView(unit="DN"))
    assert found is not None
    assert found.largest == 20
    # Just the region is counted, wherever it begins.
    assert found.count == region[2] * region[3] * frame.mosaic.samples
    marks = render_marks(document, state, region)
    assert all(mark.pixels.shape[:2] == (height, width) for mark in marks.values())
    assert set(marks) == set(CLIPPINGS)


def test_the_buffer_is_filled_and_read(frame: RawFrame) -> None:
    buffer = RestoredBuffer(Shot(frame))  # type: ignore[arg-type]
    rate = Rate.quality(50)
    assert not buffer.has(rate, (0, 0, WIDTH, HEIGHT))
    missing = buffer.never((0, 0, WIDTH, HEIGHT), (30, 24))
    assert missing is not None
    assert missing.shape == (24, 30)
    assert missing.all()
    assert buffer.fill(rate, (0, 0, WIDTH, HEIGHT), lambda: True)
    assert buffer.has(rate, (0, 0, WIDTH, HEIGHT))
    assert np.array_equal(buffer.cfa, frame.cfa)
    assert buffer.never((0, 0, WIDTH, HEIGHT), (30, 24)) is None


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_what_was_never_restored_is_blank(orientation: int) -> None:
    """Neither black, nor taken from anything else."""
    frame = frame_of("RGGB", np.full((192, 256, 3), 0.5))
    turned = RawFrame(
        *(frame.cfa, frame.pattern, frame.black, WHITE, frame.noise), orientation=orientation
    )
    document = document_of(turned)
    buffer = RestoredBuffer(Shot(turned))  # type: ignore[arg-type]
    # What is restored ends in the middle of a square, which counts as not there.
    buffer._restore(Rate.quality(50), (0, 0, 200, 130))
    state = ViewState(viewport=Viewport(400, 300).of_picture(*document.size).zoomed(1.0))
    region = (0, 0, *document.size)
    picture = render(document, "restored", buffer.cfa, state, region)
    assert picture is not None
    pixels = blanked(document, picture, region, buffer).pixels
    there = np.zeros((192, 256), bool)
    there[:128, :192] = True
    blank = ~upright(there, orientation)
    assert (pixels[blank] == BLANK).all()
    assert (pixels[~blank] > 100).all()


def test_looks_are_fitted_and_gain_is_measured(frame: RawFrame) -> None:
    rng = np.random.default_rng(5)
    light = np.repeat(np.repeat(rng.uniform(0.02, 0.9, (32, 32, 3)), 12, axis=0), 12, axis=1)
    if frame.mosaic.is_monochrome:
        light = np.repeat(light.mean(axis=-1, keepdims=True), 3, axis=-1)
    shot = frame_of(frame.pattern, light)
    pixels = np.rint(255 * np.minimum(1.2 * light**0.45, 1)).astype(np.uint8)
    guide = Guide(pixels, np.ones(pixels.shape[:2], np.uint8))
    look = fit_look(shot, guide)
    assert look is not None
    seen = camera_light(shot.cfa, shot, shot.shown_neutral, halved=False)
    # In the middle of the squares, where no neighbour of another colour is near.
    middle = (slice(6, None, 12), slice(6, None, 12))
    error = np.abs(look.develop(seen, 0.0)[middle].astype(int) - pixels[middle])
    plain = np.abs(neutral_look(shot).develop(seen, 0.0)[middle].astype(int) - pixels[middle])
    assert np.median(error) < 6
    assert error.mean() < plain.mean()
    restored = shot.cfa.copy()
    restored[::2] = BLACK
    gain = measure_gain(shot, restored, guide, highlight_psnr_db=40.0, exact=False)
    assert 0.05 < gain.clipped_share < 0.9
    assert gain.recovered_share == pytest.approx(0.5, abs=0.1)
