"""Errors between samples, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.kernels import Kernel, Read, Write

sample_errors = Kernel(
    "sample_errors",
    *(Read(np.uint16, 2), Read(np.uint16, 2), Read(np.float32, 2), Read(np.float32, 2)),
    *(Read(np.float32, 1), Read(np.uint8, 2), Write(np.float64, 1)),
)
ALL = np.zeros((0, 0), np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (6, 8), (7, 21), (0, 5), (3, 0)])
@pytest.mark.parametrize("selecting", [False, True])
def test_errors_are_those_of_numpy(shape: tuple[int, int], *, selecting: bool) -> None:
    rng = np.random.default_rng(shape[1])
    a, b = rng.integers(0, 1 << 16, (2, *shape)).astype(np.uint16)
    black = rng.uniform(0, 9000, (2, shape[1])).astype(np.float32)
    scale = rng.uniform(20_000, 60_000, (2, shape[1])).astype(np.float32)
    noise = np.array([1e-4, 1e-5], np.float32)
    selected = (rng.random(shape) < 0.5).astype(np.uint8) if selecting else ALL
    sums = np.full(4, np.nan)
    sample_errors(a, b, black, scale, noise, selected, sums)
    rows = np.arange(shape[0]) % 2
    one, other = (((s - black[rows]) / scale[rows]).clip(0, 1) for s in (a, b))
    counts = selected != 0 if selecting else np.ones(shape, np.bool_)
    squares = np.square(other - one)[counts].astype(np.float64)
    relative = squares / (noise[0] * one + noise[1])[counts]
    np.testing.assert_allclose(sums[:2], [squares.sum(), relative.sum()], rtol=1e-5)
    worst = np.abs(a.astype(int) - b)[counts].max(initial=0)
    assert sums[2:].tolist() == [counts.sum(), worst]


def test_refuses_what_does_not_fit() -> None:
    a, levels, noise = np.zeros((2, 3), np.uint16), np.ones((1, 3), np.float32), np.ones(2)
    for other, low, selected in (
        (a[:1], levels, ALL),
        (a, levels[:, :2], ALL),
        (a, levels[:0], ALL),
        (a, levels, np.ones((2, 2), np.uint8)),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            sample_errors(a, other, low, levels, noise.astype(np.float32), selected, np.zeros(4))
