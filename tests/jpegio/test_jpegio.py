from __future__ import annotations

import hashlib
import io
import struct
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from rawback.errors import DamagedCarrier, RawbackError, UnsupportedCarrier
from rawback.jpegio import decode_jpeg, pixel_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray


def texture(height: int = 93, width: int = 131) -> NDArray[np.uint8]:
    random = np.random.default_rng(1)
    walk = np.cumsum(random.normal(size=(height, width, 3)), axis=1) * 5 + 120
    return walk.clip(0, 255).astype(np.uint8)


def jpeg(pixels: NDArray[np.uint8], **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def after_soi(data: bytes, segment: bytes) -> bytes:
    return data[:2] + segment + data[2:]


def exif(orientation: int, order: str) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    ifd = struct.pack(f"{order}IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + mark + ifd
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def with_frame_byte(data: bytes, offset: int, value: int) -> bytes:
    at = data.index(b"\xff\xc0") + offset
    return data[:at] + bytes([value]) + data[at + 1 :]


CARRIERS: list[tuple[str, dict[str, Any]]] = [
    ("plain", {"quality": 92}),
    ("full chroma", {"subsampling": 0}),
    ("half chroma", {"subsampling": 1}),
    ("progressive", {"progressive": True}),
    ("restarts", {"restart_marker_rows": 1}),
    ("optimised", {"optimize": True, "quality": 30}),
]


@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("options", [row[1] for row in CARRIERS], ids=[row[0] for row in CARRIERS])
class TestSupportedKinds:
    def test_pixels_are_those_pillow_opens(self, options: dict[str, Any], grey: bool) -> None:
        data = jpeg(texture()[..., 0] if grey else texture(), **options)
        with Image.open(io.BytesIO(data)) as image:
            expected = np.asarray(image.convert("RGB"))
        carrier = decode_jpeg(data)
        assert carrier.pixels.dtype == np.uint8
        assert not carrier.pixels.flags.writeable
        np.testing.assert_array_equal(carrier.pixels, expected)

    def test_cut_anywhere_is_damaged(self, options: dict[str, Any], grey: bool) -> None:
        data = jpeg(texture()[..., 0] if grey else texture(), **options)
        for length in range(2, len(data), 173):
            with pytest.raises(DamagedCarrier, match=r"again\.$"):
                decode_jpeg(data[:length])


def test_scan_that_ends_early_is_damaged_in_spite_of_an_end_marker() -> None:
    data = jpeg(texture())
    start = data.index(b"\xff\xda")
    for length in range(start + 20, len(data) - 40, 211):
        with pytest.raises(DamagedCarrier, match="missing"):
            decode_jpeg(data[:length] + b"\xff\xd9")


@pytest.mark.parametrize("stray", [b"\0", b"junk", b"\0" * 300])
def test_bytes_between_segments_are_stepped_over(stray: bytes) -> None:
    data = jpeg(texture())
    table = data.index(b"\xff\xdb")
    untidy = data[:table] + stray + data[table:]
    with Image.open(io.BytesIO(untidy)) as image:
        expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(decode_jpeg(untidy).pixels, expected)


def test_picture_that_truly_ends_in_grey_is_whole() -> None:
    pixels = texture()
    pixels[-32:] = 128
    assert (decode_jpeg(jpeg(pixels, subsampling=0)).pixels[-1] == 128).all()


def test_missing_progressive_scans_are_damage() -> None:
    data = jpeg(texture(), progressive=True)
    first = data.index(b"\xff\xda")
    with pytest.raises(DamagedCarrier, match="missing"):
        decode_jpeg(data[:first] + b"\xff\xd9")


def test_strict_even_where_an_application_made_pillow_lenient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = jpeg(texture())
    table = data.index(b"\xff\xc4")
    broken = data[: table + 5] + b"\xff" * 16 + data[table + 21 :]
    for bad in (broken, data[:-200]):
        with pytest.raises(DamagedCarrier):
            decode_jpeg(bad)


def test_bytes_after_the_image_are_ignored() -> None:
    data = jpeg(texture())
    np.testing.assert_array_equal(
        decode_jpeg(data + b"\xff\xd8\xff\xe1 a second image").pixels, decode_jpeg(data).pixels
    )


def test_metadata_never_reaches_the_decoder() -> None:
    data = jpeg(texture())
    hostile = b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(body)) + body
        for marker, body in [
            (0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
            (0xE1, b"Exif\0\0MM\0*" + b"\0\0\0\x08\xff\xff"),
            (0xE2, b"ICC_PROFILE\0\x01\x01junk"),
            (0xE2, b"MPF\0junk"),
            (0xED, b"Photoshop 3.0\0\x38BIM\xff\xff\xff"),
            (0xFE, b"\xff" * 40),
        ]
    )
    carrier = decode_jpeg(after_soi(data, hostile))
    np.testing.assert_array_equal(carrier.pixels, decode_jpeg(data).pixels)
    assert carrier.orientation == 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(10))
def test_orientation_is_read_but_not_applied(orientation: int, order: str) -> None:
    data = jpeg(texture())
    carrier = decode_jpeg(after_soi(data, exif(orientation, order)))
    assert carrier.orientation == (orientation if 1 <= orientation <= 8 else 1)
    np.testing.assert_array_equal(carrier.pixels, decode_jpeg(data).pixels)


def test_cmyk_is_unsupported() -> None:
    buffer = io.BytesIO()
    Image.fromarray(texture()).convert("CMYK").save(buffer, "JPEG")
    with pytest.raises(UnsupportedCarrier, match="is CMYK and cannot carry a raw; save it"):
        decode_jpeg(buffer.getvalue())


@pytest.mark.parametrize(
    ("offset", "value", "sentence"),
    [
        (1, 0xC3, "is lossless"),
        (1, 0xC9, "is arithmetic-coded"),
        (1, 0xCA, "is arithmetic-coded"),
        (1, 0xC5, "is hierarchical"),
        (4, 12, "has 12 bits"),
    ],
)
def test_other_kinds_are_unsupported(offset: int, value: int, sentence: str) -> None:
    data = with_frame_byte(jpeg(texture()), offset, value)
    with pytest.raises(
        UnsupportedCarrier, match=f"^The JPEG {sentence} and cannot carry a raw; save it"
    ):
        decode_jpeg(data)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"II*\0", b"\xff"])
def test_no_jpeg_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedCarrier, match="not a JPEG"):
        decode_jpeg(data)


def test_bombs_are_refused_before_memory_is_asked_for() -> None:
    data = jpeg(texture())
    at = data.index(b"\xff\xc0") + 5
    with pytest.raises(DamagedCarrier, match="missing"):
        decode_jpeg(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
    filled = data[:at] + b"\xff\xff\xff\xff" + data[at + 4 : -2] + b"\x55" * (9 << 20) + b"\xff\xd9"
    with pytest.raises(UnsupportedCarrier, match="export it smaller"):
        decode_jpeg(filled)


def test_size_is_not_limited_by_pillow_nor_its_limit_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode_jpeg(jpeg(texture())).pixels.shape == (93, 131, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_digest_is_half_a_sha256_over_shape_and_pixels() -> None:
    pixels = texture(6, 4)
    expected = hashlib.sha256(bytes([0, 0, 0, 6, 0, 0, 0, 4]) + pixels.tobytes()).digest()[:16]
    assert pixel_digest(pixels) == expected
    assert pixel_digest(pixels[:, ::-1]) == pixel_digest(pixels[:, ::-1].copy()) != expected
    assert pixel_digest(pixels.reshape(4, 6, 3)) != expected


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_hostile_bytes_parse_or_raise_our_error(data: st.DataObject) -> None:
    good = bytearray(jpeg(texture(24, 24), progressive=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(2, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        carrier = decode_jpeg(bytes(good))
    except RawbackError:
        return
    assert carrier.pixels.ndim == 3
