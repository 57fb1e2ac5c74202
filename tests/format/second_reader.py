"""A second reader of carriers, written from FORMAT.md alone: it imports nothing of the library.

It goes as far as a reader needs that wants to know what a carrier holds, and to keep what it does
not know: the superbox out of the packets, all fields of the header, and the sections.
`second_decoder` restores what is in them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, NoReturn

CONTENT_TYPE = bytes.fromhex("586bd79b135d42899adfdcd66b96ab6c")


class Refused(Exception):
    """What a reader refuses."""


class TooNew(Refused):
    """A newer major version."""


def refuse(what: str) -> NoReturn:
    raise Refused(what)


# 1. Carrier


def superbox(jpeg: bytes) -> bytes:
    """The superbox in the APP11 segments of a JPEG that no software has split anew (1.2)."""
    if jpeg[:2] != b"\xff\xd8":
        refuse("no JPEG")
    at = 2
    boxes: dict[int, dict[int, bytes]] = {}
    wanted: int | None = None
    while jpeg[at + 1] != 0xDA:
        marker, size = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        body = jpeg[at + 4 : at + 2 + size]
        if marker == 0xEB and body[:2] == b"JP" and body[12:16] == b"jumb":
            instance, number = struct.unpack(">HI", body[2:8])
            boxes.setdefault(instance, {})[number] = body
            if number == 1 and body[20:40] == b"jumd" + CONTENT_TYPE:
                wanted = instance
        at += 2 + size
    if wanted is None:
        refuse("no payload")
    packets = boxes[wanted]
    numbers = sorted(packets)
    if numbers != list(range(1, len(numbers) + 1)):
        refuse("a packet is missing")
    assert all(len(packets[n]) == 65_533 for n in numbers[:-1])
    assert len(packets[numbers[-1]]) >= 28
    box = packets[1][8:16] + b"".join(packets[n][16:] for n in numbers)
    if len(box) != int.from_bytes(box[:4], "big"):
        refuse("the box is cut")
    return box


def payload_of(box: bytes) -> bytes:
    """The first bidb in a superbox (1.1)."""
    at = 8
    while at < len(box):
        size, kind = int.from_bytes(box[at : at + 4], "big"), box[at + 4 : at + 8]
        if size < 8 or at + size > len(box):
            refuse("a box is cut")
        if kind == b"bidb":
            return box[at + 8 : at + size]
        at += size
    refuse("no data")


# 2. Payload


def crc32c(data: bytes) -> int:
    """RFC 3720, section 12.1, reflected polynomial."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _crc_row(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


_CRC = [_crc_row(value) for value in range(256)]


@dataclass
class Bytes:
    """Bytes that are read from the front."""

    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        part = self.data[self.at : self.at + size]
        if len(part) < size:
            refuse("the bytes end")
        self.at += size
        return part

    def varint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if value >= 1 << 32 or (byte == 0 and shift > 7):
                    refuse("no varint")
                return value

    def cbor(self, depth: int = 8) -> Any:  # noqa: C901 -- a case for each type
        if depth == 0:
            refuse("too deep")
        first = self.take(1)[0]
        major, count = first >> 5, first & 31
        if 24 <= count <= 27 and major != 7:
            size = 1 << (count - 24)
            count = int.from_bytes(self.take(size), "big")
            if count < (24 if size == 1 else 1 << 4 * size):
                refuse("not the shortest form")
        elif count >= 24:
            refuse("no such value")
        if major == 0:
            return count
        if major == 1:
            return -1 - count
        if major == 2:
            return self.take(count)
        if major == 3:
            return self.take(count).decode()
        if major == 4:
            return [self.cbor(depth - 1) for _ in range(count)]
        if major == 5:
            entries: dict[int, Any] = {}
            for _ in range(count):
                key = self.cbor(1)
                if not isinstance(key, int) or key < 0 or (entries and key <= max(entries)):
                    refuse("keys do not ascend")
                entries[key] = self.cbor(depth - 1)
            return entries
        if major == 7 and count in (20, 21, 22):
            return (False, True, None)[count - 20]
        refuse("no such value")


@dataclass
class Section:
    kind: int
    layer: int
    tile: int
    data: bytes


NAMES = {
    1: "tables",
    2: "width",
    3: "height",
    4: "pattern",
    5: "black",
    6: "white",
    7: "ceiling",
    8: "black_offsets",
    9: "noise",
    10: "carrier_width",
    11: "carrier_height",
    12: "carrier_digest",
    13: "orientation",
    14: "lost_variance",
    18: "geometry",
    19: "cfa_digest",
    20: "residual",
    21: "grain",
    22: "floats",
}
DEFAULTS = {
    "ceiling": 0,
    "black_offsets": b"",
    "orientation": 1,
    "lost_variance": 0,
    "geometry": b"",
    "cfa_digest": None,
    "residual": b"",
    "grain": b"",
    "floats": None,
}
KINDS = {
    1: "BASE",
    2: "FILTER",
    3: "RESIDUAL",
    4: "EXACT",
    5: "CODES",
    6: "LATENTS",
    7: "METADATA",
    8: "BORDER",
    9: "ORIGINAL",
    10: "REMAINDER",
}


@dataclass
class Payload:
    version: tuple[int, int]
    header: dict[str, Any]
    unknown: dict[int, Any]
    sections: list[Section] = field(default_factory=list)
    skipped: list[Section] = field(default_factory=list)
    whole: bool = True


def section_of(source: Bytes) -> Section:
    """The next section (2.2)."""
    start = source.at
    kind, layer, tile = source.take(1)[0], source.varint(), source.varint()
    section = Section(kind, layer, tile, source.take(source.varint()))
    covered = source.data[start : source.at]
    if crc32c(covered) != int.from_bytes(source.take(4), "big"):
        refuse("the section is damaged")
    return section


def read(data: bytes) -> Payload:
    """Header and sections (2.1, 2.2); what stands before the first damage, if any."""
    source = Bytes(data)
    if source.take(4) != b"rwbk":
        refuse("no payload")
    major, minor = source.take(2)
    if major > 2:
        raise TooNew
    if major < 2:
        refuse("no such version")
    size = source.varint()
    front = data[: source.at]
    checksum = int.from_bytes(source.take(4), "big")
    if size > 262_144:
        refuse("too long a header")
    body = source.take(size)
    if crc32c(front + body) != checksum:
        refuse("the header is damaged")
    fields = Bytes(body)
    entries = fields.cbor()
    if fields.at != len(body) or not isinstance(entries, dict):
        refuse("no map")
    known = {name: entries.pop(key) for key, name in NAMES.items() if key in entries}
    payload = Payload((major, minor), DEFAULTS | known, entries)
    if set(payload.header) != set(NAMES.values()):
        refuse("a field is missing")
    while source.at < len(data):
        try:
            section = section_of(source)
        except Refused:
            payload.whole = False
            break
        (payload.sections if section.kind in KINDS else payload.skipped).append(section)
    return payload
