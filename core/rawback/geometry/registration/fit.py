"""Fit maps through blocks: robust least squares, each block weighted by what it can tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.geometry.registration.surface import Lens, Spline, Surface, spline_basis
from rawback.kernels import Kernel, Read, Write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration.blocks import Blocks

__all__ = [
    "Space",
    "cost",
    "fit_lens",
    "fit_matches",
    "fit_plane",
    "fit_shifts",
    "polynomials",
    "splines",
]

_products = Kernel("products", Read(np.float64, 2), Read(np.float64, 2), Write(np.float64, 2))

_OUTLIER = 3.0
_PLANE_ROUNDS = 5
_LENS_ROUNDS = 8
_LEAST_MATCHES, _EXPLAINED = 20, 1.1
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
        start: Where to start from; its lens and its shifts are left out.
        perspective: False for an affine map.
        used: Which blocks to look at, bool ``[h, w]``.

    Returns:
        The map, without shifts.
    """
    free = 8 if perspective else 6
    points = _Points.of(blocks, used)
    straight = Lens(np.zeros(2), 1.0)
    matrix, _ = _gauss_newton(points, start.matrix, straight, free, _PLANE_ROUNDS)
    return Surface(matrix)


def fit_lens(blocks: Blocks, start: Surface, lens: Lens, *, used: NDArray[np.bool_]) -> Surface:
    """Fit a radial distortion and then a homography, by robust Gauss-Newton.

    Few numbers tell the whole frame where it lies: where blocks show nothing, as the corners of a
    sky, the middle speaks for them.

    Args:
        blocks: Where blocks lie.
        start: The homography to start from.
        lens: The distortion to start from, with as many coefficients as are to be fitted.
        used: Which blocks to look at, bool ``[h, w]``.

    Returns:
        The map, without shifts.
    """
    points = _Points.of(blocks, used)
    return Surface(*_gauss_newton(points, start.matrix, lens, 8, _LENS_ROUNDS))


def fit_matches(
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    start: Surface,
    *,
    lens: Lens,
    tolerance: float,
    reach: float,
) -> Surface:
    """Bend a homography that was drawn from matched features, where a lens explains more of them.

    A fisheye's corners lie far from any homography; its matches there count as false at first.

    Args:
        source: Raw positions, ``[n, 2]``.
        target: Carrier positions that they were matched with, some falsely, ``[n, 2]``.
        start: The homography.
        lens: The distortion to start from, with as many coefficients as are to be fitted.
        tolerance: How far a true match may be off, carrier pixels.
        reach: How far `start` may be.

    Returns:
        `start`, or a lens and a homography that explain a tenth more of the matches.
    """
    bent = Surface(start.matrix, lens)
    near = _distances(start, source, target) < tolerance
    allowed = reach
    while allowed >= tolerance:
        chosen = _distances(bent, source, target) < allowed
        if chosen.sum() < _LEAST_MATCHES:
            return start
        identity = np.broadcast_to(np.eye(2) / allowed**2, (int(chosen.sum()), 2, 2))
        points = _Points(source[chosen], target[chosen], identity)
        bent = Surface(*_gauss_newton(points, bent.matrix, bent.lens or lens, 8, _PLANE_ROUNDS))
        allowed /= 2
    explained = _distances(bent, source, target) < tolerance
    return bent if explained.sum() > _EXPLAINED * near.sum() else start


def _distances(
    surface: Surface, source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of matches from a surface without shifts, carrier pixels."""
    at = source if surface.lens is None else surface.lens.bent(source)
    image = at @ surface.matrix[:, :2].T + surface.matrix[:, 2]
    away = image[:, :2] / np.maximum(image[:, 2:], 1e-3) - target
    return np.asarray(np.linalg.norm(away, axis=1), np.float64)


@dataclass(frozen=True, slots=True)
class _Points:
    """Raw positions ``[n, 2]``, where they lie ``[n, 2]`` and how surely ``[n, 2, 2]``."""

    at: NDArray[np.float64]
    target: NDArray[np.float64]
    information: NDArray[np.float64]

    @classmethod
    def of(cls, blocks: Blocks, used: NDArray[np.bool_]) -> _Points:
        chosen = _informative(blocks, used)
        at = np.stack(np.meshgrid(blocks.x, blocks.y), axis=-1)[chosen]
        return cls(at, blocks.target[chosen], blocks.information[chosen])


def _gauss_newton(
    points: _Points, matrix: NDArray[np.float64], lens: Lens, free: int, rounds: int
) -> tuple[NDArray[np.float64], Lens]:
    """Fit the first `free` entries of a homography, and the coefficients of a lens before it."""
    # Unit scale keeps the normal equations well conditioned.
    scale = float(points.at.max()) if len(points.at) else 1.0
    matrix = matrix @ np.diag([scale, scale, 1.0])
    if free < 8:
        matrix[2, :2] = 0
    count = len(lens.coefficients)
    powers = lens.powers(points.at, count)
    for _ in range(rounds):
        at = lens.bent(points.at) / scale
        weight = at @ matrix[2, :2] + 1
        image = (at @ matrix[:2, :2].T + matrix[:2, 2]) / weight[:, None]
        residual = points.target - image
        jacobian = np.zeros((len(at), 2, free + count))
        for k in range(2):
            for column, value in enumerate((at[:, 0], at[:, 1], np.ones(len(at)))):
                jacobian[:, k, 3 * k + column] = value / weight
            if free == 8:
                jacobian[:, k, 6:8] = -image[:, k, None] * at / weight[:, None]
        slope = (matrix[:2, :2] - image[..., None] * matrix[2, :2]) / weight[:, None, None]
        jacobian[:, :, free:] = slope @ powers / scale
        weighted = points.information * _robust(residual, points.information)[:, None, None]
        flat = jacobian.reshape(-1, free + count)
        aside = np.concatenate([jacobian, residual[..., None]], axis=2)
        sums = _product(flat, _weighted(weighted, aside).reshape(-1, free + count + 1))
        left, right = sums[:, :-1], sums[:, -1:]
        trust = left.diagonal().max() * 1e-12 + 1e-12
        step = _solved(left + trust * np.eye(free + count), right).ravel()
        matrix.ravel()[:free] += step[:free]
        moved = np.array(lens.coefficients) + step[free:]
        lens = replace(lens, coefficients=tuple(moved.tolist()))
    return matrix @ np.diag([1 / scale, 1 / scale, 1.0]), lens


def fit_shifts(blocks: Blocks, stiff: Surface, space: Space, *, used: NDArray[np.bool_]) -> Surface:
    """Fit a surface of shifts to what a homography, or a lens before it, leaves.

    Args:
        blocks: Where blocks lie.
        stiff: The homography and the lens.
        space: The surfaces to choose from.
        used: Which blocks to look at, bool ``[h, w]``.

    Returns:
        They, with the shifts.
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
    residual = (blocks.target - stiff.at(blocks.x, blocks.y))[at]
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
    return replace(stiff, spline=Spline(space.spacing, shapes @ solution))


def cost(blocks: Blocks, surface: Surface, *, used: NDArray[np.bool_]) -> float:
    """How badly a map misses blocks: mean of ``log(1 + d**2)``, `d` in the blocks' sigmas."""
    at = _informative(blocks, used)
    residual = (blocks.target - surface.at(blocks.x, blocks.y))[at]
    return float(np.log1p(_squared(residual, blocks.information[at])).mean())


def _weighted(weights: NDArray[np.float64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Products of symmetric ``[n, 2, 2]`` and ``[n, 2, m]``."""
    found = np.empty_like(pairs)
    for k in range(2):
        found[:, k] = weights[:, k, 0, None] * pairs[:, 0] + weights[:, k, 1, None] * pairs[:, 1]
    return found


# Not numpy's: on a busy machine a threaded BLAS takes a hundred times as long for these.
def _product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """``left.T @ right``."""
    found = np.empty((left.shape[1], right.shape[1]))
    _products(np.ascontiguousarray(left), np.ascontiguousarray(right), found)
    return found


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
