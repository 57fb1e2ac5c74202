# SPDX-License-Identifier: GPL-3.0-or-later
"""From samples to pictures: interpolation, looks, white balance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawback
from rawback import rawio
from rawback.types import Mosaic
from rawback_gui.models.demosaic import camera_light
from rawback_gui.models.look import fit_look, linear_look, neutral_look
from rawback_gui.models.rendering import Development, jpeg_gains, neutral_at, neutral_of

if TYPE_CHECKING:
    from rawback.types import BayerPattern


@pytest.fixture(scope="module")
def large_frame() -> rawback.RawFrame:
    return rawio.read_raw(Path(__file__).parents[2] / "assets" / "sample.dng")


def rendered(frame: rawback.RawFrame, stops: float = 0.0) -> rawback.Guide:
    """A JPEG that a camera with a look of its own makes, on the raw's grid."""
    light = np.minimum(camera_light(frame.cfa, frame, frame.shown_neutral, halved=False), 1)
    matrix = np.array([[1.5, -0.4, -0.1], [-0.2, 1.5, -0.3], [0.0, -0.5, 1.5]])
    linear = np.clip(light @ matrix.T.astype(np.float32) * 2**stops, 0, 1)
    curve = np.clip(1.3 * linear**0.42 - 0.05, 0, 1)
    pixels = np.rint(255 * curve).astype(np.uint8)
    return rawback.Guide(pixels, np.ones(frame.cfa.shape, np.uint8))


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
        mosaic = Mosaic.parse("RGGB")

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
