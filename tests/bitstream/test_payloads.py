"""Payloads: what is written is read, what is cut is coarser, what is damaged is told."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback import bitstream
from rawback.bitstream import (
    FORMAT_VERSION,
    Header,
    Payload,
    Section,
    SectionKind,
    check_sections,
    cut,
    pack,
    section_offsets,
    unpack,
)
from rawback.bitstream.cbor import decode, encode
from rawback.bitstream.header import MAX_HEADER, read_header, write_header
from rawback.bitstream.varint import LIMIT, read_varint, write_varint
from rawback.errors import PayloadDamaged, PayloadTooNew, RateUnreachable, RawbackError

if TYPE_CHECKING:
    from rawback.bitstream.cbor import CborValue

HEADER = Header(
    tables=b"\x01\x23\x45\x67\x89\xab\xcd\xef",
    width=6000,
    height=4000,
    pattern="RGGB",
    black=(131072, 131072, 131072, 131072),
    white=16383,
    noise=((40000, -30), (50000, -40)),
    carrier_width=6000,
    carrier_height=4000,
    carrier_digest=bytes(range(16)),
)
TYPICAL = replace(HEADER, geometry=bytes(40), residual=bytes(22))
SECTIONS = (
    Section(SectionKind.BASE, 0, 0, b"base"),
    Section(SectionKind.RESIDUAL, 1, 0, b""),
    Section(SectionKind.RESIDUAL, 2, 300, bytes(200)),
)
PAYLOAD = Payload(TYPICAL, SECTIONS)

GOLDEN = bytes.fromhex(
    "7277626b02005bf95be7baaa01480123456789abcdef0219177003190fa004645247474205841a000200001a"
    "000200001a000200001a0002000006193fff098282199c40381d8219c35038270a1917700b190fa00c500001"
    "02030405060708090a0b0c0d0e0f0100000462617365ba5c0b23"
)


def four(values: Any) -> st.SearchStrategy[Any]:
    return st.tuples(values, values, values, values)


@st.composite
def headers(draw: st.DrawFn) -> Header:
    side = st.integers(2, 0xFFFF)
    mantissa = st.integers(1, (1 << 53) - 1)
    white = draw(st.integers(1, 0xFFFF))
    return Header(
        tables=draw(st.binary(min_size=8, max_size=8)),
        width=draw(side),
        height=draw(side),
        pattern=draw(st.sampled_from(["RGGB", "BGGR", "GRBG", "GBRG"])),
        black=draw(four(st.integers(0, 255))),
        white=white,
        ceiling=draw(st.sampled_from([0, *range(white + 1, 0x10000, 999)])),
        black_offsets=draw(st.binary(max_size=60)),
        noise=((draw(mantissa), -60), (draw(mantissa) - 1, -53)),
        carrier_width=draw(side),
        carrier_height=draw(side),
        carrier_digest=draw(st.binary(min_size=16, max_size=16)),
        orientation=draw(st.integers(1, 8)),
        geometry=draw(st.binary(max_size=60)),
        cfa_digest=draw(st.none() | st.binary(min_size=32, max_size=32)),
        residual=draw(st.binary(max_size=512)),
        extra=draw(
            st.dictionaries(
                st.integers(100, 0xFFFF), st.sampled_from([b"\x01", b"\x82\x01\x02"]), max_size=3
            )
        ),
        version=(2, draw(st.integers(0, 255))),
    )


index = st.integers(0, 300) | st.integers(0, LIMIT - 1)
sections = st.builds(Section, st.integers(0, 255), index, index, st.binary(max_size=300))
payloads = st.builds(Payload, headers(), st.lists(sections, max_size=5).map(tuple))


def test_surface() -> None:
    assert sorted(bitstream.__all__) == bitstream.__all__
    assert all(hasattr(bitstream, name) for name in bitstream.__all__)


def test_golden_payload() -> None:
    payload = Payload(HEADER, (Section(SectionKind.BASE, 0, 0, b"base"),))
    assert pack(payload) == GOLDEN
    assert unpack(GOLDEN) == payload


@given(payloads)
@settings(deadline=None)
def test_round_trip(payload: Payload) -> None:
    data = pack(payload)
    assert unpack(data) == payload
    assert section_offsets(payload)[-1] == len(data)
    assert all(report.intact for report in check_sections(data))


@given(st.binary(max_size=200), st.booleans())
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(tail: bytes, tolerate_cut: bool) -> None:
    for data in (tail, GOLDEN[:6] + tail, GOLDEN + tail):
        try:
            unpack(data, tolerate_cut=tolerate_cut)
            check_sections(data)
        except RawbackError:
            continue


@given(st.data())
@settings(deadline=None)
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    packed = bytearray(pack(PAYLOAD))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    if at == 5:
        return  # a minor version is legitimately another; its checksum is tested below
    with pytest.raises(PayloadDamaged):
        unpack(bytes(packed))


def test_the_checksum_covers_the_version() -> None:
    with pytest.raises(PayloadDamaged, match="checksum"):
        unpack(GOLDEN[:5] + b"\x01" + GOLDEN[6:])


def test_cut_at_every_byte() -> None:
    data = pack(PAYLOAD)
    offsets = section_offsets(PAYLOAD)
    for size in range(len(data) + 1):
        whole = sum(offset <= size for offset in offsets) - 1
        if whole < 0:
            with pytest.raises(PayloadDamaged):
                unpack(data[:size], tolerate_cut=True)
            with pytest.raises(RateUnreachable):
                cut(PAYLOAD, size)
            continue
        coarser = Payload(TYPICAL, SECTIONS[:whole])
        assert unpack(data[:size], tolerate_cut=True) == coarser
        assert cut(PAYLOAD, size) == coarser
        if size in offsets:
            assert unpack(data[:size]) == coarser
        else:
            with pytest.raises(PayloadDamaged, match="cut or broken"):
                unpack(data[:size])


def test_damage_is_located() -> None:
    data = bytearray(pack(PAYLOAD))
    offsets = section_offsets(PAYLOAD)
    data[offsets[0] + 5] ^= 1
    reports = check_sections(bytes(data))
    assert [report.intact for report in reports] == [False, True, True]
    assert [report.offset for report in reports] == list(offsets[:-1])
    assert [(item.kind, item.layer, item.tile) for item in reports[1:]] == [(3, 1, 0), (3, 2, 300)]
    assert unpack(bytes(data), tolerate_cut=True).sections == ()
    with pytest.raises(PayloadDamaged, match="Section 1 "):
        unpack(bytes(data))


def test_a_cut_section_is_reported_with_what_is_left_of_it() -> None:
    data = pack(PAYLOAD)[:-1]
    last = check_sections(data)[-1]
    assert (last.kind, last.layer, last.tile, last.intact) == (None, None, None, False)
    assert last.offset + last.size == len(data)


def test_unknown_kinds_are_kept() -> None:
    payload = Payload(HEADER, (Section(200, 0, 0, b"?"), *SECTIONS))
    assert unpack(pack(payload)) == payload


def test_a_typical_header_is_small() -> None:
    assert len(write_header(TYPICAL)) < 230


def frame(version: tuple[int, int], entries: CborValue) -> bytes:
    body = encode(entries)
    front = b"rwbk" + bytes(version) + write_varint(len(body))
    checksum: int = google_crc32c.value(front + body)
    return front + checksum.to_bytes(4, "big") + body


def fields_of(header: Header) -> dict[Any, Any]:
    return dict(cast("dict[Any, Any]", decode(write_header(header)[11:])))


def test_old_reads_new() -> None:
    newer = frame((2, 9), fields_of(HEADER) | {77: (1, "new"), 90: {1: b"x"}})
    header, _ = read_header(newer)
    assert header.extra == {77: b"\x82\x01\x63new", 90: b"\xa1\x01\x41x"}
    assert header.version == (2, 9)
    assert write_header(header) == newer


def test_new_reads_old() -> None:
    assert FORMAT_VERSION[0] == 2
    assert unpack(GOLDEN).header.version == (2, 0)


@pytest.mark.parametrize("version", [(3, 0), (255, 255)])
def test_newer_major_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(PayloadTooNew, match="update rawback"):
        unpack(b"rwbk" + bytes(version) + b"whatever a later format says")


@pytest.mark.parametrize("version", [(0, 1), (1, 0)])
def test_older_major_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(PayloadDamaged, match="never released"):
        unpack(frame(version, fields_of(HEADER)))


@pytest.mark.parametrize("key", [1, 2, 3, 4, 5, 6, 9, 10, 11, 12])
def test_required_fields(key: int) -> None:
    entries = fields_of(HEADER)
    del entries[key]
    with pytest.raises(PayloadDamaged, match="lacks"):
        unpack(frame((2, 0), entries))


IMPOSSIBLE = [
    ("tables", b"short"),
    ("width", 1),
    ("width", 65536),
    ("height", True),
    ("height", "4000"),
    ("pattern", "RGXB"),
    ("black", (0, 0, 0, 0, 0)),
    ("black", (0, 0, 0, 16383 << 8)),
    ("white", 65536),
    ("ceiling", 16383),
    ("ceiling", 65536),
    ("black_offsets", bytes(65536)),
    ("noise", ((0, 0), (1, -9))),
    ("noise", ((1, -9), (256, -8))),
    ("noise", ((1, 1), (1, -9))),
    ("carrier_width", 0),
    ("carrier_digest", bytes(15)),
    ("orientation", 9),
    ("geometry", bytes(65536)),
    ("cfa_digest", bytes(31)),
    ("residual", bytes(513)),
]


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_impossible_values_are_neither_written_nor_read(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="header"):
        replace(HEADER, **{name: value})
    key = next(item.metadata["key"] for item in fields(Header) if item.name == name)
    with pytest.raises(PayloadDamaged, match="header"):
        unpack(frame((2, 0), fields_of(HEADER) | {key: value}))


@pytest.mark.parametrize(
    "extra",
    [
        {2: b"\x01"},
        {99: b""},
        {99: b"\x01\x02"},
        {99: b"\xf9\x00\x00"},
        {99: bytes(1025)},
        {99: b"\x81" * 7 + b"\0"},
    ],
)
def test_extra_fields_are_bounded_too(extra: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="header"):
        replace(HEADER, extra=extra)


def test_foreign_versions_are_not_written() -> None:
    with pytest.raises(ValueError, match="version"):
        replace(HEADER, version=(3, 0))


def test_a_header_that_is_no_map_is_damaged() -> None:
    with pytest.raises(PayloadDamaged, match="map"):
        unpack(frame((2, 0), (1, 2)))


def test_the_largest_header_is_read_back() -> None:
    most = replace(
        HEADER,
        black_offsets=bytes(65535),
        geometry=bytes(65535),
        cfa_digest=bytes(32),
        extra={key: b"\x59\x03\xfd" + bytes(1021) for key in range(60000, 60032)},
    )
    data = write_header(most)
    assert len(data) < MAX_HEADER
    assert read_header(data) == (most, len(data))


def test_header_mappings_are_sealed() -> None:
    source = {99: b"\x02", 98: b"\x01"}
    header = replace(HEADER, extra=source)
    source[97] = b"\x03"
    assert dict(header.extra) == {98: b"\x01", 99: b"\x02"}
    with pytest.raises(TypeError):
        header.extra[97] = b"\x03"  # type: ignore[index]


@pytest.mark.parametrize(
    "values", [(-1, 0, 0, b""), (256, 0, 0, b""), (1, LIMIT, 0, b""), (1, 0, -1, b"")]
)
def test_sections_are_bounded(values: Any) -> None:
    with pytest.raises(ValueError, match="section"):
        Section(*values)


VARINTS = [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (LIMIT - 1, "ffffffff0f")]


@pytest.mark.parametrize(("value", "spelled"), VARINTS)
def test_varints(value: Any, spelled: str) -> None:
    data = bytes.fromhex(spelled)
    assert write_varint(value) == data
    assert read_varint(b"x" + data + b"y", 1) == (value, 1 + len(data))


@pytest.mark.parametrize("spelled", ["", "80", "8000", "ff80808000", "ffffffff10", "808080808001"])
def test_bad_varints(spelled: str) -> None:
    with pytest.raises(ValueError, match="number"):
        read_varint(bytes.fromhex(spelled), 0)


@pytest.mark.parametrize("value", [-1, LIMIT])
def test_varints_are_bounded(value: Any) -> None:
    with pytest.raises(ValueError, match="number"):
        write_varint(value)
