"""What is written as a DNG reads back the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rawback.errors import UnsupportedCarrier
from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import CARRIED, TiffType
from rawback.rawio.write import Compression
from rawback.types import BayerPattern, ExifValue, NoiseModel, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

# LibRaw refuses smaller mosaics.
SIDE = st.integers(22, 90)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
UNSIGNED, POSITIVE = st.integers(0, 2**32 - 1), st.integers(1, 2**32 - 1)
SIGNED = st.integers(-(2**31), 2**31 - 1)


def values_of(tag: int) -> st.SearchStrategy[Any]:
    kind, count = CARRIED[tag].type, CARRIED[tag].values
    match kind:
        case TiffType.ASCII:
            return TEXT
        case TiffType.RATIONAL if count > 1:
            return st.tuples(*[st.tuples(UNSIGNED, UNSIGNED)] * count)
        case TiffType.RATIONAL:
            return st.tuples(POSITIVE, POSITIVE)
        case TiffType.SRATIONAL:
            return st.tuples(SIGNED, st.integers(1, 2**31 - 1))
        case TiffType.SHORT:
            return st.integers(1, 0xFFFF)
        case _:
            return POSITIVE


CROP_TAGS = {50719, 50720}
EXIF = st.fixed_dictionaries(
    {}, optional={tag: values_of(tag) for tag in CARRIED if tag not in CROP_TAGS}
)


@st.composite
def frames(draw: st.DrawFn) -> RawFrame:
    height, width = draw(SIDE), draw(SIDE)
    depth = draw(st.integers(8, 16))
    samples = np.random.default_rng(draw(st.integers(0, 99)))
    white = draw(st.integers(2 ** (depth - 1), 2**depth - 1))
    levels = st.floats(0, white // 2, allow_subnormal=False)
    return RawFrame(
        cfa=samples.integers(0, 2**depth, (height, width)).astype(np.uint16),
        pattern=draw(st.sampled_from(get_args(BayerPattern))),
        black=draw(st.tuples(levels, levels, levels, levels)),
        white=white,
        neutral=(draw(st.floats(0.1, 10)), 1.0, draw(st.floats(0.1, 10))),
        color_matrix=draw(st.tuples(*[st.floats(-2, 2)] * 9).filter(invertible)),
        noise=NoiseModel(draw(st.floats(1e-7, 0.5)), draw(st.floats(0, 0.5))),
        orientation=draw(st.integers(1, 8)),
        make=draw(TEXT),
        model=draw(TEXT),
        unique_model=draw(TEXT),
        exif=draw(EXIF),
    )


def invertible(matrix: tuple[float, ...]) -> bool:
    return bool(np.linalg.cond(np.reshape(matrix, (3, 3))) < 1e4)


def assert_same(found: RawFrame, frame: RawFrame) -> None:
    np.testing.assert_array_equal(found.cfa, frame.cfa)
    assert (found.pattern, found.white) == (frame.pattern, frame.white)
    assert found.black == pytest.approx(frame.black, abs=1e-4)
    assert found.neutral == pytest.approx(frame.neutral, abs=1e-4)
    assert found.color_matrix == pytest.approx(frame.color_matrix, abs=1e-4)
    assert found.noise == frame.noise
    assert found.orientation == frame.orientation
    assert (found.make, found.model) == (frame.make, frame.model)
    assert found.unique_model == frame.unique_model
    assert dict(found.exif) == dict(frame.exif)


def frame_of(cfa: NDArray[np.uint16], exif: dict[int, ExifValue] | None = None) -> RawFrame:
    return RawFrame(
        cfa=cfa,
        pattern="GBRG",
        black=(64.0, 65.5, 66.0, 67.25),
        white=65535,
        neutral=(0.5, 1.0, 0.625),
        color_matrix=(0.7, -0.1, -0.1, -0.4, 1.2, 0.2, 0.0, 0.2, 0.6),
        noise=NoiseModel(1e-4, 1e-6),
        unique_model="Acme One",
        exif=exif or {},
    )


def random_cfa(height: int, width: int) -> NDArray[np.uint16]:
    return np.random.default_rng(3).integers(0, 65536, (height, width)).astype(np.uint16)


@settings(max_examples=60, deadline=None)
@given(frame=frames(), compression=st.sampled_from(get_args(Compression)))
@example(frame=frame_of(random_cfa(23, 41)), compression="none")
@example(frame=frame_of(random_cfa(41, 23)), compression="ljpeg")
def test_frames_read_back_the_same(frame: RawFrame, compression: Compression) -> None:
    assert_same(read_raw(write_dng(frame, compression=compression)), frame)


@pytest.mark.parametrize("width", [24, 255, 256, 500, 512, 513, 1000, 1023, 1024, 1025, 1536, 2048])
def test_tiles_of_any_width_read_back_the_same(width: int) -> None:
    frame = frame_of(random_cfa(530, width))
    assert_same(read_raw(write_dng(frame, compression="ljpeg")), frame)


@pytest.mark.parametrize(
    ("make", "model"),
    [
        ("Canon", "Canon EOS 5D Mark II"),
        ("FUJIFILM", "X-T3"),
        ("Hasselblad", "X1D"),
        ("LEICA CAMERA AG", "LEICA M MONOCHROM"),
        ("NIKON CORPORATION", "NIKON D850"),
        ("OLYMPUS CORPORATION", "E-M1"),
        ("Panasonic", "DC-GH5"),
        ("Phase One", "IQ180"),
        ("RICOH IMAGING COMPANY, LTD.", "PENTAX K-1"),
        ("SONY", "ILCE-7M3"),
        ("samsung", "SM-G998B"),
    ],
)
def test_no_camera_name_changes_what_is_read(make: str, model: str) -> None:
    """LibRaw keeps tables of crops and levels by name; a DNG's own tags must win."""
    frame = frame_of(random_cfa(64, 96))
    named = RawFrame(
        **{name: getattr(frame, name) for name in frame.__slots__} | {"make": make, "model": model}
    )
    assert_same(read_raw(write_dng(named)), named)


def test_a_default_crop_that_fits_is_kept_and_another_is_not() -> None:
    cfa = random_cfa(64, 96)
    fits: dict[int, ExifValue] = {50719: ((2, 1), (4, 1)), 50720: ((90, 1), (60, 1))}
    assert dict(read_raw(write_dng(frame_of(cfa, fits))).exif) == fits
    reaches_out: dict[int, ExifValue] = {**fits, 50720: ((95, 1), (60, 1))}
    assert dict(read_raw(write_dng(frame_of(cfa, reaches_out))).exif) == {}


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (37386, (-1, 1)),
        (34855, 70000),
        (34855, "100"),
        (33434, 7),
        (42036, 7),
        (42034, ((1, 1), (2, 1))),
        (37500, "a maker note"),
    ],
)
def test_tags_that_cannot_be_written_are_left_out(tag: int, value: ExifValue) -> None:
    assert not read_raw(write_dng(frame_of(random_cfa(24, 24), {tag: value}))).exif


def test_a_nameless_frame_is_written() -> None:
    frame = frame_of(random_cfa(24, 24))
    nameless = RawFrame(
        **{name: getattr(frame, name) for name in frame.__slots__} | {"unique_model": ""}
    )
    found = read_raw(write_dng(nameless))
    assert (found.make, found.model, found.unique_model) == ("", "", "Unknown camera")


@pytest.mark.parametrize(
    "preview", [b"not a JPEG", b"\xff\xd8\xff\xe0\0\4ab", b"\xff\xd8\xff\xc0\0\x0b\x08"]
)
def test_a_preview_that_is_no_jpeg_is_refused(preview: bytes) -> None:
    with pytest.raises(UnsupportedCarrier, match="preview"):
        write_dng(frame_of(random_cfa(24, 24)), preview_jpeg=preview)
