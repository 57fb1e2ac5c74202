"""Look-ups against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rawback.kernels import Integer, Kernel, Read, Write

look_up = Kernel("look_up", Read(np.int32, 2), Integer, Read(np.uint16, 1), Write(np.uint16, 2))


@given(
    arrays(np.int32, st.tuples(st.integers(0, 9), st.integers(0, 9))),
    arrays(np.uint16, st.integers(1, 9)),
    st.integers(-(2**31), 2**31 - 1),
)
def test_any_values_in_any_table(values: np.ndarray, table: np.ndarray, first: int) -> None:
    found = np.empty(values.shape, np.uint16)
    look_up(values, first, table, found)
    twin = table.take(values.astype(np.int64) - first, mode="clip")
    assert np.array_equal(found, twin)


def test_rows_with_gaps_between_them() -> None:
    values = np.arange(48, dtype=np.int32).reshape(6, 8)
    table = np.arange(100, 148, dtype=np.uint16)
    found = np.zeros((6, 8), np.uint16)
    look_up(values[::2, 2:5], 0, table, found[1::2, :3])
    assert np.array_equal(found[1::2, :3], table[values[::2, 2:5]])
    assert not found[::2].any()
    assert not found[:, 3:].any()


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="look_up: arguments do not fit each other"):
        look_up(np.zeros((2, 2), np.int32), 0, np.zeros(1, np.uint16), np.zeros((2, 3), np.uint16))
    with pytest.raises(ValueError, match="look_up"):
        look_up(np.zeros((2, 2), np.int32), 0, np.zeros(0, np.uint16), np.zeros((2, 2), np.uint16))
