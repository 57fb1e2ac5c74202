"""What `read_raw` makes of a file's samples, levels, colours and names."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from rawback.metadata import TiffType
from rawback.rawio import described, read_raw, write_dng
from rawback.rawio.tags import Tag
from rawback.types import NoiseModel, RawFrame

if TYPE_CHECKING:
    from pathlib import Path

ASCII, BYTE, SHORT, LONG = TiffType.ASCII, TiffType.BYTE, TiffType.SHORT, TiffType.LONG
RATIONAL, SRATIONAL, DOUBLE = TiffType.RATIONAL, TiffType.SRATIONAL, TiffType.DOUBLE

Values = tuple[float, ...]
Read = Callable[..., RawFrame]
MakeTiff = Callable[..., bytes]
Samples = NDArray[np.uint16]


@pytest.fixture
def read(make_tiff: MakeTiff, samples: Samples) -> Read:
    """Reads a DNG with some of its tags replaced."""

    def read_changed(**changes: Values | None) -> RawFrame:
        return read_raw(make_tiff(samples, {Tag[name]: values for name, values in changes.items()}))

    return read_changed


def text(value: str) -> Values:
    return (ASCII, *value.encode(), 0)


@pytest.mark.parametrize("order", ["<", ">"])
def test_samples_are_those_of_the_file(make_tiff: MakeTiff, samples: Samples, order: str) -> None:
    frame = read_raw(make_tiff(samples, order=order))
    np.testing.assert_array_equal(frame.cfa, samples)
    assert frame.cfa.dtype == np.uint16
    assert frame.cfa.flags.c_contiguous


@pytest.mark.parametrize(
    ("cfa", "pattern"),
    [
        ((0, 1, 1, 2), "RGGB"),
        ((2, 1, 1, 0), "BGGR"),
        ((1, 0, 2, 1), "GRBG"),
        ((1, 2, 0, 1), "GBRG"),
    ],
)
@pytest.mark.parametrize(
    "area", [(0, 0, 64, 80), (1, 0, 63, 80), (0, 1, 64, 79), (1, 1, 63, 79), (3, 5, 60, 70)]
)
def test_the_pattern_is_that_of_the_visible_origin(
    read: Read,
    samples: Samples,
    cfa: tuple[int, ...],
    pattern: str,
    area: tuple[int, int, int, int],
) -> None:
    frame = read(CFA_PATTERN=(BYTE, *cfa), ACTIVE_AREA=(LONG, *area))
    top, left, bottom, right = area
    assert frame.pattern == pattern
    np.testing.assert_array_equal(frame.cfa, samples[top:bottom, left:right])


@pytest.mark.parametrize(
    ("levels", "repeat", "black"),
    [
        ((SHORT, 256), None, (256, 256, 256, 256)),
        ((SHORT, 250, 251, 252, 253), (2, 2), (250, 251, 252, 253)),
        ((RATIONAL, 501, 2, 251, 1, 252, 1, 1013, 4), (2, 2), (250.5, 251, 252, 253.25)),
        ((SHORT, 1, 3), (1, 2), (1, 3, 1, 3)),
        ((SHORT, 1, 3), (2, 1), (1, 1, 3, 3)),
        ((SHORT, 1, 2, 3, 4, 5, 6, 7, 8), (2, 4), (2, 3, 6, 7)),
        ((SHORT, 1, 2, 3, 4, 5, 6, 7, 8, 9), (3, 3), (5, 5, 5, 5)),
        (None, None, (0, 0, 0, 0)),
    ],
)
def test_black_levels_are_per_position(
    read: Read, levels: Values | None, repeat: tuple[int, int] | None, black: tuple[float, ...]
) -> None:
    repeats = (SHORT, *repeat) if repeat else None
    assert read(BLACK_LEVEL=levels, BLACK_LEVEL_REPEAT_DIM=repeats).black == black


def test_black_levels_count_from_an_odd_visible_origin(read: Read) -> None:
    frame = read(
        ACTIVE_AREA=(LONG, 1, 1, 63, 79),
        BLACK_LEVEL=(SHORT, 1, 2, 3, 4),
        BLACK_LEVEL_REPEAT_DIM=(SHORT, 2, 2),
    )
    assert frame.black == (1, 2, 3, 4)


def test_what_the_cell_cannot_say_of_black_is_told_apart(read: Read, samples: Samples) -> None:
    rows = [100 + row % 7 for row in range(64)]
    frame = read(
        BLACK_LEVEL=None, BLACK_LEVEL_DELTA_V=(SRATIONAL, *(n for row in rows for n in (row, 1)))
    )
    offsets = frame.black_offsets
    assert offsets is not None
    even, odd = np.mean(rows[::2]), np.mean(rows[1::2])
    assert frame.black == pytest.approx((even, even, odd, odd))
    expected = np.rint(rows - np.where(np.arange(64) % 2, odd, even))
    np.testing.assert_array_equal(offsets.rows, expected)
    assert not np.any(offsets.columns)
    assert not np.any(offsets.pattern)
    level = offsets.taken_from(samples)
    assert level[0, 0] == samples[0, 0] - offsets.rows[0] + offsets.pedestal
    np.testing.assert_array_equal(offsets.added_to(level), samples)


def test_a_pattern_larger_than_the_cell_leaves_offsets(read: Read) -> None:
    frame = read(BLACK_LEVEL=(SHORT, *range(100, 116)), BLACK_LEVEL_REPEAT_DIM=(SHORT, 4, 4))
    assert frame.black == pytest.approx((105, 106, 109, 110))
    assert frame.black_offsets is not None
    expected = np.arange(100, 116).reshape(4, 4) - np.tile([[105, 106], [109, 110]], (2, 2))
    np.testing.assert_array_equal(frame.black_offsets.pattern, expected)


def test_deltas_that_leave_nothing_are_no_offsets(read: Read) -> None:
    deltas = (SRATIONAL, *(n for k in range(80) for n in (k % 2, 1)))
    assert read(BLACK_LEVEL_DELTA_H=deltas).black_offsets is None


def test_what_lies_around_the_visible_area_is_kept(read: Read, samples: Samples) -> None:
    border = read(ACTIVE_AREA=(LONG, 3, 5, 60, 70)).border
    assert border is not None
    assert border.margins == (3, 5, 4, 10)
    np.testing.assert_array_equal(border.joined(samples[3:60, 5:70]), samples)


def test_black_level_deltas_of_rows_and_columns_are_added(read: Read) -> None:
    frame = read(
        BLACK_LEVEL_DELTA_H=(SRATIONAL, *(n for k in range(80) for n in (k % 2, 1))),
        BLACK_LEVEL_DELTA_V=(SRATIONAL, *(n for k in range(64) for n in (-10 * (k % 2), 1))),
    )
    assert frame.black == (256, 257, 246, 247)


def test_the_lowest_white_level_counts(read: Read) -> None:
    assert read(WHITE_LEVEL=(SHORT, 4000, 3900, 4010)).white == 3900
    assert read(WHITE_LEVEL=None).white == 65535


def test_white_balance_is_the_neutral_with_green_1(read: Read) -> None:
    assert read(AS_SHOT_NEUTRAL=(RATIONAL, 1, 1, 2, 1, 1, 1)).neutral == (0.5, 1.0, 0.5)


def test_a_white_point_is_turned_into_a_neutral(read: Read) -> None:
    frame = read(AS_SHOT_NEUTRAL=None, AS_SHOT_WHITE_XY=(RATIONAL, 3127, 10000, 3290, 10000))
    assert frame.color_matrix is not None
    camera = np.reshape(frame.color_matrix, (3, 3)) @ [0.3127 / 0.329, 1, 0.3583 / 0.329]
    assert frame.neutral == pytest.approx(tuple(camera / camera[1]))


IDENTITY = (SRATIONAL, *(n for k in (1, 0, 0, 0, 1, 0, 0, 0, 1) for n in (k, 1)))


@pytest.mark.parametrize(("first", "second", "chosen"), [(21, 17, 0.7), (17, 21, 1), (17, 23, 1)])
def test_the_matrix_for_the_illuminant_nearest_to_daylight_counts(
    read: Read, first: int, second: int, chosen: float
) -> None:
    frame = read(
        COLOR_MATRIX_2=IDENTITY,
        CALIBRATION_ILLUMINANT_1=(SHORT, first),
        CALIBRATION_ILLUMINANT_2=(SHORT, second),
    )
    assert frame.color_matrix is not None
    assert frame.color_matrix[0] == chosen


def test_calibration_and_analog_balance_are_part_of_the_matrix(read: Read) -> None:
    doubled = (SRATIONAL, *(n for k in (2, 0, 0, 0, 2, 0, 0, 0, 2) for n in (k, 1)))
    frame = read(
        COLOR_MATRIX_1=IDENTITY,
        CAMERA_CALIBRATION_1=doubled,
        ANALOG_BALANCE=(RATIONAL, 3, 1, 1, 1, 1, 2),
    )
    assert frame.color_matrix == (6, 0, 0, 0, 2, 0, 0, 0, 1)


def test_colours_that_a_file_does_not_tell_stay_unknown(read: Read) -> None:
    frame = read(COLOR_MATRIX_1=None, AS_SHOT_NEUTRAL=None)
    assert (frame.color_matrix, frame.neutral) == (None, None)
    again = read_raw(write_dng(frame))
    assert (again.color_matrix, again.neutral) == (None, None)
    assert again.metadata == frame.metadata


def test_a_raw_without_a_matrix_is_shown_with_one_whose_daylight_is_its_white(read: Read) -> None:
    frame = read(COLOR_MATRIX_1=None)
    white = np.reshape(frame.shown_matrix, (3, 3)) @ [0.9504559, 1.0, 1.0890578]
    assert white / white[1] == pytest.approx(frame.shown_neutral, abs=1e-3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_the_exif_code(read: Read, orientation: int) -> None:
    assert read(ORIENTATION=(SHORT, orientation)).orientation == orientation


def test_a_noise_profile_is_averaged_over_its_planes(read: Read) -> None:
    profile = (DOUBLE, 1e-4, 1e-6, 3e-4, 3e-6, 2e-4, 2e-6)
    noise = read(NOISE_PROFILE=profile).noise
    assert (noise.scale, noise.offset) == pytest.approx((2e-4, 2e-6))


def test_without_a_profile_noise_is_estimated(read: Read) -> None:
    assert isinstance(read().noise, NoiseModel)


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("Acme", "One", "Acme One"),
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("", "One", "One"),
        ("", "", "Unknown camera"),
    ],
)
def test_a_frame_is_named_by_make_and_model(
    read: Read, make: str, model: str, expected: str
) -> None:
    """As a DNG has to be, which not every raw is."""
    frame = read(MAKE=text(make), MODEL=text(model), UNIQUE_CAMERA_MODEL=None)
    assert (frame.make, frame.model) == (make, model)
    assert described(frame.excerpt(frame.cfa)).text(Tag.UNIQUE_CAMERA_MODEL) == expected
    assert Tag.UNIQUE_CAMERA_MODEL not in described(frame)


@pytest.mark.parametrize("name", ["a b'\"$.dng", "ünï çödé 写真.dng", b"not\xffunicode.dng"])
def test_files_with_odd_names(
    make_tiff: MakeTiff,
    samples: Samples,
    tmp_path: Path,
    name: str | bytes,
) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(make_tiff(samples))
    assert read_raw(path).model == "One"
    assert read_raw(str(path)).model == "One"


@pytest.mark.parametrize(
    ("file", "pattern", "black", "white"),
    [
        ("gopro_hero6", "RGGB", 0.0, 16383),
        ("machinevision_indoor1", "GRBG", 50.0, 1020),
        ("canon_550d_chart", "RGGB", 2056.0, 15000),
        ("blackmagic_4k", "RGGB", 512.0, 65535),
    ],
)
def test_real_frames(real_data: Path, file: str, pattern: str, black: float, white: int) -> None:
    frame = read_raw(real_data / "real" / f"{file}.dng")
    assert (frame.pattern, frame.black, frame.white) == (pattern, (black,) * 4, white)
    assert frame.metadata.text(Tag.UNIQUE_CAMERA_MODEL)
