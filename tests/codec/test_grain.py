"""Grain in restored raws: as strong as what was left away, the same every time, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawback
from rawback import decoder, rawio
from rawback.bitstream import cut, section_offsets, unpack
from rawback.encoder.grain import octave_powers
from rawback.errors import PayloadDamaged
from rawback.jpegio import decode_jpeg
from rawback.rate import Rate
from rawback_lab.camera import CameraSpec
from rawback_lab.render import FilmicLook, encode_jpeg, render_filmic
from rawback_lab.scenes import made_up_shot, session_at
from rawback_lab.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

    from rawback.bitstream import Payload
    from rawback.jpegio import DecodedJpeg
    from rawback.types import RawFrame


@pytest.fixture(scope="module")
def flat() -> tuple[RawFrame, bytes]:
    """A smooth scene, mostly noise, as a camera renders it: with little noise left."""
    y, x = np.mgrid[:512, :1152].astype(np.float32)
    light = (0.03 + 0.1 * x / 1152)[..., None] * np.array([0.9, 1.0, 0.8], np.float32)
    light *= 1 + 0.2 * np.sin(y / 90)[..., None]
    spec = CameraSpec(iso=3200)
    frame = simulate(light, spec, np.random.default_rng(3))
    clean = simulate(light, replace(spec, iso=50), np.random.default_rng(4))
    return frame, encode_jpeg(render_filmic(clean, FilmicLook(sharpness=0.0)), 90)


@pytest.fixture(scope="module")
def coded(flat: tuple[RawFrame, bytes]) -> tuple[RawFrame, Payload, DecodedJpeg]:
    frame, jpeg = flat
    session, carrier = session_at(frame, decode_jpeg(jpeg), use="never")
    return frame, unpack(session.encode(Rate.bpp(0.05)).payload), carrier


def octaves(frame: RawFrame) -> np.ndarray:
    """Power of the three finest octaves, mean over patches and planes, in decibels."""
    planes = np.stack([frame.cfa[y::2, x::2] for y in (0, 1) for x in (0, 1)]).astype(float)
    patches = planes.reshape(4, 8, 32, 18, 32).transpose(1, 3, 0, 2, 4).reshape(-1, 4, 32, 32)
    return np.asarray(10 * np.log10(octave_powers(patches).mean(axis=(0, 1))[:3]))


def test_the_power_of_each_octave_comes_back(
    coded: tuple[RawFrame, Payload, DecodedJpeg],
) -> None:
    frame, payload, carrier = coded
    smooth = decoder.restore(payload, carrier)
    grained = decoder.restore(payload, carrier, grain=True)
    assert (smooth.grain, grained.grain) == (False, True)
    missing = octaves(frame) - octaves(smooth.frame)
    assert missing[0] > 6
    assert octaves(grained.frame) == pytest.approx(octaves(frame), abs=0.6)


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_cut_payloads_get_the_grain_of_what_is_left(
    coded: tuple[RawFrame, Payload, DecodedJpeg], share: float
) -> None:
    frame, payload, carrier = coded
    least = section_offsets(payload)[2]
    kept = cut(payload, round(least + share * (section_offsets(payload)[-1] - least)))
    assert len(kept.sections) < len(payload.sections)
    missing = octaves(frame) - octaves(decoder.restore(kept, carrier).frame)
    assert missing[0] > 6
    grained = decoder.restore(kept, carrier, grain=True).frame
    assert octaves(grained) == pytest.approx(octaves(frame), abs=0.8)


def test_it_is_the_same_every_time_and_in_every_part(
    coded: tuple[RawFrame, Payload, DecodedJpeg],
) -> None:
    _, payload, carrier = coded
    whole = decoder.restore(payload, carrier, grain=True).frame.cfa
    assert np.array_equal(whole, decoder.restore(payload, carrier, grain=True).frame.cfa)
    for left, top, width, height in ((0, 0, 64, 64), (962, 130, 190, 301), (1000, 400, 40, 2)):
        region = (left, top, width, height)
        part = decoder.restore(payload, carrier, region=region, grain=True).frame.cfa
        assert np.array_equal(part, whole[top : top + height, left : left + width])


def test_other_carriers_get_other_grain_of_the_same_strength(
    coded: tuple[RawFrame, Payload, DecodedJpeg],
) -> None:
    _, payload, carrier = coded
    smooth = decoder.restore(payload, carrier).frame.cfa.astype(int)
    grain = decoder.restore(payload, carrier, grain=True).frame.cfa - smooth
    assert np.corrcoef(grain[:, :-2].ravel(), grain[:, 2:].ravel())[0, 1] < 0.3
    assert abs(grain.mean()) < 0.05 * grain.std()


def test_lossless_payloads_get_none(flat: tuple[RawFrame, bytes]) -> None:
    frame, jpeg = flat
    part = frame.excerpt(np.ascontiguousarray(frame.cfa[:64, :96]))
    pixels = np.ascontiguousarray(decode_jpeg(jpeg).pixels[:64, :96])
    session, carrier = session_at(part, decode_jpeg(encode_jpeg(pixels, 95)), use="never")
    payload = unpack(session.encode(Rate.lossless()).payload)
    restored = decoder.restore(payload, carrier, grain=True)
    assert not restored.grain
    assert restored.exact


def test_a_spectrum_that_is_none_is_refused_only_where_grain_is_asked_for(
    coded: tuple[RawFrame, Payload, DecodedJpeg],
) -> None:
    _, payload, carrier = coded
    broken = replace(payload, header=replace(payload.header, grain=b"\1\2\3"))
    decoder.restore(broken, carrier)
    with pytest.raises(PayloadDamaged, match="spectra"):
        decoder.restore(broken, carrier, grain=True)


def test_the_dng_tells_and_verifying_knows_nothing_of_it(tmp_path: Path) -> None:
    frame, jpeg = made_up_shot(384, 512, CameraSpec(iso=6400))
    raw = rawio.write_dng(frame)
    carrier, embedded = rawback.embed_bytes(raw, jpeg, rate=rawback.Rate.bpp(0.05))
    plain, _ = rawback.restore_bytes(carrier)
    dng, result = rawback.restore_bytes(carrier, grain=True)
    assert result.grain
    assert result.as_dict()["grain"] is True
    assert b"noise was added" in dng
    assert b"noise was added" not in plain
    opened = rawback.open_carrier(carrier, grain=True)
    assert opened.grain
    assert b"noise was added" in opened.save_dng(tmp_path / "grained.dng").read_bytes()
    assert rawback.verify(carrier, raw=raw).psnr_db == pytest.approx(embedded.psnr_db)
    with pytest.raises(ValueError, match="grain"):
        rawback.restore_bytes(carrier, grain=True, original=True)
