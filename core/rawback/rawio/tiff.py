"""TIFF image file directories, read and written (TIFF 6.0, section 2).

Raw files are TIFF with odd values, so the reader is tolerant: a value that lies outside the file,
or has a type that does not fit, reads as absent. What has to be strict is asked for by name
(`Ifd.outside_file`).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rawback.rawio.tags import Tag, TiffType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Field", "Ifd", "pack_ifd", "packed_size", "read_ifds"]

_CODES: Mapping[int, str] = {
    TiffType.BYTE: "B",
    TiffType.ASCII: "B",
    TiffType.SHORT: "H",
    TiffType.LONG: "I",
    TiffType.RATIONAL: "I",
    TiffType.SBYTE: "b",
    TiffType.UNDEFINED: "B",
    TiffType.SSHORT: "h",
    TiffType.SLONG: "i",
    TiffType.SRATIONAL: "i",
    TiffType.FLOAT: "f",
    TiffType.DOUBLE: "d",
    TiffType.IFD: "I",
}
_RATIONALS = (TiffType.RATIONAL, TiffType.SRATIONAL)
_SIZES: Mapping[int, int] = {
    kind: struct.calcsize("<" + code) * (2 if kind in _RATIONALS else 1)
    for kind, code in _CODES.items()
}
_TEXTS = (TiffType.ASCII, TiffType.BYTE, TiffType.UNDEFINED)

# 42 is TIFF; the others are those of Panasonic and Olympus raws, which differ in nothing else.
_MAGICS = (b"*\0", b"U\0", b"RO", b"RS")

_MOST_IFDS = 64


class _Entry(NamedTuple):
    type: int
    values: int
    offset: int


@dataclass(frozen=True, slots=True)
class Ifd:
    """One image file directory; values are decoded when asked for.

    Attributes:
        data: The bytes that offsets count from.
        order: Byte order, as `struct` names it.
        entries: Type, count and place of each tag's values.
    """

    data: memoryview
    order: str
    entries: Mapping[int, _Entry]

    def __contains__(self, tag: int) -> bool:
        return tag in self.entries

    def _unpack(self, tag: int) -> tuple[float, ...]:
        entry = self.entries.get(tag)
        if entry is None or entry.type not in _CODES:
            return ()
        size = entry.values * _SIZES[entry.type]
        if entry.offset + size > len(self.data):
            return ()
        code = _CODES[entry.type]
        layout = f"{self.order}{size // struct.calcsize('<' + code)}{code}"
        return struct.unpack_from(layout, self.data, entry.offset)

    def rationals(self, tag: int) -> tuple[tuple[int, int], ...]:
        """Numerators and denominators of `tag`; empty where it is absent or no rational."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in _RATIONALS:
            return ()
        flat = [int(value) for value in self._unpack(tag)]
        return tuple(zip(flat[::2], flat[1::2], strict=True))

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Values of `tag`; empty where it is absent or holds a value that is no finite number."""
        pairs = self.rationals(tag)
        if pairs:
            return tuple(n / d for n, d in pairs) if all(d for _, d in pairs) else ()
        values = self._unpack(tag)
        return values if all(map(math.isfinite, values)) else ()

    def integers(self, tag: int) -> tuple[int, ...]:
        """Values of `tag`, rounded."""
        return tuple(round(value) for value in self.numbers(tag))

    def integer(self, tag: int, default: int) -> int:
        """First value of `tag`, or `default` where it is absent."""
        return next(iter(self.integers(tag)), default)

    def text(self, tag: int) -> str:
        """Text of `tag` up to its first NUL, stripped; empty where it is absent."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in _TEXTS:
            return ""
        raw = bytes(self.data[entry.offset : entry.offset + entry.values]).split(b"\0")[0]
        try:
            return raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            return raw.decode("latin-1").strip()

    def extents(self) -> list[tuple[int, int]]:
        """Offset and length of each strip or tile of the directory's image."""
        pairs: list[tuple[int, int]] = []
        for offsets, lengths in (
            (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS),
            (Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS),
        ):
            pairs += zip(self.integers(offsets), self.integers(lengths), strict=False)
        return pairs

    def outside_file(self) -> bool:
        """Whether the image's strips or tiles, or the lists of them, reach past the data's end."""
        for tag in (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS, Tag.TILE_OFFSETS):
            entry = self.entries.get(tag)
            if entry and entry.type in _CODES and entry.values and not self._unpack(tag):
                return True
        return any(offset + length > len(self.data) for offset, length in self.extents())


def _read_ifd(data: memoryview, order: str, at: int) -> tuple[Ifd, int]:
    (count,) = struct.unpack_from(order + "H", data, at)
    entries: dict[int, _Entry] = {}
    for k in range(count):
        place = at + 2 + 12 * k
        tag, kind, length = struct.unpack_from(order + "HHI", data, place)
        inline = length * _SIZES.get(kind, 1) <= 4
        offset = place + 8 if inline else struct.unpack_from(order + "I", data, place + 8)[0]
        entries.setdefault(tag, _Entry(kind, length, offset))
    end = at + 2 + 12 * count
    following = struct.unpack_from(order + "I", data, end)[0] if end + 4 <= len(data) else 0
    return Ifd(data, order, entries), following


def _walk(data: memoryview) -> Iterator[Ifd]:
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    magic = bytes(data[2:4]) if order == "<" else bytes(data[3:1:-1])
    if not order or magic not in _MAGICS or len(data) < 8:
        return
    waiting: list[int] = [struct.unpack_from(order + "I", data, 4)[0]]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_IFDS:
        at = waiting.pop(0)
        if at in seen or at == 0:
            continue
        seen.add(at)
        try:
            ifd, following = _read_ifd(data, order, at)
        except struct.error:
            continue
        yield ifd
        waiting += [following, *ifd.integers(Tag.SUB_IFDS), *ifd.integers(Tag.EXIF_IFD)]


def read_ifds(data: bytes | memoryview) -> tuple[Ifd, ...]:
    """All directories of a TIFF stream: the chain, and the sub-directories it points to.

    Args:
        data: A TIFF stream, or anything else.

    Returns:
        The directories, the first IFD first; empty where `data` is no TIFF stream or its first
        directory is cut.
    """
    return tuple(_walk(memoryview(data)))


Number: TypeAlias = int | float


class Field(NamedTuple):
    """A tag to write: its number, type, and values (text as bytes; rationals flattened)."""

    tag: int
    type: TiffType
    values: bytes | Sequence[Number]

    def packed(self) -> bytes:
        """The values, little endian."""
        if isinstance(self.values, bytes):
            return self.values
        return struct.pack(f"<{len(self.values)}{_CODES[self.type]}", *self.values)


def _padded(field: Field) -> bytes:
    packed = field.packed()
    return packed + b"\0" * (-len(packed) % 2)


def packed_size(fields: Sequence[Field]) -> int:
    """Bytes that `pack_ifd` makes of `fields`; always even."""
    outside = sum(len(_padded(f)) for f in fields if len(f.packed()) > 4)
    return 2 + 12 * len(fields) + 4 + outside


def pack_ifd(fields: Sequence[Field], at: int, following: int = 0) -> bytes:
    """A little-endian directory with its values right behind it.

    Args:
        fields: The tags, in any order.
        at: Offset in the file where the directory will lie.
        following: Offset of the next directory in the chain, 0 for none.

    Returns:
        The directory, `packed_size(fields)` bytes.
    """
    head = [struct.pack("<H", len(fields))]
    tail: list[bytes] = []
    place = at + 2 + 12 * len(fields) + 4
    for field in sorted(fields):
        packed = field.packed()
        count = len(packed) // _SIZES[field.type]
        head.append(struct.pack("<HHI", field.tag, field.type, count))
        if len(packed) <= 4:
            head.append(packed.ljust(4, b"\0"))
        else:
            head.append(struct.pack("<I", place))
            tail.append(_padded(field))
            place += len(tail[-1])
    head.append(struct.pack("<I", following))
    return b"".join(head + tail)
