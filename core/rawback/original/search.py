"""Samples without compression in files of any kind: rows of the mosaic are looked for.

Whatever container a maker invented, a row of samples in one of the usual packings stands in it as
it is. So no container but TIFF has to be known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.original.layout import Chunk, Grid, Layout, Packed
from rawback.original.packing import Order, Packing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["searched_layouts"]

_PACKINGS = (
    Packing(16, Order.LITTLE),
    Packing(16, Order.BIG),
    Packing(8, Order.LITTLE),
    *(
        Packing(bits, order)
        for bits in (12, 14, 10)
        for order in (
            *(Order.UPPER_FIRST, Order.LOWER_FIRST),
            *(Order.UPPER_FIRST_16, Order.UPPER_FIRST_32, Order.CSI_2),
        )
    ),
)
# Enough samples that no other place in the file has the same by chance.
_PROBE = 64


def searched_layouts(data: bytes, mosaic: NDArray[np.uint16]) -> Iterator[Layout]:
    """Layouts in which rows of the mosaic stand in a file.

    Args:
        data: A file of any kind.
        mosaic: uint16 ``[rows, columns]``.
    """
    rows, columns = mosaic.shape
    liveliest = np.argsort([-np.count_nonzero(np.diff(row.astype(int))) for row in mosaic[:-1]])
    if rows < 2:
        return
    row = int(liveliest[0])
    for packing in _PACKINGS:
        if int(mosaic.max()) >> packing.bits:
            continue
        size = packing.row_bytes(columns)
        # What fills up a row's last bytes is not known; all before it is.
        whole = columns * packing.bits // 8
        word = 4 if packing.order in (Order.UPPER_FIRST_16, Order.UPPER_FIRST_32) else 1
        whole -= whole % word
        first, second = (
            packing.pack(mosaic[k : k + 1])[0, :whole].tobytes() for k in (row, row + 1)
        )
        if whole < min(_PROBE, columns):
            continue
        at = data.find(first)
        below = data.find(second, at + size) if at >= 0 else -1
        start = at - row * (below - at)
        if below < 0 or start < 0:
            continue
        grid = Grid(rows, columns, rows, columns)
        coding = Packed(packing, below - at - size)
        if start + coding.chunk_bytes(grid.rectangle(0)) <= len(data):
            yield Layout(grid, coding, (Chunk(0, start),))
