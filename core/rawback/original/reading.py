"""Image data of a raw file: decoded, with all that is needed to code it again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rawback import ljpeg
from rawback.original.image import encode_jpeg, read_packed, scatter
from rawback.original.layout import Chunk
from rawback.parallel import in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.original.layout import Layout, LosslessJpeg, Packed, Rectangle

__all__ = ["ImageData", "Jpeg", "decode_jpegs", "read_jpegs", "read_samples"]

# Of what is coded, one byte in so many may stay as it is, and be patched within a chunk.
_FEW_KEPT, _FEW_PATCHED = 16, 256


@dataclass(frozen=True, slots=True)
class ImageData:
    """Image data that was decoded.

    Attributes:
        layout: How it lies in the file; its chunks are those that are coded again.
        stored: uint16 ``[grid.rows, grid.columns]``.
        extents: Offset and length of all pieces of the file that are made again, in its order.
    """

    layout: Layout
    stored: NDArray[np.uint16]
    extents: tuple[tuple[int, int], ...]


def read_samples(data: bytes, layout: Layout, coding: Packed) -> ImageData:
    """Read packed samples.

    Raises:
        ValueError: They reach out of the file.
    """
    extents: list[tuple[int, int]] = []
    for chunk in layout.chunks:
        rows, columns = coding.shape(layout.grid.rectangle(chunk.number))
        size = coding.packing.row_bytes(columns)
        if coding.gap:
            starts = range(
                chunk.offset, chunk.offset + rows * (size + coding.gap), size + coding.gap
            )
            extents += [(start, size) for start in starts]
        else:
            extents.append((chunk.offset, rows * size))
    return ImageData(layout, read_packed(memoryview(data), layout, coding), tuple(extents))


class Jpeg(NamedTuple):
    """A lossless JPEG that was decoded.

    Attributes:
        scan: What its header says.
        samples: uint16 ``[rows, columns, components]``.
        head: Bytes of its header.
        coded: Its entropy-coded bytes.
    """

    scan: ljpeg.Scan
    samples: NDArray[np.uint16]
    head: int
    coded: memoryview


def decode_jpegs(data: bytes, layout: Layout, *, wide: bool) -> list[Jpeg | None]:
    """Decode the lossless JPEG that begins at the offset of each chunk; None where there is none.

    Args:
        data: The file.
        layout: Where they lie.
        wide: As for `rawback.ljpeg.decode`.
    """
    view = memoryview(data)

    def decoded(span: tuple[int, int]) -> Jpeg | None:
        start, end = span
        try:
            scan, head = ljpeg.read_scan(view[start:end])
            samples, used = ljpeg.decode(scan, view[start + head : end], wide=wide)
        except ValueError:
            return None
        return Jpeg(scan, samples, head, view[start + head : start + head + used])

    return list(in_threads(decoded, _spans(data, layout)))


def _spans(data: bytes, layout: Layout) -> list[tuple[int, int]]:
    """From the beginning of each chunk to that of the next."""
    starts = [chunk.offset for chunk in layout.chunks]
    return list(zip(starts, [*starts[1:], len(data)], strict=True))


def read_jpegs(
    jpegs: Sequence[Jpeg | None],
    layout: Layout,
    coding: LosslessJpeg,
    mosaic: NDArray[np.uint16],
    place: Rectangle,
) -> ImageData:
    """Put decoded JPEGs to their places, and see which come out again as they are.

    Args:
        jpegs: From `decode_jpegs`.
        layout: The layout they were decoded by.
        coding: How the samples of a chunk lie in its JPEG.
        mosaic: uint16 ``[place.rows, place.columns]``, for chunks that stay as they are.
        place: Where it lies on the grid.

    Returns:
        The image data; each chunk's offset is that of its first entropy-coded byte.

    Raises:
        ValueError: The samples of a JPEG do not fit its chunk, or too many chunks do not come out
            again.
    """
    grid = layout.grid
    stored = np.zeros((grid.rows, grid.columns), dtype=np.uint16)
    stored[place.slices] = mosaic

    def again(pair: tuple[Chunk, Jpeg | None]) -> tuple[Chunk, int] | None:
        chunk, jpeg = pair
        if jpeg is None:
            return None
        scatter(stored, jpeg.samples, jpeg.scan, grid.rectangle(chunk.number), coding)
        original = np.frombuffer(jpeg.coded, dtype=np.uint8)
        for pad in (1, 0):
            tried = Chunk(chunk.number, chunk.offset + jpeg.head, jpeg.head, pad)
            coded = encode_jpeg(jpeg.scan, stored, tried, grid, coding)
            if coded.size == original.size:
                wrong = np.count_nonzero(coded != original)
                if wrong == 0 or (pad == 0 and wrong * _FEW_PATCHED <= coded.size):
                    return tried, coded.size
        return None

    results = list(in_threads(again, zip(layout.chunks, jpegs, strict=True)))
    sizes = [size for _, size in filter(None, results)]
    # What cannot be decoded counts as much as the others on average.
    if _FEW_KEPT * (len(results) - len(sizes)) > len(results):
        message = "lossless JPEG that is coded in another way"
        raise ValueError(message)
    chunks = tuple(chunk for chunk, _ in filter(None, results))
    extents = tuple((chunk.offset, size) for chunk, size in filter(None, results))
    return ImageData(replace(layout, coding=coding, chunks=chunks), stored, extents)
