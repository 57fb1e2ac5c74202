"""DNGs of every sensor and of every way in which their samples are kept."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, get_args

import imagecodecs
import numpy as np
import pytest
import rawpy
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rawback import ljpeg
from rawback.errors import RawbackError, UnsupportedRaw
from rawback.half_floats import values_of
from rawback.metadata import TiffType
from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import Tag
from rawback.rawio.write import Compression

if TYPE_CHECKING:
    from pathlib import Path

BYTE, SHORT, LONG, UNDEFINED = TiffType.BYTE, TiffType.SHORT, TiffType.LONG, TiffType.UNDEFINED

Values = tuple[float, ...]
Tags = dict[int, Values | None]
MakeTiff = Callable[..., bytes]
Samples = NDArray[np.uint16]

CFA, LINEAR = 32803, 34892
HEIGHT, WIDTH = 50, 70
TILE = 32, 48
DEFLATE, LOSSY_JPEG, JPEG_XL, JPEG = 8, 34892, 52546, 7
X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
CODES = {letter: code for code, letter in enumerate("RGBCMYW")}


def image(samples: int = 1, bits: int = 12) -> Samples:
    """Samples in no order, ``[H, W, samples]``."""
    shape = HEIGHT, WIDTH, samples
    return np.random.default_rng(5).integers(0, 1 << bits, shape).astype(np.uint16)


def tags_of(samples: int, bits: int, compression: int, *, tiled: bool, **more: Values) -> Tags:
    rows, columns = TILE if tiled else (20, WIDTH)
    chunk: Tags = {Tag.TILE_LENGTH: (SHORT, rows), Tag.TILE_WIDTH: (SHORT, columns)}
    return {
        Tag.BITS_PER_SAMPLE: (SHORT, *[bits] * samples),
        Tag.COMPRESSION: (SHORT, compression),
        Tag.PHOTOMETRIC: (SHORT, LINEAR if samples == 3 else CFA),
        Tag.BLACK_LEVEL: None,
        Tag.WHITE_LEVEL: (SHORT, *[(1 << bits) - 1] * samples),
        **(chunk if tiled else {Tag.ROWS_PER_STRIP: (SHORT, rows)}),
        **{Tag[name]: values for name, values in more.items()},
    }


def cut(whole: NDArray[np.generic], *, tiled: bool) -> Iterator[NDArray[np.generic]]:
    """Strips of 20 rows, the last shorter, or whole tiles, the last padded."""
    rows, columns = TILE if tiled else (20, WIDTH)
    if tiled:
        padding = (0, -HEIGHT % rows), (0, -WIDTH % columns), (0, 0)
        whole = np.pad(whole, padding, mode="edge")
    for top in range(0, whole.shape[0], rows):
        for left in range(0, whole.shape[1], columns):
            yield whole[top : top + rows, left : left + columns]


def packed(chunk: NDArray[np.generic], bits: int, order: str) -> bytes:
    """Rows of samples, the first bit first, each row in whole bytes."""
    if bits in (8, 16):
        return chunk.astype("u1" if bits == 8 else order + "u2").tobytes()
    flat = chunk.reshape(len(chunk), -1).astype(np.uint16)
    digits = flat[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint16) & 1
    return np.packbits(digits.reshape(len(chunk), -1).astype(np.uint8), axis=1).tobytes()


def differences(chunk: NDArray[np.generic], distance: int, kind: str) -> NDArray[np.generic]:
    rows = chunk.reshape(len(chunk), -1).astype(kind)
    left = rows.copy()
    left[:, distance:] -= rows[:, :-distance]
    return left


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


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("compression", [LOSSY_JPEG, JPEG])
def test_lossy_jpeg_with_a_linearisation_table(
    make_tiff: MakeTiff, samples: int, compression: int
) -> None:
    ramp = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH))[..., None]
    whole = np.repeat(ramp, samples, axis=2).astype(np.uint16)
    table = [min(code * code, 65535) for code in range(200)]
    coded = [
        imagecodecs.jpeg8_encode(np.ascontiguousarray(np.squeeze(c)).astype(np.uint8), level=95)
        for c in cut(whole, tiled=True)
    ]
    tags = tags_of(samples, 8, compression, tiled=True, LINEARIZATION_TABLE=(SHORT, *table))
    tags[Tag.WHITE_LEVEL] = (SHORT, *[40000] * samples)
    frame = read_raw(make_tiff(whole, tags, chunks=coded))
    tiles = [imagecodecs.jpeg8_decode(c).reshape(*TILE, samples) for c in coded]
    rows = [np.concatenate(tiles[k : k + 2], axis=1) for k in (0, 2)]
    expected = np.array(table)[np.concatenate(rows)[:HEIGHT, :WIDTH]]
    np.testing.assert_array_equal(frame.cfa, np.squeeze(expected))
    assert frame.white == 40000
    # The table is applied, so nothing says that it should be again.
    assert Tag.LINEARIZATION_TABLE not in read_raw(write_dng(frame)).metadata


def opcode(number: int, body: bytes) -> bytes:
    return struct.pack(">4I", number, 0x01030000, 0, len(body)) + body


def polynomial(plane: int, planes: int, *coefficients: float) -> bytes:
    degree = len(coefficients) - 1
    numbers = (0, 0, HEIGHT, WIDTH, plane, planes, 1, 1, degree)
    return opcode(8, struct.pack(f">9I{degree + 1}d", *numbers, *coefficients))


def test_curves_of_lossy_samples_are_applied(make_tiff: MakeTiff) -> None:
    whole = np.tile(np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1) % 256, 3).astype(np.uint16)
    gain = opcode(9, bytes(80))
    opcodes = [polynomial(0, 1, 0, 0, 1), polynomial(1, 2, 0, 0.25, 0, 0.75), gain]
    listed = struct.pack(">I", len(opcodes)) + b"".join(opcodes)
    tags = tags_of(3, 8, DEFLATE, tiled=False, OPCODE_LIST_2=(UNDEFINED, *listed))
    tags[Tag.WHITE_LEVEL] = (SHORT, 255, 255, 255)
    chunks = [zlib.compress(packed(chunk, 8, "<")) for chunk in cut(whole, tiled=False)]
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    x = whole[..., 0] / 255
    np.testing.assert_allclose(frame.cfa[..., 0], 65535 * x**2, atol=1)
    for plane in (1, 2):
        np.testing.assert_allclose(frame.cfa[..., plane], 65535 * (x / 4 + x**3 * 0.75), atol=1)
    assert (frame.white, frame.black) == (65535, (0, 0, 0))
    left = frame.metadata.get(Tag.OPCODE_LIST_2)
    assert left is not None
    assert left.data == struct.pack(">I", 1) + gain


def test_curves_of_single_places_are_left_to_the_editor(make_tiff: MakeTiff) -> None:
    whole = image(3, 8)
    part = bytearray(polynomial(0, 3, 0, 0, 1))
    part[16:20] = struct.pack(">I", 5)  # from the sixth row on
    listed = struct.pack(">I", 1) + bytes(part)
    tags = tags_of(3, 8, DEFLATE, tiled=False, OPCODE_LIST_2=(UNDEFINED, *listed))
    chunks = [zlib.compress(packed(chunk, 8, "<")) for chunk in cut(whole, tiled=False)]
    frame = read_raw(make_tiff(whole, tags, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, whole)
    kept = frame.metadata.get(Tag.OPCODE_LIST_2)
    assert kept is not None
    assert kept.data == listed


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


@pytest.mark.parametrize(
    "pattern",
    [X_TRANS, "RRGG/RRGG/GGBB/GGBB", "GMCY", "RGWB", "WRWG/RWGW/WGWB/GWBW", "CYYM", "GBRG"],
)
@pytest.mark.parametrize("area", [(0, 0, 64, 80), (1, 4, 60, 79), (3, 5, 60, 70)])
@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_patterns_count_from_the_visible_origin(
    make_tiff: MakeTiff,
    samples: Samples,
    pattern: str,
    area: tuple[int, int, int, int],
    compression: int,
) -> None:
    rows = [pattern[:2], pattern[2:]] if len(pattern) == 4 else pattern.split("/")
    changes: Tags = {
        Tag.CFA_REPEAT_PATTERN_DIM: (SHORT, len(rows), len(rows[0])),
        Tag.CFA_PATTERN: (BYTE, *(CODES[letter] for letter in "".join(rows))),
        Tag.ACTIVE_AREA: (LONG, *area),
        Tag.COMPRESSION: (SHORT, compression),
    }
    chunks = [zlib.compress(samples.tobytes())] if compression == DEFLATE else None
    frame = read_raw(make_tiff(samples, changes, chunks=chunks))
    top, left, bottom, right = area
    assert frame.pattern == pattern
    np.testing.assert_array_equal(frame.cfa, samples[top:bottom, left:right])
    assert frame.black == (256.0,) * len(frame.mosaic.colours)
    assert (frame.border is None) is (area == (0, 0, 64, 80))
    is_rgb = frame.mosaic.palette == "RGB"
    assert (frame.neutral is not None, frame.color_matrix is not None) == (is_rgb, is_rgb)


def test_a_pattern_that_repeats_sooner_than_it_says_is_the_smaller_one(
    make_tiff: MakeTiff, samples: Samples
) -> None:
    changes = {
        Tag.CFA_REPEAT_PATTERN_DIM: (SHORT, 4, 2),
        Tag.CFA_PATTERN: (BYTE, 1, 0, 2, 1, 1, 0, 2, 1),
    }
    assert read_raw(make_tiff(samples, changes)).pattern == "GRBG"


@pytest.mark.parametrize(
    "changes",
    [
        {Tag.PHOTOMETRIC: (SHORT, LINEAR), Tag.CFA_PATTERN: None},
        {Tag.CFA_PATTERN: (BYTE, 1, 1, 1, 1)},
        {Tag.CFA_REPEAT_PATTERN_DIM: (SHORT, 1, 1), Tag.CFA_PATTERN: (BYTE, 6)},
    ],
)
@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_monochrome(make_tiff: MakeTiff, samples: Samples, changes: Tags, compression: int) -> None:
    chunks = [zlib.compress(samples.tobytes())] if compression == DEFLATE else None
    tags = changes | {Tag.COMPRESSION: (SHORT, compression)}
    frame = read_raw(make_tiff(samples, tags, chunks=chunks))
    np.testing.assert_array_equal(frame.cfa, samples)
    assert (frame.pattern, frame.black, frame.white) == ("W", (256.0,), 4095)
    assert (frame.neutral, frame.color_matrix) == (None, None)


def test_levels_and_area_of_linear_frames(make_tiff: MakeTiff, samples: Samples) -> None:
    """All of the image is the frame, and its own tags say what of it is to be shown."""
    changes = {
        Tag.PHOTOMETRIC: (SHORT, LINEAR),
        Tag.BLACK_LEVEL: (SHORT, 10, 20, 30),
        Tag.WHITE_LEVEL: (SHORT, 4000, 3900, 4010),
        Tag.ACTIVE_AREA: (LONG, 3, 5, 60, 70),
    }
    whole = np.dstack([samples, samples[::-1], samples[:, ::-1]])
    frame = read_raw(make_tiff(whole, changes))
    np.testing.assert_array_equal(frame.cfa, whole)
    assert (frame.black, frame.white) == ((10.0, 20.0, 30.0), 3900)
    assert (frame.border, frame.black_offsets) == (None, None)
    assert frame.neutral == (0.5, 1.0, 0.625)
    again = read_raw(write_dng(frame))
    assert again.metadata.integers(Tag.ACTIVE_AREA) == (3, 5, 60, 70)
    assert again.metadata == frame.metadata


def test_one_black_level_counts_for_all_samples(make_tiff: MakeTiff, samples: Samples) -> None:
    changes = {Tag.PHOTOMETRIC: (SHORT, LINEAR), Tag.BLACK_LEVEL: (SHORT, 99)}
    assert read_raw(make_tiff(np.dstack([samples] * 3), changes)).black == (99.0,) * 3


def test_black_of_a_channel_is_the_mean_of_its_places(
    make_tiff: MakeTiff, samples: Samples
) -> None:
    """What single places differ from it by is kept, too."""
    levels = list(range(100, 136))
    changes = {
        Tag.CFA_REPEAT_PATTERN_DIM: (SHORT, 6, 6),
        Tag.CFA_PATTERN: (BYTE, *(CODES[letter] for letter in X_TRANS.replace("/", ""))),
        Tag.BLACK_LEVEL_REPEAT_DIM: (SHORT, 6, 6),
        Tag.BLACK_LEVEL: (SHORT, *levels),
    }
    frame = read_raw(make_tiff(samples, changes))
    channels = np.array(frame.mosaic.pattern)
    places = np.array(levels).reshape(6, 6)
    expected = [places[channels == channel].mean() for channel in range(len(frame.black))]
    assert frame.black == pytest.approx(expected)
    assert frame.black_offsets is not None
    left = places - np.array(frame.black)[channels]
    np.testing.assert_allclose(frame.black_offsets.pattern, left, atol=0.51)


def test_planes_in_another_order_are_told_by_colour(make_tiff: MakeTiff, samples: Samples) -> None:
    """CFAPlaneColor says in which order tags have values for each colour."""
    plain = read_raw(make_tiff(samples))
    frame = read_raw(make_tiff(samples, {Tag.CFA_PLANE_COLOR: (BYTE, 2, 1, 0)}))
    assert frame.pattern == "RGGB"
    assert plain.neutral is not None
    assert frame.neutral == tuple(reversed(plain.neutral))
    assert plain.color_matrix is not None
    assert frame.color_matrix is not None
    np.testing.assert_array_equal(
        np.reshape(frame.color_matrix, (3, 3)), np.reshape(plain.color_matrix, (3, 3))[::-1]
    )
    assert read_raw(write_dng(frame)).metadata == frame.metadata


@pytest.mark.parametrize(
    ("file", "pattern", "black", "white"),
    [
        ("xtrans_synth_hero7_GOPR8508", "GGRGGB/GGBGGR/BRGRBG/GGBGGR/GGRGGB/RBGBRG", 0, 16383),
        ("micasense_rededge_blue475_mono", "W", 4800, 65535),
        ("canon_6d_lossy_linear_iso1000", "R+G+B", 0, 65535),
        ("lg_g4_lossy_linear_600x338", "R+G+B", 0, 65535),
        ("lightroom_png_linear_ljpeg8_linearizationtable", "R+G+B", 0, 65535),
    ],
)
def test_real_files(real_data: Path, file: str, pattern: str, black: float, white: int) -> None:
    frame = read_raw(real_data / "sensors" / f"{file}.dng")
    channels = len(frame.mosaic.colours)
    assert (frame.pattern, frame.black, frame.white) == (pattern, (black,) * channels, white)
    assert Tag.OPCODE_LIST_2 not in frame.metadata


EDITS = st.lists(
    st.tuples(st.integers(0, 1500), st.booleans(), st.binary(max_size=4), st.integers(0, 40)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(edits=EDITS, compression=st.sampled_from([DEFLATE, LOSSY_JPEG, JPEG_XL, JPEG]))
def test_compressed_files_with_random_damage_read_or_raise_our_error(
    make_tiff: MakeTiff, edits: Sequence[tuple[int, bool, bytes, int]], compression: int
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
    for place, from_end, inserted, removed in edits:
        at = len(data) - place if from_end else place
        data = data[:at] + inserted + data[at + removed :]
    try:
        frame = read_raw(data)
    except RawbackError:
        return
    write_dng(frame)
