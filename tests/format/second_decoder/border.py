"""What lies around the visible area (3.13 of FORMAT.md)."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import numpy as np

from .offsets import byte_planes, unfolded
from .payload import Header, Sections, Source
from .refusal import refuse, require

if TYPE_CHECKING:
    from .arrays import Ints, Mosaic

BORDER = 8
FILTER = {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20, "lc": 0, "lp": 0, "pb": 0}


def lzma2(data: bytes, size: int, **parameters: int) -> bytes:
    """An LZMA2 stream of at most `size` bytes (3.12, 3.13)."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{**FILTER, **parameters}])
    try:
        body = unpacker.decompress(data, size + 1)
    except lzma.LZMAError:
        refuse("a damaged stream")
    require(unpacker.eof and not unpacker.unused_data, "a stream is cut, or goes on")
    require(len(body) <= size, "too long a stream")
    return body


def with_border(mosaic: Mosaic, header: Header, sections: Sections) -> Mosaic:
    """The whole mosaic (3.13)."""
    head = sections.get((BORDER, 0, 0))
    if head is None:
        return mosaic
    require(not header.pattern.linear, "a border of a linear frame")
    source = Source(head)
    numbers = [source.varint() for _ in range(8)]
    require(source.at_end and max(numbers) <= 65535, "an impossible border")
    top, left, bottom, right = numbers[:4]
    height, width = top + header.height + bottom, left + header.width + right
    require(height * width <= 1 << 28, "too large a raw")
    require(height * width <= 256 * header.carrier_width * header.carrier_height, "too large a raw")
    levels = np.array(numbers[4:]).reshape(2, 2)
    whole = levels[np.arange(height)[:, None] % 2, np.arange(width) % 2]
    inside = slice(top, top + header.height), slice(left, left + header.width)
    data = sections.get((BORDER, 1, 0))
    if data is not None:
        parts = _parts(whole, header, (top, left))
        count = height * width - header.height * header.width
        planes = lzma2(data, 2 * count)
        require(len(planes) == 2 * count, "a border of another size")
        steps = unfolded(byte_planes(planes))
        for part in parts:
            area = whole[part]
            whole[part] = (area + steps[: area.size].reshape(area.shape)) % 65536
            steps = steps[area.size :]
    whole[inside] = mosaic
    return whole.astype(np.uint16)


def _parts(whole: Mosaic, header: Header, corner: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Where the rows above, those below, the columns on the left and on the right lie (3.13)."""
    (top, left), (height, width) = corner, whole.shape
    beside = slice(top, top + header.height)
    return [
        (slice(0, top), slice(0, width)),
        (slice(top + header.height, height), slice(0, width)),
        (beside, slice(0, left)),
        (beside, slice(left + header.width, width)),
    ]


def border_remainders(
    whole: Mosaic, remainders: Ints, header: Header, sections: Sections
) -> Ints | None:
    """The remainders of a whole mosaic, given those of the visible area; None if unknown (3.13)."""
    head, data = sections.get((BORDER, 0, 0)), sections.get((BORDER, 2, 0))
    if head is None:
        return remainders
    if data is None:
        return None
    source = Source(head)
    corner = source.varint(), source.varint()
    count = whole.size - remainders.size
    body = lzma2(data, 4 * count)
    require(len(body) == 4 * count, "a border of another size")
    planes = np.frombuffer(body, np.uint8).astype(np.int64).reshape(4, -1)
    told = planes[0] << 24 | planes[1] << 16 | planes[2] << 8 | planes[3]
    found = np.zeros(whole.shape, np.int64)
    for part in _parts(whole, header, corner):
        area = found[part]
        found[part] = told[: area.size].reshape(area.shape)
        told = told[area.size :]
    top, left = corner
    found[top : top + header.height, left : left + header.width] = remainders
    return found
