"""One slider from a base to the sensor's own samples; what is asked for is met or refused."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.bitstream import SectionKind, section_offsets, unpack
from rawback.common.error_weights import WEIGHT_POWER
from rawback.decoder import decode
from rawback.encoder import prepare, size_search
from rawback.encoder.rate_control import StepSearch
from rawback.errors import RateUnreachable
from rawback.jpegio import decode_jpeg
from rawback.metrics import raw_psnr
from rawback.rate import COARSEST_STEP, LOSSLESS_STEP, Rate
from rawback.types import NoiseModel
from rawback_lab.camera import CameraSpec
from rawback_lab.pictures import Picture, linear_shot
from rawback_lab.scenes import Trial, made_up_shot, session_at

if TYPE_CHECKING:
    from rawback.bitstream import Payload
    from rawback.types import BayerPattern

RATES = [
    Rate.size(900),
    Rate.quality(0),
    Rate.quality(55),
    Rate.quality(99),
    Rate.lossless(),
]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_decoding_gives_what_the_encoder_said_it_would(small: Trial, rate: Rate) -> None:
    encoded = small.encode(rate)
    found = small.decode(unpack(encoded.payload))
    assert np.array_equal(found.cfa, encoded.restored.cfa)
    assert found.cfa.max() <= small.frame.white


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_lossless_is_bit_exact_for_every_pattern(pattern: BayerPattern) -> None:
    frame, jpeg = made_up_shot(38, 51, CameraSpec(pattern=pattern), seed=3)
    trial = Trial.of(frame, jpeg)
    found = trial.decode(trial.payload(Rate.lossless()))
    assert found.pattern == pattern
    assert np.array_equal(found.cfa, frame.cfa)


@pytest.mark.parametrize("shape", [(131, 97), (34, 49)])
def test_lossless_is_bit_exact_at_odd_sizes(shape: tuple[int, int]) -> None:
    frame, jpeg = made_up_shot(*shape, subsampling="4:4:4", seed=4)
    trial = Trial.of(frame, jpeg)
    found = trial.decode(trial.payload(Rate.lossless()))
    assert found.cfa.shape == shape
    assert np.array_equal(found.cfa, frame.cfa)


def test_small_lossless_payloads_have_a_base_that_pays(small: Trial) -> None:
    def base_of(payload: Payload) -> int:
        return sum(len(s.data) for s in payload.sections if s.kind == SectionKind.BASE)

    session = small.session
    builder = session.builder(session.analysis(0).tuned("psnr"))
    builder.add_layers(LOSSLESS_STEP, lambda _stage, _done: None, plain=True)
    first = builder.with_lossless(lambda _stage, _done: None)
    best = session.encode(Rate.lossless())
    assert len(best.payload) < len(first.payload)
    assert base_of(unpack(best.payload)) < base_of(unpack(first.payload))


def test_an_eight_bit_sensor_in_a_ten_bit_file_costs_no_more_than_eight_bits() -> None:
    frame, jpeg = made_up_shot(64, 96, CameraSpec(bits=10, black=64, white=1023), seed=5)
    cfa = (frame.cfa + 2) // 4 * 4
    coarse = replace(frame, cfa=np.minimum(cfa, 1020).astype(np.uint16), white=1020)
    sizes = {}
    for name, one in (("fine", frame), ("coarse", coarse)):
        trial = Trial.of(one, jpeg)
        payload = trial.payload(Rate.lossless())
        assert np.array_equal(trial.decode(payload).cfa, one.cfa)
        exact = [s for s in payload.sections if s.kind == SectionKind.EXACT]
        sizes[name] = 8 * sum(len(section.data) for section in exact) / one.cfa.size
    assert sizes["coarse"] < sizes["fine"] - 1.2


@pytest.mark.parametrize("size", [2000, 8000])
def test_a_size_is_filled_but_never_exceeded(sizeable: Trial, size: int) -> None:
    payload = sizeable.encode(Rate.size(size)).payload
    largest = max(section.packed_size for section in unpack(payload).sections)
    assert len(payload) <= size
    assert len(payload) >= min(0.98 * size, size - largest)


def test_no_step_is_so_coarse_that_a_payload_cannot_name_it() -> None:
    # A linear picture of 16 bits has next to no noise: all steps are fine beside what is left.
    shot, _ = made_up_shot(96, 128, seed=3)
    colours = np.full((96, 128, 3), 20_000, np.uint16)
    colours[::2, ::3] = 60_000
    colours[1::5] = 100
    frame, carrier = linear_shot(Picture(colours, np.full(colours.shape, 90, np.uint8), shot))
    frame = replace(frame, noise=NoiseModel(1e-9, 1e-12))
    session, carrier = session_at(frame, carrier, use="never")
    for size in (900, 1200, 1600, 2000):
        encoded = session.encode(Rate.size(size))
        assert np.array_equal(decode(unpack(encoded.payload), carrier).cfa, encoded.restored.cfa)
    assert StepSearch(session.analysis(0)).step_for(1.0) <= COARSEST_STEP


def test_drawings_take_less_without_loss_than_with_some() -> None:
    shot = made_up_shot(64, 96)[0]
    rng = np.random.default_rng(2)
    colours = rng.integers(20, 235, (6, 3)).astype(np.uint8)
    drawing = colours[np.kron(rng.integers(0, 6, (12, 16)), np.ones((16, 16), np.intp))]
    linear = (257 * drawing.astype(np.uint16)) >> 1
    rendering = (drawing + rng.integers(-8, 9, drawing.shape)).astype(np.uint8)
    frame, carrier = linear_shot(Picture(linear, rendering, shot))
    session, carrier = session_at(frame, carrier, use="never")
    for rate in (Rate.quality(75), Rate.size(2000)):
        assert np.array_equal(session.encode(rate).restored.cfa, frame.cfa)


def test_sizes_of_linear_frames_weigh_errors_as_raw_psnr_does_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = CameraSpec(pattern="R+G+B", iso=100, full_well=90_000, read_noise=0.5, exposure=-1)
    shot, jpeg = made_up_shot(200, 280, spec, seed=2)
    session, carrier = session_at(shot, decode_jpeg(jpeg), use="never", tune="psnr")
    rate = Rate.size(9000)
    heavier = session.encode(rate)
    payload = unpack(heavier.payload)
    assert payload.header.residual[2] > WEIGHT_POWER
    assert np.array_equal(decode(payload, carrier).cfa, heavier.restored.cfa)
    monkeypatch.setattr(size_search, "_LARGEST_POWER", WEIGHT_POWER)
    usual = session.encode(rate)
    assert unpack(usual.payload).header.residual[2] == WEIGHT_POWER
    assert raw_psnr(shot, heavier.restored) > raw_psnr(shot, usual.restored) + 0.1
    seen, _ = session_at(shot, decode_jpeg(jpeg), use="never", tune="visual")
    assert unpack(seen.encode(rate).payload).header.residual[2] == WEIGHT_POWER


def test_bits_per_pixel_are_a_size(small: Trial) -> None:
    bits = 8 * 900 / small.frame.cfa.size
    again = small.session.encode(Rate.bpp(bits))
    assert again.payload == small.encode(Rate.size(900)).payload


def test_more_bytes_never_restore_worse(sizeable: Trial) -> None:
    decibels = [
        raw_psnr(sizeable.frame, sizeable.encode(Rate.size(size)).restored) for size in (2000, 8000)
    ]
    assert all(more > less for less, more in pairwise(decibels))


def test_more_quality_is_larger_and_better(small: Trial) -> None:
    encoded = [small.encode(Rate.quality(q)) for q in (1, 55, 99)]
    sizes = [len(one.payload) for one in encoded]
    decibels = [raw_psnr(small.frame, one.restored) for one in encoded]
    assert sizes == sorted(sizes)
    assert decibels == sorted(decibels)


@pytest.mark.parametrize("decibels", [40, 45])
def test_a_psnr_is_reached(small: Trial, decibels: float) -> None:
    encoded = small.encode(Rate.psnr(decibels))
    assert raw_psnr(small.frame, encoded.restored) >= decibels


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5])
def test_a_draft_cut_to_size_knows_what_is_left_of_it(small: Trial, kept: int) -> None:
    draft = small.session.builder(small.session.analysis(0))
    draft.add_layers(150, lambda _stage, _done: None)
    encoded = draft.cut_to(section_offsets(draft.payload)[kept])
    payload = unpack(encoded.payload)
    assert len(payload.sections) == kept
    assert np.array_equal(small.decode(payload).cfa, encoded.restored.cfa)


def test_a_base_that_fits_only_without_a_residual_is_what_is_left(small: Trial) -> None:
    draft = small.session.builder(small.session.analysis(0))
    bare = draft.size
    draft.add_layers(150, lambda _stage, _done: None)
    first = section_offsets(draft.payload)[1 + len(draft.attached.leading)]
    encoded = draft.cut_to(min(bare, first - 1))
    assert len(encoded.payload) <= bare
    assert np.array_equal(small.decode(unpack(encoded.payload)).cfa, encoded.restored.cfa)


def test_a_psnr_beyond_all_steps_gives_the_very_samples(small: Trial) -> None:
    encoded = small.session.encode(Rate.psnr(150))
    assert np.array_equal(encoded.restored.cfa, small.frame.cfa)


def test_the_smallest_payload_named_in_a_refusal_can_be_had(small: Trial) -> None:
    with pytest.raises(RateUnreachable, match="smallest payload of this raw takes") as refused:
        small.session.encode(Rate.size(40))
    least = int(next(word for word in str(refused.value).split() if word.isdigit()))
    for size in range(least, 3 * least, 80):
        assert len(small.session.encode(Rate.size(size)).payload) <= size


@pytest.mark.parametrize(
    "wrong",
    [
        ("size", 0),
        ("size", -5),
        ("size", math.inf),
        ("size", math.nan),
        ("bpp", -1),
        ("bpp", 0),
        ("bpp", math.inf),
        ("quality", 101),
        ("quality", -1),
        ("quality", math.nan),
        ("psnr", -3),
        ("psnr", math.inf),
    ],
)
def test_rates_out_of_range_are_refused(wrong: tuple[str, float]) -> None:
    with pytest.raises(ValueError, match=f"A {wrong[0]} is .* and at most"):
        getattr(Rate, wrong[0])(wrong[1])


def test_an_embedded_payload_gets_better_section_by_section(sizeable: Trial) -> None:
    payload = sizeable.payload(Rate.quality(85))
    kinds = [section.kind for section in payload.sections]
    assert kinds == sorted(kinds)
    decibels = []
    for count in range(1, len(kinds) + 1):
        restored = sizeable.decode(replace(payload, sections=payload.sections[:count]))
        decibels.append(raw_psnr(sizeable.frame, restored))
    assert all(more > less - 0.05 for less, more in pairwise(decibels))
    assert decibels[-1] > decibels[0] + 10


def test_a_lossless_payload_cut_anywhere_restores_what_is_left(small: Trial) -> None:
    payload = small.payload(Rate.lossless())
    assert [section.kind for section in payload.sections[-3:]] == [5, 5, 4]
    decibels = [
        raw_psnr(small.frame, small.decode(replace(payload, sections=payload.sections[:count])))
        for count in range(1, len(payload.sections))
    ]
    assert all(more > less - 0.05 for less, more in pairwise(decibels))
    assert np.isfinite(decibels[-1])


def test_preparing_registers_and_codes_as_well(small: Trial) -> None:
    session = prepare(small.frame, small.carrier)
    encoded = session.encode(Rate.quality(55))
    found = small.decode(unpack(encoded.payload))
    assert np.array_equal(found.cfa, encoded.restored.cfa)
    given = raw_psnr(small.frame, small.encode(Rate.quality(55)).restored)
    assert raw_psnr(small.frame, found) > given - 1


def test_progress_is_told_from_start_to_end(small: Trial) -> None:
    told: list[tuple[str, float]] = []
    small.session.encode(Rate.quality(40), progress=lambda *step: told.append(step))
    assert told
    assert all(stage and 0 <= done <= 1 for stage, done in told)


def test_offsets_of_sections_add_up_to_the_payload(small: Trial) -> None:
    encoded = small.encode(Rate.lossless())
    assert section_offsets(unpack(encoded.payload))[-1] == len(encoded.payload)


def test_fitting_the_base_can_be_stopped_midway() -> None:
    frame, jpeg = made_up_shot(96, 128, seed=6)
    heard: list[float] = []

    def impatient(stage: str, done: float) -> None:
        if stage == "Fitting the inverse rendering":
            heard.append(done)
        if len(heard) > 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        prepare(frame, decode_jpeg(jpeg), progress=impatient)
    assert heard == sorted(heard)
