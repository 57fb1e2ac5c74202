"""Encoder, decoder and meter: one interface, and what each owes the other two."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.entropy import (
    BitCounter,
    SymbolDecoder,
    SymbolEncoder,
    TableSet,
    code_parameters,
    quantise_counts,
)

TABLES = TableSet(quantise_counts(np.array([[90.0, 9, 1], [1, 1, 1], [1, 1000, 1]])))
INTEGERS = st.one_of(st.integers(-3, 3), st.integers(-30, 30), st.integers(-64_999, 64_999))


def test_what_is_written_is_read_and_metered() -> None:
    rng = np.random.default_rng(1)
    indices = rng.integers(0, 3, 5000).astype(np.uint8)
    symbols = rng.integers(0, 3, 5000).astype(np.int32)
    encoder, meter = SymbolEncoder(), BitCounter()
    assert np.array_equal(encoder.code(TABLES, indices, symbols), symbols)
    assert np.array_equal(meter.code(TABLES, indices, symbols), symbols)
    data = encoder.finish()
    assert np.array_equal(SymbolDecoder(data).code(TABLES, indices), symbols)
    assert meter.bits == pytest.approx(8 * len(data), abs=64)
    expected = (16 - np.log2(TABLES.frequencies.astype(float)))[indices, symbols].sum()
    assert meter.bits == pytest.approx(expected, rel=1e-5)


def test_a_coder_says_whether_it_decodes() -> None:
    assert SymbolDecoder(b"").decoding
    assert not SymbolEncoder().decoding
    assert not BitCounter().decoding


@pytest.mark.parametrize("coder", [SymbolEncoder(), BitCounter()])
def test_writers_need_symbols(coder: SymbolEncoder | BitCounter) -> None:
    with pytest.raises(ValueError, match="needs symbols"):
        coder.code(TABLES, np.zeros(3, np.uint8), None)
    with pytest.raises(ValueError, match="needs symbols"):
        coder.code_escapes(None, 3)


def test_readers_take_no_symbols() -> None:
    with pytest.raises(ValueError, match="no symbols"):
        SymbolDecoder(b"").code(TABLES, np.zeros(3, np.uint8), np.zeros(3, np.int32))


@given(st.lists(st.integers(0, (1 << 17) - 2), max_size=60))
def test_escapes_round_trip(values: list[int]) -> None:
    encoder = SymbolEncoder()
    encoder.code_escapes(np.array(values, np.int64), len(values))
    found = SymbolDecoder(encoder.finish()).code_escapes(None, len(values))
    assert found.tolist() == values


def test_small_escapes_take_few_bits() -> None:
    meter = BitCounter()
    meter.code_escapes(np.array([0, 1, 6, 30]), 4)
    assert meter.bits == pytest.approx(1 + 3 + 5 + 9)


@given(st.lists(INTEGERS, max_size=60))
def test_integers_round_trip(values: list[int]) -> None:
    encoder, meter = SymbolEncoder(), BitCounter()
    for coder in (encoder, meter):
        assert code_parameters(coder, np.array(values, np.int64), len(values)).tolist() == values
    data = encoder.finish()
    assert code_parameters(SymbolDecoder(data), None, len(values)).tolist() == values
    assert abs(meter.bits - 8 * len(data)) <= 64 + 0.1 * meter.bits


@pytest.mark.parametrize(
    ("values", "data"),
    [
        ([], ""),
        ([0, 0, 0], "10"),
        ([3, -1, 0, 2], "97c1"),
        ([-24, 24, 25, -65000], "e6a1fa50e964cf6f60"),
        (range(-40, 41, 8), "e66619b8131efa18cbda96a0c580"),
    ],
)
def test_short_lists_of_integers_are_coded_as_these_bytes(values: list[int], data: str) -> None:
    encoder = SymbolEncoder()
    code_parameters(encoder, np.array(values, np.int64), len(values))
    assert encoder.finish().hex() == data


def test_integers_cost_what_their_spread_asks_for() -> None:
    rng = np.random.default_rng(2)
    for mean in (0.1, 1, 8):
        values = np.rint(rng.laplace(0, mean, 4000)).astype(int)
        meter = BitCounter()
        code_parameters(meter, values, len(values))
        counts = np.unique(values, return_counts=True)[1] / len(values)
        entropy = -(counts * np.log2(counts)).sum()
        assert meter.bits / len(values) < 1.05 * entropy + 0.12


@settings(max_examples=300)
@given(st.binary(max_size=60), st.integers(0, 2**32))
def test_garbage_gives_symbols(data: bytes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    decoder = SymbolDecoder(data)
    for _ in range(8):
        indices = rng.integers(0, 3, rng.integers(0, 40)).astype(np.uint8)
        symbols = decoder.code(TABLES, indices)
        assert len(symbols) == len(indices)
        assert ((symbols >= 0) & (symbols < 3)).all()
        assert (decoder.code_escapes(None, 3) >= 0).all()
        assert len(code_parameters(decoder, None, 5)) == 5


@given(st.integers(0, 400))
def test_a_cut_stream_gives_the_symbols_before_the_cut(kept: int) -> None:
    symbols = np.random.default_rng(3).integers(0, 3, 2000).astype(np.int32)
    encoder = SymbolEncoder()
    encoder.code(TABLES, np.ones(2000, np.uint8), symbols)
    data = encoder.finish()
    assert len(data) > 390
    sure = max(0, math.floor((8 * kept - 32) / math.log2(3)) - 2)
    found = SymbolDecoder(data[:kept]).code(TABLES, np.ones(2000, np.uint8))
    assert np.array_equal(found[:sure], symbols[:sure])
