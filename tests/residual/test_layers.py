"""Quality layers: every layer refines the one before by a bit, in both directions alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.common.coding_tables import coding_tables
from rawback.residual import (
    KLT,
    LEVELS,
    MAX_SLOPE,
    MAX_STEP_CODE,
    Band,
    LayerModel,
    Quantiser,
    RegionClass,
    TileCoefficients,
    TileContext,
    analyse,
    band_shape,
    bands,
    class_pyramid,
    decode_layer,
    encode_layer,
    mean_pyramid,
)
from rawback.residual.layers import STEP_CLASSES, band_arrays, layer_sizes, step_class_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Indices = dict[Band, "NDArray[np.int32]"]
SHAPES = [(1, 1), (2, 3), (7, 5), (33, 40)]
COUNTS = [1, 3, 4, 9, 16]
"""Of planes."""


def any_model(seed: int) -> LayerModel:
    """What nobody trained: whatever layers begin with, coding must round trip."""
    rng = np.random.default_rng(seed)
    counters, sets = layer_sizes()
    return LayerModel(
        coding_tables().layers.curves,
        rng.integers(0, 1 << 16, (2, STEP_CLASSES, counters)).astype(np.uint16),
        rng.integers(0, 256, (2, STEP_CLASSES, counters)).astype(np.uint8),
        rng.integers(-(1 << 14), 1 << 14, (2, STEP_CLASSES, sets, 8)).astype(np.int16),
    )


def any_context(rng: np.random.Generator, shape: tuple[int, int], count: int = 4) -> TileContext:
    classes = rng.integers(0, len(RegionClass), shape).astype(np.uint8)
    light = mean_pyramid(rng.integers(64, 1025, shape).astype(np.int32))
    noise = {band: values.astype(np.uint16) for band, values in light.items()}
    planes = rng.integers(-(1 << 15), 1 << 15, (count, *shape)).astype(np.int16)
    transform = KLT(rng.integers(-128, 128, (count, count)).astype(np.int8))
    return TileContext.of(planes, class_pyramid(classes), noise, transform)


def any_quantiser(rng: np.random.Generator, count: int = 4) -> Quantiser:
    code = int(rng.integers(0, MAX_STEP_CODE + 1))
    steepest = min(MAX_SLOPE, code // LEVELS)
    return Quantiser(code, slopes=tuple(rng.integers(0, steepest + 1, count).tolist()))


def any_indices(
    rng: np.random.Generator, shape: tuple[int, int], spread: float, count: int = 4
) -> Indices:
    found = {}
    for band in bands():
        index = np.rint(rng.laplace(0, spread, (count, *band_shape(band, shape)))).astype(np.int32)
        index[rng.random(count) < 0.3] = 0
        found[band] = np.clip(index, -60_000, 60_000)
    return found


def coarser(indices: Indices, octaves: int) -> Indices:
    return {band: np.sign(index) * (np.abs(index) >> octaves) for band, index in indices.items()}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(COUNTS),
    st.sampled_from(SHAPES),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.3, 3.0, 100.0, 20_000.0]),
)
def test_what_is_written_is_read_layer_by_layer(
    seed: int, count: int, shape: tuple[int, int], layers: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    model, quantiser = any_model(seed), any_quantiser(rng, count)
    context = any_context(rng, shape, count)
    written, read = (TileCoefficients.zeros(shape, count) for _ in range(2))
    assert written.planes == count
    finest = any_indices(rng, shape, spread, count)
    for layer in range(layers):
        wanted = coarser(finest, layers - 1 - layer)
        data = encode_layer(model, context, written, quantiser, wanted)
        assert (data is None) == (not any(index.any() for index in wanted.values()))
        if data is None:
            read.layers += 1
        else:
            decode_layer(model, context, read, quantiser, data)
        assert written.layers == read.layers == layer + 1
        for tile in (written, read):
            assert all((tile.bands()[band] == index).all() for band, index in wanted.items())


def test_a_band_without_rows_or_columns_is_passed_over() -> None:
    context = any_context(np.random.default_rng(0), (1, 1))
    tile, read = TileCoefficients.zeros((1, 1)), TileCoefficients.zeros((1, 1))
    assert tile.bands()[Band(1, True, True)].shape == (4, 0, 0)
    finest = {band: np.full_like(values, -7) for band, values in tile.bands().items()}
    data = encode_layer(any_model(1), context, tile, Quantiser(150), finest)
    assert data is not None
    decode_layer(any_model(1), context, read, Quantiser(150), data)
    assert read.bands()[Band(LEVELS, False, False)].tolist() == [[[-7]]] * 4


def test_one_index_costs_little_where_all_is_silent() -> None:
    shape = (256, 256)
    context = any_context(np.random.default_rng(1), shape)
    tile = TileCoefficients.zeros(shape)
    finest = {band: np.zeros_like(values) for band, values in tile.bands().items()}
    finest[Band(1, False, True)][0, 70, 80] = 1
    data = encode_layer(coding_tables().layers, context, tile, Quantiser(280), finest)
    assert data is not None
    assert len(data) < 40


def test_indices_far_apart_cost_little_each() -> None:
    shape = (512, 512)
    context = any_context(np.random.default_rng(1), shape)
    tile = TileCoefficients.zeros(shape)
    finest = {band: np.zeros_like(values) for band, values in tile.bands().items()}
    finest[Band(1, False, True)][0, ::16, ::64] = 1
    data = encode_layer(coding_tables().layers, context, tile, Quantiser(280), finest)
    assert data is not None
    # Each lies in a block of 32 of its own: five bits say where, and some that there is one.
    assert len(data) * 8 < 20 * finest[Band(1, False, True)].sum()


def test_models_learn_what_the_frame_is_like() -> None:
    rng = np.random.default_rng(3)
    shape = (128, 128)
    context, model = any_context(rng, shape), coding_tables().layers
    small = {
        band: np.where(rng.random(values.shape) < 0.1, 1, 0).astype(np.int32)
        for band, values in TileCoefficients.zeros(shape).bands().items()
    }
    data = encode_layer(model, context, TileCoefficients.zeros(shape), Quantiser(150), small)
    # A bit in ten is set and never negative: an ideal coder takes 0.469 bits an index.
    assert data is not None
    assert len(data) * 8 < 0.60 * 4 * 128 * 128


def test_the_bases_sign_tells_the_residuals() -> None:
    rng = np.random.default_rng(4)
    shape = (128, 128)
    context, model = any_context(rng, shape), coding_tables().layers
    details = band_arrays(context.details, shape)
    against = {band: np.where(values > 127, 1, -1) for band, values in details.items()}
    random = {b: values * rng.choice([-1, 1], values.shape) for b, values in against.items()}
    sizes = []
    for indices in (against, random):
        tile = TileCoefficients.zeros(shape)
        data = encode_layer(
            model,
            context,
            tile,
            Quantiser(200),
            {band: index.astype(np.int32) for band, index in indices.items()},
        )
        sizes.append(len(data or b""))
    assert sizes[0] < 0.3 * sizes[1]


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (37, 61), (64, 96)])
@pytest.mark.parametrize("count", COUNTS)
def test_details_are_how_large_the_bases_coefficients_are_beside_the_noise(
    shape: tuple[int, int], count: int
) -> None:
    rng = np.random.default_rng(shape[0])
    planes = rng.integers(-4000, 4000, (count, *shape)).astype(np.int16)
    matrix = np.rint(64 * np.linalg.qr(rng.normal(size=(count, count)))[0]).astype(np.int8)
    flat = {band: np.zeros(band_shape(band, shape), np.uint8) for band in bands()}
    noise = {band: np.full(values.shape, 300, np.uint16) for band, values in flat.items()}
    context = TileContext.of(planes, flat, noise, KLT(matrix))
    components = (np.tensordot(matrix.T.astype(int), planes.astype(int), 1) + 16) >> 5
    for number, component in enumerate(components):
        coefficients = {band: np.empty(band_shape(band, shape), np.float32) for band in bands()}
        analyse(component.astype(np.float32), coefficients)
        for band, details in band_arrays(context.details, shape).items():
            # Integers are rounded on their way, by some units of a coefficient.
            beside = np.abs(coefficients[band].astype(np.float64)) * 300 / 16
            least, most = (quarter_octaves(np.maximum(beside + e, 0)) for e in (-90.0, 90.0))
            assert (least <= (details[number] & 127)).all()
            assert ((details[number] & 127) <= most).all()
            clear = beside > 90
            assert ((details[number] > 127) == (coefficients[band] < 0))[clear].all()


def quarter_octaves(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Four for each octave from 1 on, parts of an octave evenly spread; 0 below 1."""
    whole = np.maximum(np.floor(values), 1)
    octave = np.floor(np.log2(whole))
    found = 4 * octave + np.floor(4 * (whole / 2**octave - 1)) + 1
    return np.where(values >= 1, found, 0).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.sampled_from([b"\xff" * 300, b"\x80" * 300])),
    st.integers(0, 2**16),
    st.sampled_from(COUNTS),
    st.sampled_from(SHAPES),
    st.integers(1, 4),
)
def test_garbage_is_coefficients(
    data: bytes, seed: int, count: int, shape: tuple[int, int], layers: int
) -> None:
    rng = np.random.default_rng(seed)
    model, quantiser = any_model(seed), any_quantiser(rng, count)
    context = any_context(rng, shape, count)
    tile = TileCoefficients.zeros(shape, count)
    for _ in range(layers):
        decode_layer(model, context, tile, quantiser, data)
    assert np.abs(tile.indices).max() <= 65_535


def test_what_lies_before_a_cut_is_read_right() -> None:
    rng = np.random.default_rng(5)
    shape = (33, 47)
    model, context, quantiser = any_model(5), any_context(rng, shape), any_quantiser(rng)
    wanted = any_indices(rng, shape, 5.0)
    data = encode_layer(model, context, TileCoefficients.zeros(shape), quantiser, wanted)
    assert data is not None
    for kept in range(0, len(data), 401):
        read = TileCoefficients.zeros(shape)
        decode_layer(model, context, read, quantiser, data[:kept])
        for band in bands()[:4] if 2 * kept > len(data) else ():
            assert np.array_equal(read.bands()[band], wanted[band])


def test_step_classes_are_octaves() -> None:
    codes = [0, 127, 128, 160, 319, 320, MAX_STEP_CODE]
    last = STEP_CLASSES - 1
    assert [step_class_of(code) for code in codes] == [0, 0, 1, 2, 6, last, last]
