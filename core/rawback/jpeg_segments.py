"""The marker segments of a JPEG (ITU-T T.81, annex B).

Bytes between two segments that belong to neither are stepped over, as decoders do.
"""

from __future__ import annotations

from dataclasses import dataclass

from rawback.errors import DamagedCarrier, UnsupportedCarrier

__all__ = [
    "APP2",
    "APP11",
    "APPLICATION",
    "EOI",
    "MAX_BODY",
    "SOS",
    "Segment",
    "next_segment",
    "segment",
    "start_of_image",
    "walk",
]

APP2 = 0xE2
APP11 = 0xEB
APPLICATION = range(0xE0, 0xF0)
EOI, SOS = 0xD9, 0xDA
MAX_BODY = 0xFFFF - 2
"""Bytes that fit behind the length field of one segment."""

_SOI = 0xD8
_WITHOUT_LENGTH = frozenset({0x01, EOI, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a marker segment lies in the file.

    Attributes:
        marker: Second byte of the marker.
        start: Position of the first byte 0xFF of the marker, fill bytes included.
        body: Position behind the length field (behind the marker, where there is no length).
        end: Position of the first byte that is not of this segment.
    """

    marker: int
    start: int
    body: int
    end: int


def segment(marker: int, body: bytes) -> bytes:
    """Spell one segment; `body` has at most `MAX_BODY` bytes."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def start_of_image(jpeg: bytes) -> int:
    """Position behind the start-of-image marker.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG.
    """
    if jpeg[:2] != bytes((0xFF, _SOI)):
        message = "The file is not a JPEG; give the JPEG that was made from the raw."
        raise UnsupportedCarrier(message)
    return 2


def next_segment(jpeg: bytes, position: int) -> Segment:
    """The first segment at or after a position that no segment reaches beyond.

    Raises:
        DamagedCarrier: The file ends, or makes no sense, before the segment's end.
    """
    start = jpeg.find(0xFF, position)
    if start < 0:
        raise _damage(position)
    code = start
    while jpeg[code : code + 1] == b"\xff":
        code += 1
    marker = jpeg[code] if code < len(jpeg) else 0
    if marker in (0x00, _SOI):
        raise _damage(start)
    body = code + 1
    if marker in _WITHOUT_LENGTH:
        return Segment(marker, start, body, body)
    length = int.from_bytes(jpeg[body : body + 2], "big")
    if length < 2 or body + length > len(jpeg):
        raise _damage(start)
    return Segment(marker, start, body + 2, body + length)


def walk(jpeg: bytes) -> list[Segment]:
    """List the segments from behind the start of the image to the first scan header, included.

    Nothing behind it is looked at: neither entropy-coded data, nor what follows the end of the
    image, such as the further pictures of an Ultra HDR or multi-picture file.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG.
        DamagedCarrier: The file ends, or makes no sense, before its first scan.
    """
    segments = [next_segment(jpeg, start_of_image(jpeg))]
    while segments[-1].marker != SOS:
        if segments[-1].marker == EOI:
            raise _damage(segments[-1].start)
        segments.append(next_segment(jpeg, segments[-1].end))
    return segments


def _damage(position: int) -> DamagedCarrier:
    return DamagedCarrier(
        f"The JPEG is cut or broken at byte {position}; fetch or export the file again."
    )
