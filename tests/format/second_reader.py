"""A second reader of carriers, written from FORMAT.md alone: it imports nothing of the library.

It goes as far as a reader needs that wants to know what a carrier holds: the superbox out of the
packets, header and sections out of the payload, the simplest geometries, the sensor's codes, and
the symbols of the first sections.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate, islice
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


NAMES = [
    *("tables", "width", "height", "pattern", "black", "white", "neutral", "color_matrix", "noise"),
    *("carrier_width", "carrier_height", "carrier_digest", "orientation", "make", "model"),
    *("unique_model", "exif", "geometry", "cfa_digest", "residual"),
]
DEFAULTS = {
    "orientation": 1,
    "make": "",
    "model": "",
    "unique_model": "",
    "exif": {},
    "geometry": b"",
    "cfa_digest": None,
    "residual": b"",
}
KINDS = {1: "BASE", 2: "FILTER", 3: "RESIDUAL", 4: "EXACT", 5: "CODES", 6: "LATENTS"}


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
    if major > 1:
        raise TooNew
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
    known = {name: entries.pop(key) for key, name in enumerate(NAMES, 1) if key in entries}
    payload = Payload((major, minor), DEFAULTS | known, entries)
    if set(payload.header) != set(NAMES):
        refuse("a field is missing")
    while source.at < len(data):
        try:
            section = section_of(source)
        except Refused:
            payload.whole = False
            break
        (payload.sections if section.kind in KINDS else payload.skipped).append(section)
    return payload


# 3. Contents


class Symbols:
    """The range coder (3.2)."""

    def __init__(self, data: bytes) -> None:
        padded = data + bytes(-len(data) % 4)
        self.words = iter(struct.unpack(f"<{len(padded) // 4}I", padded))
        self.low, self.span = 0, (1 << 64) - 1
        self.point = next(self.words, 0) << 32 | next(self.words, 0)

    def symbol(self, edges: list[int]) -> int:
        unit = self.span >> 24
        quantile = ((self.point - self.low) % (1 << 64)) // unit
        symbol = bisect_right(edges, quantile) - 1
        if symbol >= len(edges) - 1:
            refuse("impossible symbols")
        self.low = (self.low + unit * edges[symbol]) % (1 << 64)
        self.span = unit * (edges[symbol + 1] - edges[symbol])
        if self.span < 1 << 32:
            self.low = (self.low << 32) % (1 << 64)
            self.span <<= 32
            self.point = (self.point << 32) % (1 << 64) | next(self.words, 0)
        return symbol

    def array(self, rows: list[int], tables: list[list[int]]) -> list[int]:
        """One symbol for each row index, coded in the order of the rows."""
        edges = {row: edges_of(tables[row]) for row in set(rows)}
        found = [0] * len(rows)
        for place in sorted(range(len(rows)), key=lambda place: (rows[place], place)):
            found[place] = self.symbol(edges[rows[place]])
        return found

    def escapes(self, count: int) -> list[int]:
        prefix = [1 << (15 - i) for i in range(15)] + [1, 1]
        widths = self.array([0] * count, [prefix]) if count else []
        values = [1] * count
        for bit in range(max(widths, default=0) - 1, -1, -1):
            places = [place for place in range(count) if widths[place] > bit]
            for place, more in zip(
                places, self.array([0] * len(places), [[1 << 15] * 2]), strict=True
            ):
                values[place] = values[place] << 1 | more
        return [value - 1 for value in values]

    def integers(self, count: int) -> list[int]:
        if not count:
            return []
        row = self.array([0], [[6559] + [6553] * 9])[0]
        small = [s - 24 for s in self.array([0] * count, [signed_row(row)])]
        ends = [place for place in range(count) if abs(small[place]) == 24]
        for place, more in zip(ends, self.escapes(len(ends)), strict=True):
            small[place] += more if small[place] > 0 else -more
        return small


def edges_of(frequencies: list[int]) -> list[int]:
    """Where symbols begin, in 2**-24; the last edge is where the last one ends."""
    count = len(frequencies)
    sums = accumulate(frequencies, initial=0)
    return [(total * ((1 << 24) - count) >> 16) + i for i, total in enumerate(sums)]


def signed_row(row: int) -> list[int]:
    """Frequencies of -24..24."""
    p, q = ((1, 32), (1, 16), (1, 8), (1, 4), (1, 2), (1, 1), (2, 1), (4, 1), (8, 1), (16, 1))[row]
    weights = [(p ** abs(k) * (1 << 64) // (p + q) ** abs(k)) >> 20 for k in range(-24, 25)]
    found = [1 + weight * (65536 - 49) // sum(weights) for weight in weights]
    found[24] += 65536 - sum(found)
    return found


def sensor_codes(data: bytes) -> list[int]:
    """CODES, layer 0 (3.10)."""
    raw = zlib.decompress(data)
    half = len(raw) // 2
    return list(
        accumulate(low | high << 8 for low, high in zip(raw[:half], raw[half:], strict=True))
    )


def base_head(data: bytes) -> dict[str, Any]:
    """The six numbers that BASE begins with (3.6)."""
    step, grids, spacing, *uncovered = Symbols(data).escapes(6)
    if not (1 <= step <= 255 and 1 <= grids <= 4 and spacing <= 3):
        refuse("an impossible base")
    return {"step": step, "grids": grids, "spacing": spacing, "uncovered": uncovered}


def filters(data: bytes) -> list[list[list[int]]]:
    """FILTER (3.7): own taps, other taps and biases of each filter."""
    symbols = Symbols(data)
    count = symbols.escapes(1)[0]
    if count > 4:
        refuse("too many filters")
    return [[symbols.integers(n) for n in (96, 192, 4)] for _ in range(count)]


def geometry(data: bytes) -> dict[str, Any]:
    """The field `geometry` (3.3), but for meshes."""
    source = Bytes(data)
    first = source.take(1)[0]
    kind, orientation = first >> 3, (first & 7) + 1

    def signed() -> int:
        value = source.varint()
        return value >> 1 ^ -(value & 1)

    numbers = [signed() for _ in range({0: 0, 1: 2, 2: 8}[kind])]
    if source.at != len(data):
        refuse("bytes are left over")
    return {"kind": kind, "orientation": orientation, "numbers": numbers}


def residual(data: bytes) -> dict[str, Any]:
    """The field `residual` (3.9)."""
    code, power = struct.unpack(">HB", data[:3])
    matrix = list(struct.unpack("16b", data[3:19]))
    points = [(byte >> 4, byte & 15) for byte in data[19:]]
    steps = list(islice(range(code, -1, -32), len(points)))
    if power > 4 or not points or len(steps) != len(points) or code > 511:
        refuse("impossible parameters")
    return {"steps": steps, "power": power, "matrix": matrix, "points": points}
