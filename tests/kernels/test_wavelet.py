"""The wavelet against its twin: whole planes, one axis and one step after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawback.residual import Band, analyse, band_shape, bands, synthesise

LIFTS = (-812, -27, 452, 227)


def beside(values: np.ndarray, count: int, *, odd: bool) -> np.ndarray:
    """For each odd (or even) row the sum of the rows beside it, mirrored at the ends."""
    if odd:
        found: np.ndarray = values[:count] + np.concatenate([values[1:], values[-1:]])[:count]
        return found
    if not len(values):
        return np.zeros((count, *values.shape[1:]), values.dtype)
    wide = np.concatenate([values[:1], values, values[-1:]])
    pairs: np.ndarray = wide[:count] + wide[1 : count + 1]
    return pairs


def split(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high rows."""
    low, high = plane[::2].copy(), plane[1::2].copy()
    for step, lift in enumerate(LIFTS):
        weight = np.float32(lift / 512)
        if step % 2 == 0:
            high += weight * beside(low, len(high), odd=True)
        else:
            low += weight * beside(high, len(low), odd=False)
    return low, high


def joined(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The plane of low and high rows, in 64 bits that are cut to 32 as they are."""

    def cut(values: np.ndarray) -> np.ndarray:
        return values.astype(np.uint64).astype(np.uint32).view(np.int32).astype(np.int64)

    even, odd = low.astype(np.int64), high.astype(np.int64)
    for step in (3, 2, 1, 0):
        if step % 2 == 0:
            part = cut(cut(beside(even, len(odd), odd=True)) * LIFTS[step] + 256) >> 9
            odd = cut(odd - part)
        else:
            part = cut(cut(beside(odd, len(even), odd=False)) * LIFTS[step] + 256) >> 9
            even = cut(even - part)
    plane = np.empty((len(low) + len(high), *low.shape[1:]), np.int32)
    plane[::2], plane[1::2] = even, odd
    return plane


def analysed(plane: np.ndarray) -> dict[Band, np.ndarray]:
    found = {}
    for level in range(1, 6):
        for high_y, half in zip((False, True), split(plane), strict=True):
            for high_x, band in zip((False, True), split(half.T), strict=True):
                found[Band(level, high_y, high_x)] = band.T
        plane = found[Band(level, False, False)]
    return {band: found[band] for band in bands()}


def synthesised(coefficients: dict[Band, np.ndarray]) -> np.ndarray:
    low = coefficients[Band(5, False, False)]
    for level in range(5, 0, -1):
        high_x, high_y, both = (
            coefficients[Band(level, y, x)] for y, x in ((False, True), (True, False), (True, True))
        )
        low = joined(joined(low.T, high_x.T).T, joined(high_y.T, both.T).T)
    return low


shapes = st.tuples(st.integers(1, 90), st.integers(1, 90))


@settings(max_examples=100, deadline=None)
@given(shapes, st.integers(0, 2**32), st.sampled_from([1.0, 1e4, 1e30]))
def test_analysis(shape: tuple[int, int], seed: int, scale: float) -> None:
    plane = (np.random.default_rng(seed).normal(size=shape) * scale).astype(np.float32)
    found = {band: np.empty(band_shape(band, shape), np.float32) for band in bands()}
    analyse(plane.copy(), found)
    for band, values in analysed(plane).items():
        assert np.array_equal(found[band], values)


@settings(max_examples=100, deadline=None)
@given(shapes, st.integers(0, 2**32), st.sampled_from([9, 1 << 18, (1 << 31) - 1]))
def test_synthesis(shape: tuple[int, int], seed: int, largest: int) -> None:
    rng = np.random.default_rng(seed)
    coefficients = {
        band: rng.integers(-largest, largest, band_shape(band, shape)).astype(np.int32)
        for band in bands()
    }
    plane = np.full(shape, 7, np.int32)
    synthesise(coefficients, plane)
    assert np.array_equal(plane, synthesised(coefficients))


def test_rows_with_gaps_between_them() -> None:
    rng = np.random.default_rng(0)
    around = rng.integers(-1000, 1000, (40, 70)).astype(np.int32)
    plane = around[3:36, 5:50]
    coefficients = {
        band: rng.integers(-99, 99, (2, *band_shape(band, plane.shape))).astype(np.int32)[1]
        for band in bands()
    }
    kept = around.copy()
    synthesise(coefficients, plane)
    assert np.array_equal(plane, synthesised(coefficients))
    around[3:36, 5:50] = kept[3:36, 5:50]
    assert np.array_equal(around, kept)


@pytest.mark.parametrize("change", [(1, 0), (0, 1), (-1, 0), (0, -1)])
@pytest.mark.parametrize("band", bands())
def test_a_band_of_the_wrong_size(band: Band, change: tuple[int, int]) -> None:
    shape = (70, 67)
    coefficients = {b: np.zeros(band_shape(b, shape), np.int32) for b in bands()}
    rows, columns = (
        size + more for size, more in zip(band_shape(band, shape), change, strict=True)
    )
    coefficients[band] = np.zeros((rows, columns), np.int32)
    with pytest.raises(ValueError, match="wavelet_join"):
        synthesise(coefficients, np.empty(shape, np.int32))
    floats = {b: c.astype(np.float32) for b, c in coefficients.items()}
    with pytest.raises(ValueError, match="wavelet_split"):
        analyse(np.zeros(shape, np.float32), floats)
