"""Opcodes of DNG that belong to how samples are kept (DNG 1.7.1 specification, chapter 6).

Lossy DNGs keep 8-bit samples on a curve, and a MapPolynomial at the head of OpcodeList2 makes them
linear again. LibRaw applies it as it decodes; other codecs than lossy JPEG it would not expect it
with. So it is applied when such samples are read, as a linearisation table is.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rawback.metadata import Directory, Entry, TiffType
from rawback.rawio import dng
from rawback.rawio.describe import number_entry
from rawback.rawio.tags import Tag
from rawback.types import Mosaic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.metadata import Metadata

__all__ = ["with_curves_applied"]

_MAP_POLYNOMIAL = 8
_LARGEST_DEGREE, _MOST_OPCODES = 8, 256
_FULL = 0xFFFF


class _Polynomial(NamedTuple):
    """A MapPolynomial over whole planes: the first, how many, and coefficients from degree 0."""

    plane: int
    planes: int
    coefficients: tuple[float, ...]


def with_curves_applied(
    image: NDArray[np.uint16], metadata: Metadata
) -> tuple[NDArray[np.uint16], Metadata]:
    """Make 8-bit samples linear, where OpcodeList2 says how.

    Args:
        image: uint16 ``[H, W, planes]``, 8-bit samples as they are kept.
        metadata: What the file says of them.

    Returns:
        The samples from 0 to 65535 and what is left to be said of them; both as they were where
        the list begins with nothing of the kind.
    """
    height, width, planes = image.shape
    polynomials, rest = _split(metadata, height, width)
    if not polynomials:
        return image, metadata
    black = dng.black_levels(metadata, Mosaic.linear()) or (0.0,) * planes
    white = dng.white_level(metadata) or 0xFF
    linear = np.empty_like(image)
    codes = np.arange(_FULL + 1, dtype=np.float64)
    for plane in range(planes):
        signal = np.clip((codes - black[plane]) / max(white - black[plane], 1), 0, 1)
        for polynomial in polynomials:
            if polynomial.plane <= plane < polynomial.plane + polynomial.planes:
                mapped = np.polynomial.polynomial.polyval(signal, polynomial.coefficients)
                signal = np.clip(np.nan_to_num(mapped), 0, 1)
        # Cut off, not rounded: so LibRaw does.
        linear[..., plane] = (signal * _FULL).astype(np.uint16)[image[..., plane]]
    levels = [number_entry(Tag.WHITE_LEVEL, TiffType.SHORT, [_FULL] * planes, metadata.order)]
    if rest:
        data = struct.pack(">I", len(rest)) + b"".join(rest)
        levels.append(Entry(Directory.IMAGE, Tag.OPCODE_LIST_2, TiffType.UNDEFINED, data))
    gone = (
        *(Tag.OPCODE_LIST_2, Tag.BLACK_LEVEL, Tag.BLACK_LEVEL_REPEAT_DIM),
        *(Tag.BLACK_LEVEL_DELTA_H, Tag.BLACK_LEVEL_DELTA_V),
    )
    return linear, metadata.without(*gone).updated(levels)


def _split(metadata: Metadata, height: int, width: int) -> tuple[list[_Polynomial], list[bytes]]:
    """The polynomials that OpcodeList2 begins with, and its other opcodes, spelled."""
    entry = metadata.get(Tag.OPCODE_LIST_2)
    data = b"" if entry is None else entry.data
    polynomials: list[_Polynomial] = []
    rest: list[bytes] = []
    at = 4
    while at + 16 <= len(data) and len(rest) < _MOST_OPCODES:
        number, _, _, size = struct.unpack_from(">4I", data, at)
        body = data[at + 16 : at + 16 + size]
        polynomial = _polynomial(body, height, width) if number == _MAP_POLYNOMIAL else None
        if polynomial is None or rest:
            rest.append(data[at : at + 16 + size])
        else:
            polynomials.append(polynomial)
        at += 16 + size
    return polynomials, rest


def _polynomial(body: bytes, height: int, width: int) -> _Polynomial | None:
    """A MapPolynomial; None where it is cut or not of whole planes."""
    if len(body) < 36:
        return None
    top, left, bottom, right, plane, planes, down, across, degree = struct.unpack_from(">9I", body)
    whole = (top, left, down, across) == (0, 0, 1, 1) and bottom >= height and right >= width
    if not whole or degree > _LARGEST_DEGREE or len(body) < 36 + 8 * (degree + 1):
        return None
    return _Polynomial(plane, planes, struct.unpack_from(f">{degree + 1}d", body, 36))
