"""Patterns of colours, as sensors have them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback.mosaic import Mosaic

X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
QUAD_BAYER = "RRGG/RRGG/GGBB/GGBB"
NAMES = {
    "RGGB": "RGGB",
    "GMCY": "GMCY",
    "W": "monochrome",
    "R+G+B": "linear RGB",
    X_TRANS: "X-Trans",
    QUAD_BAYER: "quad Bayer RGGB",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items())
def test_written_and_read_back(text: str, name: str) -> None:
    mosaic = Mosaic.parse(text)
    assert str(mosaic) == text
    assert mosaic.name == name


def test_channels_of_bayer_are_positions() -> None:
    mosaic = Mosaic.parse("GRBG")
    assert mosaic.is_bayer
    assert (mosaic.colours, mosaic.palette) == ("GRBG", "RGB")
    np.testing.assert_array_equal(mosaic.channel_map(), [[0, 1], [2, 3]])


def test_channels_of_x_trans_tell_lone_greens_from_blocks() -> None:
    mosaic = Mosaic.parse(X_TRANS)
    counts = np.bincount(mosaic.channel_map().ravel())
    assert sorted(zip(mosaic.colours, counts.tolist(), strict=True)) == [
        ("B", 8), ("G", 4), ("G", 16), ("R", 8),
    ]  # fmt: skip


def test_samples_and_cells() -> None:
    linear, white = Mosaic.parse("R+G+B"), Mosaic.parse("W")
    assert (linear.samples, linear.cell, linear.planes) == (3, 1, 3)
    assert (white.samples, white.cell, white.planes) == (1, 2, 4)
    assert white.is_monochrome


@pytest.mark.parametrize("text", ["", "R/G/", "XYZZ", "R+G", "RGGB/GR", "RG/GB", "RGB/CMY", "//"])
def test_what_is_no_mosaic(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Mosaic.parse(text)


@given(st.sampled_from([t for t in NAMES if "+" not in t]), st.integers(0, 7), st.integers(0, 7))
def test_a_part_keeps_its_colours(text: str, top: int, left: int) -> None:
    mosaic = Mosaic.parse(text)
    part, order = mosaic.shifted(top, left)
    assert Mosaic.parse(str(part)) == part
    for colour in mosaic.palette:
        whole = mosaic.mask(colour, 20, 20)
        np.testing.assert_array_equal(part.mask(colour, 12, 12), whole[top:, left:][:12, :12])
    assert [mosaic.colours[channel] for channel in order] == list(part.colours)


@given(st.text("RGBCMYEW/+", max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        mosaic = Mosaic.parse(text)
    except ValueError:
        return
    assert str(mosaic) == text
    assert 1 <= len(mosaic.colours) <= 4
