"""Which tags of a raw are taken, from where, and as what."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rawback.errors import DamagedRaw
from rawback.metadata import Directory, Metadata, TiffType
from rawback.rawio import read_metadata, read_raw, write_dng
from rawback.rawio.collect import LARGEST_METADATA
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import read_ifds

from .conftest import Tags, nested_dng

ASCII, BYTE, LONG, SHORT = TiffType.ASCII, TiffType.BYTE, TiffType.LONG, TiffType.SHORT
RATIONAL, SRATIONAL, UNDEFINED = TiffType.RATIONAL, TiffType.SRATIONAL, TiffType.UNDEFINED
FLOAT = TiffType.FLOAT
MakeTiff = Callable[..., bytes]
Samples = NDArray[np.uint16]

GAIN_MAPS = (UNDEFINED, *b"\0\0\0\1opcodes are big-endian")
EVERYWHERE: dict[str, Tags] = {
    "first": {
        Tag.ARTIST: (ASCII, *b"Ada\0"),
        Tag.COLOR_MATRIX_2: (SRATIONAL, *[1, 1] * 9),
        Tag.BLACK_LEVEL: (SHORT, 77),
        Tag.XMP: (BYTE, *b"<x/>"),
    },
    "raw": {Tag.OPCODE_LIST_2: GAIN_MAPS, Tag.DEFAULT_SCALE: (RATIONAL, 2, 1, 1, 1)},
    "exif": {
        33434: (RATIONAL, 1, 60),
        Tag.MAKER_NOTE: (UNDEFINED, *b"the maker's note"),
        Tag.DATE_TIME_ORIGINAL: (ASCII, *b"2024:05:31 17:02:09\0"),
        60000: (SHORT, 5, 6),
    },
    "gps": {1: (ASCII, *b"N\0"), 2: (RATIONAL, 48, 1, 0, 1, 0, 1)},
    "interoperability": {1: (ASCII, *b"R03\0")},
    "profile": {50936: (ASCII, *b"Vivid colours\0"), 50940: (FLOAT, 0.0, 0.0, 1.0, 1.0)},
}


@pytest.fixture
def dng(samples: Samples) -> Callable[..., bytes]:
    return lambda order="<", **more: nested_dng(samples, order, **{**EVERYWHERE, **more})


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_directory_of_a_dng_is_read(dng: Callable[..., bytes], order: str) -> None:
    metadata = read_metadata(dng(order))
    assert metadata.big_endian is (order == ">")
    assert metadata.text(Tag.ARTIST) == "Ada"
    assert metadata.numbers(Tag.COLOR_MATRIX_2) == (1,) * 9
    assert metadata.numbers(33434, Directory.EXIF) == (1 / 60,)
    assert metadata.integers(60000, Directory.EXIF) == (5, 6)
    assert metadata.numbers(2, Directory.GPS) == (48, 0, 0)
    assert metadata.text(1, Directory.INTEROPERABILITY) == "R03"
    assert metadata.text(50936, Directory.PROFILE) == "Vivid colours"
    assert metadata.numbers(50940, Directory.PROFILE) == (0, 0, 1, 1)
    opcodes = metadata.get(Tag.OPCODE_LIST_2)
    assert opcodes is not None
    assert (opcodes.type, opcodes.data) == (UNDEFINED, bytes(GAIN_MAPS[1:]))


def test_what_the_raws_directory_says_counts_more(dng: Callable[..., bytes]) -> None:
    assert read_metadata(dng()).integers(Tag.BLACK_LEVEL) == (256,)


def test_structure_is_left_out(dng: Callable[..., bytes]) -> None:
    metadata = read_metadata(dng())
    for tag in (Tag.IMAGE_WIDTH, Tag.STRIP_OFFSETS, Tag.SUB_IFDS, Tag.EXIF_IFD, Tag.COMPRESSION):
        assert tag not in metadata
    assert Tag.DNG_VERSION in metadata


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_of_it_is_written_again(dng: Callable[..., bytes], order: str) -> None:
    before = dng(order)
    after = write_dng(read_raw(before))
    assert after[:2] == before[:2]
    told, again = read_metadata(before), read_metadata(after)
    assert {*again.entries} >= {*told.entries}


def private(metadata: Metadata) -> bytes:
    entry = metadata.get(Tag.DNG_PRIVATE_DATA)
    assert entry is not None
    assert entry.type == BYTE
    return entry.data


@pytest.mark.parametrize("order", ["<", ">"])
def test_maker_notes_say_where_they_were(dng: Callable[..., bytes], order: str) -> None:
    data = dng(order)
    note = b"the maker's note"
    metadata = read_metadata(data)
    assert metadata.get(Tag.MAKER_NOTE, Directory.EXIF) is None
    mark, offset = data[:2], struct.pack(">I", data.index(note))
    size = struct.pack(">I", 6 + len(note))
    assert private(metadata) == b"Adobe\0MakN" + size + mark + offset + note


def test_maker_notes_that_may_be_moved_stay_what_they_are(dng: Callable[..., bytes]) -> None:
    first = {**EVERYWHERE["first"], Tag.MAKER_NOTE_SAFETY: (SHORT, 1)}
    metadata = read_metadata(dng(first=first))
    entry = metadata.get(Tag.MAKER_NOTE, Directory.EXIF)
    assert entry is not None
    assert entry.data == b"the maker's note"
    assert Tag.DNG_PRIVATE_DATA not in metadata


def test_private_data_of_a_dng_are_kept(dng: Callable[..., bytes]) -> None:
    first = {**EVERYWHERE["first"], Tag.DNG_PRIVATE_DATA: (BYTE, *b"Pentax\0something")}
    assert private(read_metadata(dng(first=first))) == b"Pentax\0something"


def test_a_version_that_only_compression_asks_for_is_not_asked_for_again(
    samples: Samples, make_tiff: MakeTiff
) -> None:
    newest = {Tag.DNG_BACKWARD_VERSION: (BYTE, 1, 7, 0, 0)}
    plain = read_metadata(make_tiff(samples, newest))
    assert plain.integers(Tag.DNG_BACKWARD_VERSION) == (1, 7, 0, 0)
    jpeg_xl = read_metadata(make_tiff(samples, {**newest, Tag.COMPRESSION: (SHORT, 52546)}))
    assert jpeg_xl.integers(Tag.DNG_BACKWARD_VERSION) == (1, 4, 0, 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom\0\0\0\0CMT1", b"CMT2 no TIFF"),
        (b"FUJIFILMCCD-RAW 0201\xff\xd8\xff\xe1\0\0Exif\0\0", b"\xff\xd9"),
        (b"\0MRM\0\0\0\0\0TTW\0\0\0\0", b"\0"),
    ],
    ids=["TIFF", "CR3", "RAF", "MRW"],
)
def test_names_are_found_in_every_container(
    make_tiff: MakeTiff, samples: Samples, before: bytes, after: bytes
) -> None:
    other = {Tag.DNG_VERSION: None, 33434: (RATIONAL, 1, 60), 300: (SHORT, 1)}
    metadata = read_metadata(before + make_tiff(samples, other) + after)
    assert (metadata.text(Tag.MAKE), metadata.text(Tag.MODEL)) == ("Acme", "One")
    assert metadata.numbers(33434) == (1 / 60,)
    # Tags that nobody knows describe the format's own structure.
    assert 300 not in metadata
    assert Tag.AS_SHOT_NEUTRAL not in metadata


@pytest.mark.parametrize(
    "data", [b"", b"II*\0", b"MM\0*\0\0\0\x08", b"II*\0\xff\xff\xff\xff", b"x" * 99]
)
def test_what_is_no_tiff_has_no_directories(data: bytes) -> None:
    assert read_ifds(data) == ()
    assert read_metadata(data) == Metadata()


def test_a_directory_that_points_at_itself_is_read_once(
    make_tiff: MakeTiff, samples: Samples
) -> None:
    place = int.from_bytes(make_tiff(samples, {Tag.SUB_IFDS: (LONG, 0)})[4:8], "little")
    looped = make_tiff(samples, {Tag.SUB_IFDS: (LONG, place)})
    assert len(read_ifds(looped)) == 1


def test_tags_that_share_their_values_do_not_multiply_them() -> None:
    """A file of a mebibyte that claims a thousand times that."""
    tags, size = 1000, 1 << 20
    entries = b"".join(
        struct.pack("<HHII", 60000 + k, UNDEFINED, size - 50000, 50000) for k in range(tags)
    )
    data = struct.pack("<2sHIH", b"II", 42, 8, tags + 1) + struct.pack("<HHII", 50706, 1, 4, 1)
    data = (data + entries).ljust(size, b"\0")
    metadata = read_metadata(data)
    assert sum(len(entry.data) for entry in metadata.entries) <= LARGEST_METADATA


def test_a_cut_raw_that_is_no_dng_is_refused(make_tiff: MakeTiff, samples: Samples) -> None:
    changes = {Tag.DNG_VERSION: None, Tag.STRIP_BYTE_COUNTS: (LONG, 1 << 20)}
    with pytest.raises(DamagedRaw, match="cut or damaged"):
        read_raw(make_tiff(samples, changes))


def ciff(*records: tuple[int, bytes], order: str = "<") -> bytes:
    """A CIFF file of one heap."""
    heap, table = bytearray(), bytearray(struct.pack(order + "H", len(records)))
    for tag, value in records:
        if tag & 0x4000:
            table += struct.pack(order + "H", tag) + value.ljust(8, b"\0")
        else:
            table += struct.pack(order + "HII", tag, len(value), len(heap))
            heap += value
    start = len(heap)
    body = bytes(heap + table) + struct.pack(order + "I", start)
    head = struct.pack(order + "2sI", b"II" if order == "<" else b"MM", 26) + b"HEAPCCDR"
    return head.ljust(26, b"\0") + body


@pytest.mark.parametrize("order", ["<", ">"])
def test_records_of_a_crw_are_kept_as_adobe_does(order: str) -> None:
    inner = ciff((0x0805, b"a comment\0"), order=order)[26:]
    data = ciff(
        (0x080A, b"Canon\0Canon EOS D30\0"),
        (0x4000 | 0x1804, b"\1\2\3\4\5\6\7\10"),
        (0x2005, b"the picture"),
        (0x300A, inner),
        order=order,
    )
    metadata = read_metadata(data)
    assert (metadata.text(Tag.MAKE), metadata.text(Tag.MODEL)) == ("Canon", "Canon EOS D30")
    block = private(metadata)
    assert block.startswith(b"Adobe\0CRW ")
    assert block[14:18] == data[:2] + b"\0\3"
    assert b"a comment" in block
    assert b"the picture" not in block


def test_a_heap_within_itself_ends(samples: Samples) -> None:
    data = bytearray(ciff((0x300A, b"")))
    # The record is the whole heap, which holds the record.
    size = len(data) - 26
    data[26:36] = struct.pack("<HHII", 1, 0x300A, size, 0)[:10]
    read_metadata(bytes(data))


def test_real_crw_notes_are_listed_by_name(real_data: object) -> None:
    frame = read_raw(f"{real_data}/real/canon_g2_0304.crw")
    assert frame.model == "Canon PowerShot G2"
    assert private(frame.metadata).startswith(b"Adobe\0CRW ")
