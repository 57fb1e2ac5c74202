"""Tags to the bytes of a METADATA section and back (FORMAT.md, part 3.12).

A raw says some hundred bytes of itself that matter, and they are to cost little: numbers are
written as short as they are, rationals with their denominator once, tables as differences, and all
of it is compressed.

Reading takes memory in proportion to what a section may hold at most, whatever its bytes claim.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from rawback.bitstream.sections import Section, SectionKind
from rawback.bitstream.varint import LIMIT, read_varint, write_varint
from rawback.errors import PayloadDamaged
from rawback.metadata import TYPE_CODES, TYPE_SIZES, Entry, Metadata, TiffType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "LARGEST_BODY",
    "MOST_ENTRIES",
    "StoredMetadata",
    "pack_entries",
    "read_metadata",
    "unpack_entries",
    "write_personal",
    "write_rendering",
]

LARGEST_BODY = 1 << 25
"""Bytes that the tags of a section take before they are compressed, and their values in a file."""

MOST_ENTRIES = 1 << 12
"""Tags of a section."""

_MOST_NUMBERS = 1 << 18
"""Values that are written as numbers; what is beyond is as it is. Bounds the time of reading."""

# Flags of the first section.
_BIG_ENDIAN, _FROM_JPEG = 1, 2

# Forms of values.
_VERBATIM, _INTEGERS, _FRACTIONS, _WORDS = range(4)
_NUMBERS = (_INTEGERS, _FRACTIONS)
_UNSIGNED = (TiffType.BYTE, TiffType.SHORT, TiffType.LONG)
_SIGNED = (TiffType.SBYTE, TiffType.SSHORT, TiffType.SLONG)
_RATIONALS = (TiffType.RATIONAL, TiffType.SRATIONAL)
_FEWEST_WORDS, _MOST_WORDS = 16, 1 << 18

# Methods of compression.
_STORED, _DEFLATE, _LZMA = range(3)
_FILTERS = ({"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 0},)

_Reader: TypeAlias = "Callable[[bytes, int, int, int, str], tuple[bytes, int]]"


def pack_entries(metadata: Metadata) -> bytes:
    """All entries of a metadata, compressed."""
    body = bytearray()
    room = _MOST_NUMBERS
    for directory in sorted({entry.directory for entry in metadata.entries}):
        entries = metadata.of(directory)
        body.append(directory)
        body += write_varint(len(entries))
        last = 0
        for entry in entries:
            form, data = _VERBATIM, entry.data
            if entry.count < room:
                form, data = _shortest(entry, metadata.order)
            room -= entry.count if form in _NUMBERS else 0
            body += write_varint(entry.tag - last)
            body.append(entry.type | form << 4)
            body += write_varint(entry.count) + data
            last = entry.tag
    return _compressed(bytes(body))


def unpack_entries(data: bytes, *, big_endian: bool) -> Metadata:
    """Undo `pack_entries`.

    Args:
        data: What it made.
        big_endian: The byte order of the metadata.

    Raises:
        ValueError: The bytes are not what it makes.
    """
    body = _expanded(data)
    order = ">" if big_endian else "<"
    entries: list[Entry] = []
    at, size, numbers = 0, 0, 0
    while at < len(body):
        directory, tag = body[at], 0
        tags, at = read_varint(body, at + 1)
        if not 0 < tags <= MOST_ENTRIES - len(entries):
            _refuse("no tags, or too many")
        for _ in range(tags):
            step, at = read_varint(body, at)
            tag += step
            form, kind, count, at = _read_form(body, at)
            size += count * TYPE_SIZES[kind]
            numbers += count if form in _NUMBERS else 0
            if size > LARGEST_BODY or numbers > _MOST_NUMBERS:
                _refuse("values that are too large")
            values, at = _READERS[form](body, at, kind, count, order)
            entries.append(Entry(directory, tag, kind, values))
    return Metadata(tuple(entries), big_endian)


def _refuse(what: str) -> NoReturn:
    message = f"metadata with {what}"
    raise ValueError(message)


def _shortest(entry: Entry, order: str) -> tuple[int, bytes]:
    """The form of an entry's values, and the values in it."""
    kind = entry.type
    if kind in _UNSIGNED or kind in _SIGNED:
        numbers = [int(value) for value in entry.values(order)]
        packed = _INTEGERS, _varints(numbers, signed=kind in _SIGNED)
    elif kind in _RATIONALS:
        numbers = [int(value) for value in entry.values(order)]
        if len(set(numbers[1::2])) != 1:
            return _VERBATIM, entry.data
        signed = kind == TiffType.SRATIONAL
        packed = _FRACTIONS, _varints([numbers[1], *numbers[::2]], signed=signed)
    elif kind in (TiffType.FLOAT, TiffType.UNDEFINED) and len(entry.data) % 4 == 0:
        return _smoothest(entry, order)
    else:
        return _VERBATIM, entry.data
    return packed if len(packed[1]) < len(entry.data) else (_VERBATIM, entry.data)


def _smoothest(entry: Entry, order: str) -> tuple[int, bytes]:
    """A table as it is or as differences, whichever compresses better."""
    count = len(entry.data) // 4
    if not _FEWEST_WORDS <= count <= _MOST_WORDS:
        return _VERBATIM, entry.data
    words = struct.unpack(f"{_word_order(entry.type, order)}{count}I", entry.data)
    steps = [(b - a) % LIMIT for a, b in zip((0, *words), words, strict=False)]
    mixed = struct.pack(f">{count}I", *steps)
    planes = b"".join(mixed[place::4] for place in range(4))
    if len(zlib.compress(planes)) < len(zlib.compress(entry.data)):
        return _WORDS, planes
    return _VERBATIM, entry.data


def _word_order(kind: int, order: str) -> str:
    """The byte order of a table: opcodes are big-endian in every file, floats as the file is."""
    return order if kind == TiffType.FLOAT else ">"


def _varints(numbers: Sequence[int], *, signed: bool) -> bytes:
    """Numbers as varints, those that may be negative folded: 0, -1, 1, -2 as 0, 1, 2, 3."""
    if signed:
        return b"".join(write_varint(2 * n if n >= 0 else -2 * n - 1) for n in numbers)
    return b"".join(map(write_varint, numbers))


def _read_varints(body: bytes, at: int, count: int, *, signed: bool) -> tuple[list[int], int]:
    numbers: list[int] = []
    for _ in range(count):
        number, at = read_varint(body, at)
        numbers.append((number >> 1) ^ -(number & 1) if signed else number)
    return numbers, at


def _read_form(body: bytes, at: int) -> tuple[int, int, int, int]:
    """Form, type and count of the values that follow, and where they begin."""
    if at >= len(body):
        _refuse("a tag that ends early")
    kind, form = body[at] & 15, body[at] >> 4
    count, at = read_varint(body, at + 1)
    if kind not in TYPE_SIZES or form not in _READERS:
        _refuse("a type or a form that is not known")
    return form, kind, count, at


def _read_verbatim(body: bytes, at: int, kind: int, count: int, order: str) -> tuple[bytes, int]:
    del order
    end = at + count * TYPE_SIZES[kind]
    if end > len(body):
        _refuse("a tag that ends early")
    return body[at:end], end


def _read_integers(body: bytes, at: int, kind: int, count: int, order: str) -> tuple[bytes, int]:
    if kind not in _UNSIGNED and kind not in _SIGNED:
        _refuse("whole numbers of another type")
    numbers, at = _read_varints(body, at, count, signed=kind in _SIGNED)
    return _numbers(numbers, kind, order), at


def _read_fractions(body: bytes, at: int, kind: int, count: int, order: str) -> tuple[bytes, int]:
    if kind not in _RATIONALS:
        _refuse("fractions of another type")
    numbers, at = _read_varints(body, at, count + 1, signed=kind == TiffType.SRATIONAL)
    flat = [n for numerator in numbers[1:] for n in (numerator, numbers[0])]
    return _numbers(flat, kind, order), at


def _numbers(numbers: Sequence[int], kind: int, order: str) -> bytes:
    try:
        return struct.pack(f"{order}{len(numbers)}{TYPE_CODES[kind]}", *numbers)
    except struct.error:
        _refuse("a number that its type cannot hold")


def _read_words(body: bytes, at: int, kind: int, count: int, order: str) -> tuple[bytes, int]:
    if kind not in (TiffType.FLOAT, TiffType.UNDEFINED):
        _refuse("a table of another type")
    planes, end = _read_verbatim(body, at, kind, count, order)
    words, over = divmod(len(planes), 4)
    if over or words > _MOST_WORDS:
        _refuse("a table of another size")
    mixed = bytearray(len(planes))
    for place in range(4):
        mixed[place::4] = planes[place * words : (place + 1) * words]
    values = [value % LIMIT for value in accumulate(struct.unpack(f">{words}I", mixed))]
    return struct.pack(f"{_word_order(kind, order)}{words}I", *values), end


_READERS: Mapping[int, _Reader] = {
    _VERBATIM: _read_verbatim,
    _INTEGERS: _read_integers,
    _FRACTIONS: _read_fractions,
    _WORDS: _read_words,
}


def _compressed(body: bytes) -> bytes:
    """A byte for the method and the body, by whichever method it is smallest."""
    if len(body) > LARGEST_BODY:
        _refuse("values that are too large")
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    choices = (
        (_STORED, body),
        (_DEFLATE, deflater.compress(body) + deflater.flush()),
        (_LZMA, lzma.compress(body, lzma.FORMAT_RAW, filters=_FILTERS)),
    )
    method, data = min(choices, key=lambda choice: len(choice[1]))
    return bytes([method]) + data


def _expanded(data: bytes) -> bytes:
    if not data or data[0] > _LZMA:
        _refuse("a compression that is not known")
    if data[0] == _STORED:
        return data[1:]
    try:
        if data[0] == _DEFLATE:
            inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            body = inflater.decompress(data[1:], LARGEST_BODY + 1)
            complete = inflater.eof and not inflater.unused_data
        else:
            unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
            body = unpacker.decompress(data[1:], LARGEST_BODY + 1)
            complete = unpacker.eof and not unpacker.unused_data
    except (zlib.error, lzma.LZMAError):
        _refuse("compressed data that are broken")
    if len(body) > LARGEST_BODY:
        _refuse("values that are too large")
    if not complete:
        _refuse("compressed data that are cut or go on")
    return body


@dataclass(frozen=True, slots=True)
class StoredMetadata:
    """What the METADATA sections of a payload hold.

    Attributes:
        rendering: What an editor renders the raw by.
        personal: Who, where, when and how; None where that is not in the payload.
        from_jpeg: Whether, where it is not, what the JPEG tells holds for the raw too.
    """

    rendering: Metadata
    personal: Metadata | None
    from_jpeg: bool


def write_rendering(rendering: Metadata, *, from_jpeg: bool) -> Section:
    """The section of what an editor renders by; for `from_jpeg` see `StoredMetadata`."""
    flags = _BIG_ENDIAN * rendering.big_endian | _FROM_JPEG * from_jpeg
    return Section(SectionKind.METADATA, 0, 0, bytes([flags]) + pack_entries(rendering))


def write_personal(personal: Metadata) -> Section:
    """The section of personal tags, in the byte order of those that an editor renders by."""
    return Section(SectionKind.METADATA, 1, 0, pack_entries(personal))


def read_metadata(sections: Iterable[Section]) -> StoredMetadata:
    """Read the METADATA sections of a payload; without any, nothing is known.

    Raises:
        PayloadDamaged: A section is not what the writers above make.
    """
    found = {s.layer: s.data for s in sections if s.kind == SectionKind.METADATA and s.tile == 0}
    if 0 not in found:
        return StoredMetadata(Metadata(), None, from_jpeg=False)
    try:
        if not found[0] or found[0][0] > _BIG_ENDIAN | _FROM_JPEG:
            _refuse("flags that are not known")
        flags = found[0][0]
        big_endian = bool(flags & _BIG_ENDIAN)
        rendering = unpack_entries(found[0][1:], big_endian=big_endian)
        personal = unpack_entries(found[1], big_endian=big_endian) if 1 in found else None
    except ValueError as error:
        message = f"The payload's metadata are damaged ({error}); fetch the file again."
        raise PayloadDamaged(message) from error
    return StoredMetadata(rendering, personal, from_jpeg=bool(flags & _FROM_JPEG))
