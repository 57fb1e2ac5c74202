"""Patterns of colours, as sensors have them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawback.mosaic import Mosaic, turned

from .mosaics import KINDS

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


CELLS = {
    "Bayer": 2, "X-Trans": 3, "quad Bayer": 4, "four colours": 2, "stripes": 2, "monochrome": 2,
    "linear": 1,
}  # fmt: skip


@st.composite
def mosaics(draw: st.DrawFn) -> Mosaic:
    """Those that sensors have, and patterns that none has."""
    if draw(st.booleans()):
        return draw(st.sampled_from([*KINDS.values()]))
    height, width = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    row = st.text("RGBE", min_size=width, max_size=width)
    return Mosaic.of_letters(draw(st.lists(row, min_size=height, max_size=height)))


@pytest.mark.parametrize(("name", "cell"), CELLS.items())
def test_cells_are_the_smallest_that_are_alike(name: str, cell: int) -> None:
    mosaic = KINDS[name]
    assert mosaic.cell == cell
    assert mosaic.planes == cell * cell * mosaic.samples
    assert mosaic.across == cell * mosaic.samples


@given(mosaics(), st.integers(1, 9), st.integers(1, 9))
def test_every_sample_is_in_exactly_one_plane(mosaic: Mosaic, rows: int, columns: int) -> None:
    cell = mosaic.cell
    seen = np.zeros((cell * rows, cell * columns), int)
    for plane in range(mosaic.planes):
        y, x = np.broadcast_arrays(*mosaic.pixels_of(plane, (rows, columns)))
        assert y.shape == (rows, columns)
        # Each in its own cell.
        np.testing.assert_array_equal(y // cell, np.arange(rows)[:, None] + 0 * x)
        np.testing.assert_array_equal(x // cell, np.arange(columns)[None, :] + 0 * y)
        np.add.at(seen, (y, x), 1)
        channels = mosaic.plane_channels(plane, (rows, columns))
        if mosaic.pattern:
            pattern = np.array(mosaic.pattern)
            height, width = pattern.shape
            np.testing.assert_array_equal(channels, pattern[y % height, x % width])
        else:
            assert (channels == plane).all()
    assert (seen == mosaic.samples).all()


@given(mosaics())
def test_planes_are_of_one_channel_where_cells_have_as_many_of_each(mosaic: Mosaic) -> None:
    layout = mosaic.layout()
    samples, channels = layout[..., 0], layout[..., 1]
    assert layout.shape[2:] == (mosaic.planes, 2)
    # As many cells as repeat, and each has all its samples.
    np.testing.assert_array_equal(np.sort(samples, axis=2) - np.arange(mosaic.planes), 0)
    tallies = np.stack([(channels == c).sum(axis=2) for c in range(len(mosaic.colours))], axis=2)
    alike = bool((tallies == tallies[0, 0]).all())
    assert alike == bool((channels == channels[0, 0]).all())
    if mosaic.cell > 2:
        assert alike


@pytest.mark.parametrize(
    ("name", "phases"), [("Bayer", 4), ("X-Trans", 18), ("quad Bayer", 16), ("linear", 3)]
)
def test_phases_of_mosaics(name: str, phases: int) -> None:
    assert len(KINDS[name].phases) == len(KINDS[name].turns) == phases


@pytest.mark.parametrize("name", ["X-Trans", "quad Bayer"])
def test_what_lies_around_phases_of_a_channel_is_alike_after_their_turns(name: str) -> None:
    mosaic = KINDS[name]
    letters = np.array([*mosaic.colours])[np.array(mosaic.pattern)]
    layout, by_phase = mosaic.layout(), mosaic.layout(by_phase=True)
    seen: dict[int, list[str]] = {}
    for i, j, plane in np.ndindex(layout.shape[:3]):
        (sample, channel), phase = layout[i, j, plane].tolist(), int(by_phase[i, j, plane, 1])
        assert by_phase[i, j, plane, 0] == sample
        assert mosaic.phases[phase] == channel
        y, x = mosaic.cell * i + sample // mosaic.cell, mosaic.cell * j + sample % mosaic.cell
        offsets = [turned(v - 2, u - 2, mosaic.turns[phase]) for v, u in np.ndindex(5, 5)]
        height, width = letters.shape
        around = [letters[(y + v) % height, (x + u) % width] for v, u in offsets]
        assert seen.setdefault(channel, around) == around


@given(mosaics(), st.integers(0, 5), st.integers(0, 5))
def test_the_channels_of_a_tile_are_those_of_the_frame_there(
    mosaic: Mosaic, down: int, right: int
) -> None:
    whole, part = mosaic.channel_map(), mosaic.channel_map(down, right)
    rows, columns = (np.arange(2 * size) for size in part.shape)
    there = np.ix_(
        (mosaic.cell * down + rows) % whole.shape[0],
        (mosaic.across * right + columns) % whole.shape[1],
    )
    np.testing.assert_array_equal(np.tile(part, (2, 2)), whole[there])


@given(mosaics())
def test_shares_are_those_of_the_samples(mosaic: Mosaic) -> None:
    shares = mosaic.shares()
    assert list(shares) == list(mosaic.palette)
    assert sum(shares.values()) == pytest.approx(1)
    if mosaic.pattern:
        rows, columns = mosaic.period
        for colour, share in shares.items():
            assert mosaic.mask(colour, rows, columns).mean() == pytest.approx(share)


def test_four_letters_are_always_a_cell_of_two_by_two() -> None:
    row = Mosaic.of_letters(["RGBW"])
    assert row.period == (2, 4)
    assert Mosaic.parse(str(row)) == row
    assert Mosaic.parse("RGBW").period == (2, 2)
