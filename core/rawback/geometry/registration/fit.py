"""Fit maps through blocks: robust least squares, each block weighted by what it can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.geometry.registration.surface import Spline, Surface, spline_basis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration.blocks import Blocks

__all__ = ["Space", "cost", "fit_plane", "fit_shifts", "polynomials", "splines"]

_OUTLIER = 3.0
_PLANE_ROUNDS = 5
_SHIFT_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Space:
    """A linear space of shift surfaces to fit in.

    Attributes:
        spacing: Raw pixels between spline nodes.
        shape: Rows and columns of nodes.
        shapes: Each column one surface, by its nodes in reading order: ``[rows * columns, n]``.
        stiffness: Quadratic form ``[n, n]``: how unlikely a surface is, in squared sigmas.
    """

    spacing: int
    shape: tuple[int, int]
    shapes: NDArray[np.float64]
    stiffness: NDArray[np.float64]


def polynomials(degree: int, spacing: int, shape: tuple[int, int]) -> Space:
    """Splines whose nodes follow a polynomial of this total degree.

    Up to degree 3 the surfaces are polynomials themselves.
    """
    across, down = (np.linspace(-1, 1, side) for side in (shape[1], shape[0]))
    wide, tall = (np.polynomial.chebyshev.chebvander(at, degree) for at in (across, down))
    terms = [
        np.multiply.outer(tall[:, j], wide[:, i]).ravel()
        for i in range(degree + 1)
        for j in range(degree + 1 - i)
    ]
    return Space(spacing, shape, np.stack(terms, axis=-1), 1e-3 * np.eye(len(terms)))


def splines(spacing: int, shape: tuple[int, int], bend: float) -> Space:
    """All splines; those whose slope changes by more than `bend` pixels a node are unlikely."""
    rows, columns = shape
    across = np.diff(np.eye(columns), n=2, axis=0)
    down = np.diff(np.eye(rows), n=2, axis=0)
    twist = np.kron(np.diff(np.eye(rows), axis=0), np.diff(np.eye(columns), axis=0))
    form = (
        np.kron(np.eye(rows), across.T @ across)
        + np.kron(down.T @ down, np.eye(columns))
        + 2 * twist.T @ twist
        + 1e-4 * np.eye(rows * columns)
    )
    return Space(spacing, shape, np.eye(rows * columns), form / bend**2)


def fit_plane(
    blocks: Blocks, start: Surface, *, perspective: bool, used: NDArray[np.bool_]
) -> Surface:
    """Fit a homography, or an affine map, by robust Gauss-Newton.

    Args:
        blocks: Where blocks lie.
        start: Where to start from; its shifts are left out.
        perspective: False for an affine map.
        used: Which blocks to look at, bool ``[h, w]``.

    Returns:
        The map, without shifts.
    """
    at = _informative(blocks, used)
    # Unit scale keeps the normal equations well conditioned.
    scale = max(float(blocks.x[-1]), float(blocks.y[-1]))
    matrix = start.matrix @ np.diag([scale, scale, 1.0])
    if not perspective:
        matrix[2, :2] = 0
    x, y = (grid[at] / scale for grid in np.meshgrid(blocks.x, blocks.y))
    target, information = blocks.target[at], blocks.information[at]
    free = 8 if perspective else 6
    for _ in range(_PLANE_ROUNDS):
        weight = matrix[2, 0] * x + matrix[2, 1] * y + 1
        image = [(matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2]) / weight for k in range(2)]
        residual = target - np.stack(image, axis=-1)
        jacobian = np.zeros((len(x), 2, 8))
        for k in range(2):
            for column, value in enumerate((x, y, np.ones_like(x))):
                jacobian[:, k, 3 * k + column] = value / weight
            jacobian[:, k, 6] = -image[k] * x / weight
            jacobian[:, k, 7] = -image[k] * y / weight
        jacobian = jacobian[..., :free]
        weighted = information * _robust(residual, information)[:, None, None]
        flat = jacobian.reshape(-1, free)
        left = _product(flat, (weighted @ jacobian).reshape(-1, free))
        right = _product(flat, (weighted @ residual[..., None]).reshape(-1, 1))
        trust = left.diagonal().max() * 1e-12 + 1e-12
        matrix.ravel()[:free] += _solved(left + trust * np.eye(free), right).ravel()
    return Surface(matrix @ np.diag([1 / scale, 1 / scale, 1.0]))


def fit_shifts(blocks: Blocks, plane: Surface, space: Space, *, used: NDArray[np.bool_]) -> Surface:
    """Fit a surface of shifts to what a homography leaves.

    Args:
        blocks: Where blocks lie.
        plane: The homography.
        space: The surfaces to choose from.
        used: Which blocks to look at, bool ``[h, w]``.

    Returns:
        The homography with the shifts.
    """
    at = _informative(blocks, used)
    rows, columns = space.shape
    tall = spline_basis(blocks.y, space.spacing, rows)
    wide = spline_basis(blocks.x, space.spacing, columns)
    shapes = space.shapes.reshape(rows, columns, -1)
    count = shapes.shape[-1]
    across = np.tensordot(wide, shapes, axes=(1, 1)).swapaxes(0, 1)
    basis = np.tensordot(tall, across, axes=(1, 0))[at]
    information = blocks.information[at]
    residual = (blocks.target - plane.without_spline().at(blocks.x, blocks.y))[at]
    solution = np.zeros((count, 2))
    for _ in range(_SHIFT_ROUNDS):
        trusted = _robust(residual - basis @ solution, information)
        weighted = information * trusted[:, None, None]
        xx, xy, yy = (
            _product(basis, weighted[:, k, m, None] * basis) for k, m in ((0, 0), (0, 1), (1, 1))
        )
        system = np.block([[xx + space.stiffness, xy], [xy, yy + space.stiffness]])
        pull = _product(basis, (weighted @ residual[..., None])[..., 0])
        solution = _solved(system, pull.T.reshape(-1, 1)).reshape(2, count).T
    return Surface(plane.matrix, Spline(space.spacing, shapes @ solution))


def cost(blocks: Blocks, surface: Surface, *, used: NDArray[np.bool_]) -> float:
    """How badly a map misses blocks: mean of ``log(1 + d**2)``, `d` in the blocks' sigmas."""
    at = _informative(blocks, used)
    residual = (blocks.target - surface.at(blocks.x, blocks.y))[at]
    return float(np.log1p(_squared(residual, blocks.information[at])).mean())


# OpenCV's, not numpy's: on a busy machine a threaded BLAS takes a hundred times as long for these.
def _product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """``left.T @ right``."""
    nothing = np.zeros((0, 0))
    return np.asarray(cv2.gemm(left, right, 1, nothing, 0, flags=cv2.GEMM_1_T), np.float64)


def _solved(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve normal equations; 0 where they have no single solution."""
    _, solution = cv2.solve(left, right, flags=cv2.DECOMP_CHOLESKY)
    return np.asarray(solution, np.float64)


def _informative(blocks: Blocks, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    informative: NDArray[np.bool_] = used & (blocks.information[..., 0, 0] > 0)
    return informative


def _squared(
    residual: NDArray[np.float64], information: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Squared length of each residual in sigmas."""
    x, y = residual[:, 0], residual[:, 1]
    length: NDArray[np.float64] = (
        information[:, 0, 0] * x * x
        + 2 * information[:, 0, 1] * x * y
        + information[:, 1, 1] * y * y
    )
    return length


def _robust(residual: NDArray[np.float64], information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cauchy weights, by each residual's length against the median's."""
    squared = _squared(residual, information)
    spread = max(float(np.median(squared)) / 1.4, 1e-12)
    weights: NDArray[np.float64] = 1 / (1 + squared / (spread * _OUTLIER**2))
    return weights
