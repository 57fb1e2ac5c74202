"""A raw goes into its JPEG and comes back: as files, in memory, whole, in part, smaller."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rawpy
from PIL import Image

import rawback
from rawback import rawio

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Shot = tuple[bytes, bytes]
COARSE = rawback.Rate.quality(30)


def samples(raw: bytes) -> NDArray[np.uint16]:
    return rawio.read_raw(raw).cfa


def test_lossless_gives_back_every_sample(shot: Shot, lossless_carrier: bytes) -> None:
    dng, result = rawback.restore_bytes(lossless_carrier)
    np.testing.assert_array_equal(samples(dng), samples(shot[0]))
    assert result.exact
    assert result.complete
    assert (result.width, result.height, result.region) == (160, 120, None)


def test_dngs_are_compressed_unless_told_otherwise(lossless_carrier: bytes) -> None:
    packed, plain = (
        rawback.restore_bytes(lossless_carrier, compress=compress)[0] for compress in (True, False)
    )
    assert packed == rawback.restore_bytes(lossless_carrier)[0]
    np.testing.assert_array_equal(samples(packed), samples(plain))
    assert len(packed) < len(plain)


def test_what_an_editor_needs_comes_back(shot: Shot, lossless_carrier: bytes) -> None:
    before = rawio.read_raw(shot[0])
    after = rawio.read_raw(rawback.restore_bytes(lossless_carrier)[0])
    assert (after.pattern, after.white, after.orientation) == (
        before.pattern,
        before.white,
        before.orientation,
    )
    assert (after.make, after.model) == (before.make, before.model)
    assert after.black == pytest.approx(before.black)
    assert after.neutral == pytest.approx(before.neutral, abs=1e-4)
    assert after.color_matrix == pytest.approx(before.color_matrix, abs=1e-3)
    assert after.noise.scale == pytest.approx(before.noise.scale, rel=1e-3)


def test_the_dng_shows_its_picture(lossless_carrier: bytes) -> None:
    dng, _ = rawback.restore_bytes(lossless_carrier)
    with rawpy.imread(io.BytesIO(dng)) as raw:
        thumbnail = raw.extract_thumb()
    assert isinstance(thumbnail.data, bytes)
    with (
        Image.open(io.BytesIO(thumbnail.data)) as small,
        Image.open(io.BytesIO(lossless_carrier)) as large,
    ):
        difference = np.asarray(small, float) - np.asarray(large, float)
    assert np.abs(difference).mean() < 6


def test_every_other_byte_of_the_jpeg_stays(shot: Shot, lossless_carrier: bytes) -> None:
    assert rawback.strip_bytes(lossless_carrier) == shot[1]


def test_a_size_is_met_and_not_exceeded(shot: Shot) -> None:
    size = 5_000
    carrier, result = rawback.embed_bytes(*shot, rate=rawback.Rate.size(size))
    assert len(carrier) - len(shot[1]) == result.payload_bytes
    assert 0.9 * size < result.payload_bytes <= size
    assert result.bpp == pytest.approx(8 * result.payload_bytes / (160 * 120))


def test_bits_per_pixel_count_every_byte(shot: Shot) -> None:
    carrier, result = rawback.embed_bytes(*shot, rate=rawback.Rate.bpp(2.0))
    assert 8 * (len(carrier) - len(shot[1])) <= 2.0 * 160 * 120
    assert result.bpp <= 2.0


def test_the_figures_are_those_of_what_comes_back(shot: Shot) -> None:
    carrier, result = rawback.embed_bytes(*shot, rate=COARSE)
    dng, restored = rawback.restore_bytes(carrier)
    before, after = rawio.read_raw(shot[0]), rawio.read_raw(dng)
    scale = before.white - before.black[0]
    error = (after.cfa.astype(float) - before.cfa).clip(-scale, scale) / scale
    assert result.psnr_db == pytest.approx(-10 * math.log10((error**2).mean()), abs=0.05)
    assert result.error_over_sigma > 0
    assert not result.exact
    assert not restored.exact


def test_sections_add_up_to_the_payload(lossless_carrier: bytes) -> None:
    info = rawback.inspect(lossless_carrier)
    assert sum(section.bytes for section in info.sections) == info.payload_bytes
    assert [section.kind for section in info.sections[:2]] == ["packaging", "header"]
    assert info.intact
    assert (info.width, info.height, info.pattern) == (160, 120, "RGGB")
    assert (info.carrier_width, info.carrier_height) == (160, 120)
    assert rawback.verify(lossless_carrier).sections == info.sections


def test_a_region_is_that_part_of_the_whole(lossless_carrier: bytes, shot: Shot) -> None:
    dng, result = rawback.restore_bytes(lossless_carrier, region=(40, 20, 100, 80))
    np.testing.assert_array_equal(samples(dng), samples(shot[0])[20:100, 40:140])
    assert result.region == (40, 20, 100, 80)


@pytest.mark.parametrize(
    ("left", "top", "pattern"), [(1, 0, "GRBG"), (0, 7, "GBRG"), (21, 33, "BGGR")]
)
def test_a_region_begins_anywhere_with_the_colours_there(
    lossless_carrier: bytes, shot: Shot, left: int, top: int, pattern: str
) -> None:
    dng, _ = rawback.restore_bytes(lossless_carrier, region=(left, top, 50, 31))
    expected = samples(shot[0])[top : top + 31, left : left + 50]
    np.testing.assert_array_equal(samples(dng), expected)
    assert rawio.read_raw(dng).pattern == pattern


@pytest.mark.parametrize(
    "region", [(0, 0, 161, 10), (0, 0, 10, 121), (-2, 0, 10, 10), (0, 0, 0, 10), (160, 0, 2, 2)]
)
def test_regions_outside_the_raw(
    lossless_carrier: bytes, region: tuple[int, int, int, int]
) -> None:
    with pytest.raises(rawback.RawbackError, match="160 x 120"):
        rawback.restore_bytes(lossless_carrier, region=region)


def test_a_second_embed_replaces_the_first(shot: Shot, lossless_carrier: bytes) -> None:
    again, result = rawback.embed_bytes(shot[0], lossless_carrier, rate=COARSE)
    assert rawback.inspect(again).payload_bytes == result.payload_bytes <= 10_000
    assert rawback.strip_bytes(again) == shot[1]


def test_shrunk_carriers_restore_coarser(shot: Shot, lossless_carrier: bytes) -> None:
    original = samples(shot[0]).astype(float)
    whole = rawback.inspect(lossless_carrier).payload_bytes
    errors = []
    for size in (whole, whole // 2, whole // 6):
        carrier, result = rawback.shrink_bytes(lossless_carrier, size)
        assert len(carrier) - len(shot[1]) == result.payload_bytes <= size
        assert result.removed_bytes == whole - result.payload_bytes
        assert rawback.verify(carrier).status == "intact"
        assert rawback.inspect(carrier).exact is (size == whole)
        restored = samples(rawback.restore_bytes(carrier)[0])
        errors.append(float(np.square(restored - original).mean()))
    assert errors[0] == 0
    assert errors == sorted(errors)


def test_shrinking_to_more_changes_nothing(lossless_carrier: bytes) -> None:
    carrier, result = rawback.shrink_bytes(lossless_carrier, 10_000_000)
    assert carrier == lossless_carrier
    assert result.removed_bytes == 0


def test_sizes_too_small_for_any_payload(shot: Shot, lossless_carrier: bytes) -> None:
    for size in (1, 300):
        with pytest.raises(rawback.RateUnreachable, match="ask"):
            rawback.embed_bytes(*shot, rate=rawback.Rate.size(size))
        with pytest.raises(rawback.RateUnreachable, match="ask"):
            rawback.shrink_bytes(lossless_carrier, size)


def test_progress_goes_from_nothing_to_all(shot: Shot) -> None:
    told: list[tuple[str, float]] = []
    carrier, _ = rawback.embed_bytes(*shot, rate=COARSE, progress=lambda *event: told.append(event))
    embedding = [fraction for _, fraction in told]
    told.clear()
    rawback.restore_bytes(carrier, progress=lambda *event: told.append(event))
    restoring = [fraction for _, fraction in told]
    for fractions in (embedding, restoring):
        assert fractions[0] == 0
        assert fractions[-1] == 1
        assert fractions == sorted(fractions)
    assert all(stage.strip() for stage, _ in told)


def test_results_are_json(shot_folder: Path, lossless_carrier: bytes) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    embedded = rawback.embed(raw, jpeg, rate=rawback.Rate.lossless())
    assert embedded.output is not None
    for result in (
        embedded,
        rawback.restore(embedded.output),
        rawback.inspect(embedded.output),
        rawback.verify(embedded.output, raw=raw),
        rawback.shrink(embedded.output, 5_000, shot_folder / "small.jpg"),
        rawback.strip(embedded.output, shot_folder / "plain.jpg"),
    ):
        document = json.loads(json.dumps(result.as_dict(), allow_nan=False))
        assert document
    assert embedded.as_dict()["psnr_db"] is None
    assert embedded.as_dict()["exact"] is True
    assert embedded.as_dict()["sections"][0]["kind"] == "packaging"
