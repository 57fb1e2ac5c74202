"""A session: prepared once, looked at and coded at any rate."""

from __future__ import annotations

import io
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import rawback
from rawback import rawio
from rawback.encoder.analysis import Analysis
from rawback.encoder.base_fits import BASE_LAMBDAS, FittedBase
from rawback.types import NoiseModel, RawFrame

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback.encoder.encoder_input import EncoderInput

WHOLE = (0, 0, 160, 120)


@pytest.fixture(scope="module")
def session(shot: tuple[bytes, bytes]) -> rawback.Session:
    opened = rawback.open_session(*shot)
    opened.curve()
    return opened


@pytest.mark.parametrize("quality", [0, 12.5, 60, 85])
def test_a_preview_is_what_the_payload_restores(
    session: rawback.Session, shot: tuple[bytes, bytes], quality: float
) -> None:
    rate = rawback.Rate.quality(quality)
    preview = session.preview(rate, WHOLE)
    carrier, figures = rawback.embed_bytes(*shot, rate=rate)
    restored = rawio.read_raw(rawback.restore_bytes(carrier)[0])
    assert np.array_equal(preview.original, session.original.cfa)
    assert np.array_equal(preview.restored, restored.cfa)
    encoding = session.encode(rate)
    assert encoding.carrier == carrier
    assert encoding.result.psnr_db == figures.psnr_db
    assert np.array_equal(encoding.restored.cfa, restored.cfa)


def test_lossless_previews_are_the_original(session: rawback.Session) -> None:
    preview = session.preview(rawback.Rate.lossless(), WHOLE)
    assert np.array_equal(preview.restored, preview.original)
    assert not np.array_equal(preview.predicted, preview.original)


def test_a_part_equals_that_part_of_the_whole(session: rawback.Session) -> None:
    rate = rawback.Rate.quality(50)
    whole = session.preview(rate, WHOLE)
    for left, top in ((64, 32), (65, 33), (2, 1)):
        part = session.preview(rate, (left, top, 51, 43))
        assert part.restored.shape == (43, 51)
        there = np.s_[top : top + 43, left : left + 51]
        assert np.array_equal(part.original, whole.original[there])
        assert np.array_equal(part.restored, whole.restored[there])
        assert np.array_equal(part.predicted, whole.predicted[there])


@pytest.mark.parametrize(
    "region", [(0, 0, 161, 10), (155, 0, 6, 10), (-2, 0, 4, 4), (0, -1, 4, 4), (0, 0, 0, 4)]
)
def test_regions_outside_are_refused(
    session: rawback.Session, region: tuple[int, int, int, int]
) -> None:
    with pytest.raises(rawback.RawbackError, match="not within the raw"):
        session.preview(rawback.Rate.quality(50), region)


def test_the_curve_runs_from_the_smallest_payload_to_lossless(session: rawback.Session) -> None:
    curve = session.curve()
    sizes = [point.payload_bytes for point in curve.points]
    assert curve.complete
    assert sizes == sorted(set(sizes))
    assert [p.psnr_db for p in curve.points] == sorted(p.psnr_db for p in curve.points)
    assert curve.largest.exact
    assert curve.largest.psnr_db == math.inf
    assert curve.largest.error_over_sigma == 0
    base, *_ = session.base_ends()
    assert curve.smallest.payload_bytes < base.payload_bytes


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 1.0])
def test_points_of_the_curve_can_be_had(session: rawback.Session, share: float) -> None:
    curve = session.curve()
    low, high = curve.smallest.payload_bytes, curve.largest.payload_bytes
    point = curve.at_size(low * (high / low) ** share)
    result = session.encode(point.rate).result
    assert result.payload_bytes == pytest.approx(point.payload_bytes, rel=0.12, abs=40)
    if point.rate.kind == "size":
        # Below its largest base alone the curve knows bases only; the encoder may add layers.
        assert result.psnr_db >= point.psnr_db - 0.1
    else:
        assert result.psnr_db == pytest.approx(point.psnr_db, abs=0.7)


def test_rates_are_found_by_size_bits_and_decibels(session: rawback.Session) -> None:
    curve = session.curve()
    point = curve.at_psnr(48)
    assert point.psnr_db == pytest.approx(48, abs=0.3)
    assert curve.at_size(point.payload_bytes).rate == point.rate
    assert curve.at_bpp(point.bpp).payload_bytes == pytest.approx(point.payload_bytes, rel=0.03)
    assert curve.at_size(1) == curve.smallest
    assert curve.at_psnr(1000).exact
    by_size = session.preview(rawback.Rate.size(point.payload_bytes), WHOLE)
    by_psnr = session.preview(rawback.Rate.psnr(48), WHOLE)
    assert np.array_equal(by_size.restored, by_psnr.restored)


def test_a_curve_leaves_the_largest_base_where_it_is(
    shot: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed: list[FittedBase] = []
    analyse = Analysis.of_base

    def noted(
        source: EncoderInput, fitted: FittedBase, report: Callable[[float], None]
    ) -> Analysis:
        analysed.append(fitted)
        return analyse(source, fitted, report)

    monkeypatch.setattr(Analysis, "of_base", noted)
    with_curve = rawback.open_session(*shot)
    with_curve.curve()
    assert len({id(fitted) for fitted in analysed}) == len(BASE_LAMBDAS)
    count = len(analysed)
    with_curve.encode(rawback.Rate.quality(40))
    with_curve.preview(rawback.Rate.quality(40), WHOLE)
    assert len(analysed) == count
    assert sum(fitted is analysed[0] for fitted in analysed) == 1


def test_previews_agree_while_whole_frames_are_measured(shot: tuple[bytes, bytes]) -> None:
    """Points that coefficients are restored to are estimated at first, then known."""
    session = rawback.open_session(*shot)
    session.prepare()
    rate = rawback.Rate.quality(30)
    with ThreadPoolExecutor(4) as pool:
        curve = pool.submit(session.curve)
        during = list(pool.map(lambda _: session.preview(rate, WHOLE).restored, range(8)))
        curve.result()
    coded = session.encode(rate).restored.cfa
    assert all(np.array_equal(view, coded) for view in during)


def test_sections_end_where_the_payload_can_be_cut(session: rawback.Session) -> None:
    encoding = session.encode(rawback.Rate.quality(60))
    ends = [end.payload_bytes for end in encoding.ends]
    assert ends == sorted(ends)
    assert (
        ends[-1]
        == encoding.result.payload_bytes
        == sum(section.bytes for section in encoding.result.sections)
    )
    layer = next(end for end in encoding.ends if end.kind == "residual")
    smaller, left = rawback.shrink_bytes(encoding.carrier, layer.payload_bytes + 8)
    assert left.sections[-1].kind == "residual"
    assert len(smaller) < len(encoding.carrier)


def test_overlays_tell_where_the_bits_went(session: rawback.Session) -> None:
    encoding = session.encode(rawback.Rate.quality(60))
    (overlay,) = encoding.overlays
    assert overlay.name == "bits"
    coded = sum(s.bytes for s in encoding.result.sections if s.kind == "residual")
    assert overlay.values.sum() * 160 * 120 / 8 == pytest.approx(coded)


def test_order_masks_cover_every_quad_once() -> None:
    learned = Path(__file__).parents[1] / "golden" / "learned.jpg"
    opened = rawback.open_carrier(learned.read_bytes())
    bits, *masks = opened.overlays
    assert bits.name == "bits"
    assert bits.values.sum() > 0
    assert [mask.name for mask in masks] == [f"order-{n + 1}" for n in range(len(masks))]
    assert len(masks) > 1
    assert all(mask.mask for mask in masks)
    assert np.array_equal(sum(mask.values for mask in masks), np.ones_like(masks[0].values))
    height, width = opened.restored.cfa.shape
    rows, columns = masks[0].values.shape
    assert (rows, columns) == (-(-height // masks[0].cell), -(-width // masks[0].cell))


def test_jobs_stop_when_told_and_go_on_later(shot: tuple[bytes, bytes]) -> None:
    opened = rawback.open_session(*shot)
    stop = threading.Event()
    with pytest.raises(rawback.Cancelled):
        opened.curve(cancel=stop, found=lambda curve: stop.set() if curve.points else None)
    assert opened.prepared
    stop.clear()
    known: list[rawback.Curve] = []
    opened.curve(found=known.append)
    assert len(known[0].points) >= 1
    stop.set()
    with pytest.raises(rawback.Cancelled):
        opened.encode(rawback.Rate.quality(60), cancel=stop)


def test_the_guide_is_told_before_the_rest(shot: tuple[bytes, bytes]) -> None:
    opened = rawback.open_session(*shot)
    assert opened.guide is None
    told: list[tuple[bool, rawback.Guide]] = []
    opened.prepare(registered=lambda guide: told.append((opened.prepared, guide)))
    assert [ready for ready, _ in told] == [False]
    assert told[0][1] is opened.guide


def test_threads_may_share_it(session: rawback.Session) -> None:
    rates = [rawback.Rate.quality(quality) for quality in (20, 45, 70)]
    alone = [session.preview(rate, WHOLE).restored for rate in rates]
    with ThreadPoolExecutor(4) as pool:
        encoded = pool.submit(session.encode, rawback.Rate.quality(50))
        found = list(pool.map(lambda rate: session.preview(rate, WHOLE).restored, rates * 4))
    assert all(np.array_equal(f, alone[i % 3]) for i, f in enumerate(found))
    assert encoded.result().result.psnr_db > 40


def test_saving_never_replaces_an_input(shot_folder: Path) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    before = jpeg.read_bytes()
    opened = rawback.open_session(raw, jpeg)
    encoding = opened.encode(rawback.Rate.quality(50))
    with pytest.raises(rawback.OutputRefused, match="input"):
        opened.save(encoding, jpeg, overwrite=True)
    carrier = opened.save(encoding, shot_folder / "carrier.jpg")
    with pytest.raises(rawback.OutputRefused, match="exists already"):
        opened.save(encoding, carrier)
    sidecar = opened.save(encoding, shot_folder / "photo.jpg.rawback", sidecar=True)
    dng = opened.save_dng(encoding, shot_folder / "restored.dng")
    assert rawback.verify(carrier, raw=raw).intact
    assert rawback.verify(jpeg, sidecar=sidecar).intact
    assert np.array_equal(rawio.read_raw(dng).cfa, encoding.restored.cfa)
    assert jpeg.read_bytes() == before
    kept = opened.save_in_place(encoding, jpeg)
    assert kept.read_bytes() == before
    assert rawback.strip_bytes(jpeg.read_bytes()) == before
    # Another payload takes the place of the first; the JPEG as it was stays.
    finer = opened.encode(rawback.Rate.quality(70))
    assert opened.save_in_place(finer, jpeg).read_bytes() == before
    assert jpeg.read_bytes() == finer.carrier
    jpeg.write_bytes(before)
    with pytest.raises(rawback.OutputRefused, match="changed since"):
        opened.save_in_place(encoding, jpeg)


def test_saving_tells_how_far_verifying_is_and_stops(shot_folder: Path) -> None:
    opened = rawback.open_session(shot_folder / "photo.dng", shot_folder / "photo.jpg")
    encoding = opened.encode(rawback.Rate.quality(50))
    told: list[tuple[str, float]] = []
    carrier = shot_folder / "carrier.jpg"
    opened.save(encoding, carrier, progress=lambda *word: told.append(word))
    assert told[0] == ("Verifying", 0.0)
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.9
    stopped = threading.Event()
    stopped.set()
    before = set(shot_folder.iterdir())
    for sidecar, name in ((False, "no.jpg"), (True, "no.rawback")):
        with pytest.raises(rawback.Cancelled):
            opened.save(encoding, shot_folder / name, sidecar=sidecar, cancel=stopped)
    with pytest.raises(rawback.Cancelled):
        opened.save_in_place(encoding, shot_folder / "photo.jpg", cancel=stopped)
    assert set(shot_folder.iterdir()) == before
    # What is not verified is written without a word.
    told.clear()
    opened.save(
        encoding, shot_folder / "no.jpg", verify=False, progress=lambda *word: told.append(word)
    )
    assert told == []


def test_the_curve_counts_the_metadata_that_payloads_tell(shot: tuple[bytes, bytes]) -> None:
    session = rawback.open_session(*shot)
    assert rawback.open_session(*shot).known_curve is None
    curve, ends = session.curve(), session.base_ends()
    assert session.known_curve == curve
    sizes = {}
    choices: tuple[rawback.MetadataChoice, ...] = ("all", "rendering", "auto")
    for choice in choices:
        session.metadata = choice
        counted = session.known_curve
        assert counted is not None
        lossy = counted.smallest.rate
        made = session.encode(lossy)
        assert made.metadata == choice
        sizes[choice] = made.result.payload_bytes
        assert counted.smallest.payload_bytes == pytest.approx(sizes[choice], abs=4)
        exact = session.encode(rawback.Rate.lossless()).result
        assert counted.largest.payload_bytes == pytest.approx(exact.payload_bytes, rel=0.02)
        # What is shown for a size is what a payload of that size holds.
        size = rawback.Rate.size(sizes[choice])
        assert np.array_equal(
            session.preview(size, WHOLE).restored, session.preview(lossy, WHOLE).restored
        )
    assert sizes["rendering"] <= sizes["auto"] < sizes["all"]
    assert (session.known_curve, session.base_ends()) == (curve, ends)
    with pytest.raises(ValueError, match="metadata is one of"):
        session.metadata = "some"  # type: ignore[assignment]


def test_a_session_keeps_the_raw_file_itself(shot_folder: Path) -> None:
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    session = rawback.open_session(raw, jpeg)
    plain = session.encode(rawback.Rate.lossless()).result
    encoding = session.encode(rawback.Rate.lossless(), original=True)
    assert encoding.result.raw_file is not None
    assert encoding.result.raw_file.name == "photo.dng"
    assert encoding.result.payload_bytes > plain.payload_bytes
    carrier = session.save(encoding, shot_folder / "carrier.jpg")
    again = shot_folder / "again.dng"
    rawback.restore(carrier, again, original=True)
    assert again.read_bytes() == raw.read_bytes()
    with pytest.raises(ValueError, match="needs all samples"):
        session.encode(rawback.Rate.quality(40), original=True)


def test_a_jpeg_of_another_shot_is_refused_unless_unguided(shot: tuple[bytes, bytes]) -> None:
    plain = np.full((120, 160, 3), 128, np.uint8)
    file = io.BytesIO()
    Image.fromarray(plain).save(file, "JPEG")
    with pytest.raises(rawback.ShotMismatch):
        rawback.open_session(shot[0], file.getvalue()).prepare()
    session = rawback.open_session(shot[0], file.getvalue(), unguided=True)
    session.prepare()
    assert not session.encode(rawback.Rate.quality(40)).result.guided


def test_carriers_open_alone(shot: tuple[bytes, bytes], lossless_carrier: bytes) -> None:
    opened = rawback.open_carrier(lossless_carrier)
    original = rawio.read_raw(shot[0])
    assert opened.info.exact
    assert np.array_equal(opened.restored.cfa, original.cfa)
    assert opened.guide.pixels.shape == (120, 160, 3)
    with pytest.raises(rawback.PayloadMissing):
        rawback.open_carrier(shot[1])


def test_a_raw_without_colours_gets_a_grey_carrier() -> None:
    ramp = np.linspace(300, 15000, 160 * 120).reshape(120, 160).astype(np.uint16)
    frame = RawFrame(ramp, "W", (256.0,), 16383, NoiseModel(1e-4, 1e-6))
    jpeg = rawback.carrier_for(rawio.write_dng(frame))
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.size == (160, 120)
        assert image.mode == "L"


def test_raws_alone_get_a_carrier(shot: tuple[bytes, bytes]) -> None:
    jpeg = rawback.carrier_for(shot[0])
    carrier, result = rawback.embed_bytes(shot[0], jpeg, rate=rawback.Rate.quality(50))
    assert result.psnr_db > 40
    assert len(carrier) > len(jpeg)
    with pytest.raises(rawback.RawbackError):
        rawback.carrier_for(b"no raw at all")
