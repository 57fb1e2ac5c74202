"""METADATA sections: what is written is read, at few bytes, and nothing else is read at all."""

from __future__ import annotations

import lzma
import struct
import time
import tracemalloc
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rawback.bitstream import (
    Section,
    SectionKind,
    StoredMetadata,
    read_metadata,
    write_personal,
    write_rendering,
)
from rawback.bitstream.metadata import LARGEST_BODY, pack_entries, unpack_entries
from rawback.errors import PayloadDamaged
from rawback.metadata import TYPE_SIZES, Directory, Entry, Metadata, TiffType

SHORT, LONG, RATIONAL, SRATIONAL = (
    TiffType.SHORT,
    TiffType.LONG,
    TiffType.RATIONAL,
    TiffType.SRATIONAL,
)
FLOAT, UNDEFINED, ASCII = TiffType.FLOAT, TiffType.UNDEFINED, TiffType.ASCII


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(sorted(TYPE_SIZES)))
    data = draw(st.binary(max_size=80) | st.binary(max_size=3).map(lambda part: part * 48))
    data = data[: len(data) // TYPE_SIZES[kind] * TYPE_SIZES[kind]]
    return Entry(draw(st.integers(0, 255)), draw(st.integers(0, 0xFFFF)), kind, data)


metadata = st.builds(
    Metadata,
    st.lists(entries(), max_size=12, unique_by=lambda e: (e.directory, e.tag)).map(tuple),
    st.booleans(),
)


def of(*items: Entry, big_endian: bool = False) -> Metadata:
    return Metadata(items, big_endian)


MATRIX = struct.pack("<18i", *(n for k in range(9) for n in (1000 * k - 4000, 10_000)))
RAMP = struct.pack("<600f", *(1 + k / 7 for k in range(600)))


@given(metadata)
@settings(deadline=None)
@example(of(Entry(0, 50721, SRATIONAL, MATRIX)))
@example(of(Entry(0, 50721, SRATIONAL, bytes(72))))
@example(of(Entry(16, 50938, FLOAT, RAMP)))
@example(of(Entry(16, 50938, FLOAT, RAMP), big_endian=True))
@example(of(Entry(0, 51009, UNDEFINED, RAMP)))
@example(of(Entry(0, 0, LONG, b"\xff" * 4), Entry(255, 0xFFFF, RATIONAL, b"")))
def test_round_trip(told: Metadata) -> None:
    assert unpack_entries(pack_entries(told), big_endian=told.big_endian) == told


def test_a_usual_raw_takes_about_a_hundred_bytes() -> None:
    told = of(
        Entry(0, 271, ASCII, b"Canon\0"),
        Entry(0, 272, ASCII, b"Canon EOS 5D\0"),
        Entry(0, 50708, ASCII, b"Canon EOS 5D\0"),
        Entry(0, 50714, SHORT, struct.pack("<4H", *[2048] * 4)),
        Entry(0, 50717, LONG, struct.pack("<I", 15000)),
        Entry(0, 50721, SRATIONAL, MATRIX),
        Entry(0, 50728, RATIONAL, struct.pack("<6I", 48, 100, 1, 1, 66, 100)),
        Entry(0, 50778, SHORT, struct.pack("<H", 21)),
    )
    assert len(pack_entries(told)) < 110


@pytest.mark.parametrize(("tag", "kind"), [(50938, FLOAT), (51009, UNDEFINED)])
def test_tables_are_stored_as_differences(tag: int, kind: TiffType) -> None:
    ramp = struct.pack(">600f" if kind == UNDEFINED else "<600f", *(1 + k / 7 for k in range(600)))
    assert len(pack_entries(of(Entry(0, tag, kind, ramp)))) < len(zlib.compress(ramp, 9)) * 0.7


def test_two_sections_and_a_flag() -> None:
    rendering = of(Entry(0, 271, ASCII, b"Acme\0"), big_endian=True)
    personal = of(Entry(2, 1, ASCII, b"N\0"), big_endian=True)
    first = write_rendering(rendering, from_jpeg=True)
    second = write_personal(personal)
    assert [(s.kind, s.layer, s.tile) for s in (first, second)] == [
        (SectionKind.METADATA, 0, 0),
        (SectionKind.METADATA, 1, 0),
    ]
    assert read_metadata([first]) == StoredMetadata(rendering, None, from_jpeg=True)
    both = StoredMetadata(rendering, personal, from_jpeg=True)
    assert read_metadata([first, Section(1, 0, 0, b""), second]) == both
    assert read_metadata([]) == StoredMetadata(Metadata(), None, from_jpeg=False)
    # What a person said means nothing without the byte order before it.
    assert read_metadata([second]).personal is None


def deflated(body: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"\1" + deflater.compress(body) + deflater.flush()


def packed(body: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 0}]
    return b"\2" + lzma.compress(body, lzma.FORMAT_RAW, filters=filters)


HOSTILE = {
    "nothing": b"",
    "no method": b"\3",
    "cut": b"\0\0\1\1",
    "no type": b"\0\0\1\1\x0e\0",
    "no form": b"\0\0\1\1\x41\0",
    "lying count": b"\0\0\1\1\x04\xff\xff\xff\xff\x0f",
    "lying tags": b"\0\0\xff\xff\xff\xff\x0f",
    "tag twice": b"\0\0\2\1\x01\0\0\x01\0",
    "directory twice": b"\0\0\1\1\x01\0\0\1\1\x01\0",
    "tag too large": b"\0\0\1\x80\x80\4\x01\0",
    "number too large": b"\0\0\1\1\x13\1\x80\x80\4",
    "text as numbers": b"\0\0\1\1\x12\1\1",
    "text as fractions": b"\0\0\1\1\x22\1\1\1",
    "half a word": b"\0\0\1\1\x37\2\1\1",
    "broken deflate": b"\1\xff\xff",
    "cut deflate": deflated(bytes(100))[:-2],
    "more behind": deflated(b"") + b"x",
    "broken LZMA": b"\2\xff\xff",
    "cut LZMA": packed(bytes(100))[:-3],
    "bomb": deflated(bytes(LARGEST_BODY + 1)),
    "bomb of LZMA": packed(bytes(LARGEST_BODY + 1)),
    "numbers without end": deflated(b"\0\1\1\x11\x80\x80\x80\1" + bytes(1 << 21)),
    "values that grow": packed(b"\0\1\1\x24" + b"\xff\xff\xff\x03" + bytes(1 << 23)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_sections_are_refused_in_bounded_memory(data: bytes) -> None:
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(PayloadDamaged, match="metadata"):
        read_metadata([Section(SectionKind.METADATA, 0, 0, b"\0" + data)])
    assert tracemalloc.get_traced_memory()[1] < 4 * LARGEST_BODY
    tracemalloc.stop()
    assert time.perf_counter() - started < 5


def test_unknown_flags_are_refused() -> None:
    with pytest.raises(PayloadDamaged, match="metadata"):
        read_metadata([Section(SectionKind.METADATA, 0, 0, b"\4\0")])


@given(st.binary(max_size=60), st.integers(0, 2))
@settings(deadline=None)
def test_any_bytes_are_metadata_or_damage(data: bytes, method: int) -> None:
    whole = {0: b"\0" + data, 1: deflated(data), 2: packed(data)}[method]
    try:
        told = unpack_entries(whole, big_endian=False)
    except ValueError:
        return
    assert unpack_entries(pack_entries(told), big_endian=False) == told


def test_the_order_of_numbers_is_the_metadatas() -> None:
    little = of(Entry(Directory.EXIF, 33434, RATIONAL, struct.pack("<2I", 1, 60)))
    big = little.ordered(big_endian=True)
    assert big.numbers(33434, Directory.EXIF) == little.numbers(33434, Directory.EXIF) == (1 / 60,)
    assert big.entries[0].data == struct.pack(">2I", 1, 60)
    assert big.ordered(big_endian=False) == little
