# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as people read them."""

from __future__ import annotations

import math

from rawback_gui.models.wording import tr

__all__ = [
    "bits_text",
    "bytes_text",
    "duration_text",
    "number_text",
    "percent_text",
    "psnr_text",
    "round_bytes_text",
]


def bytes_text(size: float) -> str:
    """A size in the unit that suits it, powers of 1000, three digits."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5 or unit == "GB":
            digits = 2 if size < 10 else 1 if size < 100 else 0
            return f"{size:.{digits}f} {unit}"
    return f"{size:.0f} B"


def round_bytes_text(size: float) -> str:
    """A round size without zeros behind the point: ``10 kB``."""
    number, unit = bytes_text(size).split()
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}"


def bits_text(bits: float) -> str:
    """Bits per pixel with three digits that count."""
    if bits <= 0:
        return "0"
    digits = max(2 - math.floor(math.log10(bits)), 0)
    return f"{bits:.{digits}f}"


def percent_text(share: float) -> str:
    """A part, 0 to 1, as percent: more digits where it is small, never a 0 or 100 that is none."""
    percent = 100 * share
    if 0 < percent < 0.01:
        return "< 0.01 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    digits = 0 if percent in (0, 100) or 10 <= percent < 99 else 1 if percent >= 1 else 2
    return f"{percent:.{digits}f} %"


def psnr_text(decibels: float) -> str:
    """A PSNR; the word for none to be measured where all samples agree."""
    return tr("exact") if math.isinf(decibels) else f"{decibels:.2f} dB"


def number_text(value: float) -> str:
    """A figure with three digits that count."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def duration_text(seconds: float) -> str:
    """A duration in words."""
    if seconds < 90:
        return tr("{} s").format(max(1, round(seconds)))
    if seconds < 5400:
        return tr("{} min").format(round(seconds / 60))
    return tr("{} h").format(round(seconds / 3600, 1))
