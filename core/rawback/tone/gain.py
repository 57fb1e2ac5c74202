"""The spatial part of the base: a coarse grid of gains for vignetting and local edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GAIN_ONE", "SPACINGS", "grid_shape", "hat_weights"]

SPACINGS = (0, 1024, 512, 256)
"""Raw pixels between nodes; 0 stands for no grid."""

GAIN_ONE = 256
"""Grid values are multiples of 1/256 of the value they are to change."""


def grid_shape(height: int, width: int, spacing: int, cell: int = 1) -> tuple[int, int]:
    """Rows and columns of nodes that cover a frame, the last ones on or beyond its edge.

    Args:
        height: Rows of the frame.
        width: Columns of the frame.
        spacing: Pixels between nodes.
        cell: Pixels along the sides of its cells, to whole ones of which it is completed.
    """
    rows, columns = (-(-(side + -side % cell) // spacing) + 1 for side in (height, width))
    return rows, columns


def hat_weights(
    rows: NDArray[np.intp], columns: NDArray[np.intp], spacing: int, shape: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Nodes ``[4, n]`` around the given pixels, and their bilinear weights."""
    (row, below), (column, right) = np.divmod(rows, spacing), np.divmod(columns, spacing)
    first = row * shape[1] + column
    y, x = below / spacing, right / spacing
    nodes = np.stack([first, first + 1, first + shape[1], first + shape[1] + 1])
    return nodes, np.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x])
