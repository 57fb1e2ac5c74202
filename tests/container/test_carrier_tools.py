"""Payloads in real JPEGs that other software reads and rewrites; each is skipped where absent."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from functools import cache
from hashlib import shake_128
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from rawback.container import embed_payload, extract_payload, remove_payload
from rawback.jpeg_segments import APP2, APP11, APPLICATION, segment, walk

PAYLOAD = shake_128(b"payload").digest(300_000)


def tool(*names: str) -> str:
    """Path of the first of these programs that is installed."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    pytest.skip(f"{names[0]} is not installed")


def run(*command: str | Path) -> bytes:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout


@cache
def picture() -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.radial_gradient("L").resize((96, 64)).convert("RGB")
    data = io.BytesIO()
    image.save(data, "JPEG", quality=90, exif=exif, icc_profile=profile)
    return data.getvalue()


def picture_pair() -> bytes:
    """A JPEG with a second one behind it and a multi-picture index (CIPA DC-007, 5.2.3)."""
    first, second = picture(), picture()
    entries = struct.Struct(">IIIHH")
    tags = [(0xB000, 7, 4, b"0100"), (0xB001, 4, 1, b"\0\0\0\2"), (0xB002, 7, 32, b"\0\0\0\x32")]
    fields = b"".join(struct.pack(">HHI", *tag[:3]) + tag[3] for tag in tags)
    place = next(item.start for item in walk(first) if item.marker not in APPLICATION)
    size = 4 + 50 + 32 + 4
    offset = len(first) + size - (place + 8)
    index = (
        b"MPF\0MM\0*\0\0\0\x08\0\3"
        + fields
        + bytes(4)
        + entries.pack(0x20030000, len(first) + size, 0, 0, 0)
        + entries.pack(0, len(second), offset, 0, 0)
    )
    return first[:place] + segment(APP2, index) + first[place:] + second


@pytest.fixture
def carried(tmp_path: Path) -> Path:
    path = tmp_path / "carried.jpg"
    path.write_bytes(embed_payload(picture(), PAYLOAD))
    return path


def test_pillow_sees_the_same_pixels() -> None:
    plain = picture()
    with (
        Image.open(io.BytesIO(plain)) as before,
        Image.open(io.BytesIO(embed_payload(plain, PAYLOAD))) as after,
    ):
        assert before.tobytes() == after.tobytes()
        assert before.info["icc_profile"] == after.info["icc_profile"]
        assert before.getexif()[0x0110] == after.getexif()[0x0110]


def test_exiftool_lists_and_extracts_the_box(carried: Path) -> None:
    exiftool = tool("exiftool")
    listed = run(exiftool, "-G", "-s", "-JUMBF:all", carried).decode()
    assert "JUMDLabel                       : rawback" in listed
    assert "RawbackData                     : (Binary data 300000 bytes" in listed
    assert run(exiftool, "-b", "-JUMBF:BinaryData", "-RawbackData", carried) == PAYLOAD
    assert b"JUMBF" not in run(exiftool, "-validate", "-warning", "-a", carried)


def test_exiftool_rewrites(carried: Path) -> None:
    run(tool("exiftool"), "-overwrite_original", "-Artist=somebody", carried)
    assert extract_payload(carried.read_bytes()) == PAYLOAD


def test_exiv2_rewrites(carried: Path) -> None:
    run(tool("exiv2"), "-M", "set Exif.Image.Artist Ascii somebody", carried)
    assert extract_payload(carried.read_bytes()) == PAYLOAD


def test_jpegtran_rewrites(carried: Path) -> None:
    run(tool("jpegtran"), "-copy", "all", "-progressive", "-outfile", f"{carried}.jpg", carried)
    assert extract_payload(Path(f"{carried}.jpg").read_bytes()) == PAYLOAD


@pytest.mark.parametrize("others", [0, 1, 1000, 65_520])
def test_imagemagick_joins_and_splits_anew(tmp_path: Path, others: int) -> None:
    # "convert" and "magick" may be other programs; these names are Debian's for ImageMagick 6, 7.
    convert = tool("convert-im6.q16", "convert-im7.q16", "magick-im7.q16")
    plain = picture()
    before = b"JP\0\1\0\0\0\1" + (8 + others).to_bytes(4, "big") + b"jumb" + bytes(others)
    for body in (before[:65_533], b"HDR_RI"):
        plain = plain[:2] + segment(APP11, body) + plain[2:]
    carried, changed = tmp_path / "carried.jpg", tmp_path / "changed.jpg"
    carried.write_bytes(embed_payload(plain, PAYLOAD))
    run(convert, carried, changed)
    jpeg = changed.read_bytes()
    sizes = [item.end - item.body for item in walk(jpeg) if item.marker == APP11]
    assert sizes[:-1] == [65_533] * (len(sizes) - 1)
    assert extract_payload(jpeg) == PAYLOAD
    left = [item for item in walk(remove_payload(jpeg)) if item.marker == APP11]
    assert sum(item.end - item.body for item in left) == len(before[:65_533]) + len(b"HDR_RI")


def test_further_pictures_are_found(tmp_path: Path) -> None:
    pair = picture_pair()
    carried = embed_payload(pair, PAYLOAD)
    with Image.open(io.BytesIO(carried)) as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("MPO", 2)
        image.seek(1)
        second = image.tobytes()
    with Image.open(io.BytesIO(picture())) as alone:
        assert second == alone.tobytes()
    assert remove_payload(carried) == pair
    path = tmp_path / "pair.jpg"
    path.write_bytes(carried)
    assert run(tool("exiftool"), "-b", "-MPImage2", path) == picture()
