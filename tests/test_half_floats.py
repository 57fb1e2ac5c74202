"""Numbers of half precision and their codes."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.half_floats import code_of, codes_of, values_of

EVERY = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE = EVERY[np.isfinite(EVERY)]


def test_codes_are_in_the_order_of_the_numbers() -> None:
    codes = codes_of(FINITE)
    assert codes is not None
    ascending = np.argsort(FINITE, kind="stable")
    steps = np.diff(codes[ascending].astype(int))
    # Two zeros, and else no two numbers of one code.
    assert np.count_nonzero(steps == 0) == 1
    assert np.all(steps >= 0)
    assert (codes.min(), codes.max()) == (1025, 64511)


def test_numbers_come_back() -> None:
    codes = codes_of(FINITE.astype(np.float64))
    assert codes is not None
    np.testing.assert_array_equal(values_of(codes), FINITE)


@pytest.mark.parametrize(
    ("number", "code"), [(0.0, 32768), (-0.0, 32768), (1.0, 48128), (-1.0, 17408)]
)
def test_codes_of_plain_numbers(number: float, code: int) -> None:
    assert code_of(number) == code
    assert values_of(np.array([code], np.uint16)) == [number]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e9, 1 / 3, 1e-9, 2049.0])
def test_numbers_without_a_code(number: float) -> None:
    assert codes_of(np.array([1.0, number])) is None


def test_the_nearest_code() -> None:
    assert code_of(1 + 1e-6) == 48128
    assert (code_of(1e9), code_of(-1e9)) == (64511, 1025)


def test_what_is_no_code_is_a_finite_number() -> None:
    every = values_of(np.arange(1 << 16, dtype=np.uint16))
    assert np.isfinite(every).all()
    assert np.all(np.diff(every.astype(np.float64)) >= 0)
