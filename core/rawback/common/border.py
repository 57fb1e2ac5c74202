"""What lies around the visible area: optical black, which is noise around a level.

Layer 0 of the BORDER sections says how wide it is, and the level of each position of the 2x2 cell:
where samples are not kept, these stand in their place, so that an editor that measures black there
measures the same. Layer 1 holds the samples, as differences to the levels; layer 2 what these leave
out of floating point numbers.
"""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Section, SectionKind
from rawback.bitstream.varint import read_varint, write_varint
from rawback.common.header_fields import fits, mosaic_of
from rawback.errors import PayloadDamaged
from rawback.types import Border

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rawback.bitstream import Header

__all__ = ["border_sections", "read_border", "read_border_remainders"]

# Neighbours say nothing about noise, so nothing but single bytes is worth modelling.
_FILTERS = ({"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20, "lc": 0, "lp": 0, "pb": 0},)


def border_sections(
    border: Border,
    masked: Iterable[tuple[int, int, int, int]] = (),
    remainders: Border | None = None,
) -> tuple[Section, ...]:
    """Extent and levels, the samples, and their remainders if there are any, of a border.

    Args:
        border: The border.
        remainders: What its samples leave out.
        masked: Top, left, bottom and right of the parts of the whole mosaic that are optical
            black, whose levels count; the whole border by default.
    """
    levels = _levels(border, masked)
    head = b"".join(map(write_varint, (*border.margins, *levels)))
    folded = np.concatenate([_folded(part, fill) for part, fill in _parts(border, levels)])
    planes = (folded & 255).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes()
    samples = lzma.compress(planes, lzma.FORMAT_RAW, filters=_FILTERS)
    layers = [head, samples]
    if remainders is not None:
        numbers = np.concatenate([part.ravel() for part, _ in _corners(remainders)])
        octets = numbers.astype(">u4").view(np.uint8).reshape(-1, 4).T.tobytes()
        layers.append(lzma.compress(octets, lzma.FORMAT_RAW, filters=_FILTERS))
    return tuple(Section(SectionKind.BORDER, layer, 0, data) for layer, data in enumerate(layers))


def read_border_remainders(sections: Iterable[Section], border: Border) -> Border | None:
    """What the samples of a border leave out of floating point numbers; None if it is not told.

    Args:
        sections: Of the payload.
        border: From `read_border`.

    Raises:
        PayloadDamaged: The section is not what `border_sections` makes.
    """
    layers = {s.layer: s.data for s in sections if s.kind == SectionKind.BORDER and s.tile == 0}
    if not border.recorded or 2 not in layers:
        return None
    parts = [part for part, _ in _corners(border)]
    count = sum(part.size for part in parts)
    try:
        octets = _decompressed(layers[2], 4 * count)
    except (ValueError, lzma.LZMAError) as error:
        message = "The payload's border is impossible; fetch the file again."
        raise PayloadDamaged(message) from error
    numbers = np.frombuffer(octets, np.uint8).reshape(4, count).T.copy().view(">u4")[:, 0]
    pieces = np.split(numbers.astype(np.uint32), np.cumsum([part.size for part in parts])[:-1])
    top, bottom, left, right = (
        piece.reshape(part.shape) for piece, part in zip(pieces, parts, strict=True)
    )
    return Border(top, bottom, left, right)


def read_border(sections: Iterable[Section], header: Header) -> Border | None:
    """Read the BORDER sections of a payload; None without any.

    Raises:
        PayloadDamaged: A section is not what `border_sections` makes, or names a mosaic far too
            large for the carrier.
    """
    found = {s.layer: s.data for s in sections if s.kind == SectionKind.BORDER and s.tile == 0}
    if 0 not in found:
        return None
    try:
        return _unpacked(found[0], found.get(1), header)
    except (ValueError, lzma.LZMAError) as error:
        message = "The payload's border is impossible; fetch the file again."
        raise PayloadDamaged(message) from error


def _unpacked(head: bytes, samples: bytes | None, header: Header) -> Border:
    numbers: list[int] = []
    at = 0
    for _ in range(8):
        number, at = read_varint(head, at)
        numbers.append(number)
    top, left, bottom, right = numbers[:4]
    height, width = top + header.height + bottom, left + header.width + right
    carrier = header.carrier_width * header.carrier_height
    if at != len(head) or max(numbers) > 0xFFFF or not fits(height * width, carrier):
        message = "not margins and levels"
        raise ValueError(message)
    if mosaic_of(header).samples > 1:
        message = "pixels of several samples have none"
        raise ValueError(message)
    blank = _blank(header, (top, left, bottom, right), numbers[4:])
    return blank if samples is None else _with_samples(blank, samples)


def _fill(
    shape: tuple[int, int], corner: tuple[int, int], levels: Iterable[int]
) -> NDArray[np.uint16]:
    """The level of each position of the whole mosaic's cell, from a corner on."""
    cell = np.array(list(levels), dtype=np.uint16).reshape(2, 2)
    rows = (np.arange(shape[0]) + corner[0]) % 2
    columns = (np.arange(shape[1]) + corner[1]) % 2
    return np.ascontiguousarray(cell[rows[:, None], columns])


def _corners(border: Border) -> tuple[tuple[NDArray[np.uint16], tuple[int, int]], ...]:
    """The four parts and where in the whole mosaic each begins."""
    top = len(border.top)
    beside = top + len(border.left)
    return (
        (border.top, (0, 0)),
        (border.bottom, (beside, 0)),
        (border.left, (top, 0)),
        (border.right, (top, border.top.shape[1] - border.right.shape[1])),
    )


def _parts(
    border: Border, levels: Iterable[int]
) -> list[tuple[NDArray[np.uint16], NDArray[np.uint16]]]:
    levels = tuple(levels)
    return [
        (part, _fill((part.shape[0], part.shape[1]), corner, levels))
        for part, corner in _corners(border)
    ]


def _folded(part: NDArray[np.uint16], fill: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Differences modulo 2**16, small ones of either sign as small numbers."""
    steps = (part - fill).astype(np.int16).astype(np.int32).ravel()
    return np.where(steps >= 0, 2 * steps, -2 * steps - 1).astype(np.uint16)


def _blank(header: Header, margins: tuple[int, int, int, int], levels: list[int]) -> Border:
    top, left, bottom, right = margins
    width = left + header.width + right
    return Border(
        _fill((top, width), (0, 0), levels),
        _fill((bottom, width), (top + header.height, 0), levels),
        _fill((header.height, left), (top, 0), levels),
        _fill((header.height, right), (top, left + header.width), levels),
        recorded=False,
    )


def _with_samples(blank: Border, data: bytes) -> Border:
    parts = (blank.top, blank.bottom, blank.left, blank.right)
    count = sum(part.size for part in parts)
    planes = _decompressed(data, 2 * count)
    low, high = np.frombuffer(planes, np.uint8).reshape(2, count).astype(np.int32)
    folded = low | high << 8
    steps = ((folded >> 1) ^ -(folded & 1)).astype(np.uint16)
    ends = np.cumsum([part.size for part in parts])[:-1]
    pieces = zip(parts, np.split(steps, ends), strict=True)
    top, below, left, right = (part + step.reshape(part.shape) for part, step in pieces)
    return Border(top, below, left, right)


def _decompressed(data: bytes, size: int) -> bytes:
    """The content of an LZMA2 stream of just this size."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    octets = unpacker.decompress(data, size + 1)
    if not unpacker.eof or unpacker.unused_data or len(octets) != size:
        message = "not the samples of a border"
        raise ValueError(message)
    return octets


def _levels(
    border: Border, masked: Iterable[tuple[int, int, int, int]]
) -> tuple[int, int, int, int]:
    """Median of each position of the cell, over the masked areas if they hold any samples."""
    top, left, bottom, right = border.margins
    shape = (top + len(border.left) + bottom, border.top.shape[1])
    counts = np.zeros(shape, dtype=bool)
    for first, start, last, end in masked:
        counts[first:last, start:end] = True
    counts[top : shape[0] - bottom, left : shape[1] - right] = False
    inside = np.zeros((len(border.left), shape[1] - left - right), dtype=np.uint16)
    whole = border.joined(inside)
    if not counts.any():
        counts[:] = True
        counts[top : shape[0] - bottom, left : shape[1] - right] = False
    medians = [
        np.median(whole[r::2, c::2][counts[r::2, c::2]]) if counts[r::2, c::2].any() else None
        for r in (0, 1)
        for c in (0, 1)
    ]
    known = [median for median in medians if median is not None]
    a, b, c, d = (int(known[0] if median is None else median) for median in medians)
    return a, b, c, d
