# SPDX-License-Identifier: GPL-3.0-or-later
"""The restored mosaic of a session, as far as it was asked for, at one rate at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    import rawback
    from rawback_gui.models.orientation import Region

__all__ = ["CHUNK", "Restored", "RestoredBuffer"]

CHUNK = 1024
"""Raw pixels along each side of what is restored at a time where much is visible."""

_SQUARE = 64
"""Raw pixels along each side of what is told apart by whether it was ever restored."""


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """The restored raw at one rate, known whole or to be had part by part.

    Attributes:
        rate: Of the payload, as a session's preview is asked for it; None for a carrier alone.
        whole: uint16, as `RawFrame.cfa`, once all of it is known; None where it is previewed.
    """

    rate: rawback.Rate | None
    whole: NDArray[np.uint16] | None = None


class RestoredBuffer:
    """Filled on one thread. Others read a part, and ask before and after whether it is there."""

    def __init__(self, session: rawback.Session) -> None:
        self._session = session
        frame = session.original
        # What is not restored yet is dark.
        self.cfa: NDArray[np.uint16] = np.full_like(frame.cfa, round(min(frame.black)))
        self._rows = -(-frame.height // CHUNK)
        self._columns = -(-frame.width // CHUNK)
        self._whole = np.zeros((self._rows, self._columns), np.bool_)
        self._ever = np.zeros((-(-frame.height // _SQUARE), -(-frame.width // _SQUARE)), np.bool_)
        self._last: Region | None = None
        self._rate: rawback.Rate | None = None

    def never(self, region: Region, size: tuple[int, int]) -> NDArray[np.bool_] | None:
        """What of a region has not been restored at any rate.

        Args:
            region: Left, top, width, height in raw pixels.
            size: Width and height of the mask that is wanted.

        Returns:
            bool ``[h, w]``; None where there is nothing.
        """
        left, top, width, height = region
        columns, rows = (
            ((start + (np.arange(count) + 0.5) * side / count) // _SQUARE).astype(int)
            for start, side, count in ((left, width, size[0]), (top, height, size[1]))
        )
        missing = ~self._ever[np.ix_(rows, columns)]
        return missing if missing.any() else None

    def has(self, rate: rawback.Rate, region: Region) -> bool:
        """Whether all of a region of the raw is there at a rate."""
        if rate != self._rate:
            return False
        return self._covers(region) or not self._missing(region)

    def fill(self, rate: rawback.Rate, region: Region, go_on: Callable[[], bool]) -> bool:
        """Restore a region.

        Args:
            rate: At this rate.
            region: Left, top, width, height in raw pixels, left and top even.
            go_on: Called after each part; whether to go on.

        Returns:
            Whether all of it is there.
        """
        if rate != self._rate:
            self._rate = None
            self._whole[:] = False
            self._last = None
            self._rate = rate
        if self._covers(region):
            return True
        missing = self._missing(region)
        if not missing:
            return True
        _, _, width, height = region
        if width * height <= 2 * CHUNK * CHUNK and len(missing) > 1:
            # What is visible at 1:1 is quicker in one piece than in those it touches.
            self._restore(rate, region)
            self._last = region
            return True
        for number, (row, column) in enumerate(missing):
            if number and not go_on():
                return False
            self._restore(rate, self._chunk(row, column))
            self._whole[row, column] = True
        return True

    def _restore(self, rate: rawback.Rate, region: Region) -> None:
        left, top, width, height = region
        restored = self._session.preview(rate, region).restored
        self.cfa[top : top + height, left : left + width] = restored
        # Squares at the edge of the picture may be cut short; at others all has to be there.
        bottom, right = (
            -(-end // _SQUARE) if end == whole else end // _SQUARE
            for end, whole in zip((top + height, left + width), self.cfa.shape, strict=False)
        )
        self._ever[-(-top // _SQUARE) : bottom, -(-left // _SQUARE) : right] = True

    def _chunk(self, row: int, column: int) -> Region:
        height, width = self.cfa.shape[:2]
        left, top = column * CHUNK, row * CHUNK
        return left, top, min(CHUNK, width - left), min(CHUNK, height - top)

    def _missing(self, region: Region) -> list[tuple[int, int]]:
        """Chunks of a region that are not there, from its middle outwards."""
        left, top, width, height = region
        middle = ((top + height / 2) / CHUNK - 0.5, (left + width / 2) / CHUNK - 0.5)
        chunks = [
            (row, column)
            for row in range(top // CHUNK, min(-(-(top + height) // CHUNK), self._rows))
            for column in range(left // CHUNK, min(-(-(left + width) // CHUNK), self._columns))
            if not self._whole[row, column]
        ]
        return sorted(chunks, key=lambda at: (at[0] - middle[0]) ** 2 + (at[1] - middle[1]) ** 2)

    def _covers(self, region: Region) -> bool:
        covered = self._last
        if covered is None:
            return False
        left, top, width, height = region
        left_, top_, width_, height_ = covered
        inside = left_ <= left and top_ <= top
        return inside and left + width <= left_ + width_ and top + height <= top_ + height_
