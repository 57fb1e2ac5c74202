"""Sections: the units that a payload is cut into, each with its own checksum.

::

    kind   layer    tile     length   data     CRC-32C of all before it
    1      1-5      1-5      1-5      length   4 bytes
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import google_crc32c

from rawback.bitstream.varint import LIMIT, read_varint, write_varint

__all__ = ["Section", "SectionKind", "read_section"]


class SectionKind(IntEnum):
    """What a section holds. Kinds that are not listed here are kept and skipped."""

    BASE = 1
    """The inverse rendering that predicts the raw from the guide."""
    FILTER = 2
    """The linear filters that refine the base."""
    RESIDUAL = 3
    """One layer of the coded difference between base and raw."""
    EXACT = 4
    """The very samples of a tile, given what the layers before restore."""
    CODES = 5
    """The sensor's codes and the model fitted to them, which the exact layer needs."""
    LATENTS = 6
    """The learned layer, between base and residual."""
    METADATA = 7
    """What the raw says about itself: layer 0 what an editor renders by, layer 1 personal tags."""
    BORDER = 8
    """What lies around the visible area: layer 0 its extent and level, layer 1 its samples."""
    ORIGINAL = 9
    """What gives back the raw file itself."""
    REMAINDER = 10
    """What the codes of floating point samples leave out."""


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of the payload.

    Attributes:
        kind: A `SectionKind`, or any other number from 0 to 255.
        layer: Place from coarse to fine, 0 to 2**32 - 1.
        tile: Index of the tile, 0 where there is but one, to 2**32 - 1.
        data: What it holds, below 2**32 bytes.

    Raises:
        ValueError: A number is out of range.
    """

    kind: int
    layer: int
    tile: int
    data: bytes

    def __post_init__(self) -> None:
        if not (
            0 <= self.kind <= 255
            and 0 <= self.layer < LIMIT
            and 0 <= self.tile < LIMIT
            and len(self.data) < LIMIT
        ):
            message = f"section {self.kind}, {self.layer}, {self.tile} does not fit its fields"
            raise ValueError(message)

    @property
    def head(self) -> bytes:
        """Kind, layer, tile and length as they are written."""
        numbers = (self.layer, self.tile, len(self.data))
        return bytes([self.kind]) + b"".join(map(write_varint, numbers))

    @property
    def packed_size(self) -> int:
        """Bytes it takes in a packed payload."""
        return len(self.head) + len(self.data) + 4

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """Head, data and checksum, to be joined."""
        checksum = google_crc32c.extend(google_crc32c.value(self.head), self.data)
        return self.head, self.data, checksum.to_bytes(4, "big")


def read_section(data: bytes, position: int) -> tuple[Section, int, bool]:
    """Read the section at `position`.

    Returns:
        The section, the position behind it, and whether its checksum holds.

    Raises:
        ValueError: The bytes end before the section does, or spell no section head.
    """
    kind = data[position]
    layer, after = read_varint(data, position + 1)
    tile, after = read_varint(data, after)
    size, after = read_varint(data, after)
    end = after + size + 4
    if end > len(data):
        message = "it ends early"
        raise ValueError(message)
    section = Section(kind, layer, tile, data[after : after + size])
    checksum = google_crc32c.extend(google_crc32c.value(data[position:after]), section.data)
    return section, end, checksum == int.from_bytes(data[end - 4 : end], "big")
