"""Sums of products for least squares."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.kernels import Kernel, Read, Write

gram = Kernel("gram", Read(np.float32, 2), Write(np.float64, 2))


@pytest.mark.parametrize(("count", "columns"), [(0, 3), (1, 1), (7, 5), (1000, 77), (3, 128)])
def test_sums_of_integers_are_exact(count: int, columns: int) -> None:
    rows = np.random.default_rng(count).integers(-60_000, 60_000, (count, columns))
    sums = np.full((columns, columns), 5.0)
    gram(rows.astype(np.float32), sums)
    expected = rows.astype(np.int64).T @ rows.astype(np.int64)
    assert np.array_equal(np.triu(sums - 5), np.triu(expected))
    assert (np.tril(sums, -1) == np.tril(np.full_like(sums, 5.0), -1)).all()


def test_sums_are_those_of_row_after_row() -> None:
    rows = np.random.default_rng(1).normal(size=(101, 9)).astype(np.float32)
    sums = np.zeros((9, 9))
    gram(rows, sums)
    expected = np.zeros((9, 9))
    for row in rows.astype(np.float64):
        expected += np.outer(row, row)
    assert np.array_equal(np.triu(sums), np.triu(expected))


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        gram(np.zeros((2, 3), np.float32), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="do not fit"):
        gram(np.zeros((2, 129), np.float32), np.zeros((129, 129)))
