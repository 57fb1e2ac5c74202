# SPDX-License-Identifier: GPL-3.0-or-later
"""What is open: a raw with its JPEG, a raw alone, or a carrier alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import rawback
from rawback_gui.models.orientation import Region, upright_size
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback_gui.models.pairing import Pair

__all__ = ["CHUNK", "Document", "RestoredBuffer", "open_document"]

CHUNK = 1024
"""Raw pixels along each side of what is restored at a time where much is visible."""


@dataclass(slots=True)
class Document:
    """An open picture.

    Attributes:
        pair: The files it is from.
        frame: The original; the restored raw where there is no original.
        session: None for a carrier alone.
        opened: The carrier alone, or None.
        guide: The JPEG on the raw's grid, once it is known.
    """

    pair: Pair
    frame: rawback.RawFrame
    session: rawback.Session | None = None
    opened: rawback.OpenedCarrier | None = None
    guide: rawback.Guide | None = None

    @property
    def has_original(self) -> bool:
        """Whether there is an original to compare with."""
        return self.session is not None

    @property
    def ready(self) -> bool:
        """Whether the restored raw can be shown."""
        return self.opened is not None or (self.session is not None and self.session.prepared)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        return upright_size(self.frame.orientation, self.frame.width, self.frame.height)


def open_document(pair: Pair, progress: rawback.Progress, cancel: threading.Event) -> Document:
    """Read what is needed to show something.

    Args:
        pair: The files.
        progress: Is told how far it is.
        cancel: Stops it.

    Raises:
        RawbackError: A file is not what it has to be, or cannot be read.
    """
    if pair.raw is None:
        if pair.jpeg is None:
            message = tr("There is nothing to open; drop a raw file, a JPEG, or both.")
            raise rawback.RawbackError(message)
        try:
            opened = rawback.open_carrier(pair.jpeg, progress=progress, cancel=cancel)
        except rawback.PayloadMissing as error:
            message = tr("{} carries no raw yet; drop its raw file together with it.").format(
                pair.jpeg.name
            )
            raise rawback.PayloadMissing(message) from error
        return Document(pair, opened.restored, None, opened, opened.guide)
    if pair.jpeg is None:
        progress("Rendering a JPEG", 0.0)
        session = rawback.open_session(pair.raw, rawback.carrier_for(pair.raw))
    else:
        progress("Reading the raw", 0.0)
        session = rawback.open_session(pair.raw, pair.jpeg)
    return Document(pair, session.original, session)


class RestoredBuffer:
    """The restored mosaic as far as it has been asked for, at one rate at a time.

    Filled on one thread; whoever reads from others sees parts of one rate or the next.
    """

    def __init__(self, session: rawback.Session) -> None:
        self._session = session
        frame = session.original
        self.cfa: NDArray[np.uint16] = frame.cfa.copy()
        self._rows = -(-frame.height // CHUNK)
        self._columns = -(-frame.width // CHUNK)
        self._whole = np.zeros((self._rows, self._columns), np.bool_)
        self._last: Region | None = None
        self._rate: rawback.Rate | None = None

    def has(self, rate: rawback.Rate, region: Region) -> bool:
        """Whether all of a region of the raw is there at a rate."""
        if rate != self._rate:
            return False
        return self._covers(region) or not self._missing(region)

    def fill(
        self,
        rate: rawback.Rate,
        region: Region,
        told: Callable[[], bool],
    ) -> bool:
        """Restore a region.

        Args:
            rate: At this rate.
            region: Left, top, width, height in raw pixels, left and top even.
            told: Called after each part; whether to go on.

        Returns:
            Whether all of it is there.
        """
        if rate != self._rate:
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
            if number and not told():
                return False
            self._restore(rate, self._chunk(row, column))
            self._whole[row, column] = True
        return True

    def _restore(self, rate: rawback.Rate, region: Region) -> None:
        left, top, width, height = region
        found = self._session.preview(rate, region).restored
        self.cfa[top : top + height, left : left + width] = found

    def _chunk(self, row: int, column: int) -> Region:
        height, width = self.cfa.shape
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
        if self._last is None:
            return False
        left, top, width, height = region
        l0, t0, w0, h0 = self._last
        inside = l0 <= left and t0 <= top
        return inside and left + width <= l0 + w0 and top + height <= t0 + h0
