"""Black that differs along rows and columns, taken away before coding and given back after.

To the noise-normalised domain a row of other black is a row of other light: it would be coded as
picture, row by row, in every band of the wavelet. Taken away in whole DN it costs a byte a row, and
what is left is the same everywhere. Nothing is lost: whole numbers are added again.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from rawback.errors import PayloadDamaged
from rawback.types import BlackOffsets, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.bitstream import Header

__all__ = ["level", "offsets_from_header", "pack_offsets"]

_LARGEST_FIELD = 0xFFFF
_LARGEST_SIDE = 64
_DEFLATE = -zlib.MAX_WBITS


def pack_offsets(frame: RawFrame) -> bytes:
    """The header's field `black_offsets` for a frame; empty where it cannot be, or need not."""
    offsets = frame.black_offsets
    if offsets is None or not offsets.suit(frame.cfa):
        return b""
    down, across = offsets.pattern.shape
    if max(down, across) > _LARGEST_SIDE:
        return b""
    values = np.concatenate([offsets.pattern.ravel(), offsets.rows, offsets.columns])
    folded = np.where(values >= 0, 2 * values, -2 * values - 1).astype(np.uint16)
    planes = (folded & 255).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes()
    deflater = zlib.compressobj(9, zlib.DEFLATED, _DEFLATE, 9)
    packed = bytes([down, across]) + deflater.compress(planes) + deflater.flush()
    return packed if len(packed) <= _LARGEST_FIELD else b""


def offsets_from_header(header: Header) -> BlackOffsets | None:
    """Undo `pack_offsets`.

    Raises:
        PayloadDamaged: The field is not what it makes.
    """
    data = header.black_offsets
    if not data:
        return None
    try:
        return _unpacked(data, header.height, header.width)
    except (ValueError, IndexError, zlib.error) as error:
        message = "The payload's black levels are impossible; fetch the file again."
        raise PayloadDamaged(message) from error


def _unpacked(data: bytes, height: int, width: int) -> BlackOffsets:
    down, across = data[0], data[1]
    count = down * across + height + width
    inflater = zlib.decompressobj(_DEFLATE)
    planes = inflater.decompress(data[2:], 2 * count + 1)
    if not inflater.eof or inflater.unused_data or max(down, across) > _LARGEST_SIDE:
        message = "not the values of a pattern, rows and columns"
        raise ValueError(message)
    low, high = np.frombuffer(planes, np.uint8).reshape(2, count).astype(np.int32)
    folded = low | high << 8
    values = (folded >> 1) ^ -(folded & 1)
    pattern = values[: down * across].reshape(down, across)
    rows, columns = np.split(values[down * across :], [height])
    return BlackOffsets(pattern, rows, columns)


def level(frame: RawFrame, cfa: NDArray[np.uint16] | None = None) -> RawFrame:
    """A frame whose black is the same in all rows and columns, as coding works on it.

    Args:
        frame: As it is outside.
        cfa: Its mosaic where that is level already; else it is made so.

    Returns:
        The frame without offsets, its levels higher by what keeps all samples above 0.
    """
    offsets = frame.black_offsets
    if offsets is None:
        return frame if cfa is None else replace(frame, cfa=cfa)
    pedestal = offsets.pedestal
    black = tuple(black + pedestal for black in frame.black)
    return replace(
        frame,
        cfa=offsets.taken_from(frame.cfa) if cfa is None else cfa,
        black=cast("tuple[float, float, float, float]", black),
        white=min(frame.white + pedestal, 0xFFFF),
        black_offsets=None,
        border=None,
    )
