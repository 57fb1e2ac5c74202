"""TIFF image file directories, read and written (TIFF 6.0, section 2).

Raw files are TIFF with odd values, so the reader is tolerant: a value that lies outside the file,
or has a type that does not fit, reads as absent. What has to be strict is asked for by name
(`Ifd.outside_file`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rawback.metadata import TYPE_SIZES, Directory, Entry
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Ifd", "pack_ifd", "packed_size", "read_ifds", "read_ifds_at"]

# 42 is TIFF; the others are those of Panasonic and Olympus raws, which differ in nothing else.
_MAGICS = (b"*\0", b"U\0", b"RO", b"RS")

_MOST_IFDS = 64


class _Place(NamedTuple):
    type: int
    values: int
    offset: int


@dataclass(frozen=True, slots=True)
class Ifd:
    """One image file directory; values are read when asked for.

    Attributes:
        data: The bytes that offsets count from.
        order: Byte order, as `struct` names it.
        places: Type, count and place of each tag's values.
    """

    data: memoryview
    order: str
    places: Mapping[int, _Place]

    def __contains__(self, tag: int) -> bool:
        return tag in self.places

    def entry(self, tag: int, directory: int = Directory.IMAGE) -> Entry | None:
        """A tag with its values; None where it is absent or senseless.

        Args:
            tag: Its number.
            directory: What the entry is to say of where it lay.
        """
        place = self.places.get(tag)
        if place is None or place.type not in TYPE_SIZES:
            return None
        end = place.offset + place.values * TYPE_SIZES[place.type]
        if end > len(self.data):
            return None
        return Entry(directory, tag, place.type, bytes(self.data[place.offset : end]))

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Values of `tag`; empty where it is absent or holds a value that is no finite number."""
        entry = self.entry(tag)
        return () if entry is None else entry.numbers(self.order)

    def integers(self, tag: int) -> tuple[int, ...]:
        """Values of `tag`, rounded."""
        return tuple(round(value) for value in self.numbers(tag))

    def integer(self, tag: int, default: int) -> int:
        """First value of `tag`, or `default` where it is absent."""
        return next(iter(self.integers(tag)), default)

    def text(self, tag: int) -> str:
        """Text of `tag` up to its first NUL, stripped; empty where it is absent."""
        entry = self.entry(tag)
        return "" if entry is None else entry.text

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
            place = self.places.get(tag)
            if place and place.type in TYPE_SIZES and place.values and self.entry(tag) is None:
                return True
        return any(offset + length > len(self.data) for offset, length in self.extents())


def _read_ifd(data: memoryview, order: str, at: int) -> tuple[Ifd, int]:
    (count,) = struct.unpack_from(order + "H", data, at)
    places: dict[int, _Place] = {}
    for k in range(count):
        start = at + 2 + 12 * k
        tag, kind, length = struct.unpack_from(order + "HHI", data, start)
        inline = length * TYPE_SIZES.get(kind, 1) <= 4
        offset = start + 8 if inline else struct.unpack_from(order + "I", data, start + 8)[0]
        places.setdefault(tag, _Place(kind, length, offset))
    end = at + 2 + 12 * count
    following = struct.unpack_from(order + "I", data, end)[0] if end + 4 <= len(data) else 0
    return Ifd(data, order, places), following


def _walk(data: memoryview) -> Iterator[Ifd]:
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    magic = bytes(data[2:4]) if order == "<" else bytes(data[3:1:-1])
    if not order or magic not in _MAGICS or len(data) < 8:
        return
    waiting: list[int] = [struct.unpack_from(order + "I", data, 4)[0]]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_IFDS:
        at = waiting.pop(0)
        if at in seen or not 0 < at < len(data):
            continue
        seen.add(at)
        try:
            ifd, following = _read_ifd(data, order, at)
        except struct.error:
            continue
        yield ifd
        # What a hostile list points to is looked at no further than would be read.
        waiting += [following, *ifd.integers(Tag.SUB_IFDS)[:_MOST_IFDS]]
        waiting += ifd.integers(Tag.EXIF_IFD)[:1]


def read_ifds(data: bytes | memoryview) -> tuple[Ifd, ...]:
    """All directories of a TIFF stream: the chain, and the sub-directories it points to.

    Args:
        data: A TIFF stream, or anything else.

    Returns:
        The directories, the first IFD first; empty where `data` is no TIFF stream or its first
        directory is cut.
    """
    return tuple(_walk(memoryview(data)))


def read_ifds_at(ifd: Ifd, tag: int) -> tuple[Ifd, ...]:
    """The directories that a tag of `ifd` points to, less those that are cut."""
    directories: list[Ifd] = []
    for at in ifd.integers(tag)[:_MOST_IFDS]:
        if 0 < at < len(ifd.data):
            try:
                directories.append(_read_ifd(ifd.data, ifd.order, at)[0])
            except struct.error:
                continue
    return tuple(directories)


def packed_size(entries: Sequence[Entry]) -> int:
    """Bytes that `pack_ifd` makes of `entries`; always even."""
    outside = sum(len(e.data) + len(e.data) % 2 for e in entries if len(e.data) > 4)
    return 2 + 12 * len(entries) + 4 + outside


def pack_ifd(entries: Sequence[Entry], at: int, order: str, following: int = 0) -> bytes:
    """A directory with its values right behind it.

    Args:
        entries: The tags, in any order.
        at: Offset in the file where the directory will lie.
        order: Byte order of the file and of all values, as `struct` names it.
        following: Offset of the next directory in the chain, 0 for none.

    Returns:
        The directory, `packed_size(entries)` bytes.
    """
    head = [struct.pack(order + "H", len(entries))]
    tail: list[bytes] = []
    place = at + 2 + 12 * len(entries) + 4
    for entry in sorted(entries, key=lambda entry: entry.tag):
        head.append(struct.pack(order + "HHI", entry.tag, entry.type, entry.count))
        if len(entry.data) <= 4:
            head.append(entry.data.ljust(4, b"\0"))
        else:
            head.append(struct.pack(order + "I", place))
            tail.append(entry.data + b"\0" * (len(entry.data) % 2))
            place += len(tail[-1])
    head.append(struct.pack(order + "I", following))
    return b"".join(head + tail)
