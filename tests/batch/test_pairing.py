"""Raws and JPEGs find each other by name and time, and nothing is guessed."""

from __future__ import annotations

import os
import zlib
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import rawback
from rawback import rawio
from rawback.batch.capture import UNKNOWN, Capture, jpeg_capture, raw_capture
from rawback.metadata import Directory, Metadata
from rawback.rawio.describe import ascii_entry
from rawback.types import NoiseModel, RawFrame

if TYPE_CHECKING:
    from pathlib import Path

NOON, LATER = "2024:05:31 12:00:00", "2024:05:31 12:00:07"


def write_raw(path: Path, second: str = "", fraction: str = "", model: str = "R1") -> None:
    tags = {36867: second, 37521: fraction}
    # No two are the same to the last byte, and none shows anything.
    cfa = np.full((16, 16), 600, np.uint16)
    cfa[0, 0] += zlib.crc32(os.fsencode(path)) % 32
    frame = RawFrame(
        cfa=cfa,
        pattern="RGGB",
        black=(0.0, 0.0, 0.0, 0.0),
        white=1023,
        neutral=(0.5, 1.0, 0.5),
        color_matrix=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        noise=NoiseModel(1e-4, 1e-6),
        make="Maker",
        model=model,
        metadata=Metadata(
            tuple(ascii_entry(tag, text, Directory.EXIF) for tag, text in tags.items() if text)
        ),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rawio.write_dng(frame))


def write_jpeg(path: Path, second: str = "", fraction: str = "", model: str = "R1") -> None:
    exif = Image.Exif()
    if second:
        exif[272] = model
        exif.get_ifd(0x8769)[36867] = second
        if fraction:
            exif.get_ifd(0x8769)[37521] = fraction
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16)).save(path, "JPEG", exif=exif)


def make(folder: Path, *files: str) -> None:
    """Files from words: a path, then ``@time``, ``.fraction`` and ``+model`` as far as known."""
    for file in files:
        name, *words = file.split("|")
        writer = write_jpeg if name.lower().endswith((".jpg", ".jpeg")) else write_raw
        writer(folder / name, *words)


def paired(pairing: rawback.Pairing, folder: Path) -> dict[str, str]:
    return {
        str(pair.jpeg.relative_to(folder)): str(pair.raw.relative_to(folder))
        for pair in pairing.pairs
    }


CASES: dict[str, tuple[list[str], dict[str, str]]] = {
    "by name": (["a.dng", "a.jpg", "b.nef", "b.JPG"], {"a.jpg": "a.dng", "b.JPG": "b.nef"}),
    "upper and lower case": (["IMG.CR2", "img.jpg"], {"img.jpg": "IMG.CR2"}),
    "with the raw's ending": (["a.CR2", "a.CR2.jpg"], {"a.CR2.jpg": "a.CR2"}),
    "darktable's duplicates": (
        ["a.dng", "a.jpg", "a_01.jpg", "a_12.jpg"],
        {"a.jpg": "a.dng", "a_01.jpg": "a.dng", "a_12.jpg": "a.dng"},
    ),
    "a name that looks like a duplicate's": (
        ["a.dng", "a_01.dng", "a_01.jpg"],
        {"a_01.jpg": "a_01.dng"},
    ),
    "three digits are no duplicate's": (["a.dng", "a_001.jpg"], {}),
    "the folder beside it": (["raw/a.dng", "jpeg/a.jpg"], {"jpeg/a.jpg": "raw/a.dng"}),
    "the same folder first": (
        ["x/a.dng", "x/a.jpg", "y/a.dng", "y/a.jpg"],
        {"x/a.jpg": "x/a.dng", "y/a.jpg": "y/a.dng"},
    ),
    "the moment before the folder": (
        [f"x/a.dng|{NOON}", f"y/a.dng|{LATER}", f"x/a.jpg|{LATER}"],
        {"x/a.jpg": "y/a.dng"},
    ),
    "counters that began again": (
        [f"100/a.dng|{NOON}", f"101/a.dng|{LATER}", f"out/a.jpg|{LATER}"],
        {"out/a.jpg": "101/a.dng"},
    ),
    "fractions of a second": (
        [f"x/a.dng|{NOON}|10", f"y/a.dng|{NOON}|45", f"out/a.jpg|{NOON}|450"],
        {"out/a.jpg": "y/a.dng"},
    ),
    "renamed": (
        [f"a.dng|{NOON}", f"b.dng|{LATER}", f"holiday.jpg|{LATER}"],
        {"holiday.jpg": "b.dng"},
    ),
    "renamed, another camera": (
        [f"a.dng|{NOON}||R1", f"b.dng|{NOON}||R2", f"holiday.jpg|{NOON}||R2"],
        {"holiday.jpg": "b.dng"},
    ),
    "a name of another raw, and its own by time": (
        [f"a.dng|{NOON}", f"b.dng|{LATER}", f"a.jpg|{LATER}"],
        {"a.jpg": "b.dng"},
    ),
    "times that nobody knows": ([f"a.dng|{NOON}", "a.jpg"], {"a.jpg": "a.dng"}),
}


@pytest.mark.parametrize("case", CASES)
def test_pairs(case: str, tmp_path: Path) -> None:
    files, expected = CASES[case]
    make(tmp_path, *files)
    pairing = rawback.pair_up([tmp_path], recursive=True)
    assert paired(pairing, tmp_path) == expected
    assert pairing.ambiguous == ()
    jpegs = [name for name in files if name.split("|")[0].lower().endswith(".jpg")]
    assert len(pairing.jpegs) == len(jpegs) - len(expected)


AMBIGUOUS: dict[str, tuple[list[str], int, str]] = {
    "two raws in one folder": (["a.CR2", "a.dng", "a.jpg"], 2, "2 raws"),
    "two folders, neither the JPEG's": (["x/a.dng", "y/a.dng", "out/a.jpg"], 2, "2 raws"),
    "a name that misleads": ([f"a.dng|{NOON}", f"a.jpg|{LATER}"], 1, "another time"),
    "another camera's": ([f"a.dng|{NOON}||R1", f"a.jpg|{NOON}||R2"], 1, "another camera"),
    "a burst without fractions": (
        [f"a.dng|{NOON}", f"b.dng|{NOON}", f"holiday.jpg|{NOON}"],
        2,
        "2 raws",
    ),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_what_is_ambiguous_is_listed_and_not_guessed(case: str, tmp_path: Path) -> None:
    files, raws, why = AMBIGUOUS[case]
    make(tmp_path, *files)
    pairing = rawback.pair_up([tmp_path], recursive=True)
    assert pairing.pairs == ()
    (item,) = pairing.ambiguous
    assert len(item.raws) == raws
    assert why in item.why
    assert item.jpeg.suffix == ".jpg"
    assert pairing.raws == ()


def test_the_same_folder_below_another_source(tmp_path: Path) -> None:
    make(tmp_path, "raw/may/a.dng", "raw/june/a.dng", "jpeg/may/a.jpg", "jpeg/june/a.jpg")
    pairing = rawback.pair_up([tmp_path / "raw", tmp_path / "jpeg"], recursive=True)
    assert paired(pairing, tmp_path) == {
        "jpeg/may/a.jpg": "raw/may/a.dng",
        "jpeg/june/a.jpg": "raw/june/a.dng",
    }
    assert {pair.subfolders for pair in pairing.pairs} == {("may",), ("june",)}


def test_everything_is_accounted_for(tmp_path: Path) -> None:
    make(tmp_path, "a.dng", "a.jpg", "a.rawback.jpg", "alone.dng", "only.jpg", "sub/deep.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "a.jpg_original").write_bytes(b"")
    (tmp_path / ".hidden.jpg").write_bytes(b"")
    flat = rawback.pair_up([tmp_path, tmp_path / "a.dng"])
    assert paired(flat, tmp_path) == {"a.jpg": "a.dng"}
    assert [path.name for path in flat.raws] == ["alone.dng"]
    assert [path.name for path in flat.jpegs] == ["only.jpg"]
    assert [path.name for path in flat.carriers] == ["a.rawback.jpg"]
    assert sorted(path.name for path in flat.ignored) == ["a.jpg_original", "notes.txt"]
    deep = rawback.pair_up([tmp_path], recursive=True)
    assert [path.name for path in deep.jpegs] == ["only.jpg", "deep.jpg"]


def test_links_do_not_lead_in_circles(tmp_path: Path) -> None:
    make(tmp_path, "a.dng", "a.jpg")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert len(rawback.pair_up([tmp_path], recursive=True).pairs) == 1


def test_names_that_are_no_text(tmp_path: Path) -> None:
    raw, jpeg = (os.fsdecode(b"\xff -\n" + end) for end in (b".dng", b".jpg"))
    write_raw(tmp_path / raw)
    write_jpeg(tmp_path / jpeg)
    pairing = rawback.pair_up([tmp_path])
    assert [pair.raw for pair in pairing.pairs] == [tmp_path / raw]
    assert "\udcff" not in str(pairing.as_dict())


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(rawback.RawbackError, match="missing is not there"):
        rawback.pair_up([tmp_path / "missing"])
    with pytest.raises(rawback.RawbackError, match=r"cannot be reached|is not there"):
        rawback.pair_up(["a\0b"])


def test_moments_are_read(tmp_path: Path) -> None:
    write_raw(tmp_path / "a.dng", NOON, "1200")
    write_jpeg(tmp_path / "a.jpg", NOON, "12")
    noon = datetime(2024, 5, 31, 12)
    assert raw_capture(tmp_path / "a.dng") == Capture(noon, "1200", None, "Maker", "R1")
    assert jpeg_capture(tmp_path / "a.jpg") == Capture(noon, "12", None, "", "R1")
    write_jpeg(tmp_path / "a.jpg", "0000:00:00 00:00:00")
    assert jpeg_capture(tmp_path / "a.jpg").second is None
    whole = (tmp_path / "a.dng").read_bytes()
    for broken in (
        b"",
        b"II*\0",
        whole[:50],
        b"\xff\xd8\xff\xe1\0\x10Exif\0\0II*\0\xff\xff\xff\xff",
    ):
        (tmp_path / "broken").write_bytes(broken)
        assert not raw_capture(tmp_path / "broken").second
        assert jpeg_capture(tmp_path / "broken") == UNKNOWN
    for read in (raw_capture, jpeg_capture):
        with pytest.raises(rawback.RawbackError, match=r"missing cannot be read \(No such file"):
            read(tmp_path / "missing")
