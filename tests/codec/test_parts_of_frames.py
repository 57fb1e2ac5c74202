"""Parts of a frame: regions, tiles, and what the carrier does not cover."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.bitstream import unpack
from rawback.common.prediction import predict
from rawback.common.tiles import Grid, Window, completed, filled, trimmed
from rawback.decoder import decode
from rawback.geometry import Aligned, Warped
from rawback.jpegio import decode_jpeg
from rawback.metrics import raw_psnr
from rawback.rate import Rate
from rawback_lab.camera import CameraSpec
from rawback_lab.render import encode_jpeg
from rawback_lab.scenes import Trial, made_up_shot, session_at

from ..mosaics import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.mosaic import Mosaic
    from rawback.types import RawFrame

RATES = [Rate.quality(0), Rate.quality(60), Rate.lossless()]

TILE = 128
"""Cells along each side of the tiles of these tests, so that small frames have many."""


@pytest.fixture(scope="module", autouse=True)
def small_tiles() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr("rawback.common.tiles.TILE", TILE)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def long() -> Trial:
    """A frame of 801 x 37 pixels, longer than what a window's coefficients reach."""
    return Trial.of(*made_up_shot(37, 801, CameraSpec(pattern="GRBG", vignetting=0.4)))


@pytest.fixture(scope="module")
def tall() -> Trial:
    """A frame of 35 x 561 pixels: three tiles, one above the other."""
    return Trial.of(*made_up_shot(561, 35, CameraSpec(pattern="BGGR")))


def whole(trial: Trial, rate: Rate) -> RawFrame:
    return trial.decode(trial.payload(rate))


def test_a_frame_of_many_tiles_round_trips(long: Trial) -> None:
    assert len(Grid.of(37, 801).tiles()) == 4
    for rate in RATES:
        assert np.array_equal(whole(long, rate).cfa, long.encode(rate).restored.cfa)
    assert np.array_equal(whole(long, Rate.lossless()).cfa, long.frame.cfa)


def test_tiles_leave_no_seams(long: Trial) -> None:
    error = whole(long, Rate.quality(60)).cfa.astype(float) - long.frame.cfa
    # Across tile borders the restored mosaic errs no more than elsewhere.
    step = np.abs(error[:, 2:] - error[:, :-2]).mean(axis=0)
    at_borders = step[2 * TILE - 1 :: 2 * TILE]
    assert at_borders.mean() < 1.5 * step.mean()


@pytest.mark.parametrize("rate", RATES[1:], ids=str)
@pytest.mark.parametrize(
    "region",
    [
        (0, 0, 2, 2),
        (798, 34, 3, 3),
        (254, 10, 4, 9),
        (400, 0, 270, 37),
        (255, 11, 7, 8),
        (1, 0, 2, 37),
    ],
    ids=str,
)
def test_a_region_equals_that_part_of_the_whole(
    long: Trial, rate: Rate, region: tuple[int, int, int, int]
) -> None:
    left, top, width, height = region
    part = decode(long.payload(rate), long.carrier, region=region)
    expected = whole(long, rate).cfa[top : top + height, left : left + width]
    assert np.array_equal(part.cfa, expected)
    shifted, _ = long.frame.mosaic.shifted(top, left)
    assert part.pattern == str(shifted)


@settings(max_examples=3, deadline=None)
@given(st.data())
def test_any_region_equals_that_part_of_the_whole(tall: Trial, data: st.DataObject) -> None:
    left, top = (data.draw(st.integers(0, side - 2)) for side in (35, 561))
    width = data.draw(st.integers(2, 35 - left))
    height = data.draw(st.integers(2, 561 - top))
    rate = data.draw(st.sampled_from(RATES[1:]))
    part = decode(tall.payload(rate), tall.carrier, region=(left, top, width, height))
    expected = tall.encode(rate).restored.cfa[top : top + height, left : left + width]
    assert np.array_equal(part.cfa, expected)


@pytest.mark.parametrize(
    "region",
    [(0, 0, 802, 37), (0, 0, 10, 38), (-2, 0, 8, 8), (0, -1, 8, 8), (0, 0, 0, 4), (795, 1, 7, 7)],
)
def test_regions_that_are_no_part_are_refused(
    long: Trial, region: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ValueError, match="is no part of 801 x 37"):
        decode(long.payload(Rate.quality(0)), long.carrier, region=region)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_base_of_a_window_is_that_part_of_the_frames(long: Trial, data: st.DataObject) -> None:
    analysis = long.session.analysis(0)
    grid = analysis.source.grid
    top, left = (
        data.draw(st.integers(0, grid.height - 1)),
        data.draw(st.integers(0, grid.width - 1)),
    )
    bottom = data.draw(st.integers(top + 1, grid.height))
    right = data.draw(st.integers(left + 1, min(grid.width, left + 80)))
    window = Window(top, left, bottom, right)
    part = predict(analysis.base, analysis.source.guides, window)
    entire = predict(analysis.base, analysis.source.guides, grid.whole)
    assert np.array_equal(part.planes, entire.planes[(slice(None), *window.slices)])
    assert np.array_equal(part.classes, entire.classes[window.slices])


def test_some_tiles_may_be_exact_and_others_not(long: Trial) -> None:
    payload = long.payload(Rate.lossless())
    found = long.decode(replace(payload, sections=payload.sections[:-1]))
    same = found.cfa == long.frame.cfa
    assert same[:, : 3 * 2 * TILE].all()
    assert not same[:, 3 * 2 * TILE :].all()


def test_what_the_carrier_does_not_cover_is_coded_all_the_same() -> None:
    frame, jpeg = made_up_shot(120, 160, seed=7)
    pixels = decode_jpeg(jpeg).pixels[12:108, 20:140]
    trial = Trial.of(frame, encode_jpeg(np.ascontiguousarray(pixels)), Aligned(dx=-20, dy=-12))
    assert trial.session.guide.mask.mean() == pytest.approx(96 * 120 / (120 * 160))
    for rate in (*RATES, Rate.quality(90)):
        encoded = trial.encode(rate)
        assert np.array_equal(trial.decode(trial.payload(rate)).cfa, encoded.restored.cfa)
    assert np.array_equal(trial.encode(Rate.lossless()).restored.cfa, frame.cfa)
    outside = trial.session.guide.mask == 0
    error = trial.encode(Rate.quality(90)).restored.cfa.astype(float) - frame.cfa
    assert error[outside].std() < 3 * error[~outside].std()


@pytest.mark.parametrize("orientation", [2, 7])
def test_a_turned_carrier_serves_as_well(orientation: int) -> None:
    frame, jpeg = made_up_shot(64, 96, seed=8)
    pixels = decode_jpeg(jpeg).pixels
    turned = pixels.transpose(1, 0, 2) if orientation > 4 else pixels
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    turned = turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
    trial, upright = (
        Trial.of(frame, encode_jpeg(np.ascontiguousarray(p), 95, "4:4:4"), Aligned(o))
        for p, o in ((turned, orientation), (pixels, 1))
    )
    rate = Rate.quality(0)
    assert np.array_equal(trial.decode(trial.payload(rate)).cfa, trial.encode(rate).restored.cfa)
    given, found = (raw_psnr(frame, one.encode(rate).restored) for one in (upright, trial))
    assert found > given - 2


def test_a_warped_and_scaled_carrier_serves_lossless() -> None:
    frame, jpeg = made_up_shot(90, 110, seed=9)
    warped = Warped((40, 90), (64 * 180, 300), (-200, 64 * 170), (3000, -2000))
    session, carrier = session_at(frame, decode_jpeg(jpeg), warped)
    assert 0.1 < session.guide.mask.mean() < 1
    encoded = session.encode(Rate.lossless())
    assert np.array_equal(decode(unpack(encoded.payload), carrier).cfa, frame.cfa)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 4))
def test_tiles_cover_a_frame_once_in_reading_order(rows: int, columns: int, cell: int) -> None:
    grid = Grid.of(rows, columns, cell)
    assert cell * grid.height - rows in range(cell)
    assert cell * grid.width - columns in range(cell)
    count = np.zeros((grid.height, grid.width), int)
    for tile in grid.tiles():
        count[tile.slices] += 1
    assert (count == 1).all()
    corners = [(tile.top, tile.left) for tile in grid.tiles()]
    assert corners == sorted(corners)


@pytest.mark.parametrize("mosaic", KINDS.values(), ids=KINDS)
@given(st.integers(1, 20), st.integers(1, 20))
def test_frames_are_completed_to_whole_cells_and_trimmed_again(
    mosaic: Mosaic, rows: int, columns: int
) -> None:
    shape = (rows, columns) if mosaic.pattern else (rows, columns, mosaic.samples)
    cfa = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    whole = completed(cfa, mosaic)
    grid = Grid.of(rows, columns, mosaic.cell)
    assert whole.shape == (mosaic.cell * grid.height, mosaic.across * grid.width)
    assert np.array_equal(trimmed(whole, mosaic, rows, columns), cfa)


@pytest.mark.parametrize("name", sorted(KINDS.keys() - {"stripes", "linear"}))
@given(st.integers(1, 20), st.integers(1, 20))
def test_frames_are_completed_by_samples_of_the_same_colour(
    name: str, rows: int, columns: int
) -> None:
    mosaic = KINDS[name]
    height, width = (side + max(mosaic.period) for side in (rows, columns))
    masks = np.stack([mosaic.mask(colour, height + 4, width + 4) for colour in mosaic.palette])
    colours = masks.argmax(axis=0).astype(np.uint16)
    whole = completed(np.ascontiguousarray(colours[:height, :width]), mosaic)
    assert np.array_equal(whole, colours[: whole.shape[0], : whole.shape[1]])


def test_a_guide_is_completed_by_its_last_row_and_column() -> None:
    guide = np.array([[1, 2], [3, 4], [5, 6]])
    assert filled(guide, 2).tolist() == [[1, 2], [3, 4], [5, 6], [5, 6]]
    assert filled(guide, 3).tolist() == [[1, 2, 2], [3, 4, 4], [5, 6, 6]]
