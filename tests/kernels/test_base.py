"""Colours, classes and filters of the base against the second decoder's, in 64 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.residual import classify_regions
from rawback.tone.colours import NO_GAINS, base_colours
from rawback.tone.gain import grid_shape
from rawback.tone.linear_filter import LinearFilter, apply_filters
from rawback.types import BayerPattern, Guide

from ..format.second_decoder import base as second_base
from ..format.second_decoder import filters as second_filters
from ..format.second_decoder import frame as second_frame
from ..format.second_decoder.guide import Guide as SecondGuide

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATTERNS: tuple[BayerPattern, ...] = ("RGGB", "BGGR", "GRBG", "GBRG")
sides = st.integers(1, 70)


def guide_of(rng: np.random.Generator, shape: tuple[int, int]) -> Guide:
    """Colours of all kinds, extremes among them, and a mask with holes."""
    pixels = rng.choice(np.array([0, 15, 16, 128, 253, 254, 255], np.uint8), (*shape, 3))
    pixels[:, ::3] = rng.integers(0, 256, pixels[:, ::3].shape)
    return Guide(pixels, (rng.random(shape) < rng.choice([0.5, 0.98, 1.0])).astype(np.uint8))


def colours_by_twin(
    nodes: NDArray[np.int32],
    guide: Guide,
    gains: NDArray[np.int32],
    spacing: int,
    origin: tuple[int, int],
    uncovered: tuple[int, int, int],
) -> NDArray[np.int64]:
    found = np.stack(
        [second_base._looked_up(n.astype(np.int64), guide.pixels.astype(np.int64)) for n in nodes]
    )
    if spacing:
        (row, down), (column, right) = (
            np.divmod(np.arange(start, start + size), spacing)
            for start, size in zip(origin, guide.mask.shape, strict=True)
        )
        grid = gains.astype(np.int64)
        tall = grid[row] * (spacing - down)[:, None] + grid[row + 1] * down[:, None]
        gain = tall[:, column] * (spacing - right) + tall[:, column + 1] * right
        found += found * (gain >> (2 * (spacing.bit_length() - 1) - 4)) + 2048 >> 12
    found[:, guide.mask == 0] = np.array(uncovered)[:, None]
    return found


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32), sides, sides, st.sampled_from([0, 256, 512, 1024]), st.integers(0, 3000)
)
def test_colours(seed: int, height: int, width: int, spacing: int, left: int) -> None:
    rng = np.random.default_rng(seed)
    guide = guide_of(rng, (height, width))
    nodes = rng.integers(-(1 << 18), 1 << 18, (3, 17, 17, 17)).astype(np.int32)
    origin = (left // 3, left)
    gains = NO_GAINS
    if spacing:
        gains = rng.integers(
            -255, 256, grid_shape(origin[0] + height, origin[1] + width, spacing)
        ).astype(np.int32)
        gains[rng.random(gains.shape) < 0.5] = rng.choice([-255, 255])
    arguments = (nodes, guide, gains, spacing, origin, (-5, 7, 40_000))
    assert np.array_equal(base_colours(*arguments), colours_by_twin(*arguments))


def test_gains_that_do_not_cover_the_window() -> None:
    guide = Guide(np.zeros((9, 9, 3), np.uint8), np.ones((9, 9), np.uint8))
    nodes = np.zeros((3, 17, 17, 17), np.int32)
    gains = np.zeros((2, 2), np.int32)
    base_colours(nodes, guide, gains, 256, (247, 247))
    for origin in ((248, 0), (0, 248), (-1, 0)):
        with pytest.raises(ValueError, match="base_colours"):
            base_colours(nodes, guide, gains, 256, origin)
    with pytest.raises(ValueError, match="base_colours"):
        base_colours(nodes, guide, gains + 256, 256, (0, 0))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), sides, sides, st.sampled_from([40, 300, 1 << 14]))
def test_classes(seed: int, height: int, width: int, largest: int) -> None:
    rng = np.random.default_rng(seed)
    guide = guide_of(rng, (2 * height, 2 * width))
    if rng.random() < 0.5:
        guide.pixels[rng.random(guide.mask.shape) < 0.97] = 100
    colours = rng.integers(-largest // 9, largest, (3, 2 * height, 2 * width)).astype(np.int32)
    second = SecondGuide(guide.pixels.astype(np.int64), guide.mask > 0)
    expected = second_frame.spots_of(np.moveaxis(colours, 0, -1).astype(np.int64), second)
    assert np.array_equal(classify_regions(guide, colours), expected)


def wild_filter(rng: np.random.Generator, pattern: BayerPattern) -> LinearFilter:
    """Taps whose sums come as near to the bound as they may."""
    share = rng.choice([0.03, 0.3, 1.0])
    taps = np.where(rng.random((4, 3, 5, 5)) < share, rng.choice([-500, 500], (4, 3, 5, 5)), 0)
    taps[:, :, 2, 2] = 0
    found = LinearFilter(taps.astype(np.int32), rng.integers(-4096, 4097, 4).astype(np.int32))
    while not found.fits(pattern):
        found = LinearFilter((found.taps * 0.97).astype(np.int32), found.bias)
    return found


def filtered_by_twin(
    filters: list[LinearFilter],
    colours: NDArray[np.int32],
    classes: NDArray[np.uint8],
    pattern: BayerPattern,
    origin: tuple[int, int],
) -> NDArray[np.int64]:
    own = second_filters.owners(pattern)
    clipped = np.moveaxis(np.clip(colours, 0, 16384).astype(np.int64), 0, -1)
    rows, columns = (
        np.arange(start - 2, start + 2 * size + 2).clip(0, end - 1)
        for start, size, end in zip(origin, classes.shape, colours.shape[1:], strict=True)
    )
    padded = clipped[rows[:, None], columns]
    found = np.zeros((4, *classes.shape), np.int64)
    for number, linear in enumerate(filters):
        chosen = np.minimum(classes, len(filters) - 1) == number
        taps = linear.taps.reshape(4, 3, 25)[..., [n for n in range(25) if n != 12]]
        for p in range(4):
            values = second_filters._filtered(padded, taps[p].astype(np.int64), p, own[p])
            found[p][chosen] = np.clip(values + linear.bias[p], -32767, 32767)[chosen]
    return found


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 30), st.integers(1, 150)),
    st.integers(1, 4),
    st.sampled_from(["extremes", "beyond", "anything"]),
)
def test_filters(seed: int, quads: tuple[int, int], count: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    pattern = PATTERNS[seed % 4]
    origin = tuple(rng.integers(0, 5, 2).tolist())
    after = rng.integers(0, 5, 2).tolist()
    shape = (3, *(2 * q + o + a for q, o, a in zip(quads, origin, after, strict=True)))
    colours = {
        "extremes": rng.choice([0, 1 << 14], shape),
        "beyond": rng.integers(-(1 << 31), 1 << 31, shape),
        "anything": rng.integers(0, (1 << 14) + 1, shape),
    }[kind].astype(np.int32)
    filters = [wild_filter(rng, pattern) for _ in range(count)]
    classes = rng.integers(0, rng.integers(1, 6), quads).astype(np.uint8)
    classes[rng.random(quads) < 0.01] = 255
    found = apply_filters(filters, colours, classes, pattern, origin)
    assert np.array_equal(found, filtered_by_twin(filters, colours, classes, pattern, origin))


def test_filters_that_could_overflow_are_refused() -> None:
    taps = np.zeros((4, 3, 5, 5), np.int32)
    taps[2, 1, 0, 0] = 1153
    linear = LinearFilter(taps, np.zeros(4, np.int32))
    colours, classes = np.zeros((3, 12, 12), np.int32), np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="linear_filter"):
        apply_filters([linear], colours, classes, "RGGB")
    with pytest.raises(ValueError, match="linear_filter"):
        apply_filters([LinearFilter.identity()], colours, classes, "RGGB", (5, 2))
