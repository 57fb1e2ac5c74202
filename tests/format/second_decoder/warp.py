"""Homographies and meshes between raw and carrier (3.3, kinds 2 and 3, of FORMAT.md)."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from .refusal import require

if TYPE_CHECKING:
    from .arrays import Bools, Bytes8, Ints

NODE = 16
ONE = 1 << 20


class Warp:
    """Positions of raw pixels in the carrier, told at nodes 16 raw pixels apart (3.3)."""

    def __init__(self, width: int, height: int, numbers: list[int]) -> None:
        self.width, self.height = width, height
        origin = numbers[0:2]
        right = [a + b for a, b in zip(origin, numbers[2:4], strict=True)]
        below = [a + b for a, b in zip(origin, numbers[4:6], strict=True)]
        g, h = numbers[6:8]
        require(all(abs(n) < 1 << 23 for n in origin + right + below), "a far corner")
        require(
            all(1 << 16 <= ONE + n <= 1 << 21 for n in (0, g, h, g + h)), "too strong a perspective"
        )
        size = 1 << (max(width, height) + 16 - 1).bit_length()
        y, x = NODE * np.indices(((height + 15) // NODE + 1, (width + 15) // NODE + 1), np.int64)
        d = ONE * size + g * x + h * y
        axes = []
        for o, r, b in zip(origin, right, below, strict=True):
            n = ONE * o * (size - x - y) + (ONE + g) * r * x + (ONE + h) * b * y
            axes.append(16 * (n // d) + 16 * (n % d) // d)
        self.nodes: Ints = np.stack(axes, axis=-1)

    def _mesh_sides(self, spacing: int) -> tuple[int, int]:
        """Rows and columns of a mesh (3.3)."""
        require(5 <= spacing <= 12, "no such spacing")
        return ((self.height + 15) >> spacing) + 4, ((self.width + 15) >> spacing) + 4

    def mesh_size(self, spacing: int) -> int:
        """How many shifts a mesh has (3.3)."""
        rows, columns = self._mesh_sides(spacing)
        return rows * columns

    def add_mesh(self, spacing: int, numbers: list[int]) -> None:
        """Add the local shifts that a mesh's coded numbers tell to the nodes (3.3)."""
        rows, columns = self._mesh_sides(spacing)
        differences = np.array(numbers, np.int64).reshape(rows, columns, 2)
        shifts = differences.cumsum(axis=1).cumsum(axis=0)
        require(bool((np.abs(shifts) <= 1 << 18).all()), "too large a shift")
        n = (1 << spacing) // NODE
        down = (256 * _spline(shifts, len(self.nodes), n) + 3 * n**3) // (6 * n**3)
        along = _spline(down.transpose(1, 0, 2), self.nodes.shape[1], n).transpose(1, 0, 2)
        self.nodes = self.nodes + (along + 48 * n**3) // (96 * n**3)

    def _clipped(self) -> Ints:
        """The nodes as positions are interpolated between them (3.3)."""
        nodes = np.clip(self.nodes, -(1 << 27), 1 << 27)
        for axis in (0, 1):
            apart = np.abs(np.diff(nodes, axis=axis))
            require(bool((apart <= 1 << 18).all()), "neighbouring nodes far apart")
        return nodes

    def positions(self) -> Ints:
        """Positions [row, column, xy] of all raw pixels, in 1/1024 carrier pixel (3.3)."""
        nodes = self._clipped()
        y, x = np.arange(self.height), np.arange(self.width)
        above, below = nodes[y // NODE], nodes[y // NODE + 1]
        at_columns = above + ((below - above) * (y % NODE)[:, None, None] + 8) // NODE
        left, right = at_columns[:, x // NODE], at_columns[:, x // NODE + 1]
        found: Ints = left + ((right - left) * (x % NODE)[:, None] + 8 >> 4)
        return found

    def averaged(self) -> int:
        """m: the side of the squares of carrier pixels that become one (3.3)."""
        nodes = self._clipped()
        row, column = (len(nodes) - 1) // 2, (nodes.shape[1] - 1) // 2
        node = nodes[row, column]
        c, d = nodes[row, column + 1] - node, nodes[row + 1, column] - node
        area = abs(int(c[0]) * int(d[1]) - int(c[1]) * int(d[0]))
        return min(max((isqrt(area) + (1 << 13)) // (1 << 14), 1), 8)


def _spline(v: Ints, count: int, n: int) -> Ints:
    """B for `count` nodes along the first axis (3.3)."""
    i = np.arange(count)
    c, k = i // n, (i % n)[:, None, None]
    found: Ints = (
        (n - k) ** 3 * v[c]
        + (3 * k**3 - 6 * n * k**2 + 4 * n**3) * v[c + 1]
        + (-3 * k**3 + 3 * n * k**2 + 3 * n**2 * k + n**3) * v[c + 2]
        + k**3 * v[c + 3]
    )
    return found


def _mean_squares(carrier: Ints, m: int) -> Ints:
    """Means over m x m squares that begin (m - 1) // 2 before each pixel, edges repeated (3.3)."""
    before = (m - 1) // 2
    margin = (before, m - 1 - before)
    padded = np.pad(carrier, (margin, margin, (0, 0)), mode="edge")
    height, width = carrier.shape[:2]
    total = np.zeros_like(carrier)
    for dy in range(m):
        for dx in range(m):
            total += padded[dy : dy + height, dx : dx + width]
    return (total + m * m // 2) // (m * m)


def warped_guide(carrier: Bytes8, warp: Warp) -> tuple[Ints, Bools]:
    """Guide and coverage for geometries of kinds 2 and 3 (3.3)."""
    height, width = carrier.shape[:2]
    sides = np.array([width, height], np.int64)
    p = warp.positions() + 16 >> 5
    covered: Bools = np.logical_and.reduce((p >= -16) & (p < 32 * sides - 16), axis=-1)
    m = warp.averaged()
    if m % 2 == 0:
        p = p - 16
    p = np.clip(p, 0, 32 * (sides - 1))
    x, y = p[..., 0] >> 5, p[..., 1] >> 5
    fx, fy = (p[..., 0] & 31)[..., None], (p[..., 1] & 31)[..., None]
    pixels = _mean_squares(carrier.astype(np.int64), m)
    x1, y1 = np.minimum(x + 1, width - 1), np.minimum(y + 1, height - 1)
    upper = pixels[y, x] * (32 - fx) + pixels[y, x1] * fx
    lower = pixels[y1, x] * (32 - fx) + pixels[y1, x1] * fx
    found: Ints = upper * (32 - fy) + lower * fy + 512 >> 10
    return found, covered
