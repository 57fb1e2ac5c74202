"""DNGs of every way in which integer samples are packed, predicted and compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback import ljpeg
from rawback.rawio import read_raw
from rawback.rawio.tags import Tag

from .dng_images import (
    DEFLATE,
    JPEG,
    JPEG_XL,
    LOSSY_JPEG,
    SHORT,
    MakeTiff,
    cut,
    differences,
    image,
    packed,
    tags_of,
)
from .random_damage import EDITS, Edit, read_or_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@pytest.mark.parametrize("tiled", [True, False])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("deflated", [True, False])
def test_packed_samples(
    make_tiff: MakeTiff, samples: int, bits: int, order: str, *, tiled: bool, deflated: bool
) -> None:
    whole = image(samples, bits)
    chunks = [packed(chunk, bits, order) for chunk in cut(whole, tiled=tiled)]
    if deflated:
        chunks = [zlib.compress(chunk) for chunk in chunks]
    tags = tags_of(samples, bits, DEFLATE if deflated else 1, tiled=tiled)
    frame = read_raw(make_tiff(whole, tags, order=order, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, whole if samples == 3 else whole[..., 0])
    assert frame.pattern == ("R+G+B" if samples == 3 else "RGGB")
    assert frame.white == (1 << bits) - 1


@pytest.mark.parametrize("tiled", [True, False])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("predictor", "distance"), [(2, 1), (34892, 2), (34893, 4)])
def test_deflate_with_a_predictor(
    make_tiff: MakeTiff, samples: int, bits: int, predictor: int, distance: int, *, tiled: bool
) -> None:
    whole = image(samples, bits)
    kind = f"u{bits // 8}"
    chunks = [
        zlib.compress(differences(chunk, distance * samples, kind).astype("<" + kind).tobytes())
        for chunk in cut(whole, tiled=tiled)
    ]
    tags = tags_of(samples, bits, DEFLATE, tiled=tiled, PREDICTOR=(SHORT, predictor))
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, np.squeeze(whole))


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("bits", [8, 10, 16])
def test_jpeg_xl(make_tiff: MakeTiff, samples: int, bits: int) -> None:
    whole = image(samples, bits)
    chunks = [
        imagecodecs.jpegxl_encode(
            np.ascontiguousarray(np.squeeze(chunk)).astype(np.uint8 if bits == 8 else np.uint16),
            lossless=True,
            bitspersample=bits,
            usecontainer=False,
        )
        for chunk in cut(whole, tiled=True)
    ]
    frame = read_raw(make_tiff(whole, tags_of(samples, bits, JPEG_XL, tiled=True), chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, np.squeeze(whole))


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("separate", [True, False])
def test_lossless_jpeg_of_three_colours(make_tiff: MakeTiff, bits: int, *, separate: bool) -> None:
    whole = image(3, bits)
    parts = np.split(whole, 3, axis=2) if separate else [whole]
    chunks = [
        ljpeg.compress(np.ascontiguousarray(chunk).astype(np.uint16), precision=bits)
        for part in parts
        for chunk in cut(part, tiled=True)
    ]
    tags = tags_of(3, bits, JPEG, tiled=True)
    tags[Tag.PLANAR_CONFIGURATION] = (SHORT, 2 if separate else 1)
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, whole)


@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_planes_that_follow_each_other(make_tiff: MakeTiff, compression: int) -> None:
    whole = image(3, 16)
    parts = [chunk for k in range(3) for chunk in cut(whole[..., k : k + 1], tiled=False)]
    chunks = [packed(part, 16, "<") for part in parts]
    if compression == DEFLATE:
        chunks = [zlib.compress(chunk) for chunk in chunks]
    tags = tags_of(3, 16, compression, tiled=False)
    tags[Tag.PLANAR_CONFIGURATION] = (SHORT, 2)
    np.testing.assert_array_equal(read_raw(make_tiff(whole, tags, chunks=chunks)).cfa, whole)


@pytest.mark.parametrize(("down", "across"), [(2, 2), (1, 3), (4, 1)])
def test_fields_that_follow_each_other(make_tiff: MakeTiff, down: int, across: int) -> None:
    whole = image(1, 16)
    fields = np.concatenate([whole[k::down] for k in range(down)])
    fields = np.concatenate([fields[:, k::across] for k in range(across)], axis=1)
    chunks = [zlib.compress(packed(chunk, 16, "<")) for chunk in cut(fields, tiled=True)]
    tags = tags_of(1, 16, DEFLATE, tiled=True)
    tags |= {
        Tag.ROW_INTERLEAVE_FACTOR: (SHORT, down),
        Tag.COLUMN_INTERLEAVE_FACTOR: (SHORT, across),
    }
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, whole[..., 0])


@settings(max_examples=150, deadline=None)
@given(edits=EDITS, compression=st.sampled_from([DEFLATE, LOSSY_JPEG, JPEG_XL, JPEG]))
def test_compressed_files_with_random_damage_read_or_raise_our_error(
    make_tiff: MakeTiff, edits: Sequence[Edit], compression: int
) -> None:
    whole = image(3, 8)
    encode: dict[int, Callable[[NDArray[np.uint8]], bytes | bytearray]] = {
        DEFLATE: lambda chunk: zlib.compress(chunk.tobytes()),
        LOSSY_JPEG: lambda chunk: imagecodecs.jpeg8_encode(chunk),
        JPEG_XL: lambda chunk: imagecodecs.jpegxl_encode(chunk),
        JPEG: lambda chunk: ljpeg.compress(chunk.astype(np.uint16), precision=8),
    }
    chunks = [
        encode[compression](np.ascontiguousarray(chunk).astype(np.uint8))
        for chunk in cut(whole, tiled=True)
    ]
    data = make_tiff(whole, tags_of(3, 8, compression, tiled=True), chunks=chunks)
    read_or_refused(data, edits)
