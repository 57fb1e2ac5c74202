"""Remainders of floating point samples against their twin, written in plain Python."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback.common.coding_tables import coding_tables
from rawback.floats import Scale
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual import RemainderModel, decode_remainders, encode_remainders

from ..format.second_decoder.floats import Codes, Remainders
from ..format.second_decoder.stored import Tables

CURVES = coding_tables().lossless.curves
TABLES = Tables(
    b"", {"stretch": CURVES.stretch.astype(np.int64), "squash": CURVES.squash.astype(np.int64)}
)

code_remainders = Kernel(
    "code_remainders",
    *(Integer, Write(np.uint8, 1), Read(np.uint16, 2), Write(np.uint32, 2), Read(np.int32, 1)),
    *(Read(np.uint32, 1), Read(np.uint8, 1), Integer, Read(np.int16, 1), Read(np.uint16, 1)),
    *(Read(np.uint32, 1), Write(np.uint8, 1)),
)


@cache
def twin_codes(kind: int) -> Codes:
    """The twin's codes, which take long to make."""
    return Codes(kind, -4)


def a_tile(seed: int, shift: int, *, is_linear: bool) -> tuple[RemainderModel, np.ndarray]:
    """A model, and numbers of which some are listed."""
    random = np.random.default_rng(seed)
    rows, columns = random.integers(1, 12, 2)
    listed = np.unique(random.integers(0, 40, 30).astype(np.float32) / np.float32(37))
    bits = random.integers(0, 1 << 32, (rows, columns)).astype(np.uint32)
    usual = random.normal(0.5, 0.3, bits.shape).astype(np.float32).view(np.uint32)
    free = np.where(random.random(bits.shape) < 0.3, bits, usual) >> shift << shift
    numbers = np.where(
        random.random(bits.shape) < 0.5, random.choice(listed, bits.shape), free.view(np.float32)
    )
    return RemainderModel(Scale(-4, is_linear=is_linear), shift, listed), numbers


@pytest.mark.parametrize("is_linear", [False, True])
@pytest.mark.parametrize("shift", [0, 7])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_is_read_here_and_by_the_twin(
    seed: int, shift: int, is_linear: bool
) -> None:
    model, numbers = a_tile(seed, shift, is_linear=is_linear)
    codes, remainders = model.scale.codes.split(numbers)
    data = encode_remainders(CURVES, model, codes, remainders)
    assert np.array_equal(decode_remainders(CURVES, model, codes, data), remainders)
    twin = Remainders(twin_codes(int(is_linear)), model.to_bytes(), TABLES, 100)
    assert np.array_equal(twin.tile(codes.astype(np.int64), data), remainders)


@given(st.binary(max_size=60), st.integers(0, 1000), st.booleans())
def test_any_bytes_are_read_as_by_the_twin(data: bytes, seed: int, is_linear: bool) -> None:
    model, numbers = a_tile(seed, 3, is_linear=is_linear)
    codes, _ = model.scale.codes.split(numbers)
    twin = Remainders(twin_codes(int(is_linear)), model.to_bytes(), TABLES, 100)
    found = twin.tile(codes.astype(np.int64), data)
    assert np.array_equal(decode_remainders(CURVES, model, codes, data), found)


def test_refuses_what_does_not_fit() -> None:
    codes = np.zeros((2, 3), np.uint16)
    rest = (
        *(np.zeros((1 << 16) + 1, np.int32), np.zeros(0, np.uint32), np.zeros(1 << 16, np.uint8)),
        *(0, CURVES.stretch, CURVES.squash, CURVES.rate),
    )
    stream = np.zeros(9, np.uint8)
    code_remainders(0, stream, codes, np.zeros((2, 3), np.uint32), *rest, np.zeros(3, np.uint8))
    for remainders, marks in (((2, 4), 3), ((3, 3), 3), ((2, 3), 2)):
        with pytest.raises(ValueError, match="do not fit"):
            code_remainders(
                *(0, stream, codes, np.zeros(remainders, np.uint32), *rest),
                np.zeros(marks, np.uint8),
            )


def test_places_that_lie_beyond_the_list_are_harmless() -> None:
    codes = np.full((1, 4), 5, np.uint16)
    starts = np.full((1 << 16) + 1, 1 << 30, np.int32)
    starts[:6] = -7
    found = np.zeros((1, 4), np.uint32)
    code_remainders(
        *(1, np.full(8, 255, np.uint8), codes, found, starts, np.arange(3, dtype=np.uint32)),
        *(np.full(1 << 16, 200, np.uint8), 0, CURVES.stretch, CURVES.squash, CURVES.rate),
        np.zeros(4, np.uint8),
    )
    assert found.shape == (1, 4)
