"""What the lossless layer counts samples among, and what it looks for in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.encoder.code_lists import code_lists, pixels_of
from rawback.mosaic import Mosaic
from rawback.residual import PHASES, Pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

RGB, RGGB = Mosaic.parse("R+G+B"), Mosaic.parse("RGGB")


def noisy(height: int, width: int, seed: int = 0) -> NDArray[np.int32]:
    """Pixels of a gradient with noise, int32 ``[h, w, 3]``."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(4000, 40_000, width)[:, None] * (0.5, 1, 0.7)
    return np.rint(rng.normal(slope, 200, (height, width, 3))).astype(np.int32)


def between(pixels: NDArray[np.int32], channel: int, odd: int) -> None:
    """Put a channel's difference to green, in odd or even columns, between its neighbours'."""
    difference = pixels[..., channel] - pixels[..., 1]
    mean = np.roll(difference, 1, 1) + np.roll(difference, -1, 1) >> 1
    pixels[:, odd::2, channel] = (mean + pixels[..., 1])[:, odd::2]


def rows(pixels: NDArray[np.int32]) -> NDArray[np.uint16]:
    return pixels.clip(0, 65535).astype(np.uint16).reshape(len(pixels), -1)


def test_what_interpolation_put_between_others_is_looked_for() -> None:
    pixels = noisy(64, 90)
    assert pixels_of(rows(pixels), RGB) == Pixels.PLAIN
    for channel, odd in ((0, 1), (2, 0)):
        between(pixels, channel, odd)
    assert pixels_of(rows(pixels), RGB) == Pixels.INTERPOLATED
    assert pixels_of(rows(pixels), RGGB) == Pixels.PLAIN


def test_pixels_without_noise_are_not_taken_for_interpolated_ones() -> None:
    straight = np.add.outer(np.arange(64), np.arange(90))[..., None] * np.array([20, 31, 17]) + 700
    assert pixels_of(rows(straight), RGB) == Pixels.PLAIN


def test_pixels_that_repeat_others_are_looked_for() -> None:
    flat = np.kron(noisy(8, 10), np.ones((16, 16, 1), np.int32))
    assert pixels_of(rows(flat), RGB) == Pixels.REPEATING


@pytest.mark.parametrize("shape", [(1, 1), (5, 90), (64, 5), (6, 6), (7, 9)])
def test_small_frames_are_of_some_kind(shape: tuple[int, int]) -> None:
    assert pixels_of(rows(noisy(*shape)), RGB) in Pixels


def test_phases_have_lists_of_their_own_where_that_pays() -> None:
    pixels = noisy(300, 280) // 8
    assert len(code_lists(rows(pixels), RGB)) == 1
    pixels[::2, ::2, 0] &= ~63
    pixels[1::2, 1::2, 2] &= ~63
    lists = code_lists(rows(pixels), RGB)
    assert len(lists) == 3 * PHASES
    for number, own in enumerate(lists):
        channel, phase = divmod(number, PHASES)
        assert np.array_equal(own, np.unique(pixels[phase // 2 :: 2, phase % 2 :: 2, channel]))
    # Pixels that repeat others must be of the same list.
    assert len(code_lists(rows(pixels), RGB, Pixels.REPEATING)) < len(lists)


def test_channels_have_lists_of_their_own_where_that_pays() -> None:
    mosaic = np.random.default_rng(1).integers(0, 16_000, (200, 300)).astype(np.uint16)
    assert len(code_lists(mosaic, RGGB)) == 1
    mosaic[::2, ::2] &= 0xFFF0
    assert len(code_lists(mosaic, RGGB)[0]) == 1000
