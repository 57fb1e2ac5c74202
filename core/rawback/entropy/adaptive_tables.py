"""Tables that learn from what is coded with them.

What was trained for all payloads fits none of them quite. Each array of symbols that has been coded
is known to both sides, so both count it and code the next one with what they have seen so far.
Counting is integer work, and the same on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.entropy.tables import TABLE_PRECISION, TableSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.entropy.coder import SymbolCoder

__all__ = ["AdaptiveTables"]

_WEIGHT = 1 << 9
"""A symbol counts twice this, once as itself and once mirrored: the table that a row begins with
counts as much as 64 symbols. A quarter or four times of it change sizes by a tenth of a percent."""

_MEMORY = 1 << 22
"""The counts of a row add up to at most this: what was coded long ago fades."""

_PATIENCE = 2
"""A row learns when what it has waiting is worth ``2 ** -2`` of its counts: a table that changed
with every array would take longer to build than to code with, and be hardly better."""


class AdaptiveTables:
    """Tables over one alphabet that follow what is coded with them.

    Args:
        start: What each row begins with.
        mirror: For each symbol the one that is as likely, itself or its negative.
    """

    def __init__(self, start: TableSet, mirror: Sequence[int]) -> None:
        self._tables = TableSet(start.frequencies.copy())
        self._counts = start.frequencies.astype(np.int64)
        self._sums = self._counts.sum(axis=1)
        self._seen = np.zeros_like(self._counts)
        self._waiting = np.zeros(len(self._counts), np.int64)
        self._mirror = list(mirror)

    @property
    def frequencies(self) -> NDArray[np.uint16]:
        """As they stand, like those of a :class:`TableSet`."""
        return self._tables.frequencies

    def code(
        self, coder: SymbolCoder, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Code an array as :meth:`SymbolCoder.code` does, and learn from it."""
        found = coder.code(self._tables, indices, symbols)
        rows, width = self._seen.shape
        pairs = indices.astype(np.int64) * width + found
        self._seen += np.bincount(pairs, minlength=rows * width).reshape(rows, width)
        self._waiting += np.bincount(indices, minlength=rows)
        due = self._waiting * (2 * _WEIGHT << _PATIENCE) >= self._sums
        if due.any():
            self._learn(np.flatnonzero(due))
        return found

    def _learn(self, rows: NDArray[np.intp]) -> None:
        seen = self._seen[rows]
        counts = self._counts[rows] + _WEIGHT * (seen + seen[:, self._mirror])
        total = counts.sum(axis=1, keepdims=True)
        counts = np.where(total > _MEMORY, counts * _MEMORY // total, counts)
        sums = counts.sum(axis=1)
        self._counts[rows], self._sums[rows] = counts, sums
        self._seen[rows], self._waiting[rows] = 0, 0
        units = (1 << TABLE_PRECISION) - counts.shape[1]
        frequencies = 1 + counts * units // sums[:, None]
        left = (1 << TABLE_PRECISION) - frequencies.sum(axis=1)
        frequencies[np.arange(len(rows)), frequencies.argmax(axis=1)] += left
        self._tables.change(rows, frequencies.astype(np.uint16))
