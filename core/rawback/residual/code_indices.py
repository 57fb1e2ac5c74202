"""Ranks: a sample counted among the codes that its sensor uses.

Sensors that use few of their codes (log-coded cameras, 8-bit sensors in 10-bit files) are coded by
the rank of a code, not by its value. Prediction happens in the noise-normalised domain and is then
turned into a rank; all of it in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rawback.residual.logarithms import binary_logarithms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["CodeIndexDomain", "codes_of_indices"]


def codes_of_indices(lists: Sequence[NDArray[np.uint16]]) -> NDArray[np.uint16]:
    """The code of each rank by list, uint16 ``[lists, ranks]``; shorter ones repeat their last."""
    longest = max(map(len, lists))
    return np.stack([np.pad(codes, (0, longest - len(codes)), mode="edge") for codes in lists])


@dataclass(frozen=True)
class CodeIndexDomain:
    """From the noise-normalised domain to ranks and back.

    Attributes:
        values: int32 ``[channels, ranks]``: domain value of each rank in each channel,
            not decreasing.
    """

    values: NDArray[np.int32]

    @classmethod
    def of(cls, forward: NDArray[np.int32], lists: Sequence[NDArray[np.uint16]]) -> CodeIndexDomain:
        """Of the codes of all channels, or a list for each.

        Shorter lists go on with domain values that no code has, each larger by one.

        Args:
            forward: int32 ``[channels, 65536]``: domain value of each code.
            lists: One list of ascending codes, or one of each channel.
        """
        longest = max(map(len, lists))
        each = lists if len(lists) > 1 else [lists[0]] * len(forward)
        values = np.empty((len(forward), longest), np.int32)
        for row, table, codes in zip(values, forward, each, strict=True):
            row[: len(codes)] = table[codes]
            row[len(codes) :] = row[len(codes) - 1] + np.arange(1, longest - len(codes) + 1)
        return cls(values)

    def channel_table(self, channel: int) -> tuple[int, NDArray[np.int32]]:
        """First domain value, and the rank in eighths of that value and of each one after it."""
        row = self.values[channel].astype(np.int64)
        wanted = np.arange(row[0], row[-1] + 1)
        below = np.clip(np.searchsorted(row, wanted, side="right") - 1, 0, max(len(row) - 2, 0))
        gap = np.maximum(np.diff(row, append=row[-1:] + 1)[below], 1)
        return int(row[0]), (below * 8 + (wanted - row[below]) * 8 // gap).astype(np.int32)

    @cached_property
    def tables(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """First domain values int32 ``[c]`` and tables int32 ``[c, n]`` of all channels.

        Shorter tables go on with their last entry.
        """
        firsts, tables = zip(*map(self.channel_table, range(len(self.values))), strict=True)
        longest = max(map(len, tables))
        padded = [np.pad(table, (0, longest - len(table)), mode="edge") for table in tables]
        return np.array(firsts, np.int32), np.stack(padded)

    @cached_property
    def widths(self) -> NDArray[np.int32]:
        """Logarithms of the domain values per eight ranks around each, int32 ``[channels, ranks]``.

        In 1/64 of an octave; of at least one value.
        """
        rows = np.pad(self.values, ((0, 0), (4, 4)), mode="edge")
        return binary_logarithms(np.maximum(rows[:, 8:] - rows[:, :-8], 1))
