"""Sums of products for least squares."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.kernels import Integer, Kernel, Read, Write

gram = Kernel("gram", Read(np.float32, 2), Write(np.float64, 2))
products = Kernel("products", Read(np.float64, 2), Read(np.float64, 2), Write(np.float64, 2))
filter_rows = Kernel(
    "filter_rows",
    *(Read(np.int32, 3), Read(np.int32, 2), Read(np.int32, 2), Read(np.int16, 1), Integer, Integer),
    Write(np.float32, 2),
)


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


@pytest.mark.parametrize(("count", "a", "b"), [(0, 2, 3), (1, 1, 1), (7, 9, 10), (1001, 3, 200)])
def test_products_of_integers_are_exact(count: int, a: int, b: int) -> None:
    rng = np.random.default_rng(count)
    left, right = rng.integers(-9999, 9999, (count, a)), rng.integers(-9999, 9999, (count, b))
    found = np.full((a, b), np.nan)
    products(left.astype(np.float64), right.astype(np.float64), found)
    assert np.array_equal(found, left.T @ right)


def test_products_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        products(np.zeros((2, 3)), np.zeros((3, 3)), np.zeros((3, 3)))


def test_rows_hold_what_lies_around_samples() -> None:
    rng = np.random.default_rng(2)
    colours = rng.integers(-30_000, 30_000, (3, 9, 11)).astype(np.int32)[:, :, 1:]
    # The last places and offsets point outside, where the nearest pixel stands for what is not.
    places = np.array([(4, 5), (0, 0), (8, 9), (1 << 30, -(1 << 30))], np.int32)
    offsets = np.array([(0, 0), (-1, 2), (2, -1), (1 << 30, -(1 << 30))], np.int32)
    wanted = rng.integers(-30_000, 30_000, 4).astype(np.int16)
    rows = np.full((4, 3 * 4 + 2), np.nan, np.float32)
    filter_rows(colours, places, offsets, wanted, 1, 500, rows)
    for row, place, target in zip(rows, places.astype(np.int64), wanted.tolist(), strict=True):
        y, x = place.clip(0, (8, 9))
        around = (np.array([y, x]) + offsets).clip(0, (8, 9))
        taps = colours[:, around[:, 0], around[:, 1]] - colours[:, y, x, None]
        assert np.array_equal(row[:-2], taps.ravel())
        assert row[-2] == 1
        assert row[-1] == np.clip(target - int(colours[1, y, x]), -500, 500)


def test_rows_refuse_what_does_not_fit() -> None:
    places, wanted = np.zeros((2, 2), np.int32), np.zeros(2, np.int16)
    colours = np.zeros((3, 4, 4), np.int32)
    with pytest.raises(ValueError, match="do not fit"):
        filter_rows(colours, places, places, wanted, 3, 9, np.zeros((2, 8), np.float32))
    with pytest.raises(ValueError, match="do not fit"):
        filter_rows(colours, places, places, wanted, 0, 9, np.zeros((2, 7), np.float32))
