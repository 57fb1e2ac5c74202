"""Samples of a lossless JPEG scan to bytes and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.ljpeg.huffman import CATEGORIES, HuffmanTable
from rawback.ljpeg.scan import Scan, write_scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["compress", "decode", "encode"]

_EOI = b"\xff\xd9"
_LONGEST_CODE = 16

_prediction = (Integer, Integer, Integer)  # predictor, first prediction, rows between restarts
_decode = Kernel(
    "ljpeg_decode",
    *(Read(np.uint8, 1), Read(np.uint32, 2), *_prediction, Integer, Write(np.uint16, 2)),
)
_encode = Kernel(
    "ljpeg_encode",
    *(Read(np.uint16, 2), Read(np.uint32, 2), *_prediction, Integer, Integer, Write(np.uint8, 1)),
)
_count = Kernel("ljpeg_count", Read(np.uint16, 2), *_prediction, Write(np.int64, 2))


def _codes(scan: Scan) -> NDArray[np.uint32]:
    return np.array([table.codes() for table in scan.tables], dtype=np.uint32)


def decode(
    scan: Scan, coded: bytes | memoryview, *, wide: bool = False
) -> tuple[NDArray[np.uint16], int]:
    """Decode a scan.

    Args:
        scan: Its header.
        coded: Its entropy-coded bytes; any may follow.
        wide: Whether category 16 is followed by 16 bits, as in DNG before version 1.1; T.81 has
            none there.

    Returns:
        uint16 ``[rows, columns, components]``, and how many bytes the scan takes.

    Raises:
        ValueError: The bytes are not such a scan, or end before it does.
    """
    data = np.frombuffer(coded, dtype=np.uint8)
    # A sample takes at least a bit: what a header promises beyond that asks for no memory.
    rows = scan.rows if scan.samples <= 8 * data.size else 0
    samples = np.empty((rows, scan.columns * scan.components), dtype=np.uint16)
    prediction = (scan.predictor, scan.start_value, scan.restart_rows)
    used = _decode(data, _codes(scan), *prediction, int(wide), samples) if rows else 0
    if not used:
        message = "a lossless JPEG that is cut or broken"
        raise ValueError(message)
    if scan.point_transform:
        samples <<= scan.point_transform
    return samples.reshape(scan.rows, scan.columns, scan.components), used


def encode(
    scan: Scan,
    samples: NDArray[np.uint16],
    *,
    wide: bool = False,
    pad: int = 1,
    most: int | None = None,
) -> NDArray[np.uint8]:
    """Encode a scan: what `decode` reads, and nothing behind it.

    Args:
        scan: Its header.
        samples: uint16 ``[rows, columns, components]``; bits that the point transform leaves out
            are lost.
        wide: As for `decode`.
        pad: The bit that fills the last byte before each marker and the end.
        most: The most bytes that it may take.

    Returns:
        uint8 ``[size]``.

    Raises:
        ValueError: It takes more than `most` bytes, or a category occurs that has no code.
    """
    codes = _codes(scan)
    # Every byte may need a stuffed one behind it; per restart there are a marker and a byte's rest.
    bits = scan.samples * int((codes >> 16).max() + _LONGEST_CODE)
    restarts = scan.rows // scan.restart_rows if scan.restart_rows else 0
    size = 2 * (bits // 8 + 1) + 4 * restarts
    coded = np.empty(size if most is None else min(size, most), dtype=np.uint8)
    flat = samples.reshape(scan.rows, scan.columns * scan.components)
    used = _encode(
        np.ascontiguousarray(flat >> scan.point_transform if scan.point_transform else flat),
        codes,
        *(scan.predictor, scan.start_value, scan.restart_rows),
        int(wide),
        pad,
        coded,
    )
    if not used:
        message = "samples that these Huffman tables cannot spell in this room"
        raise ValueError(message)
    return coded[:used]


def compress(samples: NDArray[np.uint16], *, precision: int = 16, predictor: int = 1) -> bytes:
    """A whole lossless JPEG with the shortest Huffman tables.

    Args:
        samples: uint16 ``[rows, columns, components]``, below ``2**precision``.
        precision: Bits of a sample, 2 to 16.
        predictor: 1 to 7.

    Returns:
        The file, from SOI to EOI.
    """
    rows, columns, components = samples.shape
    flat = np.ascontiguousarray(samples.reshape(rows, columns * components))
    counts = np.zeros((components, CATEGORIES), dtype=np.int64)
    _count(flat, predictor, 1 << (precision - 1), 0, counts)
    tables = tuple(HuffmanTable.optimal(row) for row in counts.tolist())
    scan = Scan(rows, columns, precision, predictor, tables)
    return b"".join((write_scan(scan), encode(scan, samples).data, _EOI))
