"""The raw's picture in the colours that a carrier shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.geometry.registration.mixture import mixed_level
from rawback.geometry.registration.pyramid import PyramidLevel, colour_levels
from rawback.geometry.registration.surface import Surface

from .synthetic import HEIGHT, WIDTH, mosaic, scene

if TYPE_CHECKING:
    from rawback.types import RawFrame

HERE = Surface(np.eye(3))


@pytest.fixture(scope="module")
def frame() -> RawFrame:
    return mosaic(scene())


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_all_colours_lie_at_the_same_places(pattern: str) -> None:
    slope = np.add.outer(2.0 * np.arange(HEIGHT), np.arange(WIDTH)) / (3 * WIDTH)
    frame = mosaic(np.zeros((HEIGHT, WIDTH, 3), np.float32))
    cfa = (256 + 3500 * slope**2).round().astype(np.uint16)
    levels = colour_levels(replace(frame, cfa=cfa, pattern=pattern))
    middles = np.add.outer(
        2 * (2.0 * np.arange(HEIGHT // 2) + 0.5), 2.0 * np.arange(WIDTH // 2) + 0.5
    )
    for level in levels:
        inner = level.image[1:-1, 1:-1] - middles[1:-1, 1:-1] / (3 * WIDTH)
        assert level.step == (2.0, 2.0)
        assert np.abs(inner[20:]).max() < 2e-3


@pytest.mark.parametrize("shares", [(0.0, 0.0, 0.8), (0.7, 0.4, -0.2), (0.1, 0.8, 0.1)])
def test_the_mix_is_found(shares: tuple[float, float, float], frame: RawFrame) -> None:
    levels = colour_levels(frame)
    shown = sum(share * level.image for share, level in zip(shares, levels, strict=True))
    carrier = PyramidLevel(np.asarray(shown, np.float32), (2.0, 2.0))
    mixed = mixed_level(levels, carrier, HERE, 2.0)
    assert mixed is not None
    np.testing.assert_allclose(mixed.image, carrier.image, atol=0.01)


def test_one_colour_or_none_that_shows_anything_has_no_mix(frame: RawFrame) -> None:
    levels = colour_levels(frame)
    assert mixed_level(levels[:1], levels[0], HERE, 2.0) is None
    even = [replace(level, image=np.zeros_like(level.image)) for level in levels]
    assert mixed_level(even, levels[0], HERE, 2.0) is None
