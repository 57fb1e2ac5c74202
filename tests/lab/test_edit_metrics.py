"""Colour differences against published values, and raws compared under edits."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from rawback_lab.camera import CameraSpec
from rawback_lab.edit_metrics import delta_e_2000, edit_metrics, lab_from_linear
from rawback_lab.simulate import simulate

# Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula", table 1.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "difference"), SHARMA)
def test_delta_e_2000_agrees_with_the_published_pairs(
    one: tuple[float, float, float], other: tuple[float, float, float], difference: float
) -> None:
    for pair in ((one, other), (other, one)):
        assert delta_e_2000(*map(np.array, pair)) == pytest.approx(difference, abs=1e-4)


def test_lab_of_white_grey_and_red() -> None:
    linear = np.array([[1, 1, 1], [0.18418652, 0.18418652, 0.18418652], [1, 0, 0]], np.float32)
    expected = np.array([[100, 0, 0], [50, 0, 0], [53.24, 80.09, 67.22]])
    assert lab_from_linear(linear) == pytest.approx(expected, abs=0.02)


def test_equal_raws_look_equal_and_shadow_errors_show_when_lifted() -> None:
    photo = np.random.default_rng(0).integers(0, 60, (300, 40, 3), np.uint8)
    frame = simulate(photo, CameraSpec(), np.random.default_rng(0))
    same = edit_metrics(frame, frame)
    assert set(same) == {"+0 EV", "+2 EV", "+4 EV", "warmer"}
    assert all(likeness.psnr == math.inf and likeness.delta_e == 0 for likeness in same.values())
    lighter = dataclasses.replace(frame, cfa=frame.cfa + np.uint16(20))
    likeness = edit_metrics(frame, lighter)
    assert likeness["+4 EV"].psnr < likeness["+2 EV"].psnr < likeness["+0 EV"].psnr
    assert likeness["+4 EV"].delta_e > 1


def test_strips_do_not_show() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 40, 3), np.uint8)
    frame = simulate(photo, CameraSpec(), np.random.default_rng(0))
    edited = frame.cfa.copy()
    edited[127] += 30
    whole = edit_metrics(frame, dataclasses.replace(frame, cfa=edited))
    part = edit_metrics(frame, dataclasses.replace(frame, cfa=edited), every=2)
    # The edited row is next to a strip's border: the second strip, which `every` leaves out,
    # sees it through the demosaic.
    assert whole["+0 EV"].psnr != pytest.approx(part["+0 EV"].psnr, abs=0.05)
    assert part["+0 EV"].psnr < math.inf
