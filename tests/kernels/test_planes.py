"""Mosaics, planes and components against NumPy, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.common.error_weights import ErrorWeights
from rawback.common.reconstruction import add_residual
from rawback.kernels import Kernel, Read, Write
from rawback.residual import KLT, LEVELS, MAX_STEP_CODE, Band, Quantiser, bands
from rawback.tone import LIMIT, NoiseDomain
from rawback.types import NoiseModel

from ..mosaics import BAYER, KINDS
from .twin_of_base import channels_of, gathered, spread

if TYPE_CHECKING:
    from rawback.mosaic import Mosaic

count_codes = Kernel("count_codes", Read(np.uint16, 2), Read(np.uint8, 2), Write(np.int64, 2))

shapes = st.tuples(st.integers(1, 20), st.integers(1, 40))
seeds = st.integers(0, 2**32)
counts = st.sampled_from([1, 3, 4, 9, 16])
kinds = pytest.mark.parametrize("kind", [*BAYER[:3], *KINDS.values()], ids=str)


def domain_of(rng: np.random.Generator, kind: Mosaic = BAYER[0]) -> NoiseDomain:
    white = int(rng.integers(200, 65536))
    noise = NoiseModel(2.0 ** rng.integers(-30, -4), 2.0 ** rng.integers(-40, -6))
    black = rng.uniform(0, white / 2, len(kind.colours))
    return NoiseDomain.of(noise, tuple(black.tolist()), white, mosaic=kind)


@kinds
@settings(max_examples=8, deadline=None)
@given(shapes, seeds)
def test_planes_of_a_mosaic(kind: Mosaic, shape: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    domain = domain_of(rng, kind)
    sides = (kind.cell * shape[0], kind.across * shape[1])
    mosaic = rng.integers(0, 1 << 16, sides).astype(np.uint16)
    values = domain.forward[channels_of(kind, *shape), mosaic]
    assert np.array_equal(domain.to_planes(mosaic), gathered(kind, values.astype(np.int64)))


@kinds
@settings(max_examples=8, deadline=None)
@given(
    shapes,
    seeds,
    st.sampled_from([1 << 10, 1 << 15]),
    st.tuples(st.integers(0, 7), st.integers(0, 7)),
)
def test_the_mosaic_of_planes(
    kind: Mosaic, shape: tuple[int, int], seed: int, largest: int, place: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    domain = domain_of(rng, kind)
    whole = tuple(size + more for size, more in zip(shape, place, strict=True))
    planes = rng.integers(-largest, largest, (kind.planes, *whole)).astype(np.int16)
    around = np.full((kind.cell * shape[0] + 3, kind.across * shape[1] + 5), 7, np.uint16)
    mosaic = around[1:-2, 2:-3]
    down, right = place
    domain.to_mosaic(np.ascontiguousarray(planes[:, down:, right:]), place, mosaic)
    own = np.s_[kind.cell * down :, kind.across * right :]
    samples = spread(kind, planes.astype(np.int64))[own]
    channels = channels_of(kind, *whole)[own]
    for channel, row in enumerate(domain.forward[:, : domain.white + 1].astype(np.int64)):
        here = channels == channel
        values = np.clip(samples[here], row[0], row[-1])
        sums = row[:-1] + row[1:]
        least, most = (np.searchsorted(sums, 2 * values, side=side) for side in ("left", "right"))
        expected = np.where(values == row[-1], domain.white, (least + most) // 2)
        assert np.array_equal(mosaic[here], expected)
    mosaic[...] = 7
    assert (around == 7).all()


@settings(max_examples=60, deadline=None)
@given(shapes, seeds, st.integers(0, 4), counts)
def test_weighted_residuals(shape: tuple[int, int], seed: int, power: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    weights = ErrorWeights.of(NoiseModel(2.0 ** rng.integers(-20, -4), 1e-6), power)
    planes, base = rng.integers(-32767, 32768, (2, count, *shape)).astype(np.int16)
    residual = np.empty(planes.shape, np.float32)
    weights.weigh(planes, base, residual)
    expected = planes.astype(np.float32) - base
    expected *= (256 / weights.inverse).astype(np.float32)[np.clip(base >> 4, 0, 1023)]
    assert np.array_equal(residual, expected)


@settings(max_examples=60, deadline=None)
@given(shapes, seeds, counts)
def test_components(shape: tuple[int, int], seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.clip(np.rint(64 * np.linalg.qr(rng.normal(size=(count, count)))[0]), -127, 127)
    klt = KLT(matrix.astype(np.int8))
    planes = rng.normal(0, 3000, (count, *shape)).astype(np.float32)
    inverse = np.linalg.inv(klt.matrix / 64).astype(np.float32) * np.float32(2)
    # In 64 bits, cut after each addition: off by a rounding of a rounding at most, and that seldom.
    expected = np.zeros_like(planes)
    for plane, row in zip(planes, inverse.T, strict=True):
        total = row[:, None, None].astype(np.float64) * plane + expected
        expected = total.astype(np.float32)
    klt.to_components(planes, 2)
    assert np.array_equal(planes, expected)


@settings(max_examples=60, deadline=None)
@given(shapes, seeds, st.sampled_from([1 << 9, 1 << 17, 1 << 31]), counts)
def test_adding_a_residual(shape: tuple[int, int], seed: int, largest: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    weights = ErrorWeights.of(NoiseModel(2.0 ** rng.integers(-20, -4), 1e-6), seed % 5)
    klt = KLT(rng.integers(-128, 128, (count, count)).astype(np.int8))
    base = rng.integers(-32767, 32768, (count, *shape)).astype(np.int16)
    components = rng.integers(-largest, largest, (count, *shape)).astype(np.int32)
    with np.errstate(over="ignore"):
        planes = np.zeros_like(components)
        for component, column in zip(components, klt.matrix.T.astype(np.int32), strict=True):
            planes += column[:, None, None] * component
        planes = planes + np.int32(64) >> 7
        planes *= weights.inverse[np.clip(base >> 4, 0, 1023)]
        expected = np.clip((planes + np.int32(128) >> 8) + base, -LIMIT, LIMIT)
    found = np.empty_like(base)
    add_residual(components, klt, weights, base, found)
    assert np.array_equal(found, expected)


def test_a_residual_is_rounded_half_up() -> None:
    klt = KLT(np.eye(4, dtype=np.int8) * 64)
    weights = ErrorWeights.of(NoiseModel(1e-4, 1e-6), 0)
    components = np.broadcast_to(np.array([-3, -2, -1, 0, 1, 2, 3], np.int32), (4, 1, 7)).copy()
    values = np.empty((4, 1, 7), np.int16)
    add_residual(components, klt, weights, np.zeros((4, 1, 7), np.int16), values)
    assert values[2, 0].tolist() == [-1, -1, 0, 0, 1, 1, 2]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, MAX_STEP_CODE),
    st.sampled_from(bands()),
    st.tuples(st.integers(0, 7), st.integers(0, 7)),
    seeds,
    st.sampled_from([2, 300, 60_001, 1 << 31]),
)
def test_dequantising(
    code: int, band: Band, points: tuple[int, int], seed: int, largest: int
) -> None:
    quantiser = Quantiser(code, *points, slopes=(0, min(17, code // LEVELS), 5 * (code > 24), 0))
    indices = np.random.default_rng(seed).integers(-largest, largest, (5, 9)).astype(np.int32)
    magnitude = [abs(int(index)) for index in indices.ravel()]
    down = [0, quantiser.near, *(len(magnitude) * [quantiser.far])]
    values = [
        min((16 * m + 8 - down[min(m, 2)]) * quantiser.step(band, 1) >> 8, 1 << 20) if m else 0
        for m in magnitude
    ]
    expected = np.sign(indices) * np.array(values).reshape(5, 9)
    assert np.array_equal(quantiser.values(indices, band, 1), expected)


def test_shapes_that_do_not_fit() -> None:
    domain = domain_of(np.random.default_rng(0))
    for shape in ((3, 4), (4, 3)):
        with pytest.raises(ValueError, match="not whole cells"):
            domain.to_planes(np.zeros(shape, np.uint16))
    for shape in ((4, 7), (4, 9), (2, 8), (6, 8)):
        with pytest.raises(ValueError, match="samples are 4 x 8"):
            domain.to_mosaic(np.zeros((4, 2, 4), np.int16), out=np.zeros(shape, np.uint16))
    klt = KLT(np.eye(4, dtype=np.int8) * 64)
    weights = ErrorWeights.of(NoiseModel(1e-4, 1e-6), 1)
    base = np.zeros((4, 2, 3), np.int16)
    with pytest.raises(ValueError, match="add_residual"):
        add_residual(np.zeros((4, 2, 4), np.int32), klt, weights, base, base.copy())
    with pytest.raises(ValueError, match="components_of_planes"):
        klt.to_components(np.zeros((3, 2, 4), np.float32))


@pytest.mark.parametrize("period", [(1, 1), (2, 2), (6, 6), (1, 3)])
def test_codes_are_counted_by_channel(period: tuple[int, int]) -> None:
    rng = np.random.default_rng(period[1])
    channels = rng.integers(0, 4, period).astype(np.uint8)
    samples = rng.integers(0, 1 << 16, (13, 17)).astype(np.uint16)
    counts = np.ones((4, 1 << 16), np.int64)
    count_codes(samples, channels, counts)
    own = np.tile(channels, (13, 17))[:13, :17]
    for channel in range(4):
        expected = np.bincount(samples[own == channel], minlength=1 << 16)
        assert np.array_equal(counts[channel] - 1, expected)


def test_counting_refuses_what_does_not_fit() -> None:
    samples, channels = np.zeros((2, 2), np.uint16), np.full((1, 1), 200, np.uint8)
    with pytest.raises(ValueError, match="do not fit"):
        count_codes(samples, channels, np.zeros((1, 9), np.int64))
    counts = np.zeros((3, 1 << 16), np.int64)
    count_codes(samples, channels, counts)
    assert counts.sum() == counts[2, 0] == 4
