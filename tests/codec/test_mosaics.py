"""Frames of every mosaic: coded, restored whole and in part, and cut short."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.bitstream import SectionKind, unpack
from rawback.decoder import decode, restore
from rawback.geometry import Aligned
from rawback.jpegio import decode_jpeg
from rawback.metrics import raw_psnr
from rawback.rate import Rate
from rawback_lab.render import encode_jpeg
from rawback_lab.scenes import Trial, made_up_picture, made_up_shot, session_at

from ..mosaics import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.types import RawFrame, Region

SIZES = {"X-Trans": (71, 91), "quad Bayer": (70, 89), "linear": (37, 71), "stripes": (67, 93)}
BLACK = (480.0, 500.5, 512.0, 530.0)
SEEN = {"C": "GB", "M": "RB", "Y": "RG", "W": "RGB"}
RATES = [Rate.quality(25), Rate.quality(65), Rate.lossless()]
NAMES = [name for name in KINDS if name != "Bayer"]


pytestmark = pytest.mark.usefixtures("small_tiles")


def shot_of(
    mosaic: Mosaic, height: int, width: int, light: NDArray[np.float32] | None = None
) -> tuple[RawFrame, bytes]:
    """A raw of this mosaic with other black in each channel, and its JPEG.

    Args:
        mosaic: The mosaic.
        height: Of both.
        width: Of both.
        light: Linear light ``[height, width, 3]`` of another scene than the usual one.
    """
    frame, jpeg = made_up_shot(height, width, seed=2)
    if light is None:
        light = made_up_picture(height + height % 2, width + width % 2, 2)[:height, :width]
    else:
        jpeg = encode_jpeg(np.rint(255 * light ** (1 / 2.2)).astype(np.uint8), 92)
    camera = dict(zip("RGB", np.moveaxis(light * 0.5 * np.array(frame.neutral), 2, 0), strict=True))
    colours = [np.mean([camera[c] for c in SEEN.get(of, of)], axis=0) for of in mosaic.colours]
    signal = np.stack(colours, axis=2)
    spread = np.sqrt(frame.noise.scale * signal + frame.noise.offset)
    signal = np.random.default_rng(2).normal(signal, spread)
    black = np.array(BLACK[: len(mosaic.colours)])
    samples = np.rint(black + signal * (frame.white - black)).clip(0, frame.white)
    if mosaic.pattern:
        y, x = np.indices((height, width))
        rows, columns = mosaic.period
        channels = np.array(mosaic.pattern)[y % rows, x % columns]
        samples = np.take_along_axis(samples, channels[..., None], 2)[..., 0]
    cfa = np.ascontiguousarray(samples, np.uint16)
    return replace(frame, cfa=cfa, pattern=str(mosaic), black=tuple(black.tolist())), jpeg


@dataclass(frozen=True)
class Coded:
    """A shot, and what its payloads restore."""

    trial: Trial
    restored: dict[Rate, RawFrame]

    @classmethod
    def of(cls, name: str) -> Coded:
        trial = Trial.of(*shot_of(KINDS[name], *SIZES.get(name, (70, 93))))
        return cls(trial, {rate: trial.decode(trial.payload(rate)) for rate in RATES})


@pytest.fixture(scope="module", params=NAMES)
def coded(request: pytest.FixtureRequest) -> Coded:
    return Coded.of(request.param)


def test_decoding_gives_what_the_encoder_said(coded: Coded) -> None:
    trial = coded.trial
    for rate, found in coded.restored.items():
        assert found.mosaic == trial.frame.mosaic
        assert found.black == trial.frame.black
        assert np.array_equal(found.cfa, trial.encode(rate).restored.cfa), rate
    assert np.array_equal(coded.restored[Rate.lossless()].cfa, trial.frame.cfa)


def test_more_bytes_restore_it_better(coded: Coded) -> None:
    trial = coded.trial
    base = raw_psnr(trial.frame, trial.encode(Rate.quality(0)).restored)
    given, better = (raw_psnr(trial.frame, coded.restored[rate]) for rate in RATES[:2])
    assert 24 < base < given < better
    assert better > base + 4
    sizes = [len(trial.encode(rate).payload) for rate in RATES]
    assert sizes == sorted(sizes)
    # Coded one by one, without what is restored below and around them, they took 12 bits each.
    exact = [s for s in trial.payload(RATES[2]).sections if s.kind == SectionKind.EXACT]
    assert sum(len(section.data) for section in exact) < 10.8 * trial.frame.cfa.size / 8


@pytest.mark.parametrize("name", ["X-Trans", "linear"])
def test_bits_per_pixel_count_pixels(name: str) -> None:
    trial = Trial.of(*shot_of(KINDS[name], 64, 65))
    encoded = trial.encode(Rate.bpp(2))
    assert 900 < len(encoded.payload) <= 2 * 64 * 65 / 8
    found = trial.decode(unpack(encoded.payload))
    assert np.array_equal(found.cfa, encoded.restored.cfa)


def regions_of(frame: RawFrame) -> list[Region]:
    """Corners at all places of cells, tiles and patterns, and sides down to 2."""
    rng = np.random.default_rng(frame.width)
    found = [(frame.width - 2, frame.height - 2, 2, 2), (1, 0, 3, frame.height), (0, 5, 9, 2)]
    for _ in range(5):
        left, top = (int(rng.integers(0, side - 1)) for side in (frame.width, frame.height))
        width = int(rng.integers(2, frame.width - left + 1))
        found.append((left, top, width, int(rng.integers(2, frame.height - top + 1))))
    return found


def test_a_part_is_that_part_of_the_whole(coded: Coded) -> None:
    trial, mosaic = coded.trial, coded.trial.frame.mosaic
    for number, region in enumerate(regions_of(trial.frame)):
        left, top, width, height = region
        rate = RATES[number % 3]
        part = decode(trial.payload(rate), trial.carrier, region=region)
        whole = coded.restored[rate].cfa
        assert np.array_equal(part.cfa, whole[top : top + height, left : left + width]), region
        shifted, order = mosaic.shifted(top, left)
        assert part.mosaic == shifted
        assert part.black == tuple(trial.frame.black[channel] for channel in order)


def test_a_payload_may_end_after_any_of_its_sections(coded: Coded) -> None:
    trial = coded.trial
    payload = trial.payload(Rate.lossless())
    counts = range(1, len(payload.sections) + 1)
    frames = [trial.decode(replace(payload, sections=payload.sections[:count])) for count in counts]
    assert np.array_equal(frames[-1].cfa, trial.frame.cfa)
    decibels = [raw_psnr(trial.frame, frame) for frame in frames]
    tiles = sum(section.kind == SectionKind.EXACT for section in payload.sections)
    assert tiles == len(trial.session.source.grid.tiles())
    assert all(more > less - 0.1 for less, more in pairwise(decibels))
    assert decibels[-tiles - 1] > decibels[0] + 4


@pytest.mark.parametrize("name", ["X-Trans", "linear"])
def test_grain_is_the_same_in_every_part(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rawback.common.tiles.TILE", 64)
    height, width = (KINDS[name].cell * cells for cells in (97, 129))
    slope = np.linspace(0.12, 0.18, width, dtype=np.float32)
    light = np.broadcast_to(slope[None, :, None], (height, width, 3))
    trial = Trial.of(*shot_of(KINDS[name], height, width, light))
    payload = trial.payload(RATES[0])
    smooth, grained = (restore(payload, trial.carrier, grain=grain) for grain in (False, True))
    assert grained.grain
    missing, given = (
        np.abs(frame.cfa.astype(int) - smooth.frame.cfa).mean()
        for frame in (trial.frame, grained.frame)
    )
    assert 0.3 * missing < given < 1.2 * missing
    part = restore(payload, trial.carrier, grain=True, region=(13, 31, 90, 20))
    assert np.array_equal(part.frame.cfa, grained.frame.cfa[31:51, 13:103])


@pytest.mark.parametrize("name", ["X-Trans", "monochrome", "linear"])
def test_what_the_carrier_does_not_cover_is_coded_all_the_same(name: str) -> None:
    frame, jpeg = shot_of(KINDS[name], 60, 72)
    pixels = decode_jpeg(jpeg).pixels[5:50, 9:60]
    trial = Trial.of(frame, encode_jpeg(np.ascontiguousarray(pixels)), Aligned(dx=-9, dy=-5))
    encoded = trial.encode(RATES[1])
    found = trial.decode(unpack(encoded.payload))
    assert np.array_equal(found.cfa, encoded.restored.cfa)
    outside = trial.session.guide.mask == 0
    error = found.cfa.astype(float) - frame.cfa
    assert error[outside].std() < 3 * error[~outside].std()
    lossless = trial.decode(trial.payload(Rate.lossless()))
    assert np.array_equal(lossless.cfa, frame.cfa)


def test_gains_reach_the_last_cells() -> None:
    """Cells of three pixels reach beyond 512 rows, and so beyond the last but one row of gains."""
    frame, jpeg = shot_of(KINDS["X-Trans"], 512, 520)
    session, carrier = session_at(frame, decode_jpeg(jpeg))
    encoded = session.encode(Rate.quality(40))
    spacings = [fit.spacing for fit in session.source.fits.candidates]
    assert 256 in spacings
    restored = decode(unpack(encoded.payload), carrier)
    np.testing.assert_array_equal(restored.cfa, encoded.restored.cfa)
