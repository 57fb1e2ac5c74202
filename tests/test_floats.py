"""Floating point numbers, their codes and what these leave out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback.floats import Scale, linear_scale, ratio_scale

HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE = HALVES[np.isfinite(HALVES)].astype(np.float32)
UNUSUAL = np.array(
    [0, 1 << 31, 1, (1 << 31) + 1, 0x7F800000, 0xFF800000, 0x7FC00001, 0xFFFFFFFF, 0x7F7FFFFF],
    np.uint32,
).view(np.float32)
SCALES = [
    Scale(exponent, is_linear=is_linear)
    for exponent in (-100, -15, 0, 3, 111)
    for is_linear in (False, True)
]


@pytest.mark.parametrize("scale", SCALES)
@given(st.lists(st.floats(width=32), max_size=20))
def test_every_number_comes_back_to_the_last_bit(scale: Scale, numbers: list[float]) -> None:
    given_numbers = np.concatenate([UNUSUAL, np.array(numbers, np.float32)])
    codes, remainders = scale.codes.split(given_numbers)
    again = scale.codes.joined(codes, remainders)
    np.testing.assert_array_equal(again.view(np.uint32), given_numbers.view(np.uint32))
    assert np.all(remainders >> scale.codes.bits[codes].astype(np.uint64) == 0)


@pytest.mark.parametrize("scale", SCALES)
def test_codes_are_nearest_and_in_the_order_of_the_numbers(scale: Scale) -> None:
    random = np.random.default_rng(1)
    signs = np.where(random.random(4000) < 0.5, -1, 1)
    sizes = random.uniform(1, 12, signs.size) + scale.exponent
    numbers = np.sort(signs * 2.0**sizes).astype(np.float32)
    codes = scale.codes.split(numbers)[0].astype(int)
    assert np.all(np.diff(codes) >= 0)
    table = scale.codes.numbers.astype(float)
    error = np.abs(table[codes] - numbers)
    for step in (-1, 1):
        assert np.all(error <= np.abs(table[codes + step] - numbers))


def test_plain_ratio_codes_are_the_numbers_of_half_precision() -> None:
    codes = Scale().codes
    positive = FINITE[~np.signbit(FINITE)]
    assert codes.are_all(codes.split(positive)[0], positive)
    np.testing.assert_array_equal(codes.split(FINITE)[0][:3], [32768, 32769, 32770])
    assert (codes.level(1.0), codes.level(-1.0)) == (48128.0, 17408.0)
    assert (codes.level(1e9), codes.level(-1e9)) == (64511.0, 1025.0)


def test_linear_codes_are_whole_multiples() -> None:
    codes = Scale(-2, is_linear=True).codes
    np.testing.assert_array_equal(codes.numbers[8190:8194], [-0.5, -0.25, 0, 0.25])
    assert codes.level(0.375) == 8193.5
    assert (codes.level(-1e9), codes.level(1e9)) == (0.0, 65535.0)


@given(st.floats(2.0**-60, 2.0**60))
def test_scales_suit_a_white(white: float) -> None:
    linear = linear_scale(white).codes.level(white) - linear_scale(white).codes.zero
    assert 24576 <= linear <= 49152
    assert 48128 <= ratio_scale(white).codes.level(white) < 48128 + 1025


@pytest.mark.parametrize("scale", SCALES)
def test_what_codes_stand_for_leaves_the_usual_remainders(scale: Scale) -> None:
    codes = scale.codes
    own, remainders = codes.split(codes.numbers)
    np.testing.assert_array_equal(codes.usual(own), remainders)
    assert codes.are_all(own, codes.joined(own, remainders))


@pytest.mark.parametrize("exponent", [-101, 113])
def test_powers_that_leave_the_normal_numbers_are_refused(exponent: int) -> None:
    with pytest.raises(ValueError, match="not all normal"):
        Scale(exponent)
