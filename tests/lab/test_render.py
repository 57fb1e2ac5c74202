"""Renderings keep the frame's size, orientation and colours, in every style."""

from __future__ import annotations

import io
from typing import get_args

import numpy as np
import pytest
from PIL import Image, ImageOps

from rawback import jpegio, rawio
from rawback.rendering import demosaic, from_srgb, to_srgb
from rawback.types import BayerPattern
from rawback_lab.camera import QUAD_BAYER, X_TRANS, CameraSpec
from rawback_lab.darktable import render_darktable
from rawback_lab.orient import to_sensor, upright
from rawback_lab.render import (
    STYLES,
    Subsampling,
    encode_jpeg,
    render_filmic,
    render_libraw,
)
from rawback_lab.simulate import simulate

PHOTO = np.full((64, 96, 3), 60, np.uint8)
PHOTO[:32, :48] = (160, 90, 60)
PHOTO[32:, 48:] = (70, 110, 160)
CORNERS = (slice(8, 24), slice(8, 40)), (slice(40, 56), slice(56, 88))


@pytest.mark.parametrize("name", STYLES)
def test_every_style_keeps_size_and_place(name: str) -> None:
    spec = CameraSpec(pattern="GBRG", headroom=0.0, iso=100)
    picture = STYLES[name](simulate(PHOTO, spec, np.random.default_rng(0)))
    assert picture.shape == PHOTO.shape
    assert picture.dtype == np.uint8
    brightness = picture.astype(int).sum(axis=2)
    warm, plain, cold = brightness[8:24, 8:40], brightness[8:24, 56:88], brightness[40:56, 56:88]
    assert min(warm.mean(), cold.mean()) > plain.mean()


@pytest.mark.parametrize("render", [render_libraw, render_filmic])
def test_colours_come_back_by_the_frames_own_matrix(render: object) -> None:
    assert callable(render)
    frame = simulate(PHOTO, CameraSpec(headroom=0.0, iso=100), np.random.default_rng(0))
    picture = render(frame)
    red, _, blue = picture[8:24, 8:40].reshape(-1, 3).mean(axis=0)
    assert red > 1.8 * blue
    red, _, blue = picture[40:56, 56:88].reshape(-1, 3).mean(axis=0)
    assert blue > 1.8 * red
    grey = picture[8:24, 56:88].reshape(-1, 3).mean(axis=0)
    assert np.ptp(grey) < 6


@pytest.mark.parametrize("pattern", [X_TRANS, QUAD_BAYER, "R+G+B", "W"])
@pytest.mark.parametrize("name", ["libraw", "filmic"])
def test_frames_of_every_kind_are_rendered(name: str, pattern: str) -> None:
    # LibRaw interpolates no X-Trans frame that is smaller than its tiles.
    photo = PHOTO.repeat(10, axis=0).repeat(8, axis=1)
    spec = CameraSpec(pattern=pattern, headroom=0.0, iso=100)
    picture = STYLES[name](simulate(photo, spec, np.random.default_rng(0)))
    assert picture.shape == photo.shape
    warm, cold = (picture[::10, ::8][area].reshape(-1, 3).mean(axis=0) for area in CORNERS)
    if pattern == "W":
        assert max(np.ptp(warm), np.ptp(cold)) < 2
    elif pattern != QUAD_BAYER or name == "filmic":  # LibRaw takes quad Bayer for Bayer
        assert warm[0] > 1.5 * warm[2]
        assert cold[2] > 1.5 * cold[0]


@pytest.mark.parametrize("pattern", get_args(BayerPattern))
def test_demosaic_restores_what_is_linear(pattern: BayerPattern) -> None:
    rows, columns = np.mgrid[:20, :24].astype(np.float32)
    ramp = 0.01 * rows + 0.02 * columns
    inner = demosaic(ramp, pattern)[2:-2, 2:-2]
    assert inner == pytest.approx(np.repeat(ramp[2:-2, 2:-2, None], 3, axis=2), abs=1e-5)


@pytest.mark.parametrize(
    ("subsampling", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))]
)
def test_jpegs_are_subsampled_as_asked(subsampling: Subsampling, factors: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Simulated 1"
    jpeg = encode_jpeg(PHOTO, 90, subsampling, exif)
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.getexif()[0x0110] == "Simulated 1"
        assert image.layer[0][1:3] == factors  # type: ignore[attr-defined]
    assert np.abs(jpegio.decode_jpeg(jpeg).pixels.astype(int) - PHOTO)[4:28, 4:44].max() < 4


def test_orientations_turn_as_exif_says_and_back() -> None:
    image = np.arange(12).reshape(3, 4)
    assert upright(image, 6).tolist() == [[8, 4, 0], [9, 5, 1], [10, 6, 2], [11, 7, 3]]
    assert upright(image, 3)[0, 0] == 11
    for orientation in range(1, 9):
        assert (to_sensor(upright(image, orientation), orientation) == image).all()
        stored = Image.fromarray(image.astype(np.uint8))
        stored.getexif()[0x0112] = orientation
        out = io.BytesIO()
        stored.save(out, "PNG", exif=stored.getexif())
        seen = ImageOps.exif_transpose(Image.open(out))
        assert (np.asarray(seen) == upright(image, orientation)).all()


def test_the_srgb_curve_is_undone() -> None:
    codes = np.arange(256, dtype=np.uint8)
    assert (np.rint(255 * to_srgb(from_srgb(codes))) == codes).all()


def test_darktable_makes_a_jpeg_where_it_is_installed() -> None:
    frame = simulate(PHOTO, CameraSpec(headroom=0.0), np.random.default_rng(0))
    jpeg = render_darktable(rawio.write_dng(frame))
    if jpeg is None:
        pytest.skip("darktable-cli is not installed")
    assert jpegio.decode_jpeg(jpeg).pixels.shape == PHOTO.shape
    assert render_darktable(b"no raw") is None
