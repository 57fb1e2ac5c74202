"""What is written as a DNG reads back the same."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rawback.errors import UnsupportedCarrier
from rawback.metadata import Directory, Entry, Metadata, TiffType
from rawback.rawio import described, read_raw, write_dng
from rawback.rawio.tag_kinds import TAG_KINDS, TagKind
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import read_ifds
from rawback.rawio.write import Compression
from rawback.types import BayerPattern, Border, Mosaic, NoiseModel, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

# LibRaw refuses smaller mosaics.
SIDE = st.integers(22, 90)
X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
PATTERNS = (
    *(*get_args(BayerPattern), X_TRANS, "RRGG/RRGG/GGBB/GGBB", "W", "R+G+B", "GMCY", "RGCB"),
    *("RGWB", "WRWG/RWGW/WGWB/GWBW", "CYYM"),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)

# These decide how the mosaic is read; tests of reading give them values that make sense.
LEVELS_AND_PLACES = {
    *(Tag.DNG_VERSION, Tag.DNG_BACKWARD_VERSION, Tag.MAKE, Tag.MODEL, Tag.CFA_LAYOUT),
    *(Tag.CFA_PLANE_COLOR, Tag.SAMPLE_FORMAT),
    *(Tag.BLACK_LEVEL, Tag.BLACK_LEVEL_REPEAT_DIM, Tag.BLACK_LEVEL_DELTA_H),
    *(Tag.BLACK_LEVEL_DELTA_V, Tag.WHITE_LEVEL, Tag.ACTIVE_AREA, Tag.MASKED_AREAS),
    *(Tag.DEFAULT_CROP_ORIGIN, Tag.DEFAULT_CROP_SIZE, Tag.DEFAULT_SCALE, Tag.NOISE_PROFILE),
    *(Tag.MAKER_NOTE, Tag.MAKER_NOTE_SAFETY, Tag.DNG_PRIVATE_DATA),
}
CARRIED = sorted(
    tag
    for tag, (_, kind) in TAG_KINDS.items()
    if kind in (TagKind.RENDERING, TagKind.PERSONAL) and tag not in LEVELS_AND_PLACES
)
PLACES = st.one_of(
    st.tuples(st.just(int(Directory.IMAGE)), st.sampled_from(CARRIED)),
    st.tuples(st.just(int(Directory.EXIF)), st.sampled_from(CARRIED)),
    st.tuples(st.sampled_from([2, 3]), st.integers(0, 40)),
    st.tuples(st.sampled_from([16, 17, 18]), st.sampled_from([50721, 50936, 50938, 50940])),
)
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


@st.composite
def metadata(draw: st.DrawFn) -> Metadata:
    """Any tags with any values, in either byte order."""
    entries = []
    for directory, tag in draw(st.lists(PLACES, unique=True, max_size=12)):
        kind = draw(st.sampled_from(sorted(SIZES)))
        data = draw(st.binary(max_size=48))
        data = data[: len(data) // SIZES[kind] * SIZES[kind]]
        entries.append(Entry(directory, tag, kind, data))
    # Profiles are numbered from the first one on.
    profiles = sorted({e.directory for e in entries if e.directory >= Directory.PROFILE})
    numbers = {old: Directory.PROFILE + new for new, old in enumerate(profiles)}
    entries = [replace(e, directory=numbers.get(e.directory, e.directory)) for e in entries]
    return Metadata(tuple(entries), draw(st.booleans()))


@st.composite
def frames(draw: st.DrawFn) -> RawFrame:
    height, width = draw(SIDE), draw(SIDE)
    depth = draw(st.integers(8, 16))
    samples = np.random.default_rng(draw(st.integers(0, 99)))
    white = draw(st.integers(2 ** (depth - 1), 2**depth - 1))
    levels = st.floats(0, white // 2, allow_subnormal=False)
    mosaic = Mosaic.parse(draw(st.sampled_from(PATTERNS)))
    shape = (height, width, mosaic.samples) if mosaic.samples > 1 else (height, width)
    is_rgb = mosaic.palette == "RGB"
    neutral = (draw(st.floats(0.1, 10)), 1.0, draw(st.floats(0.1, 10)))
    matrix = draw(st.tuples(*[st.floats(-2, 2)] * 9).filter(invertible))
    return RawFrame(
        cfa=samples.integers(0, 2**depth, shape).astype(np.uint16),
        pattern=str(mosaic),
        black=draw(st.tuples(*[levels] * len(mosaic.colours))),
        white=white,
        neutral=neutral if is_rgb else None,
        color_matrix=matrix if is_rgb else None,
        noise=NoiseModel(1e-4, 1e-6),
        orientation=draw(st.integers(1, 8)),
        make=draw(TEXT),
        model=draw(TEXT),
    )


def invertible(matrix: tuple[float, ...]) -> bool:
    return bool(np.linalg.cond(np.reshape(matrix, (3, 3))) < 1e4)


def assert_same(again: RawFrame, frame: RawFrame) -> None:
    np.testing.assert_array_equal(again.cfa, frame.cfa)
    assert (again.pattern, again.white) == (frame.pattern, frame.white)
    assert again.black == pytest.approx(frame.black, abs=1e-4)
    assert again.neutral == pytest.approx(frame.neutral, abs=1e-4)
    assert again.color_matrix == pytest.approx(frame.color_matrix, abs=1e-4)
    assert again.orientation == frame.orientation
    assert (again.make, again.model) == (frame.make, frame.model)
    carried = {(e.directory, e.tag): e for e in again.metadata.entries}
    for entry in described(frame).entries:
        assert carried[entry.directory, entry.tag] == entry


def test_black_of_a_channel_is_written_for_each_of_its_places() -> None:
    """As many levels as the pattern has places; read back they are those of the channels."""
    frame = replace(frame_of(random_cfa(40, 50)), pattern=X_TRANS, black=(60.0, 61.0, 62.0, 63.0))
    data = write_dng(frame)
    main = read_ifds(data)[0]
    assert main.integers(Tag.BLACK_LEVEL_REPEAT_DIM) == (6, 6)
    assert len(main.integers(Tag.BLACK_LEVEL)) == 36
    assert (read_raw(data).black, read_raw(data).black_offsets) == (frame.black, None)


def test_an_emerald_filter_is_written_as_converters_write_it() -> None:
    frame = replace(frame_of(random_cfa(24, 24)), pattern="RGEB", neutral=None, color_matrix=None)
    again = read_raw(write_dng(frame))
    assert again.pattern == "RGCB"
    assert again.metadata.integers(Tag.CFA_PLANE_COLOR) == (0, 1, 2, 3)


def frame_of(cfa: NDArray[np.uint16], *entries: Entry) -> RawFrame:
    return RawFrame(
        cfa=cfa,
        pattern="GBRG",
        black=(64.0, 65.5, 66.0, 67.25),
        white=65535,
        neutral=(0.5, 1.0, 0.625),
        color_matrix=(0.7, -0.1, -0.1, -0.4, 1.2, 0.2, 0.0, 0.2, 0.6),
        noise=NoiseModel(1e-4, 1e-6),
        metadata=Metadata(entries),
    )


def random_cfa(height: int, width: int) -> NDArray[np.uint16]:
    return np.random.default_rng(3).integers(0, 65536, (height, width)).astype(np.uint16)


@settings(max_examples=60, deadline=None)
@given(frame=frames(), compression=st.sampled_from(get_args(Compression)))
@example(frame=frame_of(random_cfa(23, 41)), compression="none")
@example(frame=frame_of(random_cfa(41, 23)), compression="ljpeg")
def test_frames_read_back_the_same(frame: RawFrame, compression: Compression) -> None:
    assert_same(read_raw(write_dng(frame, compression=compression)), frame)


@settings(max_examples=100, deadline=None)
@given(told=metadata())
def test_tags_come_back_byte_for_byte_where_they_were(told: Metadata) -> None:
    dng = write_dng(replace(frame_of(random_cfa(24, 24)), metadata=told))
    again = read_raw(dng).metadata
    assert again.big_endian is told.big_endian
    places = {(entry.directory, entry.tag): entry for entry in again.entries}
    for entry in told.entries:
        assert places[entry.directory, entry.tag] == entry


def test_a_border_comes_back_around_its_frame() -> None:
    whole = random_cfa(60, 80)
    area = (3, 5, 55, 70)
    frame = frame_of(whole[3:55, 5:70].copy())
    again = read_raw(write_dng(replace(frame, border=Border.around(whole, area))))
    assert_same(again, frame)
    assert again.border is not None
    np.testing.assert_array_equal(again.border.joined(again.cfa), whole)


def test_an_active_area_that_is_not_the_frames_is_left_out() -> None:
    area = Entry(0, Tag.ACTIVE_AREA, TiffType.LONG, struct.pack("<4I", 2, 2, 20, 20))
    masked = Entry(0, Tag.MASKED_AREAS, TiffType.LONG, struct.pack("<4I", 0, 0, 2, 24))
    again = read_raw(write_dng(frame_of(random_cfa(24, 24), area, masked)))
    assert again.cfa.shape == (24, 24)
    assert Tag.ACTIVE_AREA not in again.metadata
    assert Tag.MASKED_AREAS not in again.metadata


@pytest.mark.parametrize("width", [24, 255, 256, 500, 512, 513, 1000, 1023, 1024, 1025, 1536, 2048])
@pytest.mark.parametrize("pattern", ["GBRG", "W", "R+G+B"])
def test_tiles_of_any_width_read_back_the_same(width: int, pattern: str) -> None:
    mosaic = Mosaic.parse(pattern)
    samples = random_cfa(530, width * mosaic.samples)
    frame = replace(
        frame_of(random_cfa(24, 24)),
        cfa=samples.reshape(530, width, 3) if mosaic.samples == 3 else samples,
        pattern=pattern,
        black=(64.0, 65.5, 66.0, 67.25)[: len(mosaic.colours)],
    )
    if mosaic.is_monochrome:
        frame = replace(frame, neutral=None, color_matrix=None)
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
    named = replace(frame_of(random_cfa(64, 96)), make=make, model=model)
    assert_same(read_raw(write_dng(named)), named)


@pytest.mark.parametrize(
    "preview", [b"not a JPEG", b"\xff\xd8\xff\xe0\0\4ab", b"\xff\xd8\xff\xc0\0\x0b\x08"]
)
def test_a_preview_that_is_not_a_jpeg_is_refused(preview: bytes) -> None:
    with pytest.raises(UnsupportedCarrier, match="preview"):
        write_dng(frame_of(random_cfa(24, 24)), preview_jpeg=preview)
