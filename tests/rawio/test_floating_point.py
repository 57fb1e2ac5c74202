"""DNGs of floating-point samples: integers kept so, numbers of half and of single precision."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, get_args

import imagecodecs
import numpy as np
import pytest
import rawpy
import tifffile

from rawback.floats import Scale
from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import Tag
from rawback.rawio.write import Compression

from .dng_images import (
    DEFLATE,
    HEIGHT,
    SHORT,
    WIDTH,
    MakeTiff,
    Tags,
    cut,
    differences,
    image,
    tags_of,
)

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


def merged(samples: int) -> NDArray[np.float32]:
    """What an HDR merge holds: numbers over many stops, clear to the deepest, some below black."""
    random = np.random.default_rng(8)
    stops = np.linspace(-14, 2, HEIGHT)[:, None, None] + random.normal(
        0, 0.05, (HEIGHT, WIDTH, samples)
    )
    sign = np.where(random.random(stops.shape) < 0.02, -1, 1)
    return np.asarray(sign * 2**stops, np.float32)


def exposed(samples: int) -> NDArray[np.float32]:
    """What a converter makes of one exposure: mostly noise in shadows, zeros of both signs."""
    random = np.random.default_rng(9)
    light = np.linspace(0, 1, HEIGHT)[:, None, None]
    numbers = light + random.normal(0, 3e-4, (HEIGHT, WIDTH, samples))
    numbers[0, :2] = [[0.0] * samples, [-0.0] * samples]
    return np.asarray(numbers, np.float32)


MADE = {"merged": merged, "exposed": exposed}


def half(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    return numbers.astype(np.float16).astype(np.float32)


def bits_of(numbers: NDArray[np.generic]) -> NDArray[np.uint32]:
    return np.squeeze(np.asarray(numbers, np.float32)).view(np.uint32)


def float_tags(samples: int, bits: int, compression: int = 1, *, tiled: bool = True) -> Tags:
    return tags_of(samples, bits, compression, tiled=tiled) | {
        Tag.SAMPLE_FORMAT: (SHORT, *[3] * samples),
        Tag.WHITE_LEVEL: (SHORT, *[1] * samples),
    }


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(("bits", "exact"), [(16, 16), (24, 16), (24, 24), (32, 16), (32, 32)])
@pytest.mark.parametrize("compression", [1, DEFLATE])
@pytest.mark.parametrize("kind", MADE)
def test_numbers_are_read_to_the_last_bit(
    make_tiff: MakeTiff,
    kind: str,
    samples: int,
    bits: int,
    exact: int,
    order: str,
    compression: int,
) -> None:
    whole = MADE[kind](samples)
    if exact == 16:
        whole = half(whole)
    if exact == 24:
        coded = imagecodecs.float24_encode(np.ascontiguousarray(whole))
        whole = imagecodecs.float24_decode(coded).reshape(whole.shape)

    def packed(chunk: NDArray[np.generic]) -> bytes:
        if bits == 24:
            wide = np.ascontiguousarray(chunk, np.float32)
            data = imagecodecs.float24_encode(wide, byteorder=">" if order == ">" else "<")
        else:
            data = chunk.astype(f"{order}f{bits // 8}").tobytes()
        return zlib.compress(data) if compression == DEFLATE else bytes(data)

    chunks = [packed(chunk) for chunk in cut(whole, tiled=True)]
    tags = float_tags(samples, bits, compression)
    frame = read_raw(make_tiff(np.zeros(whole.shape), tags, order=order, chunks=chunks))
    np.testing.assert_array_equal(bits_of(frame.whole_numbers), bits_of(whole))
    assert frame.floats is not None
    scale = frame.floats.scale
    assert scale.is_linear is (kind == "exposed")
    levels = [scale.codes.numbers[round(level)] for level in (*frame.black, frame.white)]
    assert levels == [*[0.0] * len(frame.black), 1.0]


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("compression", get_args(Compression))
@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("kind", MADE)
def test_numbers_are_written_as_such(
    make_tiff: MakeTiff, kind: str, bits: int, samples: int, compression: Compression
) -> None:
    whole = MADE[kind](samples)
    if bits == 16:
        whole = half(whole)
    chunks = [chunk.astype(f"<f{bits // 8}").tobytes() for chunk in cut(whole, tiled=False)]
    tags = float_tags(samples, bits, tiled=False) | {Tag.WHITE_LEVEL: None}
    frame = read_raw(make_tiff(np.zeros(whole.shape), tags, chunks=chunks))
    data = write_dng(frame, compression=compression)
    again = read_raw(data)
    np.testing.assert_array_equal(bits_of(again.whole_numbers), bits_of(whole))
    assert (again.black, again.white) == (frame.black, frame.white)
    seen = tifffile.imread(io.BytesIO(data))
    assert seen.dtype == np.dtype(f"f{bits // 8}")
    np.testing.assert_array_equal(bits_of(seen), bits_of(whole))
    with rawpy.imread(io.BytesIO(data)) as raw:
        # LibRaw makes integers of them.
        seen = raw.raw_image.astype(float).ravel()
    positive = np.maximum(np.squeeze(whole).astype(float), 0).ravel()
    assert np.corrcoef(seen, positive)[0, 1] > 0.999
    # A part of it has the numbers that its codes stand for.
    part = frame.excerpt(frame.cfa[:8, :8])
    np.testing.assert_allclose(part.whole_numbers, np.squeeze(whole)[:8, :8], rtol=1e-3, atol=1e-4)


def test_plain_half_precision_of_merges_leaves_nothing(make_tiff: MakeTiff) -> None:
    whole = half(merged(1))
    chunks = [chunk.astype("<f2").tobytes() for chunk in cut(whole, tiled=True)]
    frame = read_raw(make_tiff(np.zeros(whole.shape), float_tags(1, 16), chunks=chunks))
    assert frame.floats is not None
    assert (frame.floats.scale, frame.floats.remainders) == (Scale(), None)


@pytest.mark.parametrize("value", [1 / 3, 70000.5, -1e30, np.nan, np.inf, -np.inf])
def test_unusual_numbers_among_whole_ones(make_tiff: MakeTiff, value: float) -> None:
    whole = image(1, 11).astype("<f4")
    whole[7, 9] = value
    tags = float_tags(1, 32, tiled=False) | {Tag.WHITE_LEVEL: (SHORT, 2047)}
    chunks = [chunk.tobytes() for chunk in cut(whole, tiled=False)]
    frame = read_raw(make_tiff(image(), tags, chunks=chunks))
    np.testing.assert_array_equal(bits_of(frame.whole_numbers), bits_of(whole))
    # Black, white and what lies between are the numbers themselves, evenly.
    assert frame.floats is not None
    assert frame.floats.scale == Scale(-4, is_linear=True)
    data = write_dng(frame, compression="ljpeg")
    np.testing.assert_array_equal(bits_of(read_raw(data).whole_numbers), bits_of(whole))


def test_what_lies_around_the_visible_area_is_kept_to_the_last_bit(make_tiff: MakeTiff) -> None:
    whole = exposed(1)
    chunks = [chunk.tobytes() for chunk in cut(whole, tiled=False)]
    area = (Tag.ACTIVE_AREA, (SHORT, 4, 6, HEIGHT - 2, WIDTH - 8))
    tags = float_tags(1, 32, tiled=False) | dict([area])
    frame = read_raw(make_tiff(np.zeros(whole.shape), tags, chunks=chunks))
    assert frame.border is not None
    assert frame.border.margins == (4, 6, 2, 8)
    assert frame.has_border
    np.testing.assert_array_equal(bits_of(frame.whole_numbers), bits_of(whole))
    again = read_raw(write_dng(frame))
    np.testing.assert_array_equal(bits_of(again.whole_numbers), bits_of(whole))
    assert again.border is not None
    assert again.border.margins == (4, 6, 2, 8)
