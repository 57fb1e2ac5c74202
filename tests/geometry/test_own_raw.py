"""Which of several raws that show the same a JPEG was made of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.geometry.registration import own_raw, summarise
from rawback.orientation import orient_image

from .synthetic import mosaic, rendered, scene, view

if TYPE_CHECKING:
    from rawback.geometry.registration import Summary
    from rawback.types import RawFrame

SHOTS = 3


@pytest.fixture(scope="module")
def frames() -> list[RawFrame]:
    """One scene that nothing moves in, three times; only the noise differs."""
    frame = mosaic(scene())
    random = np.random.default_rng(1)
    return [
        replace(
            frame,
            cfa=(frame.cfa + random.normal(0, 60, frame.cfa.shape)).clip(0, 4095).astype(np.uint16),
        )
        for _ in range(SHOTS)
    ]


@pytest.fixture(scope="module")
def raws(frames: list[RawFrame]) -> list[Summary]:
    return [summarise(frame) for frame in frames]


def light(frame: RawFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The mean of each quad at its size and a half more, linear, grey."""
    signal = ((frame.cfa - 256.0) / 3500).clip(0, 1).astype(np.float32)
    quads = (signal[::2, ::2] + signal[1::2, ::2] + signal[::2, 1::2] + signal[1::2, 1::2]) / 4
    return np.repeat(np.repeat(np.repeat(quads, 2, 0), 2, 1)[..., None], 3, axis=2)


@pytest.mark.parametrize("own", range(SHOTS))
def test_the_one_with_the_same_noise(own: int, frames: list[RawFrame], raws: list[Summary]) -> None:
    turned = view(degrees=3, kept=0.6).shows(light(frames[own]))
    for pixels in (
        rendered(light(frames[own])),
        rendered(turned),
        255 - rendered(turned),
        rendered(orient_image(6, light(frames[own]))[40:, :300]),
    ):
        assert own_raw(raws, summarise(pixels)) == own


def test_one_that_is_none_of_theirs(raws: list[Summary]) -> None:
    other = mosaic(scene())
    noise = np.random.default_rng(7).normal(0, 60, other.cfa.shape)
    other = replace(other, cfa=(other.cfa + noise).clip(0, 4095).astype(np.uint16))
    assert own_raw(raws, summarise(rendered(light(other)))) is None


def test_copies_and_single_ones_and_another_scene(raws: list[Summary]) -> None:
    jpeg = summarise(rendered(scene()))
    assert own_raw([raws[0], raws[0]], jpeg) is None
    assert own_raw(raws[:1], jpeg) is None
    assert own_raw([raws[0], summarise(mosaic(scene(5)))], jpeg) is None
