"""The plainest way to use the carrier: one smooth table per CFA position, guide colour to raw.

It sees nothing but the guide pixel at the sample's own place. What it misses is what every
better method has to earn its bits on.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["apply_lut", "fit_lut"]

_CORNERS = tuple(product((0, 1), repeat=3))


def fit_lut(
    colours: NDArray[np.uint8],
    values: NDArray[np.float32],
    nodes: int = 17,
    smoothness: float = 1e-5,
    weights: NDArray[np.float32] | None = None,
) -> NDArray[np.float64]:
    """Fit a trilinear table to samples, in the least-squares sense, all of them at once.

    The normal equations are summed up cell by cell (8 corners, 36 products), so that millions of
    samples cost a few histograms and the system has one unknown per node.

    Args:
        colours: ``[N, 3]``.
        values: ``[N]``.
        nodes: Nodes along each side of the colour cube.
        smoothness: Weight of second differences between nodes, per sample.
        weights: ``[N]``, how much each sample counts; 1 without.

    Returns:
        The table, ``[nodes, nodes, nodes]``.
    """
    cells, fractions = _locate(colours, nodes)
    shares = [_share(fractions, corner) for corner in _CORNERS]
    weighted = shares if weights is None else [share * weights for share in shares]
    count = nodes**3
    offsets = [(r * nodes + g) * nodes + b for r, g, b in _CORNERS]
    right = np.zeros(count)
    low = sparse.csc_array((count, count))
    for i, (offset, share) in enumerate(zip(offsets, weighted, strict=True)):
        right += np.roll(np.bincount(cells, share * values, count), offset)
        for other, partner in zip(offsets[: i + 1], shares, strict=False):
            sums = np.bincount(cells, share * partner, count)
            used = np.flatnonzero(sums)
            place = used + offset, used + other
            low = low + sparse.csc_array((sums[used], place), shape=(count, count))
    matrix = low + sparse.tril(low, -1).T + _second_differences(nodes) * (smoothness * len(values))
    solver = splu(
        sparse.csc_array(matrix),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    table: NDArray[np.float64] = solver.solve(right)
    return table.reshape(nodes, nodes, nodes)


def apply_lut(table: NDArray[np.float64], colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Read the table between its nodes: colours ``[N, 3]`` to values, float32 ``[N]``."""
    nodes = table.shape[0]
    flat = table.astype(np.float32).ravel()
    cells, fractions = _locate(colours, nodes)
    result = np.zeros(len(colours), np.float32)
    for corner in _CORNERS:
        r, g, b = corner
        result += _share(fractions, corner) * flat[cells + ((r * nodes + g) * nodes + b)]
    return result


def _locate(
    colours: NDArray[np.uint8], nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The low corner of each colour's cell, as a flat node index, and its place in the cell."""
    place = colours.astype(np.float32) * np.float32((nodes - 1) / 255)
    low = np.minimum(place.astype(np.int64), nodes - 2)
    cells = (low[:, 0] * nodes + low[:, 1]) * nodes + low[:, 2]
    return cells, place - low.astype(np.float32)


def _share(fractions: NDArray[np.float32], corner: tuple[int, ...]) -> NDArray[np.float32]:
    parts = [fractions[:, k] if side else 1 - fractions[:, k] for k, side in enumerate(corner)]
    return parts[0] * parts[1] * parts[2]


def _second_differences(nodes: int) -> sparse.csc_array:
    """The smoothness penalty: squared second differences along all three sides, as a matrix."""
    bend = sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(nodes - 2, nodes))
    one = sparse.csc_array(bend.T @ bend)
    eye = sparse.eye_array(nodes)
    terms = ((one, eye, eye), (eye, one, eye), (eye, eye, one))
    return sum(sparse.kron(sparse.kron(a, b), c) for a, b, c in terms) / nodes**3
