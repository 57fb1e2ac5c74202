"""Smooth maps from raw to carrier positions, in floats, while they are being estimated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Spline", "Surface", "spline_basis"]


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
class Surface:
    """A homography and a spline of shifts.

    Attributes:
        matrix: float64 ``[3, 3]``, raw position to carrier position, lower right entry 1.
        spline: Shifts to add, carrier pixels.
    """

    matrix: NDArray[np.float64]
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
        weight = m[2, 0] * x[None, :] + m[2, 1] * y[:, None] + m[2, 2]
        # Beyond the horizon there is no carrier; keep its positions far away and finite.
        weight = np.maximum(weight, 1e-3)
        out = np.stack(
            [(m[k, 0] * x[None, :] + m[k, 1] * y[:, None] + m[k, 2]) / weight for k in range(2)],
            axis=-1,
        )
        if self.spline is not None:
            rows, columns = self.spline.shifts.shape[:2]
            tall = spline_basis(y, self.spline.spacing, rows)
            wide = spline_basis(x, self.spline.spacing, columns)
            across = np.tensordot(wide, self.spline.shifts, axes=(1, 1)).swapaxes(0, 1)
            out += np.tensordot(tall, across, axes=(1, 0))
        return out

    def without_spline(self) -> Surface:
        """The homography alone."""
        return replace(self, spline=None)


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
