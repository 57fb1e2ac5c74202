"""The noise-normalised domain: tables from DN to a scale on which noise is 1, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.tone import UNIT, NoiseDomain
from rawback.tone.vst import LIMIT
from rawback.types import NoiseModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALES = st.floats(-30, -4).map(lambda exponent: 2.0**exponent)
OFFSETS = st.one_of(st.just(0.0), st.floats(-40, -6).map(lambda exponent: 2.0**exponent))


@st.composite
def domains(draw: st.DrawFn) -> NoiseDomain:
    white = draw(st.integers(200, 65535))
    black = draw(st.floats(0, white / 2))
    noise = NoiseModel(draw(SCALES), draw(OFFSETS))
    return NoiseDomain.of(noise, (black, black, black / 2, 0.0), white)


def values_of(domain: NoiseDomain, samples: NDArray[np.uint16], position: int) -> NDArray[np.int16]:
    """What samples ``[n]`` of one position are mapped to."""
    mosaic = samples[None].repeat(2, axis=0).repeat(2, axis=1)
    values: NDArray[np.int16] = domain.to_planes(mosaic)[position, 0]
    return values


def samples_of(domain: NoiseDomain, values: NDArray[np.int16], position: int) -> NDArray[np.uint16]:
    """What values ``[n]`` of one position are mapped back to."""
    mosaic = domain.to_mosaic(np.broadcast_to(values, (4, 1, len(values))).copy())
    return mosaic[position // 2, position % 2 :: 2]


@settings(max_examples=60, deadline=None)
@given(domains())
def test_more_light_is_never_a_smaller_value(domain: NoiseDomain) -> None:
    steps = np.diff(domain.forward, axis=1)
    assert (steps >= 0).all()
    assert np.abs(domain.forward).max() <= LIMIT


@settings(max_examples=60, deadline=None)
@given(domains())
def test_a_sample_comes_back_wherever_its_neighbours_have_values_of_their_own(
    domain: NoiseDomain,
) -> None:
    for position in range(4):
        row = domain.forward[position][: domain.white + 1]
        samples = np.arange(domain.white + 1, dtype=np.uint16)
        restored = samples_of(domain, values_of(domain, samples, position), position)
        apart = np.diff(row) >= 1
        alone = np.pad(apart, (1, 0), constant_values=True)
        alone &= np.pad(apart, (0, 1), constant_values=True)
        assert np.array_equal(restored[alone], samples[alone])
        # And elsewhere one with the same value does.
        assert np.array_equal(row[restored], row)


@settings(max_examples=30, deadline=None)
@given(domains(), st.integers(0, 2**32))
def test_any_value_gives_the_nearest_sample_up_to_white(domain: NoiseDomain, seed: int) -> None:
    values = np.random.default_rng(seed).integers(-LIMIT, LIMIT + 1, 500).astype(np.int16)
    for position in range(4):
        row = domain.forward[position][: domain.white + 1]
        restored = samples_of(domain, values, position)
        assert restored.max() <= domain.white
        inside = np.clip(values.astype(np.int32), row[0], row[-1])
        chosen = np.abs(row[restored] - inside)
        nearest = np.abs(row[None, :] - inside[::10, None]).min(axis=1)
        assert np.array_equal(chosen[::10], nearest)


@pytest.mark.parametrize("white", [300, 1000])
def test_values_rise_strictly_where_a_sample_is_wider_than_a_unit(white: int) -> None:
    noise, black = NoiseModel(1e-3, 1e-6), 100.0
    row = NoiseDomain.of(noise, (black,) * 4, white).forward[0][: white + 1]
    signal = (np.arange(white + 1) - black) / (white - black)
    deviation = np.sqrt(noise.scale * signal.clip(0) + noise.scale * 1e-3 + 1e-6)
    width = UNIT / deviation / (white - black)
    wide = np.minimum(width[1:], width[:-1]) > 1
    assert (np.diff(row)[wide] > 0).all()
    assert wide.mean() > 0.2


@pytest.mark.parametrize("signal", [0.002, 0.02, 0.2, 0.9])
def test_noise_has_a_standard_deviation_of_one_at_every_signal(signal: float) -> None:
    noise, black, white = NoiseModel(1e-4, 1e-6), 512.0, 16383
    domain = NoiseDomain.of(noise, (black,) * 4, white)
    rng = np.random.default_rng(4)
    deviation = np.sqrt(noise.scale * signal + noise.offset)
    noisy = black + (white - black) * rng.normal(signal, deviation, 20_000)
    values = values_of(domain, np.rint(noisy).clip(0, 65535).astype(np.uint16), 0)
    assert values.std() == pytest.approx(UNIT, rel=0.06)


def test_white_stays_low_enough_for_exact_sums_however_clean_the_sensor() -> None:
    for scale in (1e-3, 1e-6, 1e-9, 1e-30):
        domain = NoiseDomain.of(NoiseModel(scale, 0.0), (0.0,) * 4, 65535)
        assert domain.forward[0, 65535] <= 1 << 14


def test_samples_far_outside_black_and_white_end_at_the_limits() -> None:
    domain = NoiseDomain.of(NoiseModel(1e-9, 0.0), (9000.0,) * 4, 9010)
    assert domain.forward[0, 0] == -LIMIT
    assert domain.forward[0, 65535] == LIMIT
    assert samples_of(domain, np.array([-LIMIT, LIMIT], np.int16), 0)[1] == 9010


def test_a_mean_of_the_domain_comes_back_as_the_mean_of_the_samples() -> None:
    random = np.random.default_rng(3)
    black, white, noise = 300, 4095, NoiseModel(2e-3, 2e-6)
    plain, unbiased = (
        NoiseDomain.of(noise, (black,) * 4, white, lost_variance=lost) for lost in (0.0, 1.0)
    )
    quarter = noise.scale * (white - black) / 4
    for light in (150, 400, 1000):
        deviation = NoiseDomain.deviation(noise, light / (white - black)) * (white - black)
        noisy = random.normal(black + light, deviation, 100_000)
        samples = np.rint(np.clip(noisy, 0, white)).astype(np.uint16)
        mean = values_of(plain, samples, 0).mean(keepdims=True)
        # Values and samples are rounded, so that a mean takes several.
        values = np.rint(mean + np.arange(-64, 65) / 16).astype(np.int16)
        short, right = (samples_of(one, values, 0).mean() for one in (plain, unbiased))
        assert short - samples.mean() == pytest.approx(-quarter, abs=0.3 * quarter)
        assert right - samples.mean() == pytest.approx(0, abs=0.3 * quarter)
