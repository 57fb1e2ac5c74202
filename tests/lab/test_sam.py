"""Sampled metadata: what is kept comes back, and the guide says what lies between."""

from __future__ import annotations

import numpy as np
import pytest

from rawback_lab import sam

HEIGHT, WIDTH = 70, 110
RNG = np.random.default_rng(0)
GUIDE = np.asarray(RNG.integers(0, 256, (HEIGHT, WIDTH, 3)), np.uint8)
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]


def kept(
    planes: np.ndarray[tuple[int, int, int], np.dtype[np.float32]], budget: int
) -> sam.Samples:
    found = sam.sample(planes, budget, {})
    assert found is not None
    assert found.size <= budget
    return found


def test_samples_are_those_of_a_uniform_grid_at_ten_bits() -> None:
    planes = np.asarray(RNG.random((4, HEIGHT, WIDTH)), np.float32)
    found = kept(planes, 2_000)
    _, m, n = found.values.shape
    rows, columns = (
        (2 * np.arange(m) + 1) * HEIGHT // (2 * m),
        ((2 * np.arange(n) + 1) * WIDTH // (2 * n)),
    )
    assert found.values == pytest.approx(planes[:, rows][:, :, columns], abs=0.5 / 1023 + 1e-6)
    assert m / n == pytest.approx(HEIGHT / WIDTH, rel=0.15)


def test_larger_budgets_keep_more() -> None:
    planes = np.asarray(RNG.random((3, HEIGHT, WIDTH)), np.float32)
    counts = [kept(planes, budget).values.size for budget in (300, 900, 2_700)]
    assert counts[0] < counts[1] / 2 < counts[2] / 4
    assert sam.sample(planes, 10, {}) is None


def test_what_is_affine_in_place_and_colour_comes_back() -> None:
    """Random colours, so no sample's neighbours look like it: only the function knows them."""
    light = GUIDE.astype(np.float32) / 255
    plane = 0.1 + 0.3 * light[..., 0] + 0.2 * light[..., 2] + 0.002 * ROWS + 0.001 * COLUMNS
    planes = np.asarray(np.stack([plane, 0.8 - plane / 2]), np.float32)
    found = sam.interpolate(kept(planes, 1_200), np.broadcast_to(GUIDE, (2, *GUIDE.shape)))
    assert np.abs(found - planes).mean() < 0.004


def test_planes_with_guides_of_their_own_are_told_apart() -> None:
    guides = np.stack([GUIDE, 255 - GUIDE])
    planes = np.asarray(guides[..., 1] / np.float32(300), np.float32)
    found = sam.interpolate(kept(planes, 1_200), guides)
    assert np.abs(found - planes).mean() < 0.01


def test_colours_say_where_edges_are() -> None:
    edge = np.where(COLUMNS * 2 + ROWS > 120, 200, 40)
    guide = np.repeat(edge.astype(np.uint8)[..., None], 3, axis=2)
    plane = np.asarray(guide[..., 0] / np.float32(255) * 0.7, np.float32)[None]
    found = sam.interpolate(kept(plane, 150), guide[None])
    blind = sam.interpolate(kept(plane, 150), np.full_like(guide, 99)[None])
    assert np.abs(found - plane).max() < 0.03
    assert np.abs(blind - plane).max() > 0.1
