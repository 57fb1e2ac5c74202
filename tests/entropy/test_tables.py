"""Probability tables: whole numbers that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback.entropy import TABLE_PRECISION, TableSet, quantise_counts

TOTAL = 1 << TABLE_PRECISION


@pytest.mark.parametrize(
    "row", [[TOTAL - 2, 1, 0], [1, 1, 1], [TOTAL // 2, TOTAL // 2, 1], [0, 0, 0]]
)
def test_rows_that_do_not_add_up_or_hold_a_zero_are_refused(row: list[int]) -> None:
    with pytest.raises(ValueError, match="every row add up to 65536"):
        TableSet(np.array([[20000, 20000, 25536], row], np.uint16))


def test_a_table_knows_its_alphabet_and_its_costs() -> None:
    tables = TableSet(np.array([[TOTAL // 2, TOTAL // 4, TOTAL // 4]], np.uint16))
    assert tables.symbols == 3
    assert tables.cost().tolist() == [[1, 2, 2]]


@given(st.integers(1, 5), st.integers(2, 200), st.integers(0, 2**32), st.floats(0, 60))
def test_any_counts_become_a_table_close_to_them(
    rows: int, symbols: int, seed: int, skew: float
) -> None:
    counts = np.random.default_rng(seed).random((rows, symbols)) ** skew
    tables = TableSet(quantise_counts(counts))
    shares = counts / counts.sum(axis=1, keepdims=True)
    # Every symbol keeps one unit; the likeliest also takes what rounding leaves.
    assert np.abs(tables.frequencies / TOTAL - shares).max() <= 2 * symbols / TOTAL


def test_nothing_counted_means_all_alike() -> None:
    assert quantise_counts(np.zeros((1, 4))).tolist() == [[TOTAL // 4] * 4]


def test_the_last_unit_is_kept_where_one_symbol_has_it_all() -> None:
    assert quantise_counts(np.array([[1e9, 0.0]])).tolist() == [[TOTAL - 1, 1]]
