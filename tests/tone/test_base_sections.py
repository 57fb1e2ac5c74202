"""The base's two sections: round trips, and bytes from strangers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.entropy import BitCounter, SymbolEncoder
from rawback.errors import PayloadDamaged
from rawback.tone import Base, colour_histogram
from rawback.tone.colours import base_colours
from rawback.tone.gain import SPACINGS, grid_shape
from rawback.tone.linear_filter import LinearFilter, has_phase_filters
from rawback.tone.lut import GRIDS, NODES, code_lut, refine_grid, touched_nodes
from rawback.types import Guide

from ..mosaics import BAYER, KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic

FRAME = (600, 900)
RGGB, GBRG = BAYER[0], BAYER[3]
MOSAICS = [*BAYER[:3], *KINDS.values()]
CELLS = colour_histogram(np.random.default_rng(0).integers(0, 256, (40, 2, 3)).astype(np.uint8))


@st.composite
def bases(draw: st.DrawFn) -> Base:
    """Any base that an encoder could have fitted, for a carrier with the colours of CELLS."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    step = draw(st.sampled_from([1, 2, 16, 64, 255]))
    spread = draw(st.sampled_from([0.3, 3.0, 100.0]))
    mosaic = draw(st.sampled_from(MOSAICS))
    colours = len(mosaic.palette)
    details = []
    for grid in GRIDS[: draw(st.integers(1, 4))]:
        detail = np.rint(rng.laplace(0, spread, (colours, grid, grid, grid))).astype(np.int32)
        details.append(detail * touched_nodes(CELLS, grid))
    nodes, _ = code_lut(BitCounter(), CELLS, step, len(details), details, colours)
    spacing = draw(st.sampled_from(SPACINGS))
    shape = grid_shape(*FRAME, spacing) if spacing else (0, 0)
    gains = rng.integers(-255, 256, shape).astype(np.int32)
    uncovered = draw(st.tuples(*[st.integers(0, 60_000)] * colours))
    by_phase = has_phase_filters(mosaic) and draw(st.booleans())
    filters = tuple(_filter(rng, mosaic, by_phase=by_phase) for _ in range(draw(st.integers(0, 4))))
    return Base(mosaic, nodes, step, details, uncovered, spacing, gains, filters)


def _filter(rng: np.random.Generator, mosaic: Mosaic, *, by_phase: bool = False) -> LinearFilter:
    channels = len(mosaic.phases if by_phase else mosaic.colours)
    taps = rng.integers(-9, 10, (channels, len(mosaic.palette), 5, 5)).astype(np.int32)
    taps[:, :, 2, 2] = 0
    return LinearFilter(taps, rng.integers(-4096, 4097, channels).astype(np.int32))


@settings(max_examples=30, deadline=None)
@given(bases())
def test_both_sections_round_trip(base: Base) -> None:
    bare = Base.from_pointwise_bytes(base.pointwise_bytes(CELLS), base.mosaic, CELLS, FRAME)
    found = bare.with_filter_bytes(base.filter_bytes())
    assert (found.step, found.spacing, found.uncovered) == (
        base.step,
        base.spacing,
        base.uncovered,
    )
    assert np.array_equal(found.nodes, base.nodes)
    assert np.array_equal(found.gains, base.gains)
    assert len(found.filters) == len(base.filters)
    for ours, theirs in zip(found.filters, base.filters, strict=True):
        assert np.array_equal(ours.taps, theirs.taps)
        assert np.array_equal(ours.bias, theirs.bias)


def test_a_base_gives_the_same_planes_after_its_round_trip() -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (68, 100, 3)).astype(np.uint8)
    cells = colour_histogram(pixels)
    details = [rng.integers(-200, 200, (3, 3, 3, 3)).astype(np.int32)]
    nodes, _ = code_lut(BitCounter(), cells, 16, 1, details)
    gains = rng.integers(-20, 20, grid_shape(*FRAME, 256)).astype(np.int32)
    filters = (_filter(rng, GBRG), _filter(rng, GBRG))
    base = Base(GBRG, nodes, 16, details, (7, 8, 9), 256, gains, filters)
    again = Base.from_pointwise_bytes(base.pointwise_bytes(cells), GBRG, cells, FRAME)
    again = again.with_filter_bytes(base.filter_bytes())
    guide = Guide(pixels, (rng.random(pixels.shape[:2]) > 0.1).astype(np.uint8))
    classes = rng.integers(0, 5, (32, 48)).astype(np.uint8)
    ours, theirs = (b.planes(b.colours(guide, (100, 200)), classes) for b in (base, again))
    assert np.array_equal(ours, theirs)
    assert ours.std() > 100


GARBAGE = st.one_of(
    st.binary(max_size=80),
    st.binary(max_size=8).map(lambda data: data * 20),
    st.sampled_from([b"\0" * 50, b"\xff" * 50]),
)


@settings(max_examples=150, deadline=None)
@given(GARBAGE, st.sampled_from(MOSAICS))
def test_a_strangers_table_is_a_base_or_refused(data: bytes, mosaic: Mosaic) -> None:
    try:
        base = Base.from_pointwise_bytes(data, mosaic, CELLS, FRAME)
    except PayloadDamaged:
        return
    assert base.nodes.shape == (len(mosaic.palette), NODES, NODES, NODES)
    assert np.abs(base.nodes).max() <= 1 << 15
    assert np.abs(base.gains).max(initial=0) <= 255
    side = 2 * mosaic.cell + 4
    guide = Guide(np.full((side, side, 3), 200, np.uint8), np.ones((side, side), np.uint8))
    colours = base.colours(guide, (600 - side, 900 - side))
    planes = base.planes(colours, np.zeros((2, 2), np.uint8))
    assert planes.shape == (mosaic.planes, 2, 2)


@settings(max_examples=150, deadline=None)
@given(GARBAGE, st.sampled_from(MOSAICS))
def test_a_strangers_filters_are_exact_or_refused(data: bytes, mosaic: Mosaic) -> None:
    try:
        base = Base.empty(mosaic, (0,) * len(mosaic.palette)).with_filter_bytes(data)
    except PayloadDamaged:
        return
    assert len(base.filters) <= 4
    assert all(linear_filter.fits(mosaic) for linear_filter in base.filters)


@settings(max_examples=40, deadline=None)
@given(bases(), st.data())
def test_one_changed_byte_is_a_base_or_refused(base: Base, data: st.DataObject) -> None:
    for section, read in (
        (base.pointwise_bytes(CELLS), partial(_read_pointwise, mosaic=base.mosaic)),
        (base.filter_bytes(), base.with_filter_bytes),
    ):
        if not section:
            continue
        at = data.draw(st.integers(0, len(section) - 1))
        changed = bytearray(section)
        changed[at] ^= data.draw(st.integers(1, 255))
        try:
            read(bytes(changed))
        except PayloadDamaged:
            continue


def _read_pointwise(data: bytes, mosaic: Mosaic = RGGB) -> Base:
    return Base.from_pointwise_bytes(data, mosaic, CELLS, FRAME)


@pytest.mark.parametrize(
    "head", [[0, 1, 0, 0, 0, 0], [256, 1, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0], [2, 5, 0, 0, 0, 0]]
)
def test_heads_out_of_range_are_refused(head: list[int]) -> None:
    coder = SymbolEncoder()
    coder.code_escapes(np.array(head), 6)
    with pytest.raises(PayloadDamaged, match="impossible values"):
        _read_pointwise(coder.finish())


@pytest.mark.parametrize(("mosaic", "number"), [(RGGB, 5), (KINDS["X-Trans"], 9)])
def test_more_than_four_filters_are_refused(mosaic: Mosaic, number: int) -> None:
    coder = SymbolEncoder()
    coder.code_escapes(np.array([number]), 1)
    with pytest.raises(PayloadDamaged, match="impossible values"):
        Base.empty(mosaic, (0, 0, 0)).with_filter_bytes(coder.finish())


def test_filters_whose_sums_float32_cannot_hold_are_refused() -> None:
    taps = np.full((4, 3, 5, 5), 200, np.int32)
    taps[:, :, 2, 2] = 0
    filters = (LinearFilter(taps, np.zeros(4, np.int32)),)
    wild = replace(Base.empty(RGGB, (0, 0, 0)), filters=filters)
    with pytest.raises(PayloadDamaged, match="impossible values"):
        Base.empty(RGGB, (0, 0, 0)).with_filter_bytes(wild.filter_bytes())


def test_only_nodes_near_some_colour_are_coded() -> None:
    one = colour_histogram(np.full((4, 4, 3), (100, 150, 20), np.uint8))
    assert one.sum() == 16
    assert [int(touched_nodes(one, grid).sum()) for grid in GRIDS] == [8] * 4
    everything = np.ones((16, 16, 16), np.int64)
    assert all(touched_nodes(everything, grid).all() for grid in GRIDS)


def test_a_refined_grid_keeps_its_nodes_and_halves_the_way_between() -> None:
    nodes = np.arange(3 * 27, dtype=np.int32).reshape(3, 3, 3, 3) * 7
    fine = refine_grid(nodes)
    assert np.array_equal(fine[:, ::2, ::2, ::2], nodes)
    assert np.array_equal(fine[:, ::2, ::2, 1::2], (nodes[..., :-1] + nodes[..., 1:] + 1) >> 1)


def _trilinear(nodes: NDArray[np.int32], pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    axis = [
        np.interp(np.arange(256), np.arange(NODES) * 16, np.eye(NODES)[i]) for i in range(NODES)
    ]
    weights = np.stack(axis, axis=1)
    red, green, blue = (weights[pixels[..., c]] for c in range(3))
    found: NDArray[np.float64] = np.einsum(
        "krgb,hwr,hwg,hwb->khw", nodes, red, green, blue, optimize=True
    )
    return found


def looked_up(nodes: NDArray[np.int32], pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    return base_colours(nodes, Guide(pixels, np.ones(pixels.shape[:2], np.uint8)))


def test_looking_up_is_trilinear_to_within_rounding() -> None:
    rng = np.random.default_rng(6)
    nodes = rng.integers(-(1 << 15), (1 << 15) + 1, (3, NODES, NODES, NODES)).astype(np.int32)
    pixels = rng.integers(0, 256, (50, 37, 3)).astype(np.uint8)
    pixels[:2] = [[0, 0, 0]], [[255, 255, 255]]
    found = looked_up(nodes, pixels)
    assert np.abs(found - _trilinear(nodes, pixels)).max() < 1


def test_a_pixel_on_a_node_has_the_nodes_value() -> None:
    nodes = np.arange(3 * NODES**3, dtype=np.int32).reshape(3, NODES, NODES, NODES)
    pixels = np.array([[[0, 16, 240], [112, 0, 48]]], np.uint8)
    assert looked_up(nodes, pixels)[:, 0, 0].tolist() == nodes[:, 0, 1, 15].tolist()
    assert looked_up(nodes, pixels)[:, 0, 1].tolist() == nodes[:, 7, 0, 3].tolist()


def test_cells_count_every_pixel_once_whatever_the_size() -> None:
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 256, (1200, 1001, 3)).astype(np.uint8)
    cells = colour_histogram(pixels)
    expected, _ = np.histogramdd((pixels >> 4).reshape(-1, 3), bins=[np.arange(17)] * 3)
    assert np.array_equal(cells, expected)
