"""Frames of floating point numbers: coded, restored whole and in part, cut short, damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawback.bitstream import Payload, Section, SectionKind, pack, unpack
from rawback.decoder import decode, restore
from rawback.encoder.remainders import remainder_model
from rawback.errors import PayloadDamaged, RawbackError
from rawback.floats import Scale, linear_scale, ratio_scale
from rawback.rate import Rate
from rawback.rawio import estimate_noise
from rawback.residual import RemainderModel
from rawback.types import Floats, RawFrame
from rawback_lab.scenes import Trial

from ..mosaics import KINDS
from .test_mosaics import shot_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOSSLESS = Rate.lossless()
UNUSUAL = [-0.0, np.nan, np.inf, -np.inf, 1e30, -1e-30, 1e-45, 65504.0, -3.5]


pytestmark = pytest.mark.usefixtures("small_tiles")


def bits(numbers: NDArray[np.float32]) -> NDArray[np.uint32]:
    return numbers.view(np.uint32)


def frame_of(frame: RawFrame, numbers: NDArray[np.float32], scale: Scale) -> RawFrame:
    """A frame of these numbers, of which 1 is white."""
    codes, remainders = scale.codes.split(numbers)
    black, white = (scale.codes.level(0.0),) * len(frame.black), round(scale.codes.level(1.0))
    noise = estimate_noise(codes, frame.pattern, black, white)
    floats = Floats(scale, remainders)
    return replace(frame, cfa=codes, black=black, white=white, noise=noise, floats=floats)


def made(name: str, kind: str) -> tuple[RawFrame, bytes, NDArray[np.float32]]:
    """A frame of floating point numbers, its JPEG, and the numbers."""
    frame, jpeg = shot_of(KINDS[name], 71, 93)
    levels = np.array(frame.black)[np.array(frame.mosaic.pattern or [[[0, 1, 2]]])]
    y, x = np.indices((71, 93))
    black = levels[y % levels.shape[0], x % levels.shape[1]]
    signal = (frame.cfa - black) / (frame.white - black)
    random = np.random.default_rng(3)
    coarse = np.rint(700 * signal) / 700
    signal = coarse if kind == "scaled" else signal * random.normal(1, 1e-5, signal.shape)
    numbers = signal.astype(np.float32)
    numbers.reshape(71, -1)[3, 10 : 10 + len(UNUSUAL)] = UNUSUAL
    scale = ratio_scale(1.0) if kind == "ratios" else linear_scale(1.0)
    return frame_of(frame, numbers, scale), jpeg, numbers


CASES = [
    ("Bayer", "scaled"),
    ("X-Trans", "linear"),
    ("linear", "ratios"),
    ("linear", "linear"),
    ("monochrome", "ratios"),
]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def coded(request: pytest.FixtureRequest) -> tuple[Trial, NDArray[np.float32], Payload]:
    frame, jpeg, numbers = made(*request.param)
    trial = Trial.of(frame, jpeg)
    return trial, numbers, trial.payload(LOSSLESS)


Coded = tuple[Trial, "NDArray[np.float32]", Payload]


def test_every_bit_comes_back(coded: Coded) -> None:
    trial, numbers, payload = coded
    found = restore(payload, trial.carrier)
    assert found.exact
    assert np.array_equal(bits(found.frame.whole_numbers), bits(numbers))
    assert found.frame.has_samples_of(trial.encode(LOSSLESS).restored)
    assert trial.encode(LOSSLESS).restored.has_samples_of(trial.frame)


def test_a_part_is_that_part_of_the_whole(coded: Coded) -> None:
    trial, numbers, payload = coded
    for left, top, width, height in [
        (91, 69, 2, 2),
        (1, 0, 3, 71),
        (30, 31, 37, 40),
        (0, 64, 93, 7),
    ]:
        part = decode(payload, trial.carrier, region=(left, top, width, height))
        expected = np.ascontiguousarray(numbers[top : top + height, left : left + width])
        assert np.array_equal(bits(part.whole_numbers), bits(expected))


def test_a_payload_may_end_after_any_of_its_sections(coded: Coded) -> None:
    trial, numbers, payload = coded
    finite = np.isfinite(numbers) & (np.abs(numbers) < 2)
    kinds = [section.kind for section in payload.sections]
    tiles = len(trial.session.source.grid.tiles())
    assert kinds.count(SectionKind.REMAINDER) == 1 + tiles
    first = kinds.index(SectionKind.REMAINDER)
    for count in range(first, first + tiles + 1):
        found = restore(replace(payload, sections=payload.sections[:count]), trial.carrier)
        assert not found.exact
        assert np.array_equal(found.frame.cfa, trial.frame.cfa)
        error = np.abs(found.frame.whole_numbers[finite] - numbers[finite])
        assert error.max() < 2e-3
    assert restore(
        replace(payload, sections=payload.sections[: first + tiles + 1]), trial.carrier
    ).exact


@pytest.mark.parametrize("rate", [Rate.quality(40), Rate.quality(80), Rate.bpp(1)])
def test_lossy_payloads_hold_no_remainders(coded: Coded, rate: Rate) -> None:
    trial, numbers, _ = coded
    encoded = trial.encode(rate)
    payload = unpack(encoded.payload)
    assert SectionKind.REMAINDER not in [section.kind for section in payload.sections]
    found = trial.decode(payload)
    assert np.array_equal(found.cfa, encoded.restored.cfa)
    assert found.floats == Floats(trial.frame.floats.scale if trial.frame.floats else Scale())
    usual = np.isfinite(numbers) & (np.abs(numbers) < 2)
    error = np.abs(found.whole_numbers[usual] - numbers[usual])
    assert np.median(error) < 0.05


def test_numbers_that_come_again_take_few_bits() -> None:
    sizes = []
    for kind in ("scaled", "linear"):
        frame, jpeg, numbers = made("Bayer", kind)
        sections = Trial.of(frame, jpeg).payload(LOSSLESS).sections
        sizes.append(sum(len(s.data) for s in sections if s.kind == SectionKind.REMAINDER))
        assert set(bits(remainder_model(frame).numbers)) <= set(bits(numbers).ravel().tolist())
    assert sizes[0] < 0.5 * sizes[1]


def test_numbers_of_24_bits_leave_their_lowest_ones_out() -> None:
    frame, jpeg, numbers = made("X-Trans", "linear")
    numbers = (bits(numbers) & np.uint32(0xFFFFFF80)).view(np.float32)
    short = frame_of(frame, numbers, linear_scale(1.0))
    assert remainder_model(short).shift == 7
    trial = Trial.of(short, jpeg)
    found = restore(trial.payload(LOSSLESS), trial.carrier)
    assert found.exact
    assert np.array_equal(bits(found.frame.whole_numbers), bits(numbers))


@given(st.lists(st.floats(width=32), max_size=40), st.integers(0, 12), st.booleans())
def test_models_come_back(numbers: list[float], shift: int, is_linear: bool) -> None:
    scale = Scale(-3, is_linear=is_linear)
    unique = np.unique(bits(np.array([*numbers, 0.0, -0.0], np.float32)))
    order = np.where(
        unique >> 31, (1 << 31) - 1 - (unique & 0x7FFFFFFF).astype(int), unique + (1 << 31)
    )
    listed = unique[np.argsort(order)].astype(np.uint32).view(np.float32)
    model = RemainderModel(scale, shift, listed)
    again = RemainderModel.from_bytes(model.to_bytes(), scale, len(listed))
    assert again.shift == shift
    assert np.array_equal(bits(again.numbers), bits(listed))
    codes = np.repeat(np.arange(1 << 16), np.diff(again.starts)).astype(np.uint16)
    assert set(bits(scale.codes.joined(codes, again.remainders))) == set(bits(listed))


@pytest.mark.parametrize("data", [b"", b"\x0d\0", b"\0", b"\0\0\0", b"\0\xff\xff", b"\x01" * 9])
def test_impossible_models_are_refused(data: bytes) -> None:
    with pytest.raises(PayloadDamaged):
        RemainderModel.from_bytes(data, Scale(), 9)


def test_lists_that_do_not_ascend_or_go_on_too_far_are_refused() -> None:
    model = RemainderModel(Scale(), 0, np.array([1.0, 2.0], np.float32))
    twice = RemainderModel(Scale(), 0, np.array([1.0, 1.0], np.float32))
    falling = RemainderModel(Scale(), 0, np.array([1.0, -1.0, np.nan, 1.0], np.float32))
    RemainderModel.from_bytes(model.to_bytes(), Scale(), 2)
    with pytest.raises(PayloadDamaged):
        RemainderModel.from_bytes(model.to_bytes(), Scale(), 1)
    for impossible in (twice, falling):
        with pytest.raises(PayloadDamaged):
            RemainderModel.from_bytes(impossible.to_bytes(), Scale(), 9)


def test_crowded_codes_are_refused() -> None:
    near = np.arange((1 << 16) + 1, dtype=np.uint32).view(np.float32)
    with pytest.raises(PayloadDamaged):
        RemainderModel.from_bytes(RemainderModel(Scale(), 0, near).to_bytes(), Scale(), len(near))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_remainders_restore_something_or_are_refused(
    coded: Coded, data: st.DataObject
) -> None:
    trial, _, payload = coded
    at = [k for k, s in enumerate(payload.sections) if s.kind == SectionKind.REMAINDER]
    which = data.draw(st.sampled_from(at))
    section = payload.sections[which]
    broken = bytearray(section.data[: data.draw(st.integers(0, len(section.data)))])
    for _ in range(data.draw(st.integers(0, 3)) if broken else 0):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    sections = list(payload.sections)
    sections[which] = Section(section.kind, section.layer, section.tile, bytes(broken))
    header = replace(payload.header, cfa_digest=bytes(32))
    try:
        found = decode(Payload(header, tuple(sections)), trial.carrier, region=(0, 0, 40, 40))
    except RawbackError:
        return
    assert found.whole_numbers.shape[:2] == (40, 40)


def test_remainders_that_nothing_asked_for_are_ignored(coded: Coded) -> None:
    trial, _, payload = coded
    floats = payload.header.floats
    assert floats is not None
    for field in ((*floats[:2], 0), None):
        header = replace(payload.header, floats=field, cfa_digest=None)
        found = unpack(pack(Payload(header, payload.sections)))
        frame = decode(found, trial.carrier, region=(0, 0, 20, 20))
        assert np.array_equal(frame.cfa, trial.frame.cfa[:20, :20])
        assert frame.floats is None or frame.floats.remainders is None
