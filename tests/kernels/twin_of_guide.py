"""The guide by NumPy, a whole box at a time: what ``kernels/guide.c`` is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 16


def positions(
    nodes: NDArray[np.int64], box: tuple[int, int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Carrier x and y of every raw pixel of a box, each ``[height, width]``, in 1024ths."""
    left, top, width, height = box
    rows, columns = np.arange(top, top + height), np.arange(left, left + width)
    above, below = nodes[rows // STEP], nodes[rows // STEP + 1]
    edges = above + ((below - above) * (rows % STEP)[:, None, None] + STEP // 2) // STEP
    near, far = edges[:, columns // STEP], edges[:, columns // STEP + 1]
    found = near + ((far - near) * (columns % STEP)[:, None] + STEP // 2) // STEP
    return found[..., 0], found[..., 1]


def square_means(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Mean over the square around each pixel, ends repeated, rounded half up."""
    before, after = (side - 1) // 2, side // 2
    wide = np.pad(pixels, ((before, after), (before, after), (0, 0)), mode="edge").astype(np.int64)
    height, width = pixels.shape[:2]
    total = np.full(pixels.shape, side * side // 2)
    for y, x in np.ndindex(side, side):
        total += wide[y : y + height, x : x + width]
    return (total // (side * side)).astype(np.uint8)


def guide(
    nodes: NDArray[np.int64],
    carrier: NDArray[np.uint8],
    averaged: int,
    box: tuple[int, int, int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels ``[height, width, 3]`` and mask ``[height, width]`` of a box."""
    x, y = ((fine + 16) >> 5 for fine in positions(nodes, box))
    rows, columns = carrier.shape[:2]
    mask = (x >= -16) & (x < columns * 32 - 16) & (y >= -16) & (y < rows * 32 - 16)
    less = 0 if averaged % 2 else 16
    x = np.clip(x - less, 0, (columns - 1) * 32)
    y = np.clip(y - less, 0, (rows - 1) * 32)
    means = square_means(carrier, averaged).astype(np.int64)
    left, top = x >> 5, y >> 5
    right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    across, down = (x & 31)[..., None], (y & 31)[..., None]
    upper = means[top, left] * (32 - across) + means[top, right] * across
    lower = means[bottom, left] * (32 - across) + means[bottom, right] * across
    pixels = (upper * (32 - down) + lower * down + 512) >> 10
    return (pixels * mask[..., None]).astype(np.uint8), mask.astype(np.uint8)
