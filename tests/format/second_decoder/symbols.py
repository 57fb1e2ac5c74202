"""The range coder and what is coded with it (3.2 of FORMAT.md)."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .arrays import Ints

RATIOS = ((1, 32), (1, 16), (1, 8), (1, 4), (1, 2), (1, 1), (2, 1), (4, 1), (8, 1), (16, 1))
SMALL = 24


class Table:
    """Rows of frequencies, each of which adds up to 65536 (3.2)."""

    def __init__(self, frequencies: Ints) -> None:
        self.starts = [list(accumulate(row, initial=0)) for row in frequencies.tolist()]


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


class RangeDecoder:
    """One stream of the range coder (3.2)."""

    def __init__(self, data: bytes) -> None:
        self._bytes = chain(data, repeat(0))
        self.range = (1 << 32) - 1
        self.code = 0
        for _ in range(4):
            self.code = self.code << 8 | next(self._bytes)

    def take(self, start: int, width: int) -> None:
        """Go on behind a symbol of so many units from `start` units on (3.2)."""
        unit = self.range >> 16
        self._go_on(unit * start, unit * width)

    def bit(self, one: int) -> int:
        """A bit whose probability of 1 is so many units (3.2)."""
        bound = (self.range >> 16) * one
        if self.code < bound:
            self._go_on(0, bound)
            return 1
        self._go_on(bound, self.range - bound)
        return 0

    def even(self, count: int) -> int:
        """So many bits that are as likely 0 as 1 (3.2)."""
        width = self.range >> count
        value = min(self.code // width, (1 << count) - 1)
        self._go_on(value * width, width)
        return value

    def below(self, count: int) -> int:
        """An even number below a count (3.2)."""
        width = self.range // count
        value = min(self.code // width, count - 1)
        self._go_on(value * width, width)
        return value

    def _go_on(self, start: int, width: int) -> None:
        """Narrow the range, and widen it again with more bytes (3.2)."""
        self.code = (self.code - start) % (1 << 32)
        self.range = width
        while self.range < 1 << 24:
            self.range <<= 8
            self.code = (self.code << 8 | next(self._bytes)) % (1 << 32)


class Symbols(RangeDecoder):
    """A stream of arrays of symbols (3.2)."""

    def array(self, table: Table, rows: Ints) -> Ints:
        """An array of symbols, each with its row of the table (3.2)."""
        found = []
        for row in rows.tolist():
            starts = table.starts[row]
            last = len(starts) - 1
            symbol = bisect_right(starts, self.code // (self.range >> 16), 0, last) - 1
            self.take(starts[symbol], starts[symbol + 1] - starts[symbol])
            found.append(symbol)
        return np.array(found, np.int64)

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
