"""How a file keeps its samples: what has to be known to write its image data again.

All samples of the image lie on a *grid*, cut into chunks of equal size (the tiles or strips of
TIFF, or the one strip that is all). The mosaic lies somewhere on the grid; what lies around it is
optical black, and what fills tiles up::

    +--------+--------+
    |  +-----+----+   |      grid: 2 x 2 chunks
    |  | mosaic   |   |
    +--+-----+----+---+
    |  |     |    |   |
    |  +-----+----+   |
    +--------+--------+
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rawback.original.packing import Order, Packing

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Arrangement",
    "Chunk",
    "Coding",
    "Grid",
    "Layout",
    "LosslessJpeg",
    "Packed",
    "Rectangle",
]

_MOST = 1 << 32


class Rectangle(NamedTuple):
    """A part of the grid."""

    top: int
    left: int
    rows: int
    columns: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """What picks it from an array."""
        return (
            slice(self.top, self.top + self.rows),
            slice(self.left, self.left + self.columns),
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid and its chunks; columns count samples, so a pixel of three takes three.

    Attributes:
        rows: Rows of the grid. The last row of chunks may be lower than the others.
        columns: Columns of the grid, whole chunks.
        chunk_rows: Rows of a chunk.
        chunk_columns: Columns of a chunk.

    Raises:
        ValueError: The chunks do not make up the grid.
    """

    rows: int
    columns: int
    chunk_rows: int
    chunk_columns: int

    def __post_init__(self) -> None:
        fits = 1 <= self.chunk_rows <= self.rows and 1 <= self.chunk_columns <= self.columns
        if not fits or self.columns % self.chunk_columns or self.rows * self.columns >= _MOST:
            message = "chunks that make up no grid"
            raise ValueError(message)

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.rows // self.chunk_rows) * (self.columns // self.chunk_columns)

    def rectangle(self, number: int) -> Rectangle:
        """The chunk of a number, which counts in reading order from 0."""
        down, across = divmod(number, self.columns // self.chunk_columns)
        top, left = down * self.chunk_rows, across * self.chunk_columns
        rows = min(self.chunk_rows, self.rows - top)
        return Rectangle(top, left, rows, self.chunk_columns)


@dataclass(frozen=True, slots=True)
class Packed:
    """Samples without compression.

    Attributes:
        packing: How rows of samples are packed.
        gap: Bytes between rows that hold no samples.
        continuous: Whether a chunk is packed as if it were one row, so that rows begin within
            bytes.
    """

    packing: Packing
    gap: int = 0
    continuous: bool = False

    def numbers(self) -> tuple[int, ...]:
        """The attributes as the recipe has them."""
        packing = self.packing
        return packing.bits, int(packing.order), self.gap, int(self.continuous)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Packed:
        """What `numbers` were of. Raises ValueError if of nothing."""
        bits, order, gap, continuous = numbers
        if not 0 <= gap < _MOST or continuous not in (0, 1) or (gap and continuous):
            message = "packed samples that cannot be"
            raise ValueError(message)
        return cls(Packing(bits, Order(order)), gap, bool(continuous))

    def shape(self, rectangle: Rectangle) -> tuple[int, int]:
        """Rows and columns that a chunk is packed as."""
        _, _, rows, columns = rectangle
        return (1, rows * columns) if self.continuous else (rows, columns)

    def chunk_bytes(self, rectangle: Rectangle) -> int:
        """Bytes from a chunk's first sample to its last."""
        rows, columns = self.shape(rectangle)
        return rows * self.packing.row_bytes(columns) + (rows - 1) * self.gap


class Arrangement(IntEnum):
    """How a chunk's samples lie in its lossless JPEG. The numbers are those of the format."""

    SEQUENCE = 0
    """The samples, row by row, are those of the JPEG, row by row and its components by turns."""
    CELLS = 1
    """Each pixel of the JPEG has, in its four components, a cell of 2 x 2 samples."""
    CORNER = 2
    """As SEQUENCE, but the JPEG has only the chunk's upper left corner: tiles cut at the image's
    end."""


@dataclass(frozen=True, slots=True)
class LosslessJpeg:
    """Samples as lossless JPEG, one for each chunk.

    Attributes:
        arrangement: How samples lie in the JPEG.
        wide: Whether category 16 is followed by 16 bits.
        slices: Columns of the vertical slices that come one after the other (Canon's CR2); empty
            for one that is all.
    """

    arrangement: Arrangement = Arrangement.SEQUENCE
    wide: bool = False
    slices: tuple[int, ...] = ()

    def numbers(self) -> tuple[int, ...]:
        """The attributes as the recipe has them."""
        return int(self.arrangement), int(self.wide), *self.slices

    @classmethod
    def of(cls, numbers: Iterable[int]) -> LosslessJpeg:
        """What `numbers` were of. Raises ValueError if of nothing."""
        arrangement, wide, *slices = numbers
        if wide not in (0, 1) or not all(0 < columns < _MOST for columns in slices):
            message = "lossless JPEG that cannot be"
            raise ValueError(message)
        return cls(Arrangement(arrangement), bool(wide), tuple(slices))


Coding: TypeAlias = Packed | LosslessJpeg


class Chunk(NamedTuple):
    """Where a chunk's coded samples lie in a file.

    Attributes:
        number: Of the chunk on the grid.
        offset: Of its first coded byte, behind any header.
        head: Bytes of the JPEG's header that end there; 0 for packed samples.
        pad: The bit that fills up the JPEG's last bytes.
    """

    number: int
    offset: int
    head: int = 0
    pad: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file keeps its samples.

    Attributes:
        grid: The samples' grid.
        coding: How they are coded.
        chunks: Where the chunks lie, in the order of the file.
    """

    grid: Grid
    coding: Coding
    chunks: tuple[Chunk, ...]
