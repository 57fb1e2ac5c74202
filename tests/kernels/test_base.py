"""Colours, classes and filters of the base against their twins in NumPy, in 64 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.residual import classify_regions
from rawback.tone.colours import NO_GAINS, base_colours
from rawback.tone.gain import grid_shape
from rawback.tone.linear_filter import LinearFilter, apply_filters, has_phase_filters
from rawback.tone.lut import colour_histogram
from rawback.types import Guide

from ..format.second_decoder import base as second_base
from ..mosaics import BAYER, KINDS
from .twin_of_base import classes_by_twin, filtered_by_twin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic

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
    uncovered: tuple[int, ...],
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
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 4), sides, sides),
    st.sampled_from([0, 256, 512, 1024]),
    st.integers(0, 3000),
)
def test_colours(seed: int, shape: tuple[int, int, int], spacing: int, left: int) -> None:
    count, height, width = shape
    rng = np.random.default_rng(seed)
    guide = guide_of(rng, (height, width))
    nodes = rng.integers(-(1 << 18), 1 << 18, (count, 17, 17, 17)).astype(np.int32)
    origin = (left // 3, left)
    gains = NO_GAINS
    if spacing:
        gains = rng.integers(
            -255, 256, grid_shape(origin[0] + height, origin[1] + width, spacing)
        ).astype(np.int32)
        gains[rng.random(gains.shape) < 0.5] = rng.choice([-255, 255])
    arguments = (nodes, guide, gains, spacing, origin, (-5, 7, 40_000, 0)[:count])
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


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), sides, sides, st.sampled_from([40, 300, 1 << 14]))
def test_classes(seed: int, cell: int, height: int, width: int, largest: int) -> None:
    rng = np.random.default_rng(seed)
    guide = guide_of(rng, (cell * height, cell * width))
    if rng.random() < 0.5:
        guide.pixels[rng.random(guide.mask.shape) < 0.97] = 100
    light = rng.integers(-largest // 9, largest, (cell * height, cell * width)).astype(np.int32)
    expected = classes_by_twin(light, guide, cell)
    assert np.array_equal(classify_regions(guide, light, cell), expected)


@pytest.mark.parametrize("cell", [0, 5])
def test_classes_of_cells_that_no_mosaic_has(cell: int) -> None:
    light = np.zeros((20, 20), np.int32)
    guide = Guide(np.zeros((20, 20, 3), np.uint8), np.ones((20, 20), np.uint8))
    with pytest.raises((ValueError, ZeroDivisionError)):
        classify_regions(guide, light, cell)


def wild_filter(rng: np.random.Generator, mosaic: Mosaic, *, by_phase: bool) -> LinearFilter:
    """Taps whose sums come as near to the bound as they may."""
    share = rng.choice([0.03, 0.3, 1.0])
    channels = len(mosaic.phases if by_phase else mosaic.colours)
    shape = (channels, len(mosaic.palette), 5, 5)
    taps = np.where(rng.random(shape) < share, rng.choice([-500, 500], shape), 0)
    taps[:, :, 2, 2] = 0
    bias = rng.integers(-4096, 4097, channels).astype(np.int32)
    found = LinearFilter(taps.astype(np.int32), bias)
    while not found.fits(mosaic):
        found = LinearFilter((found.taps * 0.97).astype(np.int32), found.bias)
    return found


@pytest.mark.parametrize("mosaic", [*BAYER[:3], *KINDS.values()], ids=str)
@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 9), st.integers(1, 150)),
    st.integers(1, 4),
    st.sampled_from(["extremes", "beyond", "anything"]),
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
)
def test_filters(
    mosaic: Mosaic,
    seed: int,
    cells: tuple[int, int],
    count: int,
    kind: str,
    place: tuple[int, int],
) -> None:
    rng = np.random.default_rng(seed)
    origin = tuple(rng.integers(0, 5, 2).tolist())
    after = rng.integers(0, 5, 2).tolist()
    sides = (mosaic.cell * q + o + a for q, o, a in zip(cells, origin, after, strict=True))
    shape = (len(mosaic.palette), *sides)
    colours = {
        "extremes": rng.choice([0, 1 << 14], shape),
        "beyond": rng.integers(-(1 << 31), 1 << 31, shape),
        "anything": rng.integers(0, (1 << 14) + 1, shape),
    }[kind].astype(np.int32)
    by_phase = has_phase_filters(mosaic) and rng.random() < 0.5
    filters = [wild_filter(rng, mosaic, by_phase=by_phase) for _ in range(count)]
    classes = rng.integers(0, rng.integers(1, 6), cells).astype(np.uint8)
    classes[rng.random(cells) < 0.01] = 255
    found = apply_filters(filters, colours, classes, mosaic, origin, place)
    expected = filtered_by_twin(filters, colours, classes, mosaic, origin, place)
    assert np.array_equal(found, expected)


def test_filters_that_could_overflow_are_refused() -> None:
    mosaic = BAYER[0]
    taps = np.zeros((4, 3, 5, 5), np.int32)
    taps[2, 1, 0, 0] = 1153
    linear = LinearFilter(taps, np.zeros(4, np.int32))
    colours, classes = np.zeros((3, 12, 12), np.int32), np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="linear_filter"):
        apply_filters([linear], colours, classes, mosaic)
    identity = LinearFilter.identity(mosaic)
    with pytest.raises(ValueError, match="linear_filter"):
        apply_filters([identity], colours, classes, mosaic, (5, 2))
    with pytest.raises(ValueError, match="linear_filter"):
        apply_filters([identity], colours, classes, mosaic, place=(0, -1))


def test_colours_are_counted_by_the_upper_bits_of_each_channel() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (31, 17, 3)).astype(np.uint8)
    expected = np.zeros((16, 16, 16), np.int64)
    np.add.at(expected, tuple(np.moveaxis(pixels >> 4, 2, 0)), 1)
    assert np.array_equal(colour_histogram(pixels), expected)
    assert np.array_equal(colour_histogram(pixels[:, ::-1, ::-1]), expected.transpose(2, 1, 0))
