"""Quality layers: every layer refines the one before by a bit, in both directions alike."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.entropy import BitCounter, SymbolDecoder, SymbolEncoder, TableSet, quantise_counts
from rawback.errors import PayloadDamaged
from rawback.residual import (
    LEVELS,
    MAX_STEP_CODE,
    Band,
    ContextWeights,
    LayerModel,
    Quantiser,
    RegionClass,
    TileCoefficients,
    bands,
    class_pyramid,
    code_layer,
    mean_pyramid,
)
from rawback.residual.contexts import CLASSES, FEATURES, PLACES, REGIMES, SPOTS
from rawback.residual.layers import ESCAPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

Indices = dict[Band, "NDArray[np.int32]"]
SHAPES = [(1, 1), (2, 3), (7, 5), (33, 40)]


def any_model(seed: int) -> LayerModel:
    """Weights and tables that nobody trained: whatever they are, coding must round trip."""
    rng = np.random.default_rng(seed)

    def tables(rows: int, symbols: int) -> TableSet:
        return TableSet(quantise_counts(rng.random((rows, symbols)) ** 4))

    weights = ContextWeights(
        rng.integers(0, 1024, (2, REGIMES, 3, 4, len(FEATURES))).astype(np.uint16),
        rng.integers(0, 4096, (2, REGIMES, PLACES, 4, SPOTS)).astype(np.uint16),
    )
    rows = SPOTS * CLASSES
    return LayerModel(
        weights,
        tables(rows, 2 * ESCAPE + 1),
        tables(rows, 3),
        tables(3 * rows, 2),
        tables(2 * LEVELS, 2),
    )


def any_tile(rng: np.random.Generator, shape: tuple[int, int]) -> TileCoefficients:
    spots = rng.integers(0, len(RegionClass), shape).astype(np.uint8)
    light = mean_pyramid(rng.integers(64, 1025, shape).astype(np.int32))
    noise = {band: values.astype(np.uint16) for band, values in light.items()}
    return TileCoefficients.blank(class_pyramid(spots), noise)


def like(tile: TileCoefficients) -> TileCoefficients:
    """A tile of which only the same spots and noise are known."""
    return TileCoefficients.blank(tile.spots, tile.noise)


def any_quantiser(rng: np.random.Generator) -> Quantiser:
    return Quantiser(int(rng.integers(0, MAX_STEP_CODE + 1)))


def any_indices(rng: np.random.Generator, tile: TileCoefficients, spread: float) -> Indices:
    found = {}
    for band, spot in tile.spots.items():
        index = np.rint(rng.laplace(0, spread, (4, *spot.shape))).astype(np.int32)
        index[rng.random(4) < 0.3] = 0
        found[band] = np.clip(index, -60_000, 60_000)
    return found


def coarser(indices: Indices, octaves: int) -> Indices:
    return {band: np.sign(index) * (np.abs(index) >> octaves) for band, index in indices.items()}


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(SHAPES),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.3, 3.0, 100.0, 20_000.0]),
)
def test_what_is_written_is_read_layer_by_layer(
    seed: int, shape: tuple[int, int], layers: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    model, quantiser = any_model(seed), any_quantiser(rng)
    written = any_tile(rng, shape)
    read = like(written)
    finest = any_indices(rng, written, spread)
    for layer in range(layers):
        wanted = coarser(finest, layers - 1 - layer)
        encoder = SymbolEncoder()
        code_layer(encoder, model, written, quantiser, wanted)
        code_layer(SymbolDecoder(encoder.finish()), model, read, quantiser, None)
        assert written.layers == read.layers == layer + 1
        for band, index in wanted.items():
            for tile in (written, read):
                assert np.array_equal(tile.magnitude[band], np.abs(index))
                assert np.array_equal(tile.negative[band], index < 0)


def test_a_band_without_rows_or_columns_is_passed_over() -> None:
    tile = any_tile(np.random.default_rng(0), (1, 1))
    assert tile.magnitude[Band(1, True, True)].shape == (4, 0, 0)
    finest = {band: np.full((4, *spot.shape), -7, np.int32) for band, spot in tile.spots.items()}
    encoder = SymbolEncoder()
    quantiser = Quantiser(150)
    code_layer(encoder, any_model(1), tile, quantiser, finest)
    read = like(tile)
    code_layer(SymbolDecoder(encoder.finish()), any_model(1), read, quantiser, None)
    assert read.magnitude[Band(LEVELS, False, False)].tolist() == [[[7]]] * 4
    assert read.negative[Band(LEVELS, False, False)].all()


def test_an_empty_tile_costs_a_few_bits() -> None:
    tile = any_tile(np.random.default_rng(1), (64, 64))
    meter = BitCounter()
    flat = TableSet(quantise_counts(np.ones((2 * LEVELS, 2))))
    model = any_model(2)
    model = LayerModel(model.weights, model.first, model.grow, model.refine, flat)
    empty = {band: np.zeros((4, *spot.shape), np.int32) for band, spot in tile.spots.items()}
    code_layer(meter, model, tile, Quantiser(150), empty)
    assert meter.bits == pytest.approx(4 * len(bands()))


def test_large_neighbours_lead_to_tables_of_large_values() -> None:
    rng = np.random.default_rng(3)
    weights = ContextWeights(
        np.full((2, REGIMES, 3, 4, len(FEATURES)), 64, np.uint16),
        np.zeros((2, REGIMES, PLACES, 4, SPOTS), np.uint16),
    )
    model = any_model(3)
    model = LayerModel(weights, model.first, model.grow, model.refine, model.empty)
    tile = any_tile(rng, (64, 64))
    finest = any_indices(rng, tile, 0.5)
    for band in finest:
        finest[band][:, :, finest[band].shape[2] // 2 :] *= 8
    rows: list[tuple[float, float]] = []
    code_layer(
        BitCounter(),
        model,
        tile,
        Quantiser(150),
        finest,
        lambda seen: rows.extend(
            zip(seen.found.sum(axis=0).ravel(), np.abs(seen.index).ravel(), strict=True)
        ),
    )
    around, magnitude = np.array(rows).T
    assert len(around) == sum(
        (np.abs(index).reshape(4, -1).any(axis=1) * index[0].size).sum()
        for index in finest.values()
    )
    assert (
        magnitude[around > np.median(around)].mean()
        > 2 * magnitude[around <= np.median(around)].mean()
    )


@settings(max_examples=30, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.sampled_from([b"\xff" * 300, b"\x80" * 300])),
    st.integers(0, 2**16),
    st.sampled_from(SHAPES),
    st.integers(1, 4),
)
def test_garbage_is_coefficients_or_refused(
    data: bytes, seed: int, shape: tuple[int, int], layers: int
) -> None:
    rng = np.random.default_rng(seed)
    model, tile, quantiser = any_model(seed), any_tile(rng, shape), any_quantiser(rng)
    try:
        for _ in range(layers):
            code_layer(SymbolDecoder(data), model, tile, quantiser, None)
    except PayloadDamaged:
        return
    assert all(
        values.shape == (4, *tile.spots[band].shape) for band, values in tile.magnitude.items()
    )


def test_what_lies_before_a_cut_is_read_right() -> None:
    rng = np.random.default_rng(5)
    model, tile, quantiser = any_model(5), any_tile(rng, (33, 47)), any_quantiser(rng)
    encoder = SymbolEncoder()
    wanted = any_indices(rng, tile, 5.0)
    code_layer(encoder, model, tile, quantiser, wanted)
    data = encoder.finish()
    for kept in range(0, len(data), 401):
        read = like(tile)
        with suppress(PayloadDamaged):
            code_layer(SymbolDecoder(data[:kept]), model, read, quantiser, None)
        for band in bands()[:4] if 2 * kept > len(data) else ():
            assert np.array_equal(read.magnitude[band], np.abs(wanted[band]))
