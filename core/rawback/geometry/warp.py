"""Carrier positions of raw pixels, in integers.

A `Warped` transform is evaluated exactly at every 16th raw row and column, and linearly in
between: the lens or perspective that bends visibly within 16 pixels does not exist.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rawback.geometry.transform import PERSPECTIVE_ONE, STEP, mesh_shape, reference_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.transform import Mesh, Warped

__all__ = ["FINE_ONE", "Box", "is_steep", "node_positions"]

FINE_ONE = 1024
"""Nodes are whole multiples of 1/1024 carrier pixel."""

Box = tuple[int, int, int, int]
"""Left, top, width and height on the raw grid."""

_FINE_PER_POSITION = 16
_LIMIT = (1 << 17) * FINE_ONE
_MAX_CELL = 16 * STEP * FINE_ONE


@lru_cache(maxsize=4)
def node_positions(warp: Warped, raw_size: tuple[int, int]) -> NDArray[np.int64]:
    """Evaluate a warp at its nodes.

    Args:
        warp: The warp.
        raw_size: Width and height of the mosaic.

    Returns:
        int64 ``[rows, columns, 2]``: carrier x and y of raw pixel ``(16 * column, 16 * row)`` in
        multiples of 1/1024, out to the first node past the last pixel. Read-only.

    Raises:
        ValueError: The warp's mesh has too few or too many nodes for this raw.
    """
    width, height = raw_size
    x = np.arange(0, width + STEP, STEP, dtype=np.int64)
    y = np.arange(0, height + STEP, STEP, dtype=np.int64)
    nodes = _homography(warp, x, y, reference_side(raw_size))
    if warp.mesh is not None:
        rows, columns = mesh_shape(raw_size, warp.mesh.spacing)
        if len(warp.mesh.shifts) != 2 * rows * columns:
            message = f"{len(warp.mesh.shifts)} shifts for {rows} x {columns} nodes"
            raise ValueError(message)
        nodes += _spline(warp.mesh, len(x), len(y), (rows, columns))
    # Far outside every carrier, and near enough for 32 bits where pixels are interpolated.
    np.clip(nodes, -_LIMIT, _LIMIT, out=nodes)
    nodes.flags.writeable = False
    return nodes


def is_steep(nodes: NDArray[np.int64]) -> bool:
    """Whether neighbouring nodes lie farther apart than any carrier's scale explains.

    Tiles of the guide stay small, and 32 bits suffice within a cell, only where they do not.
    """
    return any(bool((np.abs(np.diff(nodes, axis=axis)) > _MAX_CELL).any()) for axis in range(2))


def _homography(
    warp: Warped, x: NDArray[np.int64], y: NDArray[np.int64], side: int
) -> NDArray[np.int64]:
    g, h = warp.perspective
    right, below = x[None, :], y[:, None]
    weight = PERSPECTIVE_ONE * side + g * right + h * below
    nodes = np.empty((len(y), len(x), 2), dtype=np.int64)
    for axis in range(2):
        # Below 2**63: positions under 2**23, weights at most 2**21, distances at most 2**17.
        moment = (
            PERSPECTIVE_ONE * warp.origin[axis] * (side - right - below)
            + (PERSPECTIVE_ONE + g) * warp.right[axis] * right
            + (PERSPECTIVE_ONE + h) * warp.below[axis] * below
        )
        whole = moment // weight
        rest = moment - whole * weight
        nodes[..., axis] = whole * _FINE_PER_POSITION + rest * _FINE_PER_POSITION // weight
    return nodes


def _spline(mesh: Mesh, columns: int, rows: int, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Shifts at the nodes, multiples of 1/1024: one axis of the tensor product after the other."""
    extra = 4
    shifts = np.array(mesh.shifts, dtype=np.int64).reshape(*shape, 2)
    per_cell = (1 << mesh.spacing) // STEP
    tall = _blend(shifts, per_cell, rows, _FINE_PER_POSITION << extra, 1)
    wide = _blend(tall.swapaxes(0, 1), per_cell, columns, 1, 1 << extra)
    return wide.swapaxes(0, 1)


def _blend(
    values: NDArray[np.int64], per_cell: int, count: int, times: int, over: int
) -> NDArray[np.int64]:
    """Cubic B-spline along axis 0 at `count` points, `per_cell` to a cell; scaled and rounded."""
    # Below 2**63: weights sum to at most 2**27, values are under 2**18 or, refined, 2**26.
    at = np.arange(count, dtype=np.int64)
    cell, k = at // per_cell, (at % per_cell)[:, None, None]
    n = per_cell
    total: NDArray[np.int64] = (
        (n - k) ** 3 * values[cell]
        + (3 * k**3 - 6 * n * k**2 + 4 * n**3) * values[cell + 1]
        + (-3 * k**3 + 3 * n * k**2 + 3 * n**2 * k + n**3) * values[cell + 2]
        + k**3 * values[cell + 3]
    )
    divisor = 6 * n**3 * over
    total *= times
    total += divisor // 2
    total //= divisor
    return total
