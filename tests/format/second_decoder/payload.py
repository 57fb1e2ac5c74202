"""The payload: header and sections (2.1 and 2.2 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .mosaics import Pattern, pattern_of
from .refusal import NewerVersionError, RefusedError, refuse, require

KINDS = range(1, 10)


def _crc_entry(value: int) -> int:
    """The remainder of one byte (2)."""
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


_CRC_TABLE = [_crc_entry(value) for value in range(256)]


def crc32c(data: bytes) -> int:
    """The Castagnoli CRC (2)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Source:
    """Bytes that are read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left (2.1)."""
        return self.at >= len(self.data)

    def take(self, size: int) -> bytes:
        """The next bytes (2.1)."""
        part = self.data[self.at : self.at + size]
        require(len(part) == size, "the bytes end too early")
        self.at += size
        return part

    def rest(self) -> bytes:
        """All that is left (2.1)."""
        return self.take(len(self.data) - self.at)

    def number(self, size: int) -> int:
        """A big-endian number (2.1)."""
        return int.from_bytes(self.take(size), "big")

    def leb128(self) -> int:
        """Unsigned LEB128 of at most five bytes (3.3)."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        msg = "too long a number"
        raise RefusedError(msg)

    def varint(self) -> int:
        """Unsigned LEB128 below 2^32, no longer than needed (2)."""
        start = self.at
        value = self.leb128()
        size = self.at - start
        require(value < 1 << 32, "too large a number")
        require(size == 1 or value >> 7 * (size - 1) > 0, "a number is longer than needed")
        return value


def _cbor_count(source: Source, code: int) -> int:
    """The number in the head of a CBOR item, in its shortest form (2.1)."""
    if code < 24:
        return code
    require(code <= 27, "an indefinite length or a reserved head")
    size = 1 << (code - 24)
    count = source.number(size)
    require(count >= (24 if size == 1 else 1 << 4 * size), "a head longer than needed")
    return count


def _cbor_map(source: Source, count: int, depth: int) -> dict[int, Any]:
    """The entries of a CBOR map with ascending unsigned keys (2.1)."""
    entries: dict[int, Any] = {}
    last = -1
    for _ in range(count):
        first = source.take(1)[0]
        require(first >> 5 == 0, "a key is no unsigned number")
        key = _cbor_count(source, first & 31)
        require(key > last, "keys do not ascend")
        entries[key] = cbor(source, depth - 1)
        last = key
    return entries


def cbor(source: Source, depth: int = 8) -> Any:
    """One CBOR value of the kinds that headers may have (2.1)."""
    require(depth > 0, "values are nested too deep")
    first = source.take(1)[0]
    major, code = first >> 5, first & 31
    if major == 7:
        require(20 <= code <= 22, "a value of a kind that must not occur")
        return (False, True, None)[code - 20]
    count = _cbor_count(source, code)
    match major:
        case 0:
            return count
        case 1:
            return -1 - count
        case 2:
            return source.take(count)
        case 3:
            try:
                return source.take(count).decode()
            except UnicodeDecodeError:
                refuse("a text is no UTF-8")
        case 4:
            return [cbor(source, depth - 1) for _ in range(count)]
        case 5:
            return _cbor_map(source, count, depth)
    msg = "a value of a kind that must not occur"
    raise RefusedError(msg)


@dataclass(frozen=True)
class Header:
    """The header's fields that restoring needs (2.1)."""

    tables: bytes
    width: int
    height: int
    pattern: Pattern
    black: tuple[int, ...]
    white: int
    ceiling: int
    black_offsets: bytes
    noise_scale: float
    noise_offset: float
    carrier_width: int
    carrier_height: int
    carrier_digest: bytes
    lost_variance: int
    geometry: bytes
    cfa_digest: bytes | None
    residual: bytes
    floats: tuple[int, int, int] | None


class _Fields:
    """Fields of the header, checked as they are taken (2.1)."""

    def __init__(self, entries: dict[int, Any]) -> None:
        self.entries = entries

    def number(self, key: int, low: int, high: int) -> int:
        """A number of a range (2.1)."""
        return self.within(self.entries.get(key), low, high)

    def numbers(self, key: int, count: int, low: int, high: int) -> list[int]:
        """An array of numbers of a range (2.1)."""
        values = self.entries.get(key)
        if not isinstance(values, list) or len(values) != count:
            refuse(f"field {key} has the wrong form")
        return [self.within(value, low, high) for value in values]

    def text(self, key: int) -> str:
        """A text (2.1)."""
        value = self.entries.get(key)
        if not isinstance(value, str):
            refuse(f"field {key} has the wrong form")
        return value

    def string(self, key: int, low: int, high: int, default: bytes | None = None) -> bytes:
        """A byte string of a length (2.1)."""
        value = self.entries.get(key, default)
        if not isinstance(value, bytes) or not low <= len(value) <= high:
            refuse(f"field {key} has the wrong form")
        return value

    def noise(self, key: int) -> list[float]:
        """Scale and offset of the noise (2.1)."""
        pairs = self.entries.get(key)
        if not isinstance(pairs, list) or len(pairs) != 2:
            refuse(f"field {key} has the wrong form")
        found = []
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                refuse(f"field {key} has the wrong form")
            mantissa = self.within(pair[0], 0, (1 << 53) - 1)
            found.append(mantissa * 2.0 ** self.within(pair[1], -255, 0))
        require(0 < found[0] < 1 and found[1] < 1, "impossible noise")
        return found

    def floats(self, key: int) -> tuple[int, int, int] | None:
        """Kind, exponent and whether there are remainders of floating point numbers (2.1)."""
        if self.entries.get(key) is None:
            return None
        values = self.entries[key]
        if not isinstance(values, list) or len(values) != 3:
            refuse(f"field {key} has the wrong form")
        kind, exponent, has_remainders = values
        found = self.within(kind, 0, 1), self.within(exponent, -100, 112)
        return *found, self.within(has_remainders, 0, 1)

    @staticmethod
    def within(value: Any, low: int, high: int) -> int:
        """The value, if it is a whole number of a range (2.1)."""
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            refuse("a field has an impossible value")
        return value


def _header(entries: dict[int, Any]) -> Header:
    """The fields of the table in 2.1 that restoring needs (2.1)."""
    fields = _Fields(entries)
    white = fields.number(6, 1, 65535)
    pattern = pattern_of(fields.text(4))
    black = fields.numbers(5, len(pattern.colours), 0, 65535 * 256)
    require(max(black) < white * 256, "black is not below white")
    ceiling = fields.number(7, 0, 65535) if 7 in entries else 0
    require(ceiling == 0 or ceiling > white, "the ceiling is not above white")
    scale, offset = fields.noise(9)
    return Header(
        tables=fields.string(1, 8, 8),
        width=fields.number(2, 2, 65535),
        height=fields.number(3, 2, 65535),
        pattern=pattern,
        black=tuple(black),
        white=white,
        ceiling=ceiling,
        black_offsets=fields.string(8, 0, 65535, b""),
        noise_scale=scale,
        noise_offset=offset,
        carrier_width=fields.number(10, 1, 65535),
        carrier_height=fields.number(11, 1, 65535),
        carrier_digest=fields.string(12, 16, 16),
        lost_variance=fields.number(14, 0, 23) if 14 in entries else 0,
        geometry=fields.string(18, 0, 65535, b""),
        cfa_digest=fields.string(19, 32, 32) if entries.get(19) is not None else None,
        residual=fields.string(20, 0, 512, b""),
        floats=fields.floats(22),
    )


def read_header(source: Source) -> Header:
    """The header at the front of a payload (2.1)."""
    require(source.take(4) == b"rwbk", "no payload")
    major, _minor = source.take(2)
    if major > 2:
        msg = f"major version {major}"
        raise NewerVersionError(msg)
    require(major == 2, "no such major version")
    length = source.varint()
    require(length <= 262_144, "too long a header")
    front = source.data[: source.at]
    checksum = source.number(4)
    body = source.take(length)
    require(crc32c(front + body) == checksum, "the header is damaged")
    fields = Source(body)
    entries = cbor(fields)
    require(isinstance(entries, dict) and fields.at_end, "the fields are no single map")
    return _header(entries)


Sections = dict[tuple[int, int, int], bytes]


def read_sections(source: Source) -> Sections:
    """The data of the good sections, by kind, layer and tile (2.2)."""
    sections: Sections = {}
    while not source.at_end:
        start = source.at
        try:
            place = source.number(1), source.varint(), source.varint()
            data = source.take(source.varint())
            covered = source.data[start : source.at]
            require(crc32c(covered) == source.number(4), "a section is damaged")
        except RefusedError:
            break
        require(place not in sections or place[0] not in KINDS, "a section comes twice")
        sections.setdefault(place, data)
    return sections


def read_payload(data: bytes) -> tuple[Header, Sections]:
    """Header and sections of a payload (2)."""
    source = Source(data)
    return read_header(source), read_sections(source)
