"""DNGs of every sensor: patterns, monochrome and linear frames, and their levels."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from rawback.rawio import read_raw, write_dng
from rawback.rawio.tags import Tag

from .dng_images import BYTE, DEFLATE, LINEAR, LONG, SHORT, MakeTiff, Tags

if TYPE_CHECKING:
    from pathlib import Path

Samples = NDArray[np.uint16]

X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
CODES = {letter: code for code, letter in enumerate("RGBCMYW")}


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
