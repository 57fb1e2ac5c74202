"""The plain CBOR of headers: one spelling for every value, and nothing else is read."""

from __future__ import annotations

import tracemalloc
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.bitstream.cbor import decode, encode

values = st.recursive(
    st.integers(-(1 << 64), (1 << 64) - 1)
    | st.binary(max_size=40)
    | st.text(max_size=40)
    | st.booleans()
    | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.integers(0, 1 << 20), inner, max_size=4)
    ),
    max_leaves=6,
)


@given(values)
@settings(deadline=None)
def test_round_trip(value: Any) -> None:
    try:
        data = encode(value)
    except ValueError as error:
        assert "nested" in str(error)  # noqa: PT017 -- the one reason there is
    else:
        assert decode(data) == value


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused_and_have_one_spelling(data: bytes) -> None:
    try:
        value = decode(data)
    except ValueError:
        return
    assert cbor2.dumps(value, canonical=True) == data


SPELLED = [
    (b"\x17", 23),
    (b"\x18\x18", 24),
    (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", (1 << 64) - 1),
    (b"\x38\x63", -100),
    (b"\x43abc", b"abc"),
    (b"\x62\xc3\xa4", "ä"),
    (b"\x83\x01\x81\x02\x80", (1, (2,), ())),
    (b"\xa2\x01\xf5\x02\xf6", {1: True, 2: None}),
]


@pytest.mark.parametrize(("data", "value"), SPELLED)
def test_spelling(data: bytes, value: Any) -> None:
    assert decode(data) == value
    assert encode(value) == data


@pytest.mark.parametrize(("data", "value"), SPELLED)
def test_cut_anywhere_is_refused(data: bytes, value: Any) -> None:
    for size in range(len(data)):
        with pytest.raises(ValueError, match="ends early"):
            decode(data[:size])


REFUSED = {
    "long form of a small number": "1817",
    "long form of a length": "5800",
    "open string": "5f41004100ff",
    "open array": "9f01ff",
    "open map": "bf0101ff",
    "break alone": "ff",
    "reserved head": "1c",
    "half float": "f90000",
    "NaN": "f97e00",
    "double": "fb3ff0000000000000",
    "undefined": "f7",
    "simple value": "f0",
    "simple value in two bytes": "f8ff",
    "tag": "c001",
    "big number": "c249010000000000000000",
    "same key twice": "a201010102",
    "keys descending": "a202010101",
    "text as a key": "a1616101",
    "negative key": "a12001",
    "bad UTF-8": "62c328",
    "bytes behind": "0000",
    "nine levels": "8181818181818181" + "00",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"CBOR|decode"):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize("head", ["5b", "7b", "9b", "bb"])
def test_a_lying_length_costs_no_memory(head: str) -> None:
    data = bytes.fromhex(head) + b"\x00\x00\x00\xff\xff\xff\xff\xff" + bytes(1000)
    tracemalloc.start()
    with pytest.raises(ValueError, match="CBOR"):
        decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("value", [1 << 64, 1.0, {"text": 1}, {-1: 0}, "\ud800", [[[[[[[[1]]]]]]]]])
def test_what_cannot_be_read_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match=r"CBOR|surrogates"):
        encode(value)
