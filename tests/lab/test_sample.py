"""The sample pair is what its description says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rawback import jpegio, rawio
from rawback.metrics import CLIPPED
from rawback_lab.render import render_libraw

ASSETS = Path(__file__).parents[2] / "assets"


def test_both_fit_in_two_megabytes() -> None:
    assert sum((ASSETS / name).stat().st_size for name in ("sample.dng", "sample.jpg")) < 2_000_000


def test_the_raw_is_a_14_bit_frame_with_clipped_highlights() -> None:
    frame = rawio.read_raw(ASSETS / "sample.dng")
    assert frame.cfa.shape == (768, 1024)
    assert (frame.pattern, frame.black, frame.white) == ("RGGB", (512.0,) * 4, 16383)
    assert (frame.make, frame.model, frame.orientation) == ("rawback", "Simulated 1", 1)
    assert 0.001 < (frame.cfa == frame.white).mean() < 0.01


def test_the_jpeg_is_its_rendering() -> None:
    carrier = jpegio.decode_jpeg((ASSETS / "sample.jpg").read_bytes())
    rendered = render_libraw(rawio.read_raw(ASSETS / "sample.dng"))
    assert carrier.orientation == 1
    assert carrier.pixels.shape == rendered.shape
    assert np.abs(carrier.pixels.astype(int) - rendered).mean() < 4
    assert 0.005 < (carrier.pixels >= CLIPPED).any(axis=2).mean() < 0.05
