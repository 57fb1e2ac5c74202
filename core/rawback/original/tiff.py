"""How TIFF-based raws (DNG, NEF, CR2, ARW, PEF, ...) may keep their samples: all that is possible.

The tags of many cameras are wrong or say too little, so every layout that could be meant is
offered, the likeliest first; whoever asks knows the mosaic and sees which one is right.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from rawback.ljpeg import read_scan
from rawback.original.layout import Arrangement, Chunk, Grid, Layout, LosslessJpeg, Packed
from rawback.original.packing import Order, Packing
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import read_ifds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawback.rawio.tiff import Ifd

__all__ = ["layouts"]

_SLICES = 50752  # CR2Slice: how many slices, their columns, columns of the last one
_SOI = b"\xff\xd8"
_STREAMS = (
    Order.UPPER_FIRST,
    Order.LOWER_FIRST,
    Order.UPPER_FIRST_16,
    Order.UPPER_FIRST_32,
    Order.CSI_2,
)
_MOST_GAP = 4096
_MOST_CHUNKS = 1 << 16


def layouts(data: bytes, mosaic: tuple[int, int]) -> Iterator[Layout]:
    """The layouts that a file's tags allow, those of its largest image first.

    Args:
        data: A file of any kind.
        mosaic: Rows and columns of its samples as a raw developer reads them.
    """
    ifds = read_ifds(data)
    little = data[:1] == b"I"
    for ifd in sorted(ifds, key=lambda ifd: sum(n for _, n in ifd.extents()), reverse=True):
        extents = [(offset, size) for offset, size in ifd.extents() if size]
        if not 0 < len(extents) <= _MOST_CHUNKS or not _are_apart(extents, len(data)):
            continue
        if data[extents[0][0] :][:2] == _SOI:
            yield from _jpeg_layouts(data, ifd, extents)
        else:
            bits = ifd.integer(Tag.BITS_PER_SAMPLE, 16)
            yield from _packed_layouts(_grid(ifd), bits, extents, little=little)
            if len(extents) == 1:
                # Where the tags' size is another, as in Kodak's DC120.
                yield from _packed_layouts(Grid(*mosaic, *mosaic), bits, extents, little=little)


def _are_apart(extents: Sequence[tuple[int, int]], size: int) -> bool:
    """Whether no two chunks share a byte, and all begin within the file."""
    ordered = sorted(extents)
    ends = [start for start, _ in ordered[1:]] + [size]
    return all(start + length <= end for (start, length), end in zip(ordered, ends, strict=True))


def _grid(ifd: Ifd) -> Grid | None:
    """The grid as the tags have it; None where they have none."""
    samples = ifd.integer(Tag.SAMPLES_PER_PIXEL, 1)
    if samples > 1 and ifd.integer(Tag.PLANAR_CONFIGURATION, 1) != 1:
        return None
    rows, columns = ifd.integer(Tag.IMAGE_LENGTH, 0), ifd.integer(Tag.IMAGE_WIDTH, 0) * samples
    high, wide = ifd.integer(Tag.ROWS_PER_STRIP, rows), columns
    if Tag.TILE_OFFSETS in ifd:
        high = ifd.integer(Tag.TILE_LENGTH, 0)
        wide = ifd.integer(Tag.TILE_WIDTH, 0) * samples
        if min(high, wide) > 0:
            rows, columns = -(-rows // high) * high, -(-columns // wide) * wide
    try:
        return Grid(rows, columns, min(high, rows), wide)
    except ValueError:
        return None


def _packed_layouts(
    grid: Grid | None, bits: int, extents: list[tuple[int, int]], *, little: bool
) -> Iterator[Layout]:
    if grid is None or grid.chunks != len(extents):
        return
    chunks = [Chunk(k, offset) for k, (offset, _) in enumerate(extents)]
    ordered = tuple(sorted(chunks, key=lambda chunk: chunk.offset))
    for packing in _packings(bits, little=little):
        for coding in _packed_codings(packing, grid, extents):
            yield Layout(grid, coding, ordered)


def _packings(bits: int, *, little: bool) -> Iterator[Packing]:
    """All packings, those of so many bits first."""
    whole = (Order.LITTLE, Order.BIG) if little else (Order.BIG, Order.LITTLE)
    for depth in sorted((8, 10, 12, 14, 16), key=lambda depth: depth != bits):
        orders = _STREAMS if depth in (10, 12, 14) else whole if depth == 16 else whole[:1]
        for order in orders:
            yield Packing(depth, order)


def _packed_codings(
    packing: Packing, grid: Grid, extents: Sequence[tuple[int, int]]
) -> Iterator[Packed]:
    """Ways in which rows of a packing fill the chunks."""
    first, length = grid.rectangle(0), extents[0][1]
    gap, uneven = divmod(length - first.rows * packing.row_bytes(first.columns), first.rows)
    gaps = {gap: None} if not uneven and 0 <= gap <= _MOST_GAP else {}
    # Some files have more bytes than samples, or their last row has no gap.
    if gap >= 0:
        gaps[0] = None
    if first.rows > 1 and 0 <= gap < _MOST_GAP:
        gaps[gap + 1] = None
    codings = [Packed(packing, gap) for gap in gaps]
    if first.columns * packing.bits % 8:
        codings.append(Packed(packing, continuous=True))
    for coding in codings:
        chunks = (grid.rectangle(k) for k in range(grid.chunks))
        if all(
            coding.chunk_bytes(chunk) <= size
            for chunk, (_, size) in zip(chunks, extents, strict=True)
        ):
            yield coding


def _jpeg_layouts(data: bytes, ifd: Ifd, extents: list[tuple[int, int]]) -> Iterator[Layout]:
    offset, size = extents[0]
    try:
        scan, _ = read_scan(memoryview(data)[offset : offset + size])
    except ValueError:
        return
    slices = ifd.integers(_SLICES)
    grid = _grid(ifd)
    columns = scan.columns * scan.components
    if len(extents) == 1 and (grid is None or _SLICES in ifd):
        # CR2: only the JPEG knows the size.
        grid = Grid(scan.rows, columns, scan.rows, columns)
    if grid is None or grid.chunks != len(extents):
        return
    # Offsets are those of the JPEGs' beginnings here; whoever decodes them finds the scans.
    chunks = [Chunk(k, start) for k, (start, _) in enumerate(extents)]
    layout = Layout(grid, LosslessJpeg(), tuple(sorted(chunks, key=lambda chunk: chunk.offset)))
    for coding in _jpeg_codings(slices, columns, scan.components):
        yield replace(layout, coding=coding)


def _jpeg_codings(slices: Sequence[int], columns: int, components: int) -> Iterator[LosslessJpeg]:
    if len(slices) == 3 and 0 < slices[0] < 64:
        widths = (slices[1],) * slices[0] + (slices[2],)
        if min(widths) > 0 and sum(widths) == columns:
            yield from (LosslessJpeg(wide=wide, slices=widths) for wide in (False, True))
    arrangements = [Arrangement.SEQUENCE, Arrangement.CORNER]
    if components == 4:
        arrangements.insert(1, Arrangement.CELLS)
    yield from (LosslessJpeg(kind, wide) for wide, kind in product((False, True), arrangements))
