"""Smooth maps from raw to carrier positions, in floats, while they are being estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Lens", "Spline", "Surface", "spline_basis"]


@dataclass(frozen=True, slots=True)
class Spline:
    """A uniform cubic B-spline surface of shifts.

    Attributes:
        spacing: Raw pixels between nodes.
        shifts: float64 ``[rows, columns, 2]``; the first node lies one step above and left of
            raw pixel ``(0, 0)``.
    """

    spacing: int
    shifts: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lens:
    """A radial distortion about the raw's middle: r goes to ``r * (1 + a r**2 + b r**4 + ...)``.

    Attributes:
        middle: The raw's middle, float64 ``[2]``.
        reach: Radius of the corners, raw pixels: there r is 1.
        coefficients: ``(a, b, ...)``; none for a lens that does not distort.
    """

    middle: NDArray[np.float64]
    reach: float
    coefficients: tuple[float, ...] = ()

    @classmethod
    def over(cls, raw_size: tuple[int, int]) -> Lens:
        """No distortion, of a raw of this width and height."""
        middle = (np.array(raw_size, np.float64) - 1) / 2
        return cls(middle, float(np.hypot(*middle)))

    def powers(self, at: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """What a unit of each of `count` coefficients adds to positions: ``[n, 2, count]``."""
        away = at - self.middle
        square = (away**2).sum(axis=1) / self.reach**2
        powers = square[:, None] ** np.arange(1, count + 1)
        return np.asarray(away[:, :, None] * powers[:, None, :], np.float64)

    def bent(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions ``[n, 2]`` as the lens moves them."""
        moved = self.powers(at, len(self.coefficients)) @ np.array(self.coefficients)
        return np.asarray(at + moved, np.float64)

    def bent_grid(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same for a grid of columns ``[1, w]`` and rows ``[h, 1]``: x and y, ``[h, w]``."""
        u, v = x - self.middle[0], y - self.middle[1]
        square = (u * u + v * v) / self.reach**2
        grown = np.polynomial.polynomial.polyval(square, [1.0, *self.coefficients])
        return self.middle[0] + u * grown, self.middle[1] + v * grown


@dataclass(frozen=True, slots=True)
class Surface:
    """A radial distortion, then a homography, then shifts.

    Attributes:
        matrix: float64 ``[3, 3]``, raw position to carrier position, lower right entry 1.
        lens: The distortion, if any.
        spline: Shifts to add, carrier pixels.
    """

    matrix: NDArray[np.float64]
    lens: Lens | None = None
    spline: Spline | None = None

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carrier positions of a grid of raw positions.

        Args:
            x: Its columns' positions, ``[w]``.
            y: Its rows' positions, ``[h]``.

        Returns:
            float64 ``[h, w, 2]``.
        """
        m = self.matrix
        u, v = x[None, :], y[:, None]
        if self.lens is not None and self.lens.coefficients:
            u, v = self.lens.bent_grid(u, v)
        # Beyond the horizon there is no carrier; keep its positions far away and finite.
        weight = np.maximum(m[2, 0] * u + m[2, 1] * v + m[2, 2], 1e-3)
        out = np.stack([(m[k, 0] * u + m[k, 1] * v + m[k, 2]) / weight for k in range(2)], axis=-1)
        if self.spline is not None:
            rows, columns = self.spline.shifts.shape[:2]
            tall = spline_basis(y, self.spline.spacing, rows)
            wide = spline_basis(x, self.spline.spacing, columns)
            across = np.tensordot(wide, self.spline.shifts, axes=(1, 1)).swapaxes(0, 1)
            out += np.tensordot(tall, across, axes=(1, 0))
        return out

    def plane(self) -> Surface:
        """The homography alone."""
        return Surface(self.matrix)


def spline_basis(at: NDArray[np.float64], spacing: int, nodes: int) -> NDArray[np.float64]:
    """Cubic B-spline weights.

    Args:
        at: Raw positions along one axis, ``[n]``; those beyond the last node take its cell.
        spacing: Raw pixels between nodes.
        nodes: How many there are; the first is at ``-spacing``.

    Returns:
        float64 ``[n, nodes]``.
    """
    cell = np.clip(np.floor(at / spacing), 0, nodes - 4).astype(np.intp)
    t = np.clip(at / spacing - cell, -1.0, 2.0)
    parts = [
        (1 - t) ** 3,
        3 * t**3 - 6 * t**2 + 4,
        -3 * t**3 + 3 * t**2 + 3 * t + 1,
        t**3,
    ]
    basis = np.zeros((len(at), nodes))
    for offset, part in enumerate(parts):
        basis[np.arange(len(at)), cell + offset] = part / 6
    return basis
