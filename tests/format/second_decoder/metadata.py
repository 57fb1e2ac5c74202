"""What the raw says about itself (3.12 of FORMAT.md)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from .border import lzma2
from .payload import Sections, Source
from .refusal import refuse, require

METADATA = 7
LARGEST = 1 << 25
CODES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii"}
CODES |= {11: "f", 12: "d", 13: "I"}
SIGNED = (6, 8, 9, 10)
WHOLE = (1, 3, 4, 6, 8, 9)

Tags = dict[tuple[int, int], tuple[int, bytes]]
"""Type and bytes by directory and number (3.12)."""


@dataclass(frozen=True)
class Metadata:
    """What the sections say; no personal tags where there is no layer 1 (3.12)."""

    big_endian: bool
    from_jpeg: bool
    rendering: Tags
    personal: Tags | None


def _expanded(data: bytes) -> bytes:
    """The tags, before they were compressed (3.12)."""
    require(len(data) > 0 and data[0] <= 2, "an unknown compression")
    if data[0] == 0:
        return data[1:]
    if data[0] == 2:
        return lzma2(data[1:], LARGEST, lc=3)
    inflater = zlib.decompressobj(-15)
    try:
        body = inflater.decompress(data[1:], LARGEST + 1)
    except zlib.error:
        refuse("a damaged stream")
    require(inflater.eof and not inflater.unused_data, "a stream is cut, or goes on")
    require(len(body) <= LARGEST, "too long a stream")
    return body


class _Reader:
    """Tags that are read one after the other (3.12)."""

    def __init__(self, body: bytes, order: str) -> None:
        self.source = Source(body)
        self.order = order
        self.tags: Tags = {}
        self.size = 0
        self.numbers = 0

    def all(self) -> Tags:
        """Every directory (3.12)."""
        while not self.source.at_end:
            directory, count = self.source.number(1), self.source.varint()
            require(0 < count <= 4096 - len(self.tags), "no tags, or too many")
            number = 0
            for _ in range(count):
                number += self.source.varint()
                require(number <= 65535, "too large a tag")
                require((directory, number) not in self.tags, "a tag twice")
                self.tags[directory, number] = self.value()
        return self.tags

    def value(self) -> tuple[int, bytes]:
        """Type and values of a tag (3.12)."""
        form, kind = divmod(self.source.number(1), 16)
        count = self.source.varint()
        require(kind in CODES and form <= 3, "an unknown type or form")
        size = count * struct.calcsize("<" + CODES[kind])
        self.size += size
        self.numbers += count if form in (1, 2) else 0
        require(self.size <= LARGEST and self.numbers <= 1 << 18, "too large values")
        if form == 0:
            return kind, self.source.take(size)
        if form == 3:
            return kind, self.table(kind, size)
        require(kind in ((5, 10) if form == 2 else WHOLE), "a form of another type")
        values = [self.integer(kind) for _ in range(count + form - 1)]
        if form == 2:
            values = [n for numerator in values[1:] for n in (numerator, values[0])]
        code = f"{self.order}{len(values)}{CODES[kind][0]}"
        try:
            return kind, struct.pack(code, *values)
        except struct.error:
            refuse("too large a number")

    def integer(self, kind: int) -> int:
        """A number (3.12)."""
        number = self.source.varint()
        return number if kind not in SIGNED else -(number + 1) // 2 if number % 2 else number // 2

    def table(self, kind: int, size: int) -> bytes:
        """32-bit numbers from their differences (3.12)."""
        require(kind in (7, 11) and size % 4 == 0 and size <= 1 << 20, "an impossible table")
        count = size // 4
        planes = [self.source.take(count) for _ in range(4)]
        value, out = 0, b""
        order = self.order if kind == 11 else ">"
        parts = []
        for step in zip(*planes, strict=True):
            value = (value + int.from_bytes(bytes(step), "big")) % (1 << 32)
            parts.append(struct.pack(order + "I", value))
        return out.join(parts)


def metadata_of(sections: Sections) -> Metadata:
    """What the METADATA sections of a payload say (3.12)."""
    first, second = (sections.get((METADATA, layer, 0)) for layer in (0, 1))
    if first is None:
        return Metadata(big_endian=False, from_jpeg=False, rendering={}, personal=None)
    require(len(first) > 0 and first[0] <= 3, "unknown flags")
    order = ">" if first[0] & 1 else "<"
    rendering = _Reader(_expanded(first[1:]), order).all()
    personal = None if second is None else _Reader(_expanded(second), order).all()
    return Metadata(bool(first[0] & 1), bool(first[0] & 2), rendering, personal)
