"""What a raw says about itself: TIFF, Exif, GPS and DNG tags, as the file has them.

A value is kept as its bytes, with its type, so that it can be written again byte for byte. Bytes
alone do not say in which order a number stands, and some tags hold structures whose order is that
of the whole file (maker notes, gain tables); so all values of one `Metadata` share one byte order,
the file's, and a file that is written anew is written in that order.

Nothing here needs numpy: payloads are listed without it.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["TYPE_CODES", "TYPE_SIZES", "Directory", "Entry", "Metadata", "TiffType"]


class TiffType(IntEnum):
    """Field types of TIFF 6.0, section 2, and IFD of its Adobe supplement."""

    BYTE = 1
    ASCII = 2
    SHORT = 3
    LONG = 4
    RATIONAL = 5
    SBYTE = 6
    UNDEFINED = 7
    SSHORT = 8
    SLONG = 9
    SRATIONAL = 10
    FLOAT = 11
    DOUBLE = 12
    IFD = 13


TYPE_CODES: Mapping[int, str] = MappingProxyType(
    dict(
        zip(
            TiffType, ("B", "B", "H", "I", "I", "b", "B", "h", "i", "i", "f", "d", "I"), strict=True
        )
    )
)
"""How `struct` names what each type is made of."""

_RATIONALS = (TiffType.RATIONAL, TiffType.SRATIONAL)
_TEXTS = (TiffType.ASCII, TiffType.BYTE, TiffType.UNDEFINED)

TYPE_SIZES: Mapping[int, int] = MappingProxyType(
    {
        kind: struct.calcsize("<" + code) * (2 if kind in _RATIONALS else 1)
        for kind, code in TYPE_CODES.items()
    }
)
"""Bytes of one value of each type."""


class Directory(IntEnum):
    """Where in a file a tag lies.

    Extra camera profiles (DNG specification, ExtraCameraProfiles) follow from `PROFILE` on, one
    number each.
    """

    IMAGE = 0
    """The first directory, and that of the raw image, which are one in the files written here."""
    EXIF = 1
    GPS = 2
    INTEROPERABILITY = 3
    PROFILE = 16


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One tag.

    Attributes:
        directory: A `Directory`, or the number of a camera profile.
        tag: Its number, 0 to 65535.
        type: A `TiffType`.
        data: Its values, a whole number of them, in the byte order of the metadata it belongs to.

    Raises:
        ValueError: A number is out of range, or the data are no whole number of values.
    """

    directory: int
    tag: int
    type: int
    data: bytes

    def __post_init__(self) -> None:
        fits = 0 <= self.directory <= 255 and 0 <= self.tag <= 0xFFFF and self.type in TYPE_SIZES
        if not fits or len(self.data) % TYPE_SIZES[self.type]:
            message = f"tag {self.tag} of directory {self.directory} is no field of a TIFF"
            raise ValueError(message)

    @property
    def count(self) -> int:
        """How many values there are; of text, how many bytes."""
        return len(self.data) // TYPE_SIZES[self.type]

    def values(self, order: str) -> tuple[float, ...]:
        """The values as numbers; rationals as numerator, denominator, numerator, ...

        Args:
            order: Byte order, as `struct` names it.
        """
        code = TYPE_CODES[self.type]
        return struct.unpack(
            f"{order}{len(self.data) // struct.calcsize('<' + code)}{code}", self.data
        )

    def rationals(self, order: str) -> tuple[tuple[int, int], ...]:
        """Numerators and denominators; empty for other types."""
        if self.type not in _RATIONALS:
            return ()
        flat = [int(value) for value in self.values(order)]
        return tuple(zip(flat[::2], flat[1::2], strict=True))

    def numbers(self, order: str) -> tuple[float, ...]:
        """The values, rationals divided; empty where one of them is no finite number."""
        pairs = self.rationals(order)
        if pairs:
            return tuple(n / d for n, d in pairs) if all(d for _, d in pairs) else ()
        values = self.values(order)
        return values if all(map(math.isfinite, values)) else ()

    @property
    def text(self) -> str:
        """Text up to its first NUL, stripped; empty for types that hold none."""
        if self.type not in _TEXTS:
            return ""
        raw = self.data.split(b"\0")[0]
        try:
            return raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            return raw.decode("latin-1").strip()

    def reordered(self) -> Entry:
        """The same values in the other byte order; what a type does not tell stays as it is."""
        code = TYPE_CODES[self.type]
        size = struct.calcsize("<" + code)
        if size == 1:
            return self
        swapped = bytearray(len(self.data))
        for place in range(size):
            swapped[place::size] = self.data[size - 1 - place :: size]
        return Entry(self.directory, self.tag, self.type, bytes(swapped))


@dataclass(frozen=True, slots=True)
class Metadata:
    """Tags, at most one of each number in each directory.

    Attributes:
        entries: Ascending by directory and tag.
        big_endian: The byte order of their values.

    Raises:
        ValueError: A tag is there twice.
    """

    entries: tuple[Entry, ...] = ()
    big_endian: bool = False
    _places: Mapping[tuple[int, int], Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {(entry.directory, entry.tag): entry for entry in sorted(self.entries)}
        if len(places) != len(self.entries):
            message = "a directory holds a tag twice"
            raise ValueError(message)
        object.__setattr__(self, "entries", tuple(places.values()))
        object.__setattr__(self, "_places", MappingProxyType(places))

    @property
    def order(self) -> str:
        """The byte order, as `struct` names it."""
        return ">" if self.big_endian else "<"

    def get(self, tag: int, directory: int = Directory.IMAGE) -> Entry | None:
        """The entry of a tag, or None."""
        return self._places.get((directory, tag))

    def __contains__(self, tag: int) -> bool:
        return (Directory.IMAGE, tag) in self._places

    def numbers(self, tag: int, directory: int = Directory.IMAGE) -> tuple[float, ...]:
        """Values of a tag; empty where it is absent or holds what is no finite number."""
        entry = self.get(tag, directory)
        return () if entry is None else entry.numbers(self.order)

    def integers(self, tag: int, directory: int = Directory.IMAGE) -> tuple[int, ...]:
        """Values of a tag, rounded."""
        return tuple(round(value) for value in self.numbers(tag, directory))

    def text(self, tag: int, directory: int = Directory.IMAGE) -> str:
        """Text of a tag; empty where it is absent."""
        entry = self.get(tag, directory)
        return "" if entry is None else entry.text

    def of(self, directory: int) -> tuple[Entry, ...]:
        """The entries of one directory."""
        return tuple(entry for entry in self.entries if entry.directory == directory)

    def ordered(self, *, big_endian: bool) -> Metadata:
        """The same values in a byte order."""
        if big_endian is self.big_endian:
            return self
        return Metadata(tuple(entry.reordered() for entry in self.entries), big_endian)

    def updated(self, entries: Iterable[Entry]) -> Metadata:
        """With more entries, which replace those of their tags."""
        places = {**self._places, **{(entry.directory, entry.tag): entry for entry in entries}}
        return Metadata(tuple(places.values()), self.big_endian)

    def filled(self, entries: Iterable[Entry]) -> Metadata:
        """With more entries where there is none of their tags."""
        given = {(entry.directory, entry.tag): entry for entry in entries}
        return Metadata(tuple({**given, **self._places}.values()), self.big_endian)

    def without(self, *tags: int, directory: int = Directory.IMAGE) -> Metadata:
        """Less some tags of a directory."""
        kept = (e for e in self.entries if e.directory != directory or e.tag not in tags)
        return Metadata(tuple(kept), self.big_endian)
