"""Lossless JPEG: the kernels against their plain twin, other libraries, and liars."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.ljpeg import HuffmanTable, Scan, compress, decode, encode, read_scan, write_scan

from . import twin

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL_CATEGORIES = HuffmanTable.optimal([1] * 17)


@st.composite
def tables(draw: st.DrawFn) -> HuffmanTable:
    """Any table with a code for every category: some codes are 16 bits long."""
    skew = draw(st.integers(1, 3))
    return HuffmanTable.optimal([skew**k for k in draw(st.permutations(range(17)))])


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    precision = draw(st.integers(2, 16))
    return Scan(
        rows=rows,
        columns=columns,
        precision=precision,
        predictor=draw(st.integers(1, 7)),
        tables=tuple(draw(tables()) for _ in range(draw(st.integers(1, 4)))),
        point_transform=draw(st.integers(0, min(precision - 1, 3))),
        restart_rows=draw(st.integers(0, 4)),
    )


def noise(scan: Scan, seed: int) -> NDArray[np.uint16]:
    """Samples of all sizes; some neighbours differ by the most they can."""
    random = np.random.default_rng(seed)
    shape = (scan.rows, scan.columns, scan.components)
    samples = random.integers(0, 1 << scan.precision, shape) >> random.integers(0, 12)
    extremes = (0, (1 << scan.precision) - 1, 1 << (scan.precision - 1))
    samples = np.where(random.random(shape) < 0.2, random.choice(extremes, shape), samples)
    return (samples >> scan.point_transform << scan.point_transform).astype(np.uint16)


@given(scan=scans(), seed=st.integers(0, 99), wide=st.booleans(), pad=st.integers(0, 1))
@settings(deadline=None, max_examples=150)
def test_the_kernels_do_what_their_twin_does(scan: Scan, seed: int, wide: bool, pad: int) -> None:
    samples = noise(scan, seed)
    coded = twin.encode(scan, samples, wide=wide, pad=pad)
    assert encode(scan, samples, wide=wide, pad=pad).tobytes() == coded
    more = coded + b"\xff\xd9 and more"
    back, used = decode(scan, more, wide=wide)
    np.testing.assert_array_equal(back, samples)
    assert used == len(coded)


@pytest.mark.parametrize("wide", [False, True])
def test_the_largest_difference_of_all(wide: bool) -> None:
    scan = Scan(1, 4, 16, 1, (ALL_CATEGORIES,))
    samples = np.array([[[0x8000], [0], [0x8000], [1]]], np.uint16)
    coded = encode(scan, samples, wide=wide).tobytes()
    assert coded == twin.encode(scan, samples, wide=wide)
    np.testing.assert_array_equal(decode(scan, coded, wide=wide)[0], samples)
    bits = [code >> 16 for code in ALL_CATEGORIES.codes()]
    size = bits[0] + 2 * bits[16] + bits[15] + 15 + 32 * wide
    assert len(coded.replace(b"\xff\0", b"\xff")) == -(-size // 8)


@given(scan=scans(), data=st.data(), wide=st.booleans())
@settings(deadline=None, max_examples=200)
def test_hostile_bytes_decode_as_the_twin_says_or_raise(
    scan: Scan, data: st.DataObject, wide: bool
) -> None:
    coded = bytearray(twin.encode(scan, noise(scan, 0), wide=wide))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(coded) - 1))
        coded[at] = data.draw(st.sampled_from((0, 0x7F, 0xD0, 0xD1, 0xFE, 0xFF)))
    coded = coded[: data.draw(st.integers(0, len(coded)))]
    expected = twin.decode(scan, bytes(coded), wide=wide)
    if expected is None:
        with pytest.raises(ValueError, match="cut or broken"):
            decode(scan, bytes(coded), wide=wide)
    else:
        samples, used = decode(scan, bytes(coded), wide=wide)
        np.testing.assert_array_equal(samples, expected[0])
        assert used == expected[1]


@given(scan=scans())
@settings(deadline=None)
def test_headers_read_as_they_were_written(scan: Scan) -> None:
    header = write_scan(scan)
    assert read_scan(header + b"\0\0") == (scan, len(header))


@given(data=st.binary(max_size=200), scan=scans())
@settings(deadline=None)
def test_a_header_that_lies_is_read_or_refused(data: bytes, scan: Scan) -> None:
    header = write_scan(scan)
    for liar in (data, b"\xff\xd8" + data, header[: len(header) // 2] + data):
        with contextlib.suppress(ValueError):
            read_scan(liar)


@given(counts=st.lists(st.integers(0, 1 << 40), min_size=17, max_size=17).filter(any))
def test_optimal_tables_code_what_occurs_and_nothing_else(counts: list[int]) -> None:
    table = HuffmanTable.optimal(counts)
    codes = table.codes()
    assert [code > 0 for code in codes] == [count > 0 for count in counts]
    lengths = [code >> 16 for code in codes if code]
    # The all-ones code of the greatest length is left to nobody.
    assert sum(2.0**-length for length in lengths) <= 1 - 2.0 ** -max(lengths)
    assert all(code & 0xFFFF != (1 << (code >> 16)) - 1 for code in codes if code)
    ranked = sorted((-count, codes[k] >> 16) for k, count in enumerate(counts) if count)
    assert [length for _, length in ranked] == sorted(length for _, length in ranked)


def test_an_optimal_table_is_as_short_as_a_huffman_code() -> None:
    # Lengths 1, 2, 3, 4, 4, of which the last longest is kept free.
    table = HuffmanTable.optimal([8, 4, 2, 1, *[0] * 13])
    assert table.counts == bytes((1, 1, 1, 1, *[0] * 12))
    assert table.categories == bytes((0, 1, 2, 3))


@pytest.mark.parametrize(
    ("counts", "categories", "why"),
    [
        (bytes(16), b"", "other symbols"),
        (bytes((3, *[0] * 15)), b"\0\1\2", "more codes"),
        (bytes((2, *[0] * 15)), b"\0", "do not fit"),
        (bytes((0, 2, *[0] * 14)), b"\0\x11", "other symbols"),
        (bytes((0, 2, *[0] * 14)), b"\3\3", "two codes"),
    ],
)
def test_tables_that_are_none_are_refused(counts: bytes, categories: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        HuffmanTable(counts, categories)


def test_a_header_that_promises_more_than_the_bytes_hold_asks_for_no_memory() -> None:
    scan = Scan(65535, 65535, 16, 1, (ALL_CATEGORIES,) * 4)
    with pytest.raises(ValueError, match="cut or broken"):
        decode(scan, bytes(1000))


def test_a_category_without_a_code_is_refused() -> None:
    scan = Scan(1, 2, 16, 1, (HuffmanTable.optimal([1, 1]),))
    with pytest.raises(ValueError, match="cannot spell"):
        encode(scan, np.full((1, 2, 1), 7, np.uint16))


def test_no_more_bytes_are_written_than_allowed() -> None:
    scan = Scan(4, 4, 16, 1, (ALL_CATEGORIES,))
    samples = noise(scan, 1)
    needed = encode(scan, samples).size
    assert encode(scan, samples, most=needed).size == needed
    with pytest.raises(ValueError, match="in this room"):
        encode(scan, samples, most=needed - 1)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("components", [1, 3])
def test_other_libraries_read_what_is_written(predictor: int, components: int) -> None:
    scan = Scan(31, 47, 16, predictor, (ALL_CATEGORIES,) * components)
    samples = noise(scan, predictor)
    file = compress(samples, predictor=predictor)
    np.testing.assert_array_equal(np.squeeze(imagecodecs.jpeg8_decode(file)), np.squeeze(samples))


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("components", [1, 2, 3])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_what_other_libraries_write_is_read_and_written_again(
    predictor: int, components: int, bits: int
) -> None:
    scan = Scan(31, 47, bits, predictor, (ALL_CATEGORIES,) * components)
    samples = noise(scan, predictor).astype(np.uint8 if bits == 8 else np.uint16)
    file = bytes(
        imagecodecs.jpeg8_encode(
            np.squeeze(samples), lossless=True, predictor=predictor, bitspersample=bits
        )
    )
    read, start = read_scan(file)
    assert (read.precision, read.predictor, read.components) == (bits, predictor, components)
    back, used = decode(read, file[start:])
    np.testing.assert_array_equal(back, samples)
    assert file[start + used :] == b"\xff\xd9"
    assert encode(read, back).tobytes() == file[start : start + used]


def test_liblj92_too() -> None:
    scan = Scan(31, 48, 12, 6, (ALL_CATEGORIES,))
    samples = noise(scan, 3)
    file = bytes(imagecodecs.ljpeg_encode(np.squeeze(samples), bitspersample=12))
    read, start = read_scan(file)
    back, used = decode(read, file[start:])
    np.testing.assert_array_equal(back.reshape(31, 48), np.squeeze(samples))
    again = [encode(read, back, pad=pad).tobytes() for pad in (0, 1)]
    assert file[start : start + used] in again


def test_restarts_and_point_transforms_are_part_of_the_header() -> None:
    scan = Scan(6, 5, 14, 4, (ALL_CATEGORIES,) * 2, point_transform=2, restart_rows=2)
    samples = noise(scan, 5)
    coded = encode(scan, samples).tobytes()
    assert b"\xff\xd0" in coded
    assert b"\xff\xd1" in coded
    # Without its restarts it is another stream.
    with pytest.raises(ValueError, match="cut or broken"):
        decode(replace(scan, restart_rows=0), coded)
