"""Tables that learn: both sides alike, and soon better than what they began with."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.entropy import (
    AdaptiveTables,
    BitCounter,
    SymbolDecoder,
    SymbolEncoder,
    TableSet,
    quantise_counts,
)

EVEN = TableSet(np.full((1, 4), 1 << 14, np.uint16))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(2, 9), st.integers(0, 2**32), st.integers(1, 2000))
def test_what_is_written_is_read(rows: int, width: int, seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    start = TableSet(quantise_counts(rng.random((rows, width)) ** 8))
    arrays = [
        (rng.integers(0, rows, count), rng.integers(0, width, count) // rng.integers(1, 4))
        for count in (size, 0, 1, size)
    ]
    mirror = range(width - 1, -1, -1)
    encoder, tables = SymbolEncoder(), AdaptiveTables(start, mirror)
    for indices, symbols in arrays:
        tables.code(encoder, indices, symbols)
    decoder, tables = SymbolDecoder(encoder.finish()), AdaptiveTables(start, mirror)
    for indices, symbols in arrays:
        assert tables.code(decoder, indices, None).tolist() == symbols.tolist()


def test_it_counts_as_the_format_says() -> None:
    tables, encoder = AdaptiveTables(EVEN, (0, 2, 1, 3)), SymbolEncoder()
    indices = np.zeros(64, np.uint8)
    symbols = np.repeat([0, 1], 32).astype(np.int32)
    tables.code(encoder, indices, symbols)
    # 65536 begin the row, 64 symbols count 1024 each, those of 1 half for its mirror.
    counts = np.array([16384 + 32768, 16384 + 16384, 16384 + 16384, 16384])
    expected = 1 + counts * (65536 - 4) // (2 * 65536)
    expected[0] += 65536 - expected.sum()
    assert tables.frequencies.tolist() == [expected.tolist()]


def test_a_row_waits_until_it_has_seen_enough_to_learn_from() -> None:
    start = TableSet(np.full((2, 4), 1 << 14, np.uint16))
    tables, encoder = AdaptiveTables(start, range(4)), SymbolEncoder()
    for _ in range(15):
        tables.code(encoder, np.array([1]), np.array([3], np.int32))
        assert (tables.frequencies == 1 << 14).all()
    tables.code(encoder, np.array([1]), np.array([3], np.int32))
    assert (tables.frequencies[0] == 1 << 14).all()
    assert tables.frequencies[1].argmax() == 3


def test_what_was_coded_long_ago_fades() -> None:
    tables, meter = AdaptiveTables(EVEN, range(4)), BitCounter()
    indices = np.zeros(100_000, np.uint8)
    for symbol in (0, 1):
        tables.code(meter, indices, np.full(100_000, symbol, np.int32))
    assert tables.frequencies[0, 1] > 60_000


def test_it_soon_fits_what_it_codes() -> None:
    rng = np.random.default_rng(1)
    indices, symbols = np.zeros(1000, np.uint8), (rng.random(1000) < 0.02).astype(np.int32)
    tables, meter = AdaptiveTables(EVEN, range(4)), BitCounter()
    tables.code(meter, indices, symbols)
    first, meter.bits = meter.bits, 0.0
    tables.code(meter, indices, symbols)
    assert first == 2000
    assert meter.bits < 300
