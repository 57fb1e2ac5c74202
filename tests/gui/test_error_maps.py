# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors sample by sample, their units, scales and maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback_gui.models import colormaps, errormap
from rawback_gui.models.errormap import ErrorView, reduced

if TYPE_CHECKING:
    import rawback


def test_errors_in_all_units(frame: rawback.RawFrame) -> None:
    original = np.full((4, 4), 4096, np.uint16)
    restored = original.copy()
    restored[0, 0] += 40
    restored[1, 1] -= 20

    def at(row: int, column: int, **view: object) -> float:
        shown = ErrorView(**view)  # type: ignore[arg-type]
        return float(errormap.errors_of(original, restored, frame, shown)[row, column])

    signal = 4096 - frame.black[0]
    scale = frame.white - frame.black[0]
    sigma = scale * math.sqrt(
        frame.noise.scale * signal / scale + frame.noise.offset + 1 / 12 / scale**2
    )
    assert at(0, 0, unit="DN") == 40
    assert at(1, 1, unit="DN", kind="signed") == -20
    assert at(0, 0, unit="sigma") == pytest.approx(40 / sigma, rel=1e-4)
    assert at(0, 0, unit="EV") == pytest.approx(math.log2((signal + 40) / signal), rel=1e-4)
    assert at(0, 0, kind="relative") == pytest.approx(100 * 40 / signal, rel=1e-4)
    red = errormap.errors_of(original, restored, frame, ErrorView(channel="R"))
    assert np.isfinite(red).sum() == 4
    assert np.isnan(red[1, 1])


def test_figures_of_a_region(frame: rawback.RawFrame) -> None:
    restored = frame.cfa.copy()
    restored[::2, ::2] += 8
    found = errormap.statistics_of(frame.cfa, restored, frame, ErrorView(unit="DN"))
    assert found.count == frame.cfa.size
    assert found.mean == pytest.approx(2)
    assert found.bias == pytest.approx(2)
    restored[::2, ::2] -= 16
    lower = errormap.statistics_of(frame.cfa, restored, frame, ErrorView(unit="DN"))
    # Under "absolute" the mean is of magnitudes; the bias has the sign.
    assert lower.mean == pytest.approx(2)
    assert lower.bias == pytest.approx(-2)
    assert found.rms == pytest.approx(4)
    assert found.largest == 8
    scale = frame.white - min(frame.black)
    assert found.psnr_db == pytest.approx(-20 * math.log10(4 / scale), abs=0.01)
    assert found.counts.sum() == frame.cfa.size
    same = errormap.statistics_of(frame.cfa, frame.cfa, frame, ErrorView())
    assert same.psnr_db == math.inf


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("kind", ["absolute", "signed"])
def test_the_scale_reads_back(kind: errormap.Kind, log: bool) -> None:
    view = ErrorView(kind=kind, log=log)
    values = np.array([[0.02, 0.3, 1.9]], np.float32)
    if view.signed:
        values = np.concatenate([values, -values], axis=1)
    places = errormap.scale_position(values, view, 2.0)
    back = [errormap.value_at(float(place), view, 2.0) for place in places[0]]
    assert back == pytest.approx(values[0].tolist(), rel=1e-3)


@pytest.mark.parametrize("name", [*colormaps.SEQUENTIAL, *colormaps.DIVERGING])
def test_maps_are_even_in_lightness(name: str) -> None:
    red, green, blue = (colormaps.table(name)[:, k].astype(float) for k in range(3))
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    if name in colormaps.SEQUENTIAL:
        assert (np.diff(light) > -1.5).all()
    else:
        assert (np.diff(light[:128]) > -1.5).all()
        assert (np.diff(light[128:]) < 1.5).all()


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_error_maps_shrink_by_whole_factors(factor: int) -> None:
    rng = np.random.default_rng(factor)
    errors = rng.normal(0, 2, (37, 50)).astype(np.float32)
    small = reduced(errors, ErrorView(kind="absolute"), factor)
    assert small.shape == (-(-37 // factor), -(-50 // factor))
    block = errors[factor : 2 * factor, :factor]
    assert small[1, 0] == pytest.approx(math.sqrt((block**2).mean()), rel=1e-5)
    signed = reduced(errors, ErrorView(kind="signed"), factor)
    assert signed[1, 0] == pytest.approx(block.mean(), abs=1e-5)


def test_one_channel_fills_its_error_map() -> None:
    errors = np.full((24, 32), np.nan, np.float32)
    errors[::2, 1::2] = 3
    for factor, shape in ((1, (12, 16)), (2, (12, 16)), (4, (6, 8))):
        found = reduced(errors, ErrorView(kind="absolute", channel="G1"), factor)
        assert found.shape == shape
        assert np.allclose(found, 3)
