# SPDX-License-Identifier: GPL-3.0-or-later
"""The slider's scale: fixed once a picture is open, so that the handle never moves by itself.

::

    0      s                                                            1    end stop
    |------|------------------------------------------------------------|   [ lossless ]
     small  quality 0 (the base alone) ... 99
     bases

A place stands for a quality, which needs nothing to be measured; smaller bases, which have no
quality, lie below on a scale of bytes. What a place costs in bytes is known once the curve is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import rawback
from rawback_gui.models.curves import reliable_point
from rawback_gui.models.texts import round_bytes_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from rawback import Curve, Rate

__all__ = [
    "LOSSLESS",
    "PRESETS",
    "ByteMark",
    "Preset",
    "RateScale",
    "Zone",
    "preset_rate",
    "preset_text",
]

LOSSLESS = 2.0
"""The place of the end stop."""

_SMALL_SHARE = 0.08
"""Part of the slider below the base."""

_SMALL_FACTOR = 10.0
"""By so much the smallest base is smaller than the largest, about."""

_FINEST = 99.0
_GRAIN = 4
"""Qualities that the slider tells apart, for each whole one."""

_BY_SIZE_BELOW = 40.0
"""Quality below which a payload is asked for by its size, for which the encoder tries all that the
learned layer can do."""

Preset: TypeAlias = Literal["highlights", "noise", "lossless"]
PRESETS: tuple[Preset, ...] = ("highlights", "noise", "lossless")

# On five training frames, see `rawback_gui.bench --zones`: at 40 at least nine of ten samples that
# the JPEG clips are back, at 50 98 of 100; up to 40 shadows hardly change; above 60 to 65 the error
# in them is below the sensor's noise.
_HIGHLIGHTS_QUALITY = 40.0
_NOISE_QUALITY = 62.0
_SHADOWS_FROM, _BELOW_NOISE_FROM = 45.0, 62.0


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the slider.

    Attributes:
        text: What it buys.
        start: Its place, 0 to 1.
        end: Where the next one begins.
    """

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ByteMark:
    """A round size below the slider."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class RateScale:
    """Places on the slider.

    Attributes:
        base_bytes: What the base takes.
    """

    base_bytes: int

    @property
    def base_place(self) -> float:
        """Where the base alone is."""
        return _SMALL_SHARE

    @property
    def zones(self) -> tuple[Zone, ...]:
        """What the parts of the slider buy."""
        shadows, below = (self._of_quality(q) for q in (_SHADOWS_FROM, _BELOW_NOISE_FROM))
        return (
            Zone(tr("Highlights"), 0.0, shadows),
            Zone(tr("Shadows"), shadows, below),
            Zone(tr("Below noise"), below, 1.0),
        )

    def lowest(self, curve: Curve | None) -> float:
        """The first place that can be had: below the base only once that is measured."""
        if curve is None or not curve.complete:
            return self.base_place
        return self._of_size(curve.smallest.payload_bytes)

    def rate(self, place: float, curve: Curve | None) -> Rate:
        """The rate to ask for at a place.

        Args:
            place: 0 to 1, or `LOSSLESS`.
            curve: As far as it is known.
        """
        if place > 1:
            return rawback.Rate.lossless()
        if place < self.base_place:
            if curve is None or not curve.complete:
                return rawback.Rate.quality(0)
            smallest = self.base_bytes / _SMALL_FACTOR
            size = smallest * _SMALL_FACTOR ** (place / self.base_place)
            return curve.at_size(size).rate
        quality = _FINEST * (place - self.base_place) / (1 - self.base_place)
        quality = min(round(quality * _GRAIN) / _GRAIN, _FINEST)
        rate = rawback.Rate.quality(quality if quality >= 1 else 0.0)
        point = reliable_point(curve, rate)
        if point is not None and 0 < rate.value < _BY_SIZE_BELOW:
            return rawback.Rate.size(point.payload_bytes)
        return rate

    def place(self, rate: Rate, curve: Curve | None) -> float | None:
        """Where a rate is on the slider; None where that cannot be told yet."""
        if rate.kind == "lossless" or (rate.kind == "quality" and rate.value > _FINEST):
            return LOSSLESS
        if rate.kind == "quality":
            return self._of_quality(rate.value)
        if rate.kind == "size" and rate.value < self.base_bytes:
            return self._of_size(rate.value)
        point = None if curve is None else reliable_point(curve, rate)
        if point is None:
            return None
        if point.rate.kind == "size":
            return self._of_size(point.payload_bytes)
        return self.place(point.rate, None)

    def byte_marks(self, curve: Curve | None) -> tuple[ByteMark, ...]:
        """Round sizes, once the curve is complete: marks never move."""
        if curve is None or not curve.complete:
            return ()
        marks = []
        largest = max((p.payload_bytes for p in curve.points if not p.exact), default=0)
        for power in range(2, 10):
            for size in (10**power, 3 * 10**power):
                if curve.smallest.payload_bytes <= size <= largest:
                    place = self.place(rawback.Rate.size(size), curve)
                    if place is not None and place <= 1:
                        marks.append(ByteMark(place, round_bytes_text(size)))
        return tuple(marks)

    def _of_quality(self, quality: float) -> float:
        return self.base_place + (1 - self.base_place) * min(quality, _FINEST) / _FINEST

    def _of_size(self, size: float) -> float:
        share = math.log(max(size, 1) * _SMALL_FACTOR / self.base_bytes) / math.log(_SMALL_FACTOR)
        return self.base_place * min(max(share, 0.0), 1.0)


def preset_text(preset: Preset) -> str:
    """What to call a preset."""
    return {
        "highlights": tr("Highlights back"),
        "noise": tr("As good as noise"),
        "lossless": tr("Lossless"),
    }[preset]


def preset_rate(preset: Preset, curve: Curve | None) -> Rate:
    """The rate of a preset.

    Args:
        preset: Which one.
        curve: As far as it is known; without it, where it is on most pictures.
    """
    if preset == "lossless":
        return rawback.Rate.lossless()
    if preset == "highlights":
        return rawback.Rate.quality(_HIGHLIGHTS_QUALITY)
    if curve is not None and curve.complete:
        decibels = _psnr_at_noise(curve)
        if decibels is not None:
            return curve.at_psnr(decibels).rate
    return rawback.Rate.quality(_NOISE_QUALITY)


def _psnr_at_noise(curve: Curve) -> float | None:
    """The PSNR at which the error equals the sensor's own noise; None where none is so coarse."""
    lossy = [point for point in curve.points if not point.exact]
    for before, after in pairwise(lossy):
        if after.error_over_sigma <= 1 < before.error_over_sigma:
            whole = math.log(before.error_over_sigma / max(after.error_over_sigma, 1e-9))
            share = math.log(before.error_over_sigma) / whole
            return before.psnr_db + share * (after.psnr_db - before.psnr_db)
    return None
