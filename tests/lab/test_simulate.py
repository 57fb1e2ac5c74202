"""What the simulated camera promises: levels, colours, noise, geometry."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.rendering import D65
from rawback.types import BayerPattern
from rawback_lab.camera import QUAD_BAYER, X_TRANS, CameraSpec
from rawback_lab.colour import CAMERA_MATRICES, neutral_at
from rawback_lab.simulate import exposed, noise_bits, simulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import RawFrame

PLAIN = CameraSpec(headroom=0.0)


def grey(level: float, height: int = 64, width: int = 96) -> NDArray[np.float32]:
    return np.full((height, width, 3), level, np.float32)


def plane_means(frame: RawFrame) -> list[float]:
    """Mean normalised signal of each position of the quad."""
    return [
        float(frame.cfa[p // 2 :: 2, p % 2 :: 2].mean() - frame.black[p])
        / (frame.white - frame.black[p])
        for p in range(4)
    ]


@pytest.mark.parametrize("pattern", get_args(BayerPattern))
def test_a_grey_scene_shows_the_neutral_in_every_pattern(pattern: BayerPattern) -> None:
    spec = dataclasses.replace(PLAIN, pattern=pattern)
    frame = simulate(grey(0.4), spec, np.random.default_rng(0))
    expected = [0.4 * spec.neutral["RGB".index(colour)] for colour in pattern]
    assert frame.pattern == pattern
    assert plane_means(frame) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("pattern", [X_TRANS, QUAD_BAYER, "R+G+B", "W", "GMCY"])
def test_a_grey_scene_on_sensors_of_every_kind(pattern: str) -> None:
    spec = dataclasses.replace(PLAIN, pattern=pattern)
    frame = simulate(grey(0.4), spec, np.random.default_rng(0))
    mosaic = frame.mosaic
    assert (frame.pattern, frame.cfa.shape[2:]) == (pattern, (3,) if pattern == "R+G+B" else ())
    assert (frame.neutral is not None) is (mosaic.palette == "RGB")
    signal = (frame.cfa - 512.0) / (frame.white - 512)
    for k, colour in enumerate(mosaic.palette):
        own = signal[mosaic.mask(colour, 64, 96)] if mosaic.pattern else signal[..., k]
        share = spec.neutral["RGB".index(colour)] if colour in "RGB" else 1.0
        assert own.mean() == pytest.approx(0.4 * share, rel=0.01)


def test_kinds_of_sensors_see_the_same_scene() -> None:
    """Of each pixel what a sensor of all colours sees there, but for the noise."""
    photo = np.random.default_rng(3).random((64, 96, 3), np.float32)
    clean = dataclasses.replace(PLAIN, full_well=1e12, read_noise=0.1)
    linear, mosaic = (
        simulate(photo, dataclasses.replace(clean, pattern=p), np.random.default_rng(0))
        for p in ("R+G+B", X_TRANS)
    )
    for plane, colour in enumerate("RGB"):
        at = mosaic.mosaic.mask(colour, 64, 96)
        np.testing.assert_allclose(mosaic.cfa[at], linear.cfa[at, plane], atol=2)


def test_the_noise_is_what_the_frame_says() -> None:
    spec = dataclasses.replace(PLAIN, iso=1600, neutral=(1.0, 1.0, 1.0))
    frame = simulate(grey(0.3, 400, 400), spec, np.random.default_rng(0))
    signal = (frame.cfa - 512.0) / (frame.white - 512)
    variance = frame.noise.scale * 0.3 + frame.noise.offset
    assert signal.var() == pytest.approx(variance, rel=0.03)


def test_exposure_clips_at_the_white_level() -> None:
    frame = simulate(grey(1.0), dataclasses.replace(PLAIN, exposure=1.0), np.random.default_rng(0))
    assert (frame.cfa[::2, 1::2] == frame.white).all()
    assert frame.cfa.max() == frame.white


def test_headroom_lifts_only_highlights() -> None:
    rng = np.random.default_rng(0)
    spec = dataclasses.replace(PLAIN, exposure=-3.0)
    lifted = dataclasses.replace(spec, headroom=2.0)
    dark = plane_means(simulate(grey(0.5), lifted, rng))
    assert dark == pytest.approx(plane_means(simulate(grey(0.5), spec, rng)), rel=0.02)
    bright = plane_means(simulate(grey(1.0), lifted, rng))
    assert bright == pytest.approx([0.5 * spec.neutral[c] for c in (0, 1, 1, 2)], rel=0.02)


def test_vignetting_darkens_the_corners_only() -> None:
    spec = dataclasses.replace(PLAIN, vignetting=0.5, iso=100)
    frame = simulate(grey(0.5, 200, 200), spec, np.random.default_rng(0))
    green = (frame.cfa[::2, 1::2] - 512.0) / (frame.white - 512)
    assert green[48:52, 48:52].mean() == pytest.approx(0.5, rel=0.02)
    assert green[:2, :2].mean() == pytest.approx(0.25, rel=0.08)


def test_aberration_moves_red_against_green() -> None:
    edge = grey(0.1, 64, 400)
    edge[:, 350:] = 0.8
    spec = dataclasses.replace(PLAIN, aberration=(0.02, 0.0), iso=100)
    frame = simulate(edge, spec, np.random.default_rng(0))
    red = frame.cfa[::2, ::2].mean(axis=0)
    blue = frame.cfa[1::2, 1::2].mean(axis=0)
    at = [int(np.argmax(np.diff(plane))) for plane in (red, blue)]
    assert at[0] - at[1] in (1, 2)


def test_large_photographs_are_halved_and_small_ones_kept() -> None:
    rng = np.random.default_rng(0)
    photo = np.zeros((101, 203, 3), np.uint8)
    assert simulate(photo, PLAIN, rng, halve_from=200).cfa.shape == (50, 100)
    assert simulate(photo, PLAIN, rng, halve_from=300).cfa.shape == (100, 202)


def test_one_seed_makes_one_frame() -> None:
    photo = np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8)
    spec = CameraSpec.random(np.random.default_rng(3))
    one, same = (simulate(photo, spec, np.random.default_rng(1)) for _ in range(2))
    other = simulate(photo, spec, np.random.default_rng(2))
    assert (one.cfa == same.cfa).all()
    assert (one.cfa != other.cfa).any()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_random_cameras_make_valid_frames(seed: int) -> None:
    spec = CameraSpec.random(np.random.default_rng(seed))
    photo = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    frame = simulate(photo, spec, np.random.default_rng(seed))
    assert frame.cfa.shape == (16, 16)
    assert frame.cfa.max() <= spec.white < 1 << spec.bits
    assert all(0.1 < value < 3 for value in spec.neutral)


def test_levels_that_do_not_fit_the_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="12 bits do not hold"):
        CameraSpec(bits=12, white=4096)


def test_the_neutral_near_daylight_is_that_of_d65() -> None:
    matrix = CAMERA_MATRICES["Nikon D700"]
    red, green, blue = neutral_at(matrix, 6500)
    daylight = matrix @ D65
    assert (red, green, blue) == pytest.approx(daylight / daylight[1], rel=0.06)
    assert neutral_at(matrix, 2800)[0] > red > neutral_at(matrix, 12000)[0]


def bits_of_noise(level: float, spec: CameraSpec) -> tuple[float, NDArray[np.uint16]]:
    """Of a grey scene, and its samples."""
    samples = simulate(grey(level, 200, 300), spec, np.random.default_rng(4)).cfa
    light = exposed(grey(level, 200, 300), spec, np.random.default_rng(4))
    return noise_bits(light, spec, samples), samples


@pytest.mark.parametrize("level", [0.0, 0.001, 0.02, 0.7])
@pytest.mark.parametrize("pattern", ["W", "R+G+B"])
def test_what_noise_takes_is_the_entropy_of_samples_of_the_same_light(
    level: float, pattern: str
) -> None:
    spec = dataclasses.replace(PLAIN, pattern=pattern, bits=12, black=64, white=4095)
    bits, samples = bits_of_noise(level, spec)
    channels = samples.reshape(-1, samples.shape[2] if samples.ndim == 3 else 1)
    entropies = []
    for own in channels.T:
        shares = np.unique(own, return_counts=True)[1] / own.size
        entropies.append(-float(shares @ np.log2(shares)))
    assert bits == pytest.approx(np.mean(entropies), abs=0.01)


def test_samples_that_clip_take_nothing() -> None:
    spec = dataclasses.replace(PLAIN, pattern="W", exposure=3.0)
    assert bits_of_noise(0.9, spec)[0] < 1e-6


def test_samples_far_from_their_light_take_many_bits() -> None:
    spec = dataclasses.replace(PLAIN, pattern="W")
    light = exposed(grey(0.5), spec, np.random.default_rng(0))
    far = np.full(light.shape, 700, np.uint16)
    assert 100 < noise_bits(light, spec, far) < 1100
