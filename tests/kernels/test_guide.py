"""The guide against its twin, on warps of all kinds and on positions from strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.geometry import guide as evaluated
from rawback.types import Guide

from . import twin_of_guide as twin

if TYPE_CHECKING:
    from numpy.typing import NDArray


def built(
    nodes: NDArray[np.int64], carrier: NDArray[np.uint8], averaged: int, box: tuple[int, ...]
) -> Guide:
    left, top, width, height = box
    guide = Guide(np.full((height, width, 3), 7, np.uint8), np.full((height, width), 7, np.uint8))
    evaluated._fill(nodes, carrier, averaged, (left, top, width, height), guide)
    return guide


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.integers(1, 8),
    st.sampled_from(["near", "turned", "wild", "far"]),
)
def test_any_positions(seed: int, size: tuple[int, int], averaged: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    raw = rng.integers(1, 70, 2)
    shape = (-(-raw[1] // 16) + 1, -(-raw[0] // 16) + 1)
    y, x = np.mgrid[: shape[0], : shape[1]] * 16 * 1024
    nodes = {
        "near": np.stack([x, y], -1) + rng.integers(-2000, 2000, (*shape, 2)),
        "turned": np.stack([30 * 1024 - y, x + y // 7], -1) * averaged,
        "wild": rng.integers(-80 * 1024, 80 * 1024, (*shape, 2)),
        "far": rng.integers(-(1 << 27), 1 << 27, (*shape, 2)),
    }[kind]
    carrier = rng.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    corner = rng.integers(0, raw)
    box = (*corner.tolist(), *(raw - corner).tolist())
    guide = built(nodes, carrier, averaged, box)
    pixels, mask = twin.guide(nodes, carrier, averaged, box)
    assert np.array_equal(guide.mask, mask)
    assert np.array_equal(guide.pixels, pixels)


def test_a_box_beyond_the_nodes() -> None:
    nodes, carrier = np.zeros((2, 2, 2), np.int64), np.zeros((4, 4, 3), np.uint8)
    assert built(nodes, carrier, 1, (0, 0, 16, 16)).mask.all()
    for box in ((0, 0, 17, 16), (0, 0, 16, 17), (1, 0, 16, 1)):
        with pytest.raises(ValueError, match="sample_guide"):
            built(nodes, carrier, 1, box)
