"""The spatial part of the base: a coarse grid of gains for vignetting and local edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GAIN_ONE", "SPACINGS", "apply_gain", "grid_shape", "hat_weights"]

SPACINGS = (0, 1024, 512, 256)
"""Raw pixels between nodes; 0 stands for no grid."""

_FRACTION, _STRIP = 12, 64

GAIN_ONE = 256
"""Grid values are multiples of 1/256 of the value they are to change."""


def grid_shape(height: int, width: int, spacing: int) -> tuple[int, int]:
    """Rows and columns of nodes that cover a frame, the last ones on or beyond its edge."""
    return -(-height // spacing) + 1, -(-width // spacing) + 1


def apply_gain(
    values: NDArray[np.int32], grid: NDArray[np.int32], spacing: int, origin: tuple[int, int]
) -> None:
    """Change ``[3, h, w]`` values in place by the bilinear gain, in integers.

    Args:
        values: A window of the frame.
        grid: int32 ``[rows, columns]`` in 1/256, magnitudes at most 255.
        spacing: Raw pixels between nodes.
        origin: Row and column of the window's first pixel in the frame.
    """
    height, width = values.shape[1:]
    (row, below), (column, right) = (
        np.divmod(np.arange(start, start + size, dtype=np.int32), np.int32(spacing))
        for start, size in zip(origin, (height, width), strict=True)
    )
    above = grid[row] * (spacing - below)[:, None] + grid[row + 1] * below[:, None]
    # A gain of 8 bits and two spacings of at most 10 fit 31 bits; 12 fractional ones are kept.
    surplus = 2 * (spacing.bit_length() - 1) + 8 - _FRACTION
    for top in range(0, height, _STRIP):
        strip = slice(top, top + _STRIP)
        gain = above[strip, column] * (spacing - right) + above[strip, column + 1] * right
        gain >>= surplus
        part = values[:, strip]
        part += (part * gain + (1 << (_FRACTION - 1))) >> _FRACTION


def hat_weights(
    rows: NDArray[np.intp], columns: NDArray[np.intp], spacing: int, shape: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Nodes ``[4, n]`` around the given pixels, and their bilinear weights."""
    (row, below), (column, right) = np.divmod(rows, spacing), np.divmod(columns, spacing)
    first = row * shape[1] + column
    y, x = below / spacing, right / spacing
    nodes = np.stack([first, first + 1, first + shape[1], first + shape[1] + 1])
    return nodes, np.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x])
