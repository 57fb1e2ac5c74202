"""Ranks: a sample counted among the codes that its sensor uses.

Sensors that use few of their codes (log-coded cameras, 8-bit sensors in 10-bit files) are coded by
the rank of a code, not by its value. Prediction happens in the noise-normalised domain and is then
turned into a rank; all of it in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CodeIndexDomain"]


@dataclass(frozen=True, slots=True)
class CodeIndexDomain:
    """From the noise-normalised domain to ranks and back.

    Attributes:
        values: int32 ``[channels, ranks]``: domain value of each rank in each channel,
            not decreasing.
    """

    values: NDArray[np.int32]

    def channel_table(self, channel: int) -> tuple[int, NDArray[np.int32]]:
        """First domain value, and the rank in eighths of that value and of each one after it."""
        row = self.values[channel].astype(np.int64)
        wanted = np.arange(row[0], row[-1] + 1)
        below = np.clip(np.searchsorted(row, wanted, side="right") - 1, 0, max(len(row) - 2, 0))
        gap = np.maximum(np.diff(row, append=row[-1:] + 1)[below], 1)
        return int(row[0]), (below * 8 + (wanted - row[below]) * 8 // gap).astype(np.int32)

    def tables(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """First domain values int32 ``[c]`` and tables int32 ``[c, n]`` of all channels.

        Shorter tables go on with their last entry.
        """
        firsts, tables = zip(*map(self.channel_table, range(len(self.values))), strict=True)
        longest = max(map(len, tables))
        padded = [np.pad(table, (0, longest - len(table)), mode="edge") for table in tables]
        return np.array(firsts, np.int32), np.stack(padded)

    def width_table(self, channel: int) -> NDArray[np.int32]:
        """Domain values per eight ranks around each rank, at least 1."""
        row = np.pad(self.values[channel], 4, mode="edge")
        found: NDArray[np.int32] = np.maximum(row[8:] - row[:-8], 1)
        return found
