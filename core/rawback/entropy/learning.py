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

__all__ = ["LearningTables"]

_WEIGHT = 1 << 9
"""A symbol counts twice this, once as itself and once mirrored: the table that a row begins with
counts as much as 64 symbols. A quarter or four times of it change sizes by a tenth of a percent."""

_MEMORY = 1 << 22
"""The counts of a row add up to at most this: what was coded long ago fades."""


class LearningTables:
    """Tables over one alphabet that follow what is coded with them.

    Args:
        start: What each row begins with.
        mirror: For each symbol the one that is as likely, itself or its negative.
    """

    def __init__(self, start: TableSet, mirror: Sequence[int]) -> None:
        self._counts = start.frequencies.astype(np.int64)
        self._frequencies = start.frequencies.copy()
        self._mirror = list(mirror)

    @property
    def frequencies(self) -> NDArray[np.uint16]:
        """As they stand, like those of a :class:`TableSet`."""
        return self._frequencies

    def code(
        self, coder: SymbolCoder, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Code an array as :meth:`SymbolCoder.code` does, and learn from it."""
        found = coder.code(TableSet(self._frequencies), indices, symbols)
        rows, width = self._counts.shape
        seen = np.bincount(indices * np.int64(width) + found, minlength=rows * width)
        self._learn(seen.reshape(rows, width))
        return found

    def _learn(self, seen: NDArray[np.int64]) -> None:
        used = np.flatnonzero(seen.any(axis=1))
        counts = self._counts[used] + _WEIGHT * (seen[used] + seen[used][:, self._mirror])
        total = counts.sum(axis=1, keepdims=True)
        counts = np.where(total > _MEMORY, counts * _MEMORY // total, counts)
        self._counts[used] = counts
        units = (1 << TABLE_PRECISION) - counts.shape[1]
        frequencies = 1 + counts * units // counts.sum(axis=1, keepdims=True)
        left = (1 << TABLE_PRECISION) - frequencies.sum(axis=1)
        frequencies[np.arange(len(used)), frequencies.argmax(axis=1)] += left
        self._frequencies[used] = frequencies
