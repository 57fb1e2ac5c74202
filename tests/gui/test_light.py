# SPDX-License-Identifier: GPL-3.0-or-later
"""What clips, and what comes back."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import rawback
from rawback_gui.models import clipping
from rawback_gui.models.gain import gain_sentence, measure_gain, size_text
from rawback_gui.models.histogram import histograms_of


def test_histograms_count_every_sample(frame: rawback.RawFrame) -> None:
    cfa = frame.cfa.copy()
    cfa[:10, :10] = frame.white
    found = histograms_of(replace(frame, cfa=cfa))
    assert [item.channel for item in found] == ["R", "G1", "G2", "B"]
    for item in found:
        assert item.counts.sum() + item.clipped == frame.cfa.size // 4
        assert item.clipped >= 25
        assert item.clipped_share == item.clipped / (frame.cfa.size // 4)


def test_clipping_is_counted_where_the_jpeg_covers(frame: rawback.RawFrame) -> None:
    pixels = np.full((*frame.cfa.shape, 3), 100, np.uint8)
    pixels[:, :40] = 255
    pixels[:, 40:60] = 0
    mask = np.ones(frame.cfa.shape, np.uint8)
    mask[:, :20] = 0
    cfa = frame.cfa.copy()
    cfa[:12] = frame.white
    cfa[12:18] = 0
    shares = clipping.shares_of(replace(frame, cfa=cfa), rawback.Guide(pixels, mask))
    assert shares.of("jpeg_highlights") == pytest.approx(20 / 140)
    assert shares.of("jpeg_shadows") == pytest.approx(20 / 140)
    raw_highlights, raw_shadows = shares.of("raw_highlights"), shares.of("raw_shadows")
    assert raw_highlights is not None
    assert raw_shadows is not None
    assert raw_highlights >= 0.1
    assert raw_shadows >= 0.05
    alone = clipping.shares_of(frame, None)
    assert alone.of("jpeg_highlights") is None


def test_gain_is_measured_and_said(frame: rawback.RawFrame) -> None:
    pixels = np.full((*frame.cfa.shape, 3), 100, np.uint8)
    pixels[:60] = 255
    guide = rawback.Guide(pixels, np.ones(frame.cfa.shape, np.uint8))
    cfa = np.minimum(frame.cfa, frame.white - 1)
    open_ = replace(frame, cfa=cfa)
    restored = cfa.copy()
    restored[:15] = 0
    gain = measure_gain(open_, restored, guide, highlight_psnr_db=41.5, exact=False)
    assert gain.clipped_share == pytest.approx(0.5)
    assert gain.recovered_share == pytest.approx(0.75, abs=0.02)
    sentence = gain_sentence(gain)
    assert "% of the 50 % of the picture that the JPEG clips is back" in sentence
    assert "41.5 dB" in sentence
    same = measure_gain(open_, cfa, guide, highlight_psnr_db=math.inf, exact=True)
    assert (same.recovered_share, same.exact) == (1, True)
    assert "inf" not in gain_sentence(same)
    lossy = replace(same, exact=False)
    assert "inf" not in gain_sentence(lossy)
    assert size_text(2_460_000, 200_000, measured=True) == "JPEG 2.46 MB + 200 kB"
    assert size_text(2_460_000, 200_000, measured=False) == "JPEG 2.46 MB + \u2248 200 kB"
    assert size_text(2_460_000, None, measured=False) == "JPEG 2.46 MB"
