# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures and command lines as people read and type them."""

from __future__ import annotations

import math
from pathlib import Path

import rawback
from rawback_gui.models.command import embed_command, restore_command
from rawback_gui.models.rates import parse_rate
from rawback_gui.models.texts import (
    bits_text,
    bytes_text,
    duration_text,
    percent_text,
    psnr_text,
)


def test_rates_are_typed_as_people_write_them() -> None:
    rate = rawback.Rate
    for text, expected in {
        "50kB": rate.size(50_000),
        "50 000": None,
        "50000": rate.size(50_000),
        "0.05 MB": rate.size(50_000),
        "50 k": rate.size(50_000),
        "50 KiB": rate.size(51_200),
        "12 bytes": rate.size(12),
        "0.1 bpp": rate.bpp(0.1),
        "0,1 bpp": rate.bpp(0.1),
        "48 dB": rate.psnr(48),
        "quality 60": rate.quality(60),
        "q60": rate.quality(60),
        "lossless": rate.lossless(),
        "Exact ": rate.lossless(),
    }.items():
        assert parse_rate(text) == expected, text
    for text in ("", "much", "-3 kB", "0 dB", "0 kB", "50 %", "kB", "quality 300", "quality 3 kB"):
        assert parse_rate(text) is None, text


def test_numbers_are_written_with_the_digits_that_count() -> None:
    bits = [bits_text(value) for value in (0.0000123, 0.00041, 0.05, 1.2, 13.7)]
    assert bits == ["0.0000123", "0.000410", "0.0500", "1.20", "13.7"]
    shares = [percent_text(value) for value in (0, 0.00002, 0.004, 0.031, 0.42, 0.9993, 1)]
    assert shares == ["0 %", "< 0.01 %", "0.40 %", "3.1 %", "42 %", "> 99.9 %", "100 %"]
    assert [duration_text(seconds) for seconds in (3, 600, 9000)] == ["3 s", "10 min", "2.5 h"]
    texts = [bytes_text(size) for size in (12, 2345, 20_000, 123_456, 999_700, 12_345_678)]
    assert texts == ["12 B", "2.35 kB", "20.0 kB", "123 kB", "1.00 MB", "12.3 MB"]
    assert psnr_text(48.128) == "48.13 dB"
    assert psnr_text(math.inf) == "exact"


def test_command_lines_quote_names() -> None:
    raw, jpeg = Path("a b.dng"), Path("c'd.jpg")
    text = embed_command(raw, jpeg, rawback.Rate.quality(51.625))
    assert text == """rawback embed 'a b.dng' 'c'"'"'d.jpg' -q 51.625"""
    assert embed_command(raw, jpeg, rawback.Rate.lossless()).endswith("--lossless")
    lossless = rawback.Rate.lossless()
    assert embed_command(raw, jpeg, lossless, keep=True).endswith("--lossless --original")
    assert restore_command(jpeg).startswith("rawback restore ")
