"""Contexts: the class of a sum is the same by its edges and by its bits."""

from __future__ import annotations

import numpy as np
import pytest

from rawback.residual.contexts import CLASSES, FEATURES, SPOTS, class_of, class_of_sums


def test_classes_rise_a_third_of_an_octave_at_a_time() -> None:
    classes = class_of_sums(np.arange(6000))
    edges = np.flatnonzero(np.diff(classes)) + 1
    assert edges[:9].tolist() == [5, 6, 8, 10, 13, 16, 20, 26, 32]
    assert (np.diff(classes.astype(int)) <= 1).all()
    assert classes[-1] == CLASSES - 1


@pytest.mark.parametrize("start", [0, 1 << 12, (1 << 22) - 4096])
def test_classes_are_those_of_the_sums(start: int) -> None:
    sums = np.arange(start, start + 4096, dtype=np.float32)
    spots = np.zeros(len(sums) + 2, np.uint8)
    weights = np.eye(1, len(FEATURES), dtype=np.uint8)[0]
    noise = np.zeros(SPOTS, np.uint8)
    classes = class_of([lambda: sums[None]] * len(FEATURES), 1, spots, weights, noise, 0)
    assert (classes[0, 1:-1] == class_of_sums(sums.astype(int))).all()
