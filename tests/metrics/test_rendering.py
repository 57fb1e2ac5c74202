"""The rendering that treats any two raws alike, for mosaics of every pattern."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from rawback.floats import Scale
from rawback.mosaic import Mosaic
from rawback.rendering import (
    balanced_signal,
    binned,
    camera_to_srgb,
    demosaic,
    halo,
    lines_of_channels,
)
from rawback.types import Floats, NoiseModel, RawFrame

X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
RGB = ("RGGB", "GBRG", X_TRANS, "RRGG/RRGG/GGBB/GGBB", "R+G+B")
OTHERS = ("W", "GMCY", "RGEB", "WRWG/RWGW/WGWB/GWBW", "CYYM")
NEUTRAL = (0.5, 1.0, 0.625)
WHITE = 4095


def shot(pattern: str, picture: np.ndarray[tuple[int, int, int], np.dtype[np.float64]]) -> RawFrame:
    """White-balanced colours, ``[H, W, 3]`` in [0, 0.9], as a sensor of a pattern sees them."""
    mosaic = Mosaic.parse(pattern)
    is_rgb = mosaic.palette == "RGB"
    black = tuple(64.0 + channel for channel in range(len(mosaic.colours)))
    light = dict(zip("RGB", np.moveaxis(picture, 2, 0), strict=True))
    grey = picture.mean(axis=2)
    samples = np.empty((*picture.shape[:2], len(mosaic.colours)))
    for channel, colour in enumerate(mosaic.colours):
        gain = NEUTRAL["RGB".index(colour)] if is_rgb else 1.0
        signal = light.get(colour, grey) * gain
        samples[..., channel] = black[channel] + signal * (WHITE - black[channel])
    if mosaic.pattern:
        channels = np.resize(np.array(mosaic.pattern), mosaic.period)
        rows, columns = np.indices(picture.shape[:2])
        own = channels[rows % mosaic.period[0], columns % mosaic.period[1]]
        samples = np.take_along_axis(samples, own[..., None], axis=2)[..., 0]
    return RawFrame(
        cfa=np.rint(samples).astype(np.uint16),
        pattern=pattern,
        black=black,
        white=WHITE,
        neutral=NEUTRAL if is_rgb else None,
        color_matrix=(0.69, -0.12, -0.09, -0.44, 1.25, 0.25, -0.04, 0.15, 0.6) if is_rgb else None,
        noise=NoiseModel(1e-4, 1e-6),
    )


def smooth(
    height: int = 60, width: int = 80
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Colours that change slowly."""
    small = np.random.default_rng(4).random((4, 5, 3))
    large = cv2.GaussianBlur(cv2.resize(small, (width, height)), (0, 0), 4)
    return np.asarray(0.1 + 0.7 * large, np.float64)


@pytest.mark.parametrize("pattern", RGB)
def test_the_colours_of_a_picture_come_back(pattern: str) -> None:
    picture = smooth()
    frame = shot(pattern, picture)
    colours = demosaic(balanced_signal(frame), pattern)
    # Green saturates first on grey: the signal is in units of it.
    inner = slice(8, -8), slice(8, -8)
    np.testing.assert_allclose(colours[inner], picture[inner], atol=0.03)


@pytest.mark.parametrize("pattern", [*RGB, *OTHERS])
def test_what_is_grey_stays_grey(pattern: str) -> None:
    grey = np.repeat(smooth()[..., :1], 3, axis=2)
    frame = shot(pattern, grey)
    colours = demosaic(balanced_signal(frame), pattern)
    assert colours.shape == grey.shape
    assert colours.dtype == np.float32
    assert np.ptp(colours[8:-8, 8:-8], axis=2).max() < 0.05
    white = np.ones(3) @ camera_to_srgb(frame).T
    np.testing.assert_allclose(white, 1, atol=1e-3)


@pytest.mark.parametrize("pattern", [*RGB, *OTHERS])
@pytest.mark.parametrize(("top", "left"), [(20, 24), (21, 27), (0, 13)])
def test_a_part_is_rendered_as_in_the_whole(pattern: str, top: int, left: int) -> None:
    frame = shot(pattern, np.random.default_rng(1).random((70, 90, 3)) * 0.9)
    whole = demosaic(balanced_signal(frame), pattern)
    around = halo(pattern)
    first, start = max(top - around, 0), left - around
    signal = balanced_signal(
        frame, slice(first, top + 20 + around), slice(start, left + 30 + around)
    )
    part = demosaic(signal, pattern, (first, start))[top - first :, around:][:20, :30]
    np.testing.assert_allclose(part, whole[top : top + 20, left : left + 30], atol=1e-6)


@pytest.mark.parametrize("pattern", [*RGB, *OTHERS])
@pytest.mark.parametrize("factor", [2, 6])
def test_a_smaller_picture_keeps_the_mean(pattern: str, factor: int) -> None:
    frame = shot(pattern, smooth())
    signal = balanced_signal(frame)
    small = binned(signal, pattern, factor)
    assert small.shape == (60 // factor, 80 // factor, 3)
    whole = demosaic(signal, pattern)[:, : 80 // factor * factor]
    np.testing.assert_allclose(small.mean(axis=(0, 1)), whole.mean(axis=(0, 1)), atol=0.01)


@pytest.mark.parametrize("pattern", [p for p in (*RGB, *OTHERS) if "+" not in p])
def test_lines_name_the_channel_of_every_sample(pattern: str) -> None:
    mosaic = Mosaic.parse(pattern)
    part, order = mosaic.shifted(3, 5)
    channels = np.full((17, 19), -1)
    for lines, along in lines_of_channels(mosaic, 19, (3, 5)):
        assert (channels[lines] == -1).all()
        channels[lines] = along
    for channel, colour in enumerate(mosaic.colours):
        seen = part.mask(colour, 17, 19)
        assert seen[channels == channel].all()
        assert channel in order
    assert channels.min() >= 0


def test_a_monochrome_raw_is_grey_whatever_its_white_balance() -> None:
    frame = shot("W", smooth())
    signal = balanced_signal(frame)
    colours = demosaic(signal, "W")
    for channel in range(3):
        np.testing.assert_array_equal(colours[..., channel], signal)


@pytest.mark.parametrize("pattern", ["RGGB", X_TRANS, "R+G+B"])
def test_numbers_of_half_precision_are_rendered_as_the_numbers(pattern: str) -> None:
    """As integers of the same numbers, times a power of two, are."""
    frame = shot(pattern, smooth())
    numbers = frame.cfa.astype(np.float64) * 2.0**-12
    codes = Scale().codes
    half = dataclasses.replace(
        frame,
        cfa=codes.split(numbers.astype(np.float32))[0],
        black=tuple(codes.level(level * 2.0**-12) for level in frame.black),
        white=round(codes.level(frame.white * 2.0**-12)),
        floats=Floats(Scale()),
    )
    np.testing.assert_allclose(balanced_signal(half), balanced_signal(frame), atol=1e-3)
