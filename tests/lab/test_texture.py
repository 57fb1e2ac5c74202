"""Gains on the base's texture: found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from rawback_lab.bench.texture import tried_gains


def test_gains_are_those_of_each_kind_and_of_one_half_alone() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(0, 2, 9000)
    kind = np.repeat(np.arange(3), 3000)
    half = np.tile([False, True], 4500)
    true = np.array([-0.3, 0.0, 0.2])
    left = true[kind] * base + rng.normal(0, 0.1, 9000)
    left[half] += base[half]
    assert tried_gains(base, left, kind, half) == pytest.approx(true, abs=0.01)


def test_kinds_of_few_coefficients_are_left_alone() -> None:
    base, left = np.ones(60), np.full(60, -0.5)
    gains = tried_gains(base, left, np.zeros(60, np.intp), np.zeros(60, np.bool_))
    assert gains.tolist() == [0.0]
