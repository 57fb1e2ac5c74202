"""Canon's CIFF container, of CRW files ("CIFF Specification on Image Data File", version 1.0).

A heap of records with a directory at its end; records may be heaps themselves. The records that
describe the picture are kept as Adobe's converter keeps them, so that exiftool reads them: as a
block of DNGPrivateData::

    byte order   count (2)   { tag (2)   size (4)   data } ...
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from rawback.metadata import Directory, Entry, Metadata, TiffType
from rawback.rawio.maker_notes import private_block
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_ciff"]

_SIGNATURE = b"HEAPCCDR"
_DEPTH, _MOST_RECORDS = 8, 4096

# Where a record's value lies, and of which type it is, in the upper bits of its tag.
_IN_DIRECTORY, _STORAGE, _TYPE = 0x4000, 0xC000, 0x3800
_HEAPS = (0x2800, 0x3000)

_CAMERA = 0x080A
# Raw data, JPEG, thumbnail: pictures. Free and null records: nothing.
_LEFT_OUT = {0x0000, 0x0001, 0x2005, 0x2007, 0x2008}
_LARGEST_RECORD = 1 << 20


def read_ciff(data: bytes) -> Metadata | None:
    """Read what a CRW says of itself.

    Returns:
        Make, model and the block of records; None where `data` is no CIFF file.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or data[6:14] != _SIGNATURE:
        return None
    (start,) = struct.unpack_from(order + "I", data, 2)
    heap = memoryview(data)[start:]
    records: list[tuple[int, bytes]] = []
    for record in _records(heap, order, _DEPTH):
        records.append(record)
        if len(records) == _MOST_RECORDS:
            break
    body = [data[:2], struct.pack(">H", len(records))]
    for tag, value in records:
        body += [struct.pack(">HI", tag, len(value)), value]
    make, model = b"", b""
    for tag, value in records:
        if tag & ~_STORAGE == _CAMERA:
            make, model = (*value.split(b"\0"), b"")[:2]
    entries = [
        Entry(Directory.IMAGE, Tag.MAKE, TiffType.ASCII, make + b"\0"),
        Entry(Directory.IMAGE, Tag.MODEL, TiffType.ASCII, model + b"\0"),
        Entry(
            Directory.IMAGE,
            Tag.DNG_PRIVATE_DATA,
            TiffType.BYTE,
            private_block(b"CRW ", b"".join(body)),
        ),
    ]
    kept = (e for e in entries if e.data != b"\0" and (records or e.tag != Tag.DNG_PRIVATE_DATA))
    return Metadata(tuple(kept), order == ">")


def _records(heap: memoryview, order: str, depth: int) -> Iterator[tuple[int, bytes]]:
    """Tags and values of a heap's records, those of heaps within it after theirs."""
    if depth == 0 or len(heap) < 6:
        return
    (table,) = struct.unpack_from(order + "I", heap, len(heap) - 4)
    if table + 2 > len(heap):
        return
    (count,) = struct.unpack_from(order + "H", heap, table)
    inner: list[memoryview] = []
    for k in range(count):
        place = table + 2 + 10 * k
        if place + 10 > len(heap):
            break
        tag, size, offset = struct.unpack_from(order + "HII", heap, place)
        if tag & _IN_DIRECTORY:
            yield tag, bytes(heap[place + 2 : place + 10])
        elif offset + size <= len(heap):
            if tag & _TYPE in _HEAPS:
                inner.append(heap[offset : offset + size])
            elif tag & ~_STORAGE not in _LEFT_OUT and size <= _LARGEST_RECORD:
                yield tag, bytes(heap[offset : offset + size])
    for within in inner:
        yield from _records(within, order, depth - 1)
