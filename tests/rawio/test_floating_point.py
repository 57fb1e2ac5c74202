"""DNGs of floating-point samples: integers kept so, and numbers of half precision."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, get_args

import imagecodecs
import numpy as np
import pytest
import rawpy
import tifffile

from rawback.errors import UnsupportedRaw
from rawback.half_floats import values_of
from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import Tag
from rawback.rawio.write import Compression

from .dng_images import DEFLATE, HEIGHT, SHORT, WIDTH, MakeTiff, cut, differences, image, tags_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize(("predictor", "distance"), [(1, 0), (3, 1), (34894, 2), (34895, 4)])
def test_whole_numbers_kept_as_floats_are_read(
    make_tiff: MakeTiff, samples: int, size: int, predictor: int, distance: int
) -> None:
    whole = image(samples, 11)

    def coded(chunk: NDArray[np.generic]) -> bytes:
        numbers = chunk.astype(f"f{size}")
        if not distance:
            return zlib.compress(numbers.astype(f"<f{size}").tobytes())
        octets = numbers.astype(f">f{size}").reshape(len(chunk), -1).view(np.uint8)
        planes = octets.reshape(len(chunk), -1, size).transpose(0, 2, 1)
        return zlib.compress(differences(planes, distance * samples, "u1").tobytes())

    tags = tags_of(samples, 8 * size, DEFLATE, tiled=True, PREDICTOR=(SHORT, predictor))
    tags |= {Tag.SAMPLE_FORMAT: (SHORT, *[3] * samples), Tag.WHITE_LEVEL: (SHORT, 2047)}
    chunks = [coded(chunk) for chunk in cut(whole, tiled=True)]
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, np.squeeze(whole))


def merged(samples: int) -> NDArray[np.float16]:
    """What an HDR merge holds: numbers of half precision over many stops, some below black."""
    random = np.random.default_rng(8)
    stops = random.uniform(-14, 2, (HEIGHT, WIDTH, samples))
    sign = np.where(random.random(stops.shape) < 0.02, -1, 1)
    return np.asarray(sign * 2**stops, np.float16)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("bits", [16, 24, 32])
@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_numbers_of_half_precision(
    make_tiff: MakeTiff, samples: int, bits: int, order: str, compression: int
) -> None:
    whole = merged(samples)

    def coded(chunk: NDArray[np.generic]) -> bytes:
        if bits == 24:
            wide = np.ascontiguousarray(chunk, np.float32)
            data = imagecodecs.float24_encode(wide, byteorder=">" if order == ">" else "<")
        else:
            data = chunk.astype(f"{order}f{bits // 8}").tobytes()
        return zlib.compress(data) if compression == DEFLATE else bytes(data)

    tags = tags_of(samples, bits, compression, tiled=True)
    tags |= {Tag.SAMPLE_FORMAT: (SHORT, *[3] * samples), Tag.WHITE_LEVEL: (SHORT, *[1] * samples)}
    chunks = [coded(chunk) for chunk in cut(whole, tiled=True)]
    frame = read_raw(make_tiff(np.zeros(whole.shape), tags, order=order, chunks=chunks))
    assert frame.is_half
    np.testing.assert_array_equal(values_of(frame.cfa), np.squeeze(whole))
    assert values_of(np.array([*frame.black, frame.white], np.uint16)).tolist() == [
        *[0.0] * len(frame.black),
        1.0,
    ]


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("compression", get_args(Compression))
def test_numbers_of_half_precision_are_written_as_such(
    make_tiff: MakeTiff, samples: int, compression: Compression
) -> None:
    whole = merged(samples)
    tags = tags_of(samples, 16, 1, tiled=False) | {
        Tag.SAMPLE_FORMAT: (SHORT, *[3] * samples),
        Tag.WHITE_LEVEL: None,
    }
    chunks = [chunk.astype("<f2").tobytes() for chunk in cut(whole, tiled=False)]
    frame = read_raw(make_tiff(np.zeros(whole.shape), tags, chunks=chunks))
    data = write_dng(frame, compression=compression)
    again = read_raw(data)
    np.testing.assert_array_equal(again.cfa, frame.cfa)
    assert (again.black, again.white) == (frame.black, frame.white)
    assert again.is_half
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), np.squeeze(whole))
    with rawpy.imread(io.BytesIO(data)) as raw:
        # LibRaw makes integers of them.
        seen = raw.raw_image.astype(float).ravel()
    positive = np.maximum(np.squeeze(whole).astype(float), 0).ravel()
    assert np.corrcoef(seen, positive)[0, 1] > 0.999
    # A part of it still is what it is.
    assert frame.excerpt(frame.cfa[:8, :8]).is_half


@pytest.mark.parametrize("value", [1 / 3, 70000.5, np.nan, np.inf])
def test_floats_of_more_than_half_precision_are_refused(make_tiff: MakeTiff, value: float) -> None:
    whole = image(1, 11).astype("<f4")
    whole[7, 9] = value
    tags = tags_of(1, 32, 1, tiled=False) | {Tag.SAMPLE_FORMAT: (SHORT, 3)}
    tags[Tag.WHITE_LEVEL] = (SHORT, 2047)
    chunks = [chunk.tobytes() for chunk in cut(whole, tiled=False)]
    with pytest.raises(UnsupportedRaw, match=r"floating point.*not supported: convert it"):
        read_raw(make_tiff(image(), tags, chunks=chunks))
