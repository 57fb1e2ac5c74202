"""The coder's bytes, held against a second reader written from FORMAT.md alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.entropy import SymbolDecoder, SymbolEncoder, TableSet, quantise_counts

SKEWED = TableSet(np.array([[49152, 8192, 8192], [1, 65534, 1], [21846, 21845, 21845]], np.uint16))


class SecondReader:
    """The range decoder as FORMAT.md tells it, in Python's own integers."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 4
        self.range = (1 << 32) - 1
        self.code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def symbol(self, frequencies: list[int]) -> int:
        unit = self.range >> 16
        starts = [sum(frequencies[:i]) for i in range(len(frequencies))]
        symbol = max(i for i, start in enumerate(starts) if start <= self.code // unit)
        self.code -= starts[symbol] * unit
        self.range = frequencies[symbol] * unit
        while self.range < 1 << 24:
            self.range *= 256
            self.code = self.code * 256 + (self.data[self.at] if self.at < len(self.data) else 0)
            self.at += 1
        return symbol


def written(tables: TableSet, indices: list[int], symbols: list[int]) -> bytes:
    encoder = SymbolEncoder()
    encoder.code(tables, np.array(indices, np.uint8), np.array(symbols, np.int32))
    return encoder.finish()


@pytest.mark.parametrize(
    ("indices", "symbols", "data"),
    [
        ([], [], ""),
        ([0], [0], ""),
        ([0], [2], "e0"),
        ([0, 1, 2], [0, 1, 2], "80"),
        ([0, 1, 2, 0], [2, 0, 1, 0], "dfff30"),
        ([1] * 5, [0, 2, 0, 2, 0], "0000fffe0001fffe0001"),
        ([2] * 24, [0, 1, 2] * 8, "3139d7d8ec"),
    ],
)
def test_small_messages_are_coded_as_these_bytes(
    indices: list[int], symbols: list[int], data: str
) -> None:
    assert written(SKEWED, indices, symbols).hex() == data


@st.composite
def messages(draw: st.DrawFn) -> tuple[TableSet, list[int], list[int]]:
    tables, symbols = draw(st.integers(1, 4)), draw(st.integers(2, 40))
    counts = np.random.default_rng(draw(st.integers(0, 2**32))).random((tables, symbols))
    tableset = TableSet(quantise_counts(counts ** draw(st.integers(0, 30))))
    pairs = draw(
        st.lists(st.tuples(st.integers(0, tables - 1), st.integers(0, symbols - 1)), max_size=80)
    )
    return tableset, [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@given(messages())
def test_the_second_reader_reads_what_the_coder_writes(
    message: tuple[TableSet, list[int], list[int]],
) -> None:
    tables, indices, symbols = message
    reader = SecondReader(written(tables, indices, symbols))
    for index, symbol in zip(indices, symbols, strict=True):
        assert reader.symbol(tables.frequencies[index].tolist()) == symbol


def test_a_carry_runs_through_bytes_that_were_full() -> None:
    # The second symbol of [65534, 1, 1] keeps the lower end just below a power of 256 for long.
    table = TableSet(np.array([[65534, 1, 1]], np.uint16))
    rng = np.random.default_rng(0)
    for _ in range(50):
        symbols = rng.choice(3, 200, p=[0.1, 0.1, 0.8]).tolist()
        reader = SecondReader(written(table, [0] * 200, symbols))
        assert [reader.symbol([65534, 1, 1]) for _ in symbols] == symbols


@settings(max_examples=40)
@given(messages(), st.data())
def test_calls_follow_each_other_on_one_stream(
    message: tuple[TableSet, list[int], list[int]], data: st.DataObject
) -> None:
    tables, indices, symbols = message
    cut = data.draw(st.integers(0, len(indices)))
    encoder = SymbolEncoder()
    for part in (slice(None, cut), slice(cut, None)):
        encoder.code(tables, np.array(indices[part], np.uint8), np.array(symbols[part], np.int32))
    decoder = SymbolDecoder(encoder.finish())
    found = [
        decoder.code(tables, np.array(indices[part], np.uint8)).tolist()
        for part in (slice(None, cut), slice(cut, None))
    ]
    assert found[0] + found[1] == symbols
