"""Linear DNGs of 8 bits as the same files of 16, for renderings that add nothing to the samples.

Darktable dithers samples of 8 bits when it widens them, by up to half a step, which a rendering
shows. A restored DNG holds 16 bits and is not dithered. So that both can be compared, the
original's own samples are widened here, as the DNG specification says (LinearizationTable;
OpcodeList2 with MapPolynomial), and decoded by tifffile, which the package does not use.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["widened"]

_LINEAR_RAW = 34892
_MAP_POLYNOMIAL = 8
_WHITE = 65535
# Unused tag numbers between the neighbours of the two tags, which a file sorts by number.
_WITHOUT = {"LinearizationTable": 50700, "OpcodeList2": 50999}
_INTEGERS = {3: "H", 4: "I"}


def widened(dng: bytes) -> bytes | None:
    """A linear DNG of 8 bits in tiles with its samples linear, of 16 bits and not compressed.

    Returns:
        The file, every other tag as it was; None for any other raw.

    Raises:
        ValueError: OpcodeList2 has an operation other than MapPolynomial.
    """
    with tifffile.TiffFile(io.BytesIO(dng)) as tiff:
        pages = [tiff.pages[0], *(tiff.pages[0].pages or [])]
        page = next((p for p in pages if int(p.photometric or 0) == _LINEAR_RAW), None)
        if page is None or not page.is_tiled or page.dtype != np.uint8:
            return None
        samples = _linear(page)
        tiles = [
            _tile(samples[top : top + page.tilelength, left : left + page.tilewidth], page)
            for top in range(0, samples.shape[0], page.tilelength)
            for left in range(0, samples.shape[1], page.tilewidth)
        ]
        file = bytearray(dng + bytes(len(dng) % 2))
        start, size = len(file), tiles[0].nbytes
        for tile in tiles:
            file += tile.astype(tiff.byteorder + "u2").tobytes()
        changed = {
            "BitsPerSample": [16] * samples.shape[2],
            "Compression": [1],
            "TileOffsets": [start + index * size for index in range(len(tiles))],
            "TileByteCounts": [size] * len(tiles),
            "WhiteLevel": [_WHITE] * page.tags["WhiteLevel"].count,
        }
        for name, values in changed.items():
            tag = page.tags[name]
            layout = f"{tiff.byteorder}{len(values)}{_INTEGERS[int(tag.dtype)]}"
            struct.pack_into(layout, file, tag.valueoffset, *values)
        for name, unused in _WITHOUT.items():
            if name in page.tags:
                struct.pack_into(f"{tiff.byteorder}H", file, page.tags[name].offset, unused)
    return bytes(file)


def _linear(page: Any) -> NDArray[np.uint16]:
    codes = np.asarray(page.asarray())
    if "LinearizationTable" in page.tags:
        table = np.asarray(page.tags["LinearizationTable"].value, np.uint16)
        linear: NDArray[np.uint16] = table[np.minimum(codes, len(table) - 1)]
        return linear
    if "OpcodeList2" in page.tags:
        return _mapped(codes / np.float64(255), page.tags["OpcodeList2"].value)
    return codes.astype(np.uint16) * 257


def _mapped(values: NDArray[np.float64], opcodes: bytes) -> NDArray[np.uint16]:
    """Values from 0 to 1 through the polynomials of an opcode list (DNG 1.7, chapter 7)."""
    linear = values.copy()
    (count,) = struct.unpack_from(">I", opcodes)
    position = 4
    for _ in range(count):
        kind, _, _, size = struct.unpack_from(">4I", opcodes, position)
        if kind != _MAP_POLYNOMIAL:
            message = f"OpcodeList2 has operation {kind}, which is not MapPolynomial."
            raise ValueError(message)
        top, left, bottom, right, plane, planes, _, _, degree = struct.unpack_from(
            ">9I", opcodes, position + 16
        )
        factors = struct.unpack_from(f">{degree + 1}d", opcodes, position + 52)
        area = np.s_[top:bottom, left:right, plane : plane + planes]
        linear[area] = np.polynomial.Polynomial(factors)(values[area])
        position += 16 + size
    return np.rint(np.clip(linear, 0, 1) * _WHITE).astype(np.uint16)


def _tile(part: NDArray[np.uint16], page: Any) -> NDArray[np.uint16]:
    missing = (page.tilelength - part.shape[0], page.tilewidth - part.shape[1])
    return np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)))
