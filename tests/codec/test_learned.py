"""The learned layer inside payloads: the same on both sides, however much of it is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from rawback.bitstream import Payload, Section, SectionKind, unpack
from rawback.decoder import decode
from rawback.errors import PayloadDamaged, PayloadTooNew
from rawback.jpegio import DecodedJpeg, decode_jpeg
from rawback.metrics import raw_psnr
from rawback.rate import Rate
from rawback.residual import RegionClass
from rawback.weights import weights
from rawback_lab.camera import CameraSpec
from rawback_lab.pictures import WHITE, Picture, linear_picture, linear_shot, software_isp
from rawback_lab.render import FilmicLook
from rawback_lab.scenes import made_up_shot, session_at

if TYPE_CHECKING:
    from rawback.encoder import Session
    from rawback.encoder.analysis import Analysis
    from rawback.types import BayerPattern, RawFrame


def _coded(
    pattern: BayerPattern, use: str, rate: Rate
) -> tuple[Payload, DecodedJpeg, RawFrame, RawFrame]:
    frame, jpeg = made_up_shot(131, 181, CameraSpec(pattern=pattern), seed=1)
    session, carrier = session_at(frame, decode_jpeg(jpeg), use="full" if use == "full" else "bare")
    encoded = session.encode(rate)
    return unpack(encoded.payload), carrier, encoded.restored, frame


@dataclass(frozen=True)
class _OfLinear:
    """What a rate gives: bytes, and raw PSNR in dB."""

    size: int
    decibels: float


def _of_linear(use: Literal["auto", "never"], rate: Rate) -> _OfLinear:
    """Code a linear picture, whose layer pays, and see that it decodes to what was said."""
    frame, _ = made_up_shot(300, 420, seed=1)
    linear = linear_picture(frame, 2)
    picture = Picture(linear, software_isp(linear, frame, FilmicLook()), frame)
    session, carrier = session_at(*linear_shot(picture), use=use)
    encoded = session.encode(rate)
    payload = unpack(encoded.payload)
    learned = [s for s in payload.sections if s.kind == SectionKind.LATENTS]
    assert bool(learned) == (use == "auto")
    assert np.array_equal(decode(payload, carrier).cfa, encoded.restored.cfa)
    return _OfLinear(len(encoded.payload), raw_psnr(session.frame, encoded.restored))


def _with_latents(payload: Payload, change: dict[int, bytes]) -> Payload:
    sections = tuple(
        replace(s, data=change.get(s.layer, s.data)) if s.kind == SectionKind.LATENTS else s
        for s in payload.sections
    )
    return replace(payload, sections=sections)


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
@pytest.mark.parametrize("use", ["bare", "full"])
def test_decoding_gives_what_the_encoder_said(pattern: BayerPattern, use: str) -> None:
    payload, carrier, restored, _ = _coded(pattern, use, Rate.quality(40))
    layers = [s.layer for s in payload.sections if s.kind == SectionKind.LATENTS]
    assert layers == (list(range(6)) if use == "full" else [0])
    found = decode(payload, carrier)
    assert np.array_equal(found.cfa, restored.cfa)
    part = decode(payload, carrier, region=(100, 60, 40, 50))
    assert np.array_equal(part.cfa, found.cfa[60:110, 100:140])


@pytest.mark.parametrize("use", ["bare", "full"])
def test_linear_pictures_have_networks_of_their_own(use: Literal["bare", "full"]) -> None:
    frame, _ = made_up_shot(300, 420, seed=1)
    linear = linear_picture(frame, 2)
    picture = Picture(linear, software_isp(linear, frame, FilmicLook()), frame)
    session, carrier = session_at(*linear_shot(picture), use=use)
    payload = unpack(session.encode(Rate.quality(40)).payload)
    head = next(s.data for s in payload.sections if s.kind == SectionKind.LATENTS)
    assert head[:8] == weights("linear").digest
    found = decode(payload, carrier)
    assert np.array_equal(found.cfa, session.encode(Rate.quality(40)).restored.cfa)
    errors = found.cfa.astype(np.float64) - linear
    assert np.sqrt(np.mean(errors**2)) < 0.01 * WHITE


def test_without_a_residual_the_layer_is_there_where_it_is_nearer() -> None:
    without, with_it = (_of_linear(use, Rate.quality(0)) for use in ("never", "auto"))
    assert without.decibels < with_it.decibels
    assert without.size < with_it.size < without.size + 300


@pytest.mark.parametrize("rate", [Rate.quality(30), Rate.psnr(48), Rate.size(9000)])
def test_every_kind_of_rate_takes_the_layer_where_it_pays(rate: Rate) -> None:
    without, with_it = (_of_linear(use, rate) for use in ("never", "auto"))
    if rate.kind != "psnr":
        assert with_it.decibels >= without.decibels
    if rate.kind != "size":
        assert with_it.size <= without.size


def _linear_session() -> Session:
    """A linear picture whose rendering clips."""
    frame, _ = made_up_shot(300, 420, seed=1)
    linear = linear_picture(frame, 2)
    look = FilmicLook(exposure=2.0)
    picture = Picture(linear, software_isp(linear, frame, look), frame)
    return session_at(*linear_shot(picture))[0]


def test_a_guarded_readout_leaves_the_base_where_the_guide_clips() -> None:
    plain = _linear_session().analysis(0)
    refined = plain.refined(24, "bare", readout="guarded")
    assert refined.is_learned
    changed = {False: 0, True: 0}
    for before, after in zip(plain.predicted, refined.predicted, strict=True):
        clipped = before.classes == RegionClass.CLIPPED
        for where in (False, True):
            spots = clipped == where
            assert spots.any()
            changed[where] += int((before.planes[:, spots] != after.planes[:, spots]).sum())
    assert changed[True] == 0
    assert changed[False] > 1000


@pytest.mark.parametrize("sign", [1, -1])
def test_of_the_ways_that_pay_what_the_payload_is_worth_decides(sign: int) -> None:
    plain, seen = _linear_session().analysis(0), []

    def worth(layered: Analysis) -> float:
        # Ways differ in what they do to the brightest places.
        clipped = sum(
            float(part.planes[:, part.classes == RegionClass.CLIPPED].sum())
            for part in layered.predicted
        )
        seen.append(sign * clipped)
        return seen[-1]

    chosen = plain.refined(24, "auto", worth=worth)
    assert len(set(seen)) >= 2
    tried = list(seen)
    assert worth(chosen) == max(tried)


def test_an_exact_layer_on_top_of_it_is_exact() -> None:
    payload, carrier, _, frame = _coded("GRBG", "full", Rate.lossless())
    assert np.array_equal(decode(payload, carrier).cfa, frame.cfa)


def test_a_payload_may_end_after_any_of_its_sections() -> None:
    payload, carrier, restored, _ = _coded("RGGB", "full", Rate.quality(40))
    seen, found = set(), restored.cfa[:0]
    for count in range(1, len(payload.sections) + 1):
        part = replace(payload, sections=payload.sections[:count])
        found = decode(part, carrier).cfa
        seen.add(found.tobytes())
    assert np.array_equal(found, restored.cfa)
    # Base, filters, networks, latents, and three layers; a group may hold next to nothing.
    assert len(seen) >= 6


def test_a_smaller_size_is_cut_from_what_the_decoder_will_see() -> None:
    frame, jpeg = made_up_shot(131, 181, seed=1)
    session, carrier = session_at(frame, decode_jpeg(jpeg), use="full")
    whole = session.encode(Rate.quality(1))
    sizes = range(len(whole.payload) - 700, len(whole.payload), 300)
    for size in sizes:
        encoded = session.encode(Rate.size(size))
        assert len(encoded.payload) <= size
        found = decode(unpack(encoded.payload), carrier)
        assert np.array_equal(found.cfa, encoded.restored.cfa)


def test_other_weights_are_named_as_what_is_missing() -> None:
    payload, carrier, _, _ = _coded("RGGB", "bare", Rate.quality(20))
    head = next(s.data for s in payload.sections if s.kind == SectionKind.LATENTS)
    with pytest.raises(PayloadTooNew, match="update"):
        decode(_with_latents(payload, {0: bytes(8) + head[8:]}), carrier)


@pytest.mark.parametrize("head", [b"", b"short"])
def test_a_broken_first_section_is_refused(head: bytes) -> None:
    payload, carrier, _, _ = _coded("RGGB", "bare", Rate.quality(20))
    with pytest.raises(PayloadDamaged):
        decode(_with_latents(payload, {0: head}), carrier)


def test_impossible_side_information_is_refused() -> None:
    payload, carrier, _, _ = _coded("RGGB", "full", Rate.quality(20))
    for hints in (b"", bytes([0, 16, 0]) + bytes(9)):
        with pytest.raises(PayloadDamaged, match="side information"):
            decode(_with_latents(payload, {1: hints}), carrier)


def test_a_group_too_many_is_refused() -> None:
    payload, carrier, _, _ = _coded("RGGB", "full", Rate.quality(20))
    more = (*payload.sections, Section(SectionKind.LATENTS, 6, 0, b""))
    with pytest.raises(PayloadDamaged, match="groups"):
        decode(replace(payload, sections=more), carrier)


@pytest.mark.parametrize("seed", range(8))
def test_made_up_groups_restore_something_or_are_refused(seed: int) -> None:
    payload, carrier, _, frame = _coded("RGGB", "full", Rate.quality(20))
    rng = np.random.default_rng(seed)
    change = {layer: rng.bytes(int(rng.integers(0, 200))) for layer in range(1, 6)}
    try:
        found = decode(_with_latents(payload, change), carrier)
    except PayloadDamaged:
        return
    assert found.cfa.shape == frame.cfa.shape
