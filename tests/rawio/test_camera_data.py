"""Names and Exif of raw formats that keep them in different places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rawback.errors import DamagedRaw
from rawback.rawio import read_raw
from rawback.rawio.exif import read_camera
from rawback.rawio.tags import Tag, TiffType
from rawback.rawio.tiff import read_ifds

ASCII, LONG, RATIONAL, SHORT = TiffType.ASCII, TiffType.LONG, TiffType.RATIONAL, TiffType.SHORT
MakeTiff = Callable[..., bytes]
Samples = NDArray[np.uint16]


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
    camera = read_camera(before + make_tiff(samples, {33434: (RATIONAL, 1, 60)}) + after)
    assert (camera.make, camera.model) == ("Acme", "One")
    assert camera.exif == {33434: (1, 60)}


@pytest.mark.parametrize(
    ("tag", "values", "expected"),
    [
        (33434, (RATIONAL, 0, 1), None),
        (33434, (RATIONAL, 1, 0), None),
        (33434, (RATIONAL, 1, 60, 1, 60), None),
        (34855, (SHORT, 0), None),
        (34855, (SHORT, 800, 800), 800),
        (37385, (SHORT, 0), 0),
        (42034, (RATIONAL, 24, 1, 70, 1, 0, 0, 0, 0), ((24, 1), (70, 1), (0, 0), (0, 0))),
        (315, (ASCII, *b"  \0"), None),
        (315, (ASCII, *b"Ada \0more"), "Ada"),
        (315, (ASCII, *"Zoë".encode("latin-1"), 0), "Zoë"),
        (315, (ASCII, *"写真".encode(), 0), "写真"),
        (37500, (ASCII, *b"maker note\0"), None),
        (34853, (LONG, 8), None),
    ],
)
def test_only_known_tags_with_a_value_are_carried(
    make_tiff: MakeTiff,
    samples: Samples,
    tag: int,
    values: tuple[float, ...],
    expected: object,
) -> None:
    assert read_camera(make_tiff(samples, {tag: values})).exif.get(tag) == expected


@pytest.mark.parametrize(
    "data", [b"", b"II*\0", b"MM\0*\0\0\0\x08", b"II*\0\xff\xff\xff\xff", b"x" * 99]
)
def test_what_is_no_tiff_has_no_directories(data: bytes) -> None:
    assert read_ifds(data) == ()
    assert read_camera(data).exif == {}


def test_a_directory_that_points_at_itself_is_read_once(
    make_tiff: MakeTiff, samples: Samples
) -> None:
    place = int.from_bytes(make_tiff(samples, {Tag.SUB_IFDS: (LONG, 0)})[4:8], "little")
    looped = make_tiff(samples, {Tag.SUB_IFDS: (LONG, place)})
    assert len(read_ifds(looped)) == 1


def test_a_cut_raw_that_is_no_dng_is_refused(make_tiff: MakeTiff, samples: Samples) -> None:
    changes = {Tag.DNG_VERSION: None, Tag.STRIP_BYTE_COUNTS: (LONG, 1 << 20)}
    with pytest.raises(DamagedRaw, match="cut or damaged"):
        read_raw(make_tiff(samples, changes))
