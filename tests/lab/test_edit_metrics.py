"""Raws compared under edits."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from rawback_lab.camera import CameraSpec
from rawback_lab.edit_metrics import edit_metrics
from rawback_lab.simulate import simulate


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
