"""The pointwise part of the base: a three-dimensional look-up table from guide RGB to raw.

Seventeen nodes a side, 16 guide values apart, trilinear in between. Its nodes are coded as a
hierarchy: 3 nodes a side, then what each next grid (5, 9, 17) adds to the interpolation of the one
before. Nodes near no colour of the carrier add nothing and are not coded; the decoder sees the
carrier's colours too, so it knows which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.entropy import SymbolCoder, code_parameters
from rawback.kernels import Kernel, Read, Write
from rawback.parallel import in_threads, row_bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "GRIDS",
    "NODES",
    "code_details",
    "code_lut",
    "colour_histogram",
    "lut_nodes",
    "refine_grid",
    "touched_nodes",
]

_count_colours = Kernel("count_colours", Read(np.uint8, 3), Write(np.int64, 1))

NODES = 17
GRIDS = (3, 5, 9, 17)


def colour_histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels fall into each of the 16x16x16 cells between nodes."""

    def counted(rows: slice) -> NDArray[np.int64]:
        counts = np.zeros(4096, dtype=np.int64)
        _count_colours(np.ascontiguousarray(pixels[rows]), counts)
        return counts

    counts = sum(in_threads(counted, row_bands(len(pixels))), np.zeros(4096, np.int64))
    return counts.reshape(16, 16, 16)


def touched_nodes(histogram: NDArray[np.int64], grid: int) -> NDArray[np.bool_]:
    """Which nodes of a grid some pixel's value depends on, bool ``[grid, grid, grid]``."""
    step = (NODES - 1) // (grid - 1)
    used = histogram.reshape(grid - 1, step, grid - 1, step, grid - 1, step).any(axis=(1, 3, 5))
    padded = np.pad(used, 1)
    found = np.zeros((grid, grid, grid), dtype=np.bool_)
    for corner in np.ndindex(2, 2, 2):
        found |= padded[tuple(slice(c, c + grid) for c in corner)]
    return found


def refine_grid(nodes: NDArray[np.int32]) -> NDArray[np.int32]:
    """The interpolation of ``[colours, n, n, n]`` on the grid of ``2 n - 1`` nodes a side."""
    for axis in (1, 2, 3):
        size = nodes.shape[axis]
        low = nodes.take(range(size - 1), axis)
        high = nodes.take(range(1, size), axis)
        shape = list(nodes.shape)
        shape[axis] = 2 * size - 1
        fine = np.empty(shape, dtype=np.int32)
        even, odd = [slice(None)] * 4, [slice(None)] * 4
        even[axis], odd[axis] = slice(0, None, 2), slice(1, None, 2)
        fine[tuple(even)], fine[tuple(odd)] = nodes, (low + high + 1) >> 1
        nodes = fine
    return nodes


def code_lut(
    coder: SymbolCoder,
    histogram: NDArray[np.int64],
    step: int,
    grids: int,
    details: list[NDArray[np.int32]] | None,
    colours: int = 3,
) -> tuple[NDArray[np.int32], list[NDArray[np.int32]]]:
    """Code the table's hierarchy.

    Args:
        coder: Writes or reads.
        histogram: Of the carrier, from :func:`colour_histogram`.
        step: Quantisation step of the nodes in domain units.
        grids: How many of GRIDS are coded; finer ones are interpolated.
        details: Per grid the quantised additions ``[colours, g, g, g]``, 0 at untouched nodes; None
            to decode.
        colours: How many the table has.

    Returns:
        The nodes ``[colours, 17, 17, 17]`` in domain units, and the details.
    """
    found = code_details(coder, histogram, grids, details, colours)
    return lut_nodes(found, step, colours), found


def code_details(
    coder: SymbolCoder,
    histogram: NDArray[np.int64],
    grids: int,
    details: list[NDArray[np.int32]] | None,
    colours: int,
) -> list[NDArray[np.int32]]:
    """Code the details of the table's hierarchy alone; as `code_lut`."""
    found = []
    for index, grid in enumerate(GRIDS[:grids]):
        where = np.flatnonzero(touched_nodes(histogram, grid))
        detail = np.zeros((colours, grid**3), dtype=np.int32)
        for colour in range(colours):
            given = None if details is None else details[index][colour].ravel()[where]
            detail[colour, where] = code_parameters(coder, given, len(where))
        found.append(detail.reshape(colours, grid, grid, grid))
    return found


def lut_nodes(details: list[NDArray[np.int32]], step: int, colours: int) -> NDArray[np.int32]:
    """The nodes ``[colours, 17, 17, 17]``, in domain units, of a hierarchy's details."""
    nodes = np.zeros((colours, 2, 2, 2), dtype=np.int32)
    for index in range(len(GRIDS)):
        nodes = refine_grid(nodes)
        if index < len(details):
            nodes = nodes + np.clip(details[index], -(1 << 13), 1 << 13) * step
            np.clip(nodes, -(1 << 15), 1 << 15, out=nodes)
    return nodes
