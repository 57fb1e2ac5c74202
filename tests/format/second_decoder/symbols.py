"""The range coder and what is coded with it (3.2 of FORMAT.md)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING

import numpy as np

from .refusal import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arrays import Ints

PRECISION = 24
RATIOS = ((1, 32), (1, 16), (1, 8), (1, 4), (1, 2), (1, 1), (2, 1), (4, 1), (8, 1), (16, 1))
SMALL = 24


class Table:
    """Rows of frequencies, each of which adds up to 65536 (3.2)."""

    def __init__(self, frequencies: Ints) -> None:
        self.frequencies = frequencies
        self._edges: dict[int, list[int]] = {}

    def edges(self, row: int) -> list[int]:
        """Where the symbols of a row begin in 2^24, and where the last one ends (3.2)."""
        found = self._edges.get(row)
        if found is None:
            count = self.frequencies.shape[1]
            sums = accumulate(self.frequencies[row].tolist(), initial=0)
            found = [(e * ((1 << PRECISION) - count) >> 16) + i for i, e in enumerate(sums)]
            self._edges[row] = found
        return found

    def learn(self, rows: Ints, symbols: Ints) -> None:
        """Tables that do not learn stay as they are (3.2)."""


class LearningTable(Table):
    """A table that changes behind arrays that are coded with it (3.2)."""

    def __init__(self, frequencies: Ints, mirror: Sequence[int]) -> None:
        super().__init__(frequencies.copy())
        self.mirror = list(mirror)
        self.counts = frequencies.copy()
        self.waiting = np.zeros_like(frequencies)

    def learn(self, rows: Ints, symbols: Ints) -> None:
        """Let the symbols of an array wait, and each row learn of which enough wait (3.2)."""
        np.add.at(self.waiting, (rows, symbols), 1)
        for row in np.unique(rows).tolist():
            if 4096 * self.waiting[row].sum() >= self.counts[row].sum():
                self._learn_row(row)

    def _learn_row(self, row: int) -> None:
        """Let the waiting symbols of a row change it (3.2)."""
        waiting, counts = self.waiting[row], self.counts[row]
        counts += 512 * (waiting + waiting[self.mirror])
        total = counts.sum()
        if total > 1 << 22:
            counts[:] = counts * (1 << 22) // total
            total = counts.sum()
        waiting[:] = 0
        found = 1 + counts * (65536 - len(counts)) // total
        found[np.argmax(found)] += 65536 - found.sum()
        self.frequencies[row] = found
        self._edges.pop(row, None)


def table_of(*rows: Sequence[int]) -> Table:
    """A table with these rows (3.2)."""
    return Table(np.array(rows, np.int64))


def _signed_row(p: int, q: int) -> list[int]:
    """Frequencies of -24..24 for a ratio p/q (3.2)."""
    sizes = [abs(k) for k in range(-SMALL, SMALL + 1)]
    weights = [((p**size << 64) // (p + q) ** size) >> 20 for size in sizes]
    total, count = sum(weights), len(weights)
    found = [1 + weight * (65536 - count) // total for weight in weights]
    found[SMALL] += 65536 - sum(found)
    return found


WIDTHS = table_of([*(1 << (15 - i) for i in range(16)), 1])
BITS = {count: table_of([65536 >> count] * (1 << count)) for count in range(1, 7)}
SIZES = table_of([6559] + [6553] * 9)
SIGNED = table_of(*(_signed_row(p, q) for p, q in RATIOS))


class Symbols:
    """One stream of the range coder (3.2)."""

    def __init__(self, data: bytes) -> None:
        padded = data + bytes(-len(data) % 4)
        words = struct.unpack(f"<{len(padded) // 4}I", padded)
        self._words = chain(words, repeat(0))
        self._span = (1 << 64) - 1
        # Only point - low matters.
        self._ahead = next(self._words) << 32 | next(self._words)

    def _run(self, edges: list[int], count: int) -> list[int]:
        """The next `count` symbols, all of one row (3.2)."""
        words, span, ahead = self._words, self._span, self._ahead
        last = len(edges) - 1
        found = []
        for _ in range(count):
            unit = span >> PRECISION
            symbol = bisect_right(edges, ahead // unit) - 1
            if symbol >= last:
                refuse("impossible symbols")
            start = unit * edges[symbol]
            span = unit * edges[symbol + 1] - start
            ahead -= start
            if span < 1 << 32:
                span <<= 32
                ahead = ahead << 32 | next(words)
            found.append(symbol)
        self._span, self._ahead = span, ahead
        return found

    def array(self, table: Table, rows: Ints) -> Ints:
        """An array of symbols, each with its row of the table (3.2)."""
        order = np.argsort(rows, kind="stable")
        found = np.empty(len(rows), np.int64)
        present, counts = np.unique(rows, return_counts=True)
        at = 0
        for row, count in zip(present.tolist(), counts.tolist(), strict=True):
            found[order[at : at + count]] = self._run(table.edges(row), count)
            at += count
        table.learn(rows, found)
        return found

    def plain(self, table: Table, count: int, row: int = 0) -> Ints:
        """An array of `count` symbols that all have the same row (3.2)."""
        return self.array(table, np.full(count, row, np.int64))

    def escapes(self, count: int) -> Ints:
        """Numbers from 0 on in exponential Golomb code (3.2)."""
        widths = self.plain(WIDTHS, count)
        found = np.ones(count, np.int64)
        for bit in range(int(widths.max(initial=0)) - 1, -1, -1):
            longer = widths > bit
            found[longer] = 2 * found[longer] + self.plain(BITS[1], int(longer.sum()))
        return found - 1

    def integers(self, count: int) -> Ints:
        """Signed numbers of like size (3.2)."""
        if count == 0:
            return np.zeros(0, np.int64)
        row = int(self.plain(SIZES, 1)[0])
        found = self.plain(SIGNED, count, row) - SMALL
        return self.with_escapes(found, SMALL)

    def with_escapes(self, values: Ints, limit: int) -> Ints:
        """The values, where those of magnitude `limit` go on in escapes (3.2)."""
        ends = np.abs(values) == limit
        more = self.escapes(int(ends.sum()))
        found = values.copy()
        found[ends] += np.sign(values[ends]) * more
        return found
