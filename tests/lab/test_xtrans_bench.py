"""Errors of X-Trans beside Bayer's: by colour, and with a Bayer frame's shares of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rawback_lab.bench.xtrans import SHARES, errors_by_colour
from rawback_lab.camera import X_TRANS, CameraSpec
from rawback_lab.scenes import made_up_shot

ERRORS = {"R": 8, "G": 2, "B": 4}


@pytest.mark.parametrize("pattern", ["RGGB", X_TRANS])
def test_each_colour_counts_as_in_a_bayer_frame(pattern: str) -> None:
    frame, _ = made_up_shot(72, 72, CameraSpec(pattern=pattern))
    samples = np.clip(frame.cfa, 4096, 8192).astype(np.uint16)
    frame, moved = replace(frame, cfa=samples), samples.copy()
    for colour, error in ERRORS.items():
        moved[frame.mosaic.mask(colour, *samples.shape)] += error
    found = errors_by_colour(frame, replace(frame, cfa=moved))
    span = frame.white - frame.black[0]
    for colour, error in ERRORS.items():
        assert found[colour] == pytest.approx(20 * np.log10(span / error), abs=1e-3)
    mean = sum(share * ERRORS[colour] ** 2 for colour, share in SHARES.items())
    assert found["even"] == pytest.approx(10 * np.log10(span**2 / mean), abs=1e-3)
    if pattern == "RGGB":
        assert found["even"] == pytest.approx(found["all"], abs=1e-3)
    else:  # more of its samples are green, whose errors are the smallest here
        assert found["all"] > found["even"] + 0.1
    assert (
        errors_by_colour(frame, frame)["even"] == errors_by_colour(frame, frame)["noise"] == np.inf
    )
