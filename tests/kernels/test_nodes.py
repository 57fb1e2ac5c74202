"""Equations for the nodes of a grid, against dense matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.tone.fitting.node_equations import Interpolated, NodeEquations, offsets_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, COLUMNS = 5, 7
NODES = ROWS * COLUMNS
STEPS = np.array([0, 1, COLUMNS, COLUMNS + 1], np.int32)

solve = Kernel(
    "solve_nodes",
    *(Read(np.float64, 2), Read(np.int32, 1), Read(np.float64, 1), Integer, Integer),
    *(Write(np.float64, 1), Write(np.float64, 2)),
)
add_squares = Kernel(
    "add_squares",
    *(Read(np.int32, 1), Read(np.int32, 1), Read(np.float64, 2), Read(np.int32, 2)),
    Write(np.float64, 2),
)


def bilinear(count: int) -> tuple[Interpolated, NDArray[np.float64]]:
    """Samples between the nodes, and the weights of all nodes in them, ``[n, NODES]``."""
    rng = np.random.default_rng(count)
    row, column = rng.integers(ROWS - 1, size=count), rng.integers(COLUMNS - 1, size=count)
    first = (COLUMNS * row + column).astype(np.int32)
    weights = rng.random((count, 4))
    design = np.zeros((count, NODES))
    np.add.at(design, (np.arange(count)[:, None], first[:, None] + STEPS), weights)
    return Interpolated(NODES, first, STEPS, weights), design


def dense(equations: NodeEquations) -> NDArray[np.float64]:
    matrix = np.zeros((NODES, NODES))
    for offset, diagonal in zip(equations.offsets.tolist(), equations.diagonals, strict=True):
        upper = np.diagflat(diagonal[: NODES - offset], offset)
        matrix += upper if offset == 0 else upper + upper.T
    return matrix


def test_squares_and_moments_are_those_of_the_dense_design() -> None:
    samples, design = bilinear(300)
    equations = NodeEquations(NODES, offsets_between(STEPS))
    assert equations.offsets.tolist() == [0, 1, COLUMNS - 1, COLUMNS, COLUMNS + 1]
    equations.add(samples)
    np.testing.assert_allclose(dense(equations), design.T @ design, rtol=1e-12)
    values = np.random.default_rng(1).normal(size=300)
    np.testing.assert_allclose(samples.moments(values), design.T @ values, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("digits", [3, 6, 12])
def test_solutions_are_as_exact_as_asked_for(digits: int) -> None:
    samples, _ = bilinear(300)
    equations = NodeEquations(NODES, offsets_between(STEPS))
    equations.add(samples)
    equations.diagonals[0] += 0.1
    target = np.random.default_rng(2).normal(size=NODES)
    left = target - dense(equations) @ equations.solved(target, 0.5, digits)
    assert np.linalg.norm(left) <= 1.001 * 10.0**-digits * np.linalg.norm(target)


def test_nothing_to_solve_for_leaves_the_start() -> None:
    equations = NodeEquations(NODES, [1])
    equations.diagonals[0] = 1.0
    target = np.full(NODES, 3.0)
    assert (equations.solved(target, 3.0) == 3.0).all()


def test_a_matrix_that_is_not_definite_ends_the_rounds() -> None:
    nodes = np.zeros(4)
    offsets = np.array([0], np.int32)
    solve(np.full((1, 4), -1.0), offsets, np.ones(4), 5, 1000, nodes, np.empty((4, 4)))
    assert (nodes == 0).all()
    solve(np.full((1, 4), np.nan), offsets, np.ones(4), 5, 1000, nodes, np.empty((4, 4)))


def test_indices_stay_inside() -> None:
    rng = np.random.default_rng(3)
    first = rng.integers(-(1 << 31), 1 << 31, 100).astype(np.int32)
    which = rng.integers(-(1 << 31), 1 << 31, (4, 4)).astype(np.int32)
    sums = np.zeros((3, NODES))
    add_squares(first, STEPS, rng.random((100, 4)), which, sums)
    assert sums.sum() > 0
    wild = np.array([0, 1 << 30, -5], np.int32)
    solve(np.ones((3, 4)), wild, np.ones(4), 5, 9, np.zeros(4), np.empty((4, 4)))


def test_refuses_what_does_not_fit() -> None:
    offsets = np.array([0], np.int32)
    with pytest.raises(ValueError, match="do not fit"):
        solve(np.ones((1, 4)), offsets, np.ones(5), 5, 9, np.zeros(4), np.empty((4, 4)))
    with pytest.raises(ValueError, match="do not fit"):
        solve(np.ones((1, 4)), offsets + 1, np.ones(4), 5, 9, np.zeros(4), np.empty((4, 4)))
    with pytest.raises(ValueError, match="do not fit"):
        add_squares(offsets, STEPS, np.ones((1, 3)), np.zeros((4, 4), np.int32), np.ones((3, 4)))
