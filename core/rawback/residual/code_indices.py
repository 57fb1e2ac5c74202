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

__all__ = ["SPREADS", "CodeIndexDomain", "Placement"]

SPREADS = 56
"""Classes of predicted spread, quarter octaves from 1/16 of a rank."""

# 1.19, 1.41, 1.68 and 2 as multiples of 1/1024: quarter octaves, rounded here so that every edge is
# an integer in its own right.
_QUARTERS = (1218, 1448, 1722, 2048)
_EDGES = np.array([_QUARTERS[i % 4] << (i // 4) >> 8 for i in range(SPREADS - 1)])
_CLASS_OF_RATIO = np.searchsorted(_EDGES, np.arange(1 << 17), side="right").astype(np.uint8)
# From 8 ranks of spread on, one low bit per octave goes uncoded.
_SHIFT_OF_CLASS = np.maximum((np.arange(SPREADS) - 28) // 4, 0).astype(np.int32)


@dataclass(frozen=True, slots=True)
class CodeIndexDomain:
    """From the noise-normalised domain to ranks and back.

    Attributes:
        values: int32 ``[4, ranks]``: domain value of each rank at each position of the 2x2 cell,
            not decreasing.
    """

    values: NDArray[np.int32]

    def position_table(self, position: int) -> tuple[int, NDArray[np.int32]]:
        """First domain value, and the rank in eighths of that value and of each one after it."""
        row = self.values[position].astype(np.int64)
        wanted = np.arange(row[0], row[-1] + 1)
        below = np.clip(np.searchsorted(row, wanted, side="right") - 1, 0, max(len(row) - 2, 0))
        gap = np.maximum(np.diff(row, append=row[-1:] + 1)[below], 1)
        return int(row[0]), (below * 8 + (wanted - row[below]) * 8 // gap).astype(np.int32)

    def width_table(self, position: int) -> NDArray[np.int32]:
        """Domain values per eight ranks around each rank, at least 1."""
        row = np.pad(self.values[position], 4, mode="edge")
        found: NDArray[np.int32] = np.maximum(row[8:] - row[:-8], 1)
        return found


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the samples of a group are expected.

    A sample's rank ``k`` is coded against its predicted rank ``m``, a multiple of 1/8, as the
    difference ``(k >> s) - (m >> s)``; the ``s`` low bits, noise when the spread is wide, go as
    they are.

    Attributes:
        eighths: int32 ``[n]``: predicted rank in eighths.
        classes: uint8 ``[n]`` below SPREADS: class of the predicted spread.
    """

    eighths: NDArray[np.int32]
    classes: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        domain: CodeIndexDomain,
        position: int,
        predicted: NDArray[np.int32],
        spread: NDArray[np.int32],
    ) -> Placement:
        """From predicted values and spreads in the noise-normalised domain, int32 of any shape."""
        start, table = domain.position_table(position)
        eighths = table.take(predicted.ravel() - start, mode="clip")
        width = domain.width_table(position).take(eighths >> 3)
        # Spread in sixty-fourths of a rank: `width` domain values are eight ranks.
        ratio = spread.ravel() * np.int32(8 * 64) // width
        return cls(eighths, _CLASS_OF_RATIO.take(ratio, mode="clip"))

    @property
    def low_bits(self) -> NDArray[np.int32]:
        """Low bits of each rank that no table is spent on, 0 to 6."""
        found: NDArray[np.int32] = _SHIFT_OF_CLASS.take(self.classes)
        return found

    @property
    def whole(self) -> NDArray[np.int32]:
        """Predicted rank without its low bits and fraction."""
        found: NDArray[np.int32] = self.eighths >> (3 + self.low_bits)
        return found

    @property
    def fraction(self) -> NDArray[np.int32]:
        """Eighths by which the prediction exceeds `whole`, 0 to 7."""
        return self.eighths >> self.low_bits & 7
