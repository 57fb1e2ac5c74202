"""The recipe and the samples back to the file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rawback import ljpeg
from rawback.errors import OriginalUnavailable, VerificationFailed
from rawback.original.image import encode_jpeg, pack_chunk
from rawback.original.layout import Chunk, Grid, LosslessJpeg, Packed, Rectangle
from rawback.original.recipe import STORED, Head, damaged, read_recipe
from rawback.original.samples import restore_grid
from rawback.original.streams import Numbers, expand, unfold
from rawback.parallel import in_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.original.recipe import Recipe

__all__ = ["assembled", "rebuild"]

# What a few coded bytes may become, so that a lie costs no memory.
_ROOM, _GAIN = 1 << 26, 256
# A sample takes at most 32 bits of lossless JPEG, each byte of which may need a second one.
_SAMPLE_BYTES = 8
_LARGEST_GRID = 1 << 22


def rebuild(data: bytes, mosaic: NDArray[np.uint16] | None) -> bytes:
    """Make the very file again.

    Args:
        data: The recipe.
        mosaic: The samples that it was made with, uint16 ``[H, W]`` or ``[H, W, planes]``; a file
            that is stored whole needs none.

    Returns:
        The file, whose SHA-256 is that of the original.

    Raises:
        PayloadDamaged: The recipe is none, or goes with another mosaic.
        OriginalUnavailable: It needs a mosaic, and there is none.
        VerificationFailed: What comes of it is not the original.
    """
    recipe = read_recipe(data)
    try:
        file = assembled(recipe, mosaic)
    except (ValueError, MemoryError) as error:
        raise damaged(error) from error
    if len(file) != recipe.head.size or hashlib.sha256(file).digest() != recipe.head.digest:
        message = (
            "The original file was made again, but is not what it was (its SHA-256 differs), so it "
            "was thrown away; restore a DNG instead."
        )
        raise VerificationFailed(message)
    return file


def assembled(recipe: Recipe, mosaic: NDArray[np.uint16] | None) -> bytes:
    """What a recipe makes of a mosaic, unchecked.

    Raises:
        ValueError: The recipe is none, or goes with another mosaic.
        OriginalUnavailable: It needs a mosaic, and there is none.
    """
    head = recipe.head
    container = expand(recipe.container, _ROOM + _GAIN * len(recipe.container))
    if head.method == STORED:
        return container
    if mosaic is None:
        message = (
            "The original file is made again from all samples, and these are not all there; "
            "restore a DNG of what is."
        )
        raise OriginalUnavailable(message)
    grid, place, coding = _layout(head, mosaic)
    if head.size > len(container) + _SAMPLE_BYTES * grid.rows * grid.columns + _ROOM:
        message = "a file larger than its samples"
        raise ValueError(message)
    flat = mosaic.reshape(mosaic.shape[0], -1)
    stored = restore_grid(recipe.samples, flat, grid, place)
    chunks = expand(recipe.chunks, _ROOM)
    if isinstance(coding, Packed):
        pieces = _packed_pieces(stored, chunks, grid, coding)
    else:
        pieces = _jpeg_pieces(stored, chunks, grid, coding, container, head.size)
    file = _joined(container, pieces, head.size)
    _patch(file, expand(recipe.patches, _ROOM))
    return file.tobytes()


def _layout(
    head: Head, mosaic: NDArray[np.uint16]
) -> tuple[Grid, Rectangle, Packed | LosslessJpeg]:
    grid = Grid(*head.grid)
    place = Rectangle(*head.place)
    coding = Packed.of(head.coding) if head.method == 1 else LosslessJpeg.of(head.coding)
    rows, columns = mosaic.shape[0], mosaic.size // mosaic.shape[0]
    if (place.rows, place.columns) != (rows, columns):
        message = "it was made with another mosaic"
        raise ValueError(message)
    if place.top + rows > grid.rows or place.left + columns > grid.columns:
        message = "a mosaic that lies outside its grid"
        raise ValueError(message)
    if grid.rows * grid.columns > 4 * mosaic.size + _LARGEST_GRID:
        message = "a grid much larger than its mosaic"
        raise ValueError(message)
    return grid, place, coding


_Piece: TypeAlias = "tuple[int, NDArray[np.uint8]]"
"""How many bytes of the container come first, and the coded bytes behind them."""


def _numbers(data: Numbers, grid: Grid) -> Iterator[int]:
    """Numbers of the chunks in the order of the file, as steps from the one after the last."""
    expected = 0
    for _ in range(data.next()):
        index = expected + unfold(data.next())
        if not 0 <= index < grid.chunks:
            message = "a chunk outside the grid"
            raise ValueError(message)
        expected = index + 1
        yield index
    data.end()


def _packed_pieces(
    stored: NDArray[np.uint16], chunks: bytes, grid: Grid, coding: Packed
) -> Iterator[_Piece]:
    data = Numbers(chunks)
    for index in _numbers(data, grid):
        skip = data.next()
        packed = pack_chunk(stored, grid.rectangle(index), coding)
        if coding.gap == 0:
            yield skip, packed.reshape(-1)
            continue
        for row, coded in enumerate(packed):
            yield coding.gap if row else skip, coded


def _jpeg_pieces(
    stored: NDArray[np.uint16],
    chunks: bytes,
    grid: Grid,
    coding: LosslessJpeg,
    container: bytes,
    most: int,
) -> Iterator[_Piece]:
    data = Numbers(chunks)
    at = 0
    skips: list[int] = []
    jobs: list[tuple[ljpeg.Scan, Chunk]] = []
    seen: set[int] = set()
    for index in _numbers(data, grid):
        skip, head = data.next(), data.next()
        head, pad = head >> 1, head & 1
        at += skip
        if index in seen or head > at:
            message = "a chunk that is there twice, or has no header"
            raise ValueError(message)
        seen.add(index)
        scan, size = ljpeg.read_scan(memoryview(container)[at - head : at])
        if size != head:
            message = "a header of another length"
            raise ValueError(message)
        skips.append(skip)
        jobs.append((scan, Chunk(index, 0, head, pad)))
    coded = in_threads(lambda job: encode_jpeg(job[0], stored, job[1], grid, coding, most), jobs)
    return iter(zip(skips, coded, strict=True))


def _joined(container: bytes, pieces: Iterator[_Piece], size: int) -> NDArray[np.uint8]:
    """The container's bytes with the coded ones between them.

    Raises:
        ValueError: They do not make up a file of this size.
    """
    rest = np.frombuffer(container, dtype=np.uint8)
    file = np.empty(size, dtype=np.uint8)
    at = taken = 0
    for skip, coded in pieces:
        end = at + skip + coded.size
        if taken + skip > rest.size or end > size:
            message = "pieces that make up a larger file"
            raise ValueError(message)
        file[at : at + skip] = rest[taken : taken + skip]
        file[at + skip : end] = coded
        at, taken = end, taken + skip
    if size - at != rest.size - taken:
        message = "pieces that make up a smaller file"
        raise ValueError(message)
    file[at:] = rest[taken:]
    return file


def _patch(file: NDArray[np.uint8], patches: bytes) -> None:
    """Correct single bytes: steps from one place to the next, and the bytes."""
    data = Numbers(patches)
    at = -1
    while data.left:
        at += data.next() + 1
        (byte,) = data.bytes(1)
        if at >= file.size:
            message = "a patch outside the file"
            raise ValueError(message)
        file[at] = byte
