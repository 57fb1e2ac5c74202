"""Bytes and payloads changed at random, the same way for the same seed.

Changes of whole files mostly die at a checksum, as they should. So payloads are also taken apart,
changed inside, and put together again with checksums that hold: what a liar would write.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import google_crc32c

from rawback.bitstream import Payload, Section, SectionKind, cbor, pack, unpack
from rawback.bitstream.header import MAGIC, write_header
from rawback.bitstream.varint import write_varint

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["Mutator"]

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_EDGES = (0, 1, 2, 3, 255, 256, 65535, 65536, (1 << 24) - 1, 1 << 24, (1 << 32) - 1, 1 << 53)
_MOST_EDITS = 4
_WIRED_KEYS = 22


@dataclass(frozen=True, slots=True)
class Mutator:
    """Draws changes.

    Attributes:
        random: Where all chance comes from.
        others: Other honest bytes, parts of which get mixed in.
    """

    random: Random
    others: tuple[bytes, ...] = ()

    def changed(self, data: bytes) -> bytes:
        """Bytes after one to four edits."""
        edits: tuple[Callable[[bytearray], None], ...] = (
            self._flip,
            self._flip,
            self._set,
            self._number,
            self._delete,
            self._repeat,
            self._insert,
            self._fill,
            self._cut,
            self._splice,
        )
        work = bytearray(data)
        for _ in range(self.random.randint(1, _MOST_EDITS)):
            self.random.choice(edits)(work)
        return bytes(work)

    def payload(self, packed: bytes) -> bytes:
        """A packed payload that is changed inside; its checksums hold."""
        payload = unpack(packed)
        draw = self.random.random()
        if draw < 0.55:
            return pack(self._section_changed(payload))
        if draw < 0.7:
            return pack(self._order_changed(payload))
        return self._header_changed(payload) + packed[len(write_header(payload.header)) :]

    def _section_changed(self, payload: Payload) -> Payload:
        if not payload.sections:
            return payload
        sections = list(payload.sections)
        at = self.random.randrange(len(sections))
        sections[at] = replace(sections[at], data=self.changed(sections[at].data))
        return replace(payload, sections=tuple(sections))

    def _order_changed(self, payload: Payload) -> Payload:
        random = self.random
        sections = list(payload.sections)
        for _ in range(random.randint(1, _MOST_EDITS)):
            if not sections:
                break
            at = random.randrange(len(sections))
            edit = random.randrange(5)
            if edit == 0:
                del sections[at]
            elif edit == 1:
                sections.insert(random.randrange(len(sections) + 1), sections[at])
            elif edit == 2:
                sections[at] = replace(sections[at], kind=random.randrange(9))
            elif edit == 3:
                sections[at] = replace(sections[at], layer=random.choice((0, 1, 2, 5, 1 << 31)))
            else:
                data = random.randbytes(random.randrange(80))
                sections.append(Section(random.choice(list(SectionKind)), 0, 0, data))
        return replace(payload, sections=tuple(sections))

    def _header_changed(self, payload: Payload) -> bytes:
        """A header with other fields, well spelled or not; length and checksum are right."""
        random = self.random
        front, body = _taken_apart(write_header(payload.header))
        if random.random() < 0.5:
            body = self.changed(body)
        else:
            entries = cbor.decode(body)
            if not isinstance(entries, dict):
                raise TypeError
            for _ in range(random.randint(1, 2)):
                key = random.choice([*entries, random.randrange(1, _WIRED_KEYS + 2)])
                entries[key] = self._value(entries.get(key))
            body = cbor.encode(entries)
        if random.random() < 0.05:
            front = MAGIC + bytes((random.randrange(3), random.randrange(256)))
        return _framed(front, body)

    def _value(self, value: cbor.CborValue) -> cbor.CborValue:
        random = self.random
        if isinstance(value, bytes) and random.random() < 0.8:
            return self.changed(value)
        if isinstance(value, tuple) and value and random.random() < 0.8:
            items = list(value)
            at = random.randrange(len(items))
            items[at] = self._value(items[at])
            return tuple(items)
        if isinstance(value, int) and random.random() < 0.5:
            return value + random.choice((-256, -2, -1, 1, 2, 64, 1000))
        return random.choice((random.choice(_EDGES), -random.choice(_EDGES), b"", "RGGB", None))

    def _place(self, data: bytearray) -> int:
        # The first bytes of anything decide the most.
        near = min(len(data), 64) if self.random.random() < 0.5 else len(data)
        return self.random.randrange(near) if near else 0

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self._place(data)] ^= 1 << self.random.randrange(8)

    def _set(self, data: bytearray) -> None:
        if data:
            data[self._place(data)] = self.random.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))

    def _number(self, data: bytearray) -> None:
        size = self.random.choice((1, 2, 2, 4))
        at = self._place(data)
        number = self.random.choice(_NUMBERS) & ((1 << (8 * size)) - 1)
        data[at : at + size] = number.to_bytes(size, self.random.choice(("big", "little")))

    def _delete(self, data: bytearray) -> None:
        at = self._place(data)
        del data[at : at + self.random.choice((1, 1, 2, 4, 16, 300))]

    def _repeat(self, data: bytearray) -> None:
        at = self._place(data)
        part = data[at : at + self.random.choice((1, 2, 4, 16, 300))]
        data[at:at] = part * self.random.choice((1, 1, 2, 9))

    def _insert(self, data: bytearray) -> None:
        at = self._place(data)
        data[at:at] = self.random.randbytes(self.random.choice((1, 1, 2, 4, 16, 100)))

    def _fill(self, data: bytearray) -> None:
        at = self._place(data)
        size = min(self.random.choice((2, 4, 16, 100)), len(data) - at)
        fill = self.random.choice((b"\0", b"\xff", b"\x80"))
        data[at : at + size] = fill * size

    def _cut(self, data: bytearray) -> None:
        del data[self._place(data) :]

    def _splice(self, data: bytearray) -> None:
        if self.others:
            other = self.random.choice(self.others)
            start = self.random.randrange(len(other) + 1)
            at = self._place(data)
            data[at:at] = other[start : start + self.random.choice((4, 32, 256))]


def _taken_apart(header: bytes) -> tuple[bytes, bytes]:
    """Magic and version, and the CBOR."""
    position = 6
    while header[position] & 0x80:
        position += 1
    return header[:6], header[position + 5 :]


def _framed(front: bytes, body: bytes) -> bytes:
    front += write_varint(len(body))
    checksum: int = google_crc32c.value(front + body)
    return front + checksum.to_bytes(4, "big") + body
