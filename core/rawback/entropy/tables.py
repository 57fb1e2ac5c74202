"""Probability tables as integer frequencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TABLE_PRECISION", "TableSet", "quantise_counts"]

TABLE_PRECISION = 16
"""The frequencies of a table add up to ``2 ** TABLE_PRECISION``."""


@dataclass(frozen=True, slots=True)
class TableSet:
    """Tables over one alphabet ``0 .. symbols - 1``.

    Attributes:
        frequencies: uint16 ``[tables, symbols]``, each at least 1; a row adds up to
            ``2 ** TABLE_PRECISION``.
        starts: uint16, the same shape: the sum of the frequencies before each symbol.
    """

    frequencies: NDArray[np.uint16]
    starts: NDArray[np.uint16] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sums = self.frequencies.sum(axis=1, dtype=np.int64)
        if (sums != 1 << TABLE_PRECISION).any() or (self.frequencies == 0).any():
            message = "every frequency must be at least 1 and every row add up to 65536"
            raise ValueError(message)
        starts = np.cumsum(self.frequencies, axis=1, dtype=np.int64) - self.frequencies
        object.__setattr__(self, "starts", starts.astype(np.uint16))

    @property
    def symbols(self) -> int:
        """Size of the alphabet."""
        return int(self.frequencies.shape[1])

    def cost(self) -> NDArray[np.float32]:
        """Bits that each symbol takes under each table, float32 ``[tables, symbols]``."""
        return (TABLE_PRECISION - np.log2(self.frequencies)).astype(np.float32)


def quantise_counts(counts: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Turn rows of observed counts into frequencies that a :class:`TableSet` accepts.

    Args:
        counts: float64 ``[tables, symbols]``, at least 0; a row of zeros becomes uniform.
    """
    total = 1 << TABLE_PRECISION
    symbols = counts.shape[1]
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.where(sums > 0, counts / np.maximum(sums, 1e-300), 1 / symbols)
    # One unit is set aside for each symbol, so that none becomes impossible to code.
    frequencies = np.floor(shares * (total - symbols)).astype(np.int64) + 1
    rows = np.arange(len(counts))
    frequencies[rows, frequencies.argmax(axis=1)] += total - frequencies.sum(axis=1)
    found: NDArray[np.uint16] = np.minimum(frequencies, total - 1).astype(np.uint16)
    return found
