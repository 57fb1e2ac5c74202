"""Every packing against bits spelled one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.original.packing import Order, Packing

from .writers import bits_of_rows

STREAMS = [
    (order, bits)
    for order in (
        *(Order.UPPER_FIRST, Order.LOWER_FIRST),
        *(Order.UPPER_FIRST_16, Order.UPPER_FIRST_32),
    )
    for bits in (10, 12, 14)
]
ALL = [
    *(Packing(bits, order) for order, bits in STREAMS),
    *(Packing(bits, Order.CSI_2) for bits in (10, 12, 14)),
    *(Packing(bits, order) for order in (Order.LITTLE, Order.BIG) for bits in (8, 16)),
]


@pytest.mark.parametrize(("order", "bits"), STREAMS)
@pytest.mark.parametrize("columns", [1, 2, 3, 5, 8, 31, 32])
def test_streams_are_what_they_are_when_spelled_bit_by_bit(
    order: Order, bits: int, columns: int
) -> None:
    samples = np.random.default_rng(columns).integers(0, 1 << bits, (3, columns), np.uint16)
    word = {Order.UPPER_FIRST_16: 2, Order.UPPER_FIRST_32: 4}.get(order, 1)
    rows = bits_of_rows(samples, bits, lower_first=order == Order.LOWER_FIRST, word=word)
    packed = Packing(bits, order).pack(samples)
    assert [row.tobytes() for row in packed] == rows


@given(st.sampled_from(ALL), st.integers(1, 4), st.integers(1, 40), st.integers(0, 99))
@settings(deadline=None)
def test_what_is_packed_is_unpacked(packing: Packing, rows: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    samples = random.integers(0, 1 << packing.bits, (rows, columns), np.uint16)
    packed = packing.pack(samples)
    assert packed.shape == (rows, packing.row_bytes(columns))
    np.testing.assert_array_equal(packing.unpack(packed, columns), samples)


def test_literal_bytes() -> None:
    samples = np.array([[0x123, 0x456]], np.uint16)
    spelled = {
        Order.UPPER_FIRST: "123456",
        Order.LOWER_FIRST: "236145",
        Order.UPPER_FIRST_16: "34120056",
        Order.UPPER_FIRST_32: "00563412",
        Order.CSI_2: "124563",
    }
    for order, text in spelled.items():
        assert Packing(12, order).pack(samples).tobytes().hex() == text
    # MIPI CSI-2, figure of RAW10: four samples, then their two lower bits, the first one's lowest.
    samples = np.array([[0b11, 0b10, 0b01 << 2 | 0b01, 0]], np.uint16)
    assert Packing(10, Order.CSI_2).pack(samples).tobytes().hex() == "000001001b"


@pytest.mark.parametrize(
    ("bits", "order"), [(12, Order.LITTLE), (16, Order.UPPER_FIRST), (11, Order.UPPER_FIRST)]
)
def test_packings_that_are_none_are_refused(bits: int, order: Order) -> None:
    with pytest.raises(ValueError, match="no packing"):
        Packing(bits, order)
