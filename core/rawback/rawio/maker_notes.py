r"""Maker notes in a file that is not the one they were written for.

They hold offsets that count from the start of the file they were in. Adobe's converter keeps them
in DNGPrivateData, with byte order and the place where they were (DNG specification, chapter 2,
"DNGPrivateData"), which exiftool, exiv2 and lens databases read::

    "Adobe\0"   { name (4)   length (4)   data } ...
    MakN: byte order, "II" or "MM"   offset in the file (4)   the note

Numbers outside the note are big-endian.
"""

from __future__ import annotations

import struct

__all__ = ["as_private_data", "private_block"]

_HEAD = b"Adobe\0"


def private_block(name: bytes, data: bytes) -> bytes:
    """DNGPrivateData with one block."""
    return _HEAD + struct.pack(">4sI", name, len(data)) + data


def as_private_data(note: bytes, offset: int, *, big_endian: bool) -> bytes:
    """A maker note as DNGPrivateData.

    Args:
        note: The value of the tag MakerNote.
        offset: Where it lay, counted from the TIFF header.
        big_endian: The byte order of the file it was in.
    """
    order = b"MM" if big_endian else b"II"
    return private_block(b"MakN", order + struct.pack(">I", offset) + note)
