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
        self.at = 0
        self.low, self.span = 0, (1 << 64) - 1
        self.point = self._word() << 32 | self._word()

    def _word(self) -> int:
        word = self.data[self.at : self.at + 4]
        self.at += 4
        return int.from_bytes(word, "little")

    def symbol(self, frequencies: list[int]) -> int:
        count = len(frequencies)
        sums = [sum(frequencies[:i]) for i in range(count + 1)]
        edges = [(s * ((1 << 24) - count) >> 16) + i for i, s in enumerate(sums)]
        unit = self.span >> 24
        quantile = ((self.point - self.low) % (1 << 64)) // unit
        symbol = max(i for i in range(count) if edges[i] <= quantile)
        self.low = (self.low + unit * edges[symbol]) % (1 << 64)
        self.span = unit * (edges[symbol + 1] - edges[symbol])
        if self.span < 1 << 32:
            self.low = (self.low << 32) % (1 << 64)
            self.span <<= 32
            self.point = (self.point << 32) % (1 << 64) | self._word()
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
        ([0], [2], "00ffffdf"),
        ([0, 1, 2], [0, 1, 2], "6bfdff7f"),
        ([0, 1, 2, 0], [2, 0, 1, 0], "010700e0"),
        ([1] * 5, [0, 2, 0, 2, 0], "feff0000ff0001fe000000ff"),
        ([2] * 24, [0, 1, 2] * 8, "58a63b312cdcd2e7"),
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
    # Symbols go table by table, and within one table in the order given.
    for place in sorted(range(len(indices)), key=lambda i: indices[i]):
        assert reader.symbol(tables.frequencies[indices[place]].tolist()) == symbols[place]


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
