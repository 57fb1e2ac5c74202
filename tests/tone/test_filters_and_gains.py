"""The linear and the spatial part of the base: integers, and exact wherever they are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.tone.colours import base_colours
from rawback.tone.gain import GAIN_ONE, SPACINGS, grid_shape, hat_weights
from rawback.tone.linear_filter import LinearFilter, apply_filters
from rawback.types import Guide

from ..mosaics import BAYER, KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic

RGGB, _, GRBG, _ = BAYER


def everywhere(
    linear_filter: LinearFilter, values: NDArray[np.int32], mosaic: Mosaic
) -> NDArray[np.int16]:
    """One filter for all cells."""
    _, height, width = values.shape
    cell = mosaic.cell
    served = np.zeros(((height - 4) // cell, (width - 4) // cell), np.uint8)
    return apply_filters((linear_filter,), values, served, mosaic)


def _as_wild_as_fits(rng: np.random.Generator, mosaic: Mosaic, share: float) -> LinearFilter:
    """Taps whose sums come as near to the bound as they may."""
    channels, colours = len(mosaic.colours), len(mosaic.palette)
    shape = (channels, colours, 5, 5)
    taps = np.where(rng.random(shape) < share, rng.choice([-500, 500], shape), 0)
    taps[:, :, 2, 2] = 0
    bias = rng.integers(-4096, 4097, channels).astype(np.int32)
    linear_filter = LinearFilter(taps.astype(np.int32), bias)
    while not linear_filter.fits(mosaic):
        linear_filter = LinearFilter(
            (linear_filter.taps * 0.97).astype(np.int32), linear_filter.bias
        )
    return linear_filter


@pytest.mark.parametrize("mosaic", KINDS.values(), ids=KINDS)
def test_each_cell_is_served_by_the_filter_of_its_class(mosaic: Mosaic) -> None:
    rng = np.random.default_rng(4)
    filters = [_as_wild_as_fits(rng, mosaic, 0.3) for _ in range(3)]
    shape = (len(mosaic.palette), 6 * mosaic.cell + 4, 10 * mosaic.cell + 4)
    values = rng.integers(0, (1 << 14) + 1, shape).astype(np.int32)
    served = rng.choice([0, 2], (6, 10)).astype(np.uint8)
    found = apply_filters(filters, values, served, mosaic)
    for number in (0, 2):
        alone = everywhere(filters[number], values, mosaic)
        assert np.array_equal(found[:, served == number], alone[:, served == number])


@pytest.mark.parametrize("mosaic", [*BAYER[:3], *KINDS.values()], ids=str)
def test_the_identity_takes_each_samples_own_colour(mosaic: Mosaic) -> None:
    shape = (len(mosaic.palette), 6 * mosaic.cell + 4, 7 * mosaic.cell + 4)
    values = np.random.default_rng(1).integers(0, 1 << 14, shape).astype(np.int32)
    planes = everywhere(LinearFilter.identity(mosaic), values, mosaic)
    _, height, width = shape
    masks = [mosaic.mask(colour, height - 4, width - 4) for colour in mosaic.palette]
    for number, plane in enumerate(planes):
        rows, columns = mosaic.pixels_of(number, (6, 7))
        if mosaic.pattern:
            own = np.argmax([mask[rows, columns] for mask in masks], axis=0)
        else:
            own = np.full((6, 7), number)
        assert np.array_equal(plane, values[own, 2 + rows, 2 + columns])


def test_a_flat_area_passes_every_filter_unchanged() -> None:
    linear_filter = _as_wild_as_fits(np.random.default_rng(8), GRBG, 1.0)
    linear_filter = LinearFilter(linear_filter.taps, np.zeros(4, np.int32))
    flat = np.full((3, 12, 12), 5000, np.int32)
    assert (everywhere(linear_filter, flat, GRBG) == 5000).all()


def test_the_bound_on_taps_is_sharp() -> None:
    taps = np.zeros((4, 3, 5, 5), np.int32)
    # The implied central tap counts as well: 256 - 896 makes 640, and with the 896 itself 1536.
    taps[0, 0, 0, 0] = 896 + 256
    assert LinearFilter(taps, np.zeros(4, np.int32)).fits(RGGB)
    taps[0, 0, 0, 0] += 1
    assert not LinearFilter(taps, np.zeros(4, np.int32)).fits(RGGB)


def gained(
    values: NDArray[np.int32], grid: NDArray[np.int32], spacing: int, origin: tuple[int, int]
) -> NDArray[np.float64]:
    """Bilinear gain in float."""
    rows = (origin[0] + np.arange(values.shape[1])) / spacing
    columns = (origin[1] + np.arange(values.shape[2])) / spacing
    down = np.stack([np.interp(rows, np.arange(len(grid)), line) for line in grid.T])
    both = np.stack([np.interp(columns, np.arange(grid.shape[1]), line) for line in down.T])
    return values * (1 + both / GAIN_ONE)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(SPACINGS[1:]),
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)
def test_gains_are_bilinear_up_to_the_frames_last_pixel(
    seed: int, spacing: int, frame: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    grid = rng.integers(-255, 256, grid_shape(*frame, spacing)).astype(np.int32)
    size = (min(30, frame[0]), min(40, frame[1]))
    corners = [(0, 0), (frame[0] - size[0], frame[1] - size[1])]
    corners.append((int(rng.integers(corners[1][0] + 1)), int(rng.integers(corners[1][1] + 1))))
    for origin in corners:
        nodes = rng.integers(-(1 << 15), 1 << 15, (3, 17, 17, 17)).astype(np.int32)
        guide = Guide(rng.integers(0, 256, (*size, 3)).astype(np.uint8), np.ones(size, np.uint8))
        expected = gained(base_colours(nodes, guide), grid, spacing, origin)
        # A gain is rounded down to 12 bits: up to 8 units in the largest value, and a rounding.
        values = base_colours(nodes, guide, grid, spacing, origin)
        assert np.abs(values - expected).max() <= 8.5


@pytest.mark.parametrize("spacing", SPACINGS[1:])
def test_hat_weights_tell_the_same_gain(spacing: int) -> None:
    rng = np.random.default_rng(9)
    grid = rng.integers(-255, 256, grid_shape(2000, 3000, spacing)).astype(np.int32)
    rows, columns = rng.integers(0, 2000, 200), rng.integers(0, 3000, 200)
    nodes, weights = hat_weights(rows, columns, spacing, (len(grid), grid.shape[1]))
    assert weights.sum(axis=0) == pytest.approx(1)
    for row, column, node, weight in zip(rows, columns, nodes.T, weights.T, strict=True):
        one = gained(np.full((3, 1, 1), GAIN_ONE, np.int32), grid, spacing, (int(row), int(column)))
        assert one[0, 0, 0] == pytest.approx(GAIN_ONE + grid.ravel()[node] @ weight)


def test_a_grid_of_gains_covers_whole_cells() -> None:
    assert grid_shape(512, 768, 256) == (3, 4)
    assert grid_shape(512, 768, 256, 3) == (4, 4)
    assert grid_shape(511, 767, 256, 2) == grid_shape(511, 767, 256)
