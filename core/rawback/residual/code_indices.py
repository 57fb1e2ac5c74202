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

    from rawback.mosaic import Mosaic

__all__ = ["PHASES", "CodeIndexDomain", "list_numbers"]

PHASES = 4
"""Of a linear frame's pixels: of odd and even rows and columns."""


def list_numbers(
    lists: int, mosaic: Mosaic, shape: tuple[int, int], place: tuple[int, int] = (0, 0)
) -> NDArray[np.uint8]:
    """Which of so many lists of codes each of so many rows and columns of samples is counted in.

    Args:
        lists: One; one for each channel; or, of linear frames, for each channel and phase.
        mosaic: The frame's.
        shape: Rows and columns of samples.
        place: Rows and columns of cells above and left of them.
    """
    if lists == 1:
        return np.zeros(shape, np.uint8)
    channels = mosaic.channels_at(shape, place)
    if lists == len(mosaic.colours):
        return channels
    rows, columns = np.arange(shape[0]), np.arange(shape[1])
    phases = 2 * (rows & 1)[:, None] + (columns // mosaic.samples & 1)
    return (PHASES * channels + phases).astype(np.uint8)


@dataclass(frozen=True)
class CodeIndexDomain:
    """From the noise-normalised domain to ranks and back.

    Lists shorter than the longest go on with their last entry.

    Attributes:
        values: int32 ``[lists, ranks]``: domain value of each rank, not decreasing. There is a list
            for each channel, or, of linear frames, for each channel and phase.
        codes: int32 ``[lists, ranks]``: the code of each rank.
        lengths: int32 ``[lists]``: how many codes each list has.
    """

    values: NDArray[np.int32]
    codes: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def of(cls, forward: NDArray[np.int32], lists: Sequence[NDArray[np.uint16]]) -> CodeIndexDomain:
        """Of the codes of all channels, or a list for each, or for each and each phase.

        Args:
            forward: int32 ``[channels, 65536]``: domain value of each code.
            lists: One list of ascending codes; one of each channel; or so many of each channel.
        """
        each = list(lists) if len(lists) > 1 else [lists[0]] * len(forward)
        longest = max(map(len, each))
        codes = np.stack([np.pad(own, (0, longest - len(own)), mode="edge") for own in each])
        channels = np.arange(len(each)) * len(forward) // len(each)
        values = forward[channels[:, None], codes]
        return cls(values, codes.astype(np.int32), np.array([*map(len, each)], np.int32))

    def table_of(self, number: int) -> tuple[int, NDArray[np.int32]]:
        """First domain value, and the rank in eighths of that value and of each one after it."""
        row = self.values[number, : self.lengths[number]].astype(np.int64)
        wanted = np.arange(row[0], row[-1] + 1)
        below = np.clip(np.searchsorted(row, wanted, side="right") - 1, 0, max(len(row) - 2, 0))
        gap = np.maximum(np.diff(row, append=row[-1:] + 1)[below], 1)
        return int(row[0]), (below * 8 + (wanted - row[below]) * 8 // gap).astype(np.int32)

    @cached_property
    def tables(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """First domain values int32 ``[c]`` and tables int32 ``[c, n]`` of all lists.

        Shorter tables go on with their last entry.
        """
        firsts, tables = zip(*map(self.table_of, range(len(self.values))), strict=True)
        longest = max(map(len, tables))
        padded = [np.pad(table, (0, longest - len(table)), mode="edge") for table in tables]
        return np.array(firsts, np.int32), np.stack(padded)

    @property
    def is_common(self) -> bool:
        """Whether all channels have the same codes, and no channel more lists than one."""
        return bool(len(self.codes) <= 4 and (self.codes == self.codes[0]).all())

    @cached_property
    def below(self) -> NDArray[np.int32]:
        """How many codes of each list are below each number, int32 ``[lists, 65536]``."""
        lists = zip(self.codes, self.lengths, strict=True)
        numbers = np.arange(1 << 16)
        return np.stack([np.searchsorted(row[:n], numbers).astype(np.int32) for row, n in lists])

    @cached_property
    def widths(self) -> NDArray[np.int32]:
        """Logarithms of the domain values per eight ranks around each, int32 ``[lists, ranks]``.

        In 1/64 of an octave; of at least one value.
        """
        rows = np.pad(self.values, ((0, 0), (4, 4)), mode="edge")
        return binary_logarithms(np.maximum(rows[:, 8:] - rows[:, :-8], 1))
