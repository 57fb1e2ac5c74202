"""Image data to stored samples, and back to the very same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback import ljpeg
from rawback.original.layout import Arrangement, Chunk, Grid, LosslessJpeg, Packed, Rectangle
from rawback.parallel import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.original.layout import Layout

__all__ = ["encode_jpeg", "gather", "pack_chunk", "read_packed", "scatter"]


def read_packed(data: memoryview, layout: Layout, coding: Packed) -> NDArray[np.uint16]:
    """The grid of a file whose samples are packed.

    Args:
        data: The file.
        layout: Where its samples lie.
        coding: How they are packed.

    Returns:
        uint16 ``[grid.rows, grid.columns]``; 0 where no chunk is.

    Raises:
        ValueError: A chunk reaches out of the file.
    """
    grid = layout.grid
    stored = np.zeros((grid.rows, grid.columns), dtype=np.uint16)

    def read(chunk: Chunk) -> None:
        rectangle = grid.rectangle(chunk.number)
        rows, columns = coding.shape(rectangle)
        row_bytes = coding.packing.row_bytes(columns)
        size = coding.chunk_bytes(rectangle)
        coded = np.frombuffer(data[chunk.offset : chunk.offset + size], dtype=np.uint8)
        if coded.size != size:
            message = "image data that reaches out of the file"
            raise ValueError(message)
        # The last row has no gap behind it.
        apart = np.lib.stride_tricks.as_strided(
            coded, (rows, row_bytes), (row_bytes + coding.gap, 1), writeable=False
        )
        samples = coding.packing.unpack(apart, columns)
        stored[rectangle.slices] = samples.reshape(rectangle.rows, rectangle.columns)

    for _ in in_threads(read, layout.chunks):
        pass
    return stored


def pack_chunk(
    stored: NDArray[np.uint16], rectangle: Rectangle, coding: Packed
) -> NDArray[np.uint8]:
    """The bytes of a chunk: uint8 ``[rows, row_bytes]``."""
    return coding.packing.pack(stored[rectangle.slices].reshape(coding.shape(rectangle)))


def encode_jpeg(
    scan: ljpeg.Scan,
    stored: NDArray[np.uint16],
    chunk: Chunk,
    grid: Grid,
    coding: LosslessJpeg,
    most: int | None = None,
) -> NDArray[np.uint8]:
    """The entropy-coded bytes of a chunk.

    Raises:
        ValueError: The chunk's samples do not fit the scan, or take more than `most` bytes.
    """
    samples = gather(stored, scan, grid.rectangle(chunk.number), coding)
    return ljpeg.encode(scan, samples, wide=coding.wide, pad=chunk.pad, most=most)


def gather(
    stored: NDArray[np.uint16], scan: ljpeg.Scan, rectangle: Rectangle, coding: LosslessJpeg
) -> NDArray[np.uint16]:
    """A chunk's samples as its JPEG has them: uint16 ``[rows, columns, components]``.

    Raises:
        ValueError: They do not fit.
    """
    picked = _picked(scan, rectangle, coding)
    chunk = stored[picked.slices]
    if coding.arrangement == Arrangement.CELLS:
        cells = chunk.reshape(picked.rows // 2, 2, picked.columns // 2, 2)
        chunk = cells.transpose(0, 2, 1, 3)
    elif coding.slices:
        ends = np.cumsum(coding.slices)[:-1]
        chunk = np.concatenate([part.reshape(-1) for part in np.split(chunk, ends, axis=1)])
    return chunk.reshape(scan.rows, scan.columns, scan.components)


def scatter(
    stored: NDArray[np.uint16],
    samples: NDArray[np.uint16],
    scan: ljpeg.Scan,
    rectangle: Rectangle,
    coding: LosslessJpeg,
) -> None:
    """Put a JPEG's samples to their places on the grid; the opposite of `gather`.

    Raises:
        ValueError: They do not fit.
    """
    picked = _picked(scan, rectangle, coding)
    flat = samples.reshape(-1)
    chunk = stored[picked.slices]
    if coding.arrangement == Arrangement.CELLS:
        cells = flat.reshape(picked.rows // 2, picked.columns // 2, 2, 2)
        chunk[:] = cells.transpose(0, 2, 1, 3).reshape(picked.rows, picked.columns)
    elif coding.slices:
        left = 0
        for columns in coding.slices:
            part = flat[picked.rows * left : picked.rows * (left + columns)]
            chunk[:, left : left + columns] = part.reshape(picked.rows, columns)
            left += columns
    else:
        chunk[:] = flat.reshape(picked.rows, picked.columns)


def _picked(scan: ljpeg.Scan, rectangle: Rectangle, coding: LosslessJpeg) -> Rectangle:
    """The part of a chunk that its JPEG has."""
    top, left, rows, columns = rectangle
    if coding.arrangement == Arrangement.CORNER:
        rows = min(rows, scan.rows)
        columns = min(columns, scan.columns * scan.components)
    cells = coding.arrangement == Arrangement.CELLS
    fits = (
        rows * columns == scan.samples
        and (not cells or (scan.components, 2 * scan.rows) == (4, rows))
        and (not coding.slices or sum(coding.slices) == columns)
    )
    if not fits:
        message = "a lossless JPEG of another size than its tile"
        raise ValueError(message)
    return Rectangle(top, left, rows, columns)
