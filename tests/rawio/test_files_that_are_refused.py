"""Every file either reads or is refused with one of our errors, in a sentence that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from rawback.errors import DamagedRaw, RawbackError, UnsupportedRaw
from rawback.metadata import TiffType
from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import Tag

from .random_damage import EDITS, Edit, read_or_refused

if TYPE_CHECKING:
    from pathlib import Path

BYTE, SHORT = TiffType.BYTE, TiffType.SHORT

Values = tuple[float, ...]
MakeTiff = Callable[..., bytes]
Samples = NDArray[np.uint16]

LINEAR = {Tag.PHOTOMETRIC: (SHORT, 34892)}


@pytest.mark.parametrize(
    ("planes", "changes", "kind"),
    [
        (1, {Tag.CFA_LAYOUT: (SHORT, 2)}, "staggered"),
        (1, {Tag.BITS_PER_SAMPLE: (SHORT, 32)}, "more than 16 bits"),
        (2, {}, "multi-shot"),
        (2, LINEAR, "linear DNG of 2 colours"),
        (4, LINEAR, "linear DNG of 4 colours"),
        (1, {Tag.COMPRESSION: (SHORT, 8), Tag.PREDICTOR: (SHORT, 7)}, "predictor 7"),
        (1, {Tag.COMPRESSION: (SHORT, 8), Tag.CFA_PATTERN: (BYTE, 9, 9, 9, 9)}, "its colours"),
    ],
)
def test_raws_of_other_kinds_are_named(
    make_tiff: MakeTiff, samples: Samples, planes: int, changes: dict[int, Values], kind: str
) -> None:
    image = samples if planes == 1 else np.dstack([samples] * planes)
    with pytest.raises(UnsupportedRaw, match=f"{kind}.*not supported: (use|convert)"):
        read_raw(make_tiff(image, changes))


def test_pixel_shift_is_named(make_tiff: MakeTiff, samples: Samples) -> None:
    with pytest.raises(UnsupportedRaw, match="multi-shot"):
        read_raw(make_tiff(samples, shots=2))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(200), "a JPEG image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "a PNG image"),
        (b"\0\0\0\x18ftypheic" + bytes(12), "a HEIF image"),
        (b"FOVb" + bytes(200), "a Foveon raw"),
        (b"What a fine day. " * 20, "no raw file that LibRaw knows"),
    ],
)
def test_files_that_are_no_raws_are_named(data: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedRaw, match=f"this file is {kind}"):
        read_raw(data)


def test_a_tiff_that_is_no_raw_is_refused(make_tiff: MakeTiff, samples: Samples) -> None:
    changes = {Tag.PHOTOMETRIC: (SHORT, 2), Tag.DNG_VERSION: None}
    with pytest.raises(UnsupportedRaw, match="no raw file that LibRaw knows"):
        read_raw(make_tiff(np.dstack([samples] * 3), changes))


@pytest.mark.parametrize("compression", ["none", "ljpeg"])
def test_a_dng_that_lacks_a_byte_is_refused(
    make_tiff: MakeTiff, samples: Samples, compression: str
) -> None:
    frame = read_raw(make_tiff(samples))
    whole = write_dng(frame, compression="ljpeg" if compression == "ljpeg" else "none")
    read_raw(whole)
    for length in (len(whole) - 1, len(whole) // 2, 1000, 9, 5):
        with pytest.raises(DamagedRaw, match="cut or damaged"):
            read_raw(whole[:length])


def test_a_cut_iso_media_raw_is_refused() -> None:
    header = b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"
    with pytest.raises(DamagedRaw, match="cut or damaged"):
        read_raw(header + b"\0\0\1\0mdat" + bytes(100))


def test_senseless_levels_are_damage(make_tiff: MakeTiff, samples: Samples) -> None:
    with pytest.raises(DamagedRaw):
        read_raw(make_tiff(samples, {Tag.BLACK_LEVEL: (SHORT, 5000)}))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(RawbackError):
        read_raw(b"")


@pytest.mark.parametrize("name", ["absent.dng", ".", "nul\0.dng"])
def test_files_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(RawbackError, match=r"cannot be read \(.*\): check the path"):
        read_raw(f"{tmp_path}/{name}")


@pytest.mark.parametrize("compression", [8, 34892, 52546])
def test_image_data_that_is_no_such_stream_is_damage(
    make_tiff: MakeTiff, samples: Samples, compression: int
) -> None:
    with pytest.raises(DamagedRaw):
        read_raw(make_tiff(samples, {Tag.COMPRESSION: (SHORT, compression)}))


def test_an_image_of_missing_chunks_is_damage(make_tiff: MakeTiff, samples: Samples) -> None:
    changes = {Tag.COMPRESSION: (SHORT, 8), Tag.ROWS_PER_STRIP: (SHORT, 8)}
    with pytest.raises(DamagedRaw):
        read_raw(make_tiff(samples, changes))


def test_an_image_that_no_memory_holds_is_refused(make_tiff: MakeTiff, samples: Samples) -> None:
    sides = dict.fromkeys((Tag.IMAGE_WIDTH, Tag.IMAGE_LENGTH, Tag.ROWS_PER_STRIP), (SHORT, 65535))
    with pytest.raises(RawbackError, match="too large"):
        read_raw(make_tiff(samples, {Tag.COMPRESSION: (SHORT, 8), **sides}))


@settings(max_examples=200, deadline=None)
@given(edits=EDITS)
def test_a_file_with_random_damage_reads_or_raises_our_error(
    make_tiff: MakeTiff,
    samples: Samples,
    edits: list[Edit],
) -> None:
    read_or_refused(make_tiff(samples), edits)
