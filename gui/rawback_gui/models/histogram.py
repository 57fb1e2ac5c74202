# SPDX-License-Identifier: GPL-3.0-or-later
"""How much light each channel of a raw holds, and how much of it clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import RawFrame

__all__ = ["STOPS", "ChannelHistogram", "histograms_of"]

STOPS = 14
"""Stops below saturation that a histogram spans."""

_BINS_PER_STOP = 12


@dataclass(frozen=True, slots=True)
class ChannelHistogram:
    """Samples of one channel by their light.

    Attributes:
        channel: R, G1, G2 or B.
        counts: int64 ``[n]``: samples in even steps of stops, the last bin ends at saturation.
        clipped: Samples at saturation, which are in no bin.
        clipped_share: The same as a part of the channel's samples.
    """

    channel: str
    counts: NDArray[np.int64]
    clipped: int
    clipped_share: float


def histograms_of(frame: RawFrame) -> tuple[ChannelHistogram, ...]:
    """One histogram for each position of the CFA cell, in the order R, G1, G2, B."""
    greens = 0
    found = []
    for position, colour in enumerate(frame.pattern):
        name = str(colour)
        if name == "G":
            greens += 1
            name = f"G{greens}"
        samples = frame.cfa[position // 2 :: 2, position % 2 :: 2]
        counts = np.bincount(samples.ravel(), minlength=frame.white + 1)
        found.append(_histogram(name, counts, frame.black[position], frame.white))
    return tuple(sorted(found, key=lambda item: ("RGB".index(item.channel[0]), item.channel)))


def _histogram(name: str, counts: NDArray[np.int64], black: float, white: int) -> ChannelHistogram:
    """From counts of every sample value to bins of stops."""
    light = (np.arange(white) - black) / (white - black)
    stops = np.log2(np.maximum(light, 2.0**-STOPS))
    bins = np.minimum(((stops + STOPS) * _BINS_PER_STOP).astype(int), STOPS * _BINS_PER_STOP - 1)
    binned = np.bincount(bins, weights=counts[:white], minlength=STOPS * _BINS_PER_STOP)
    clipped = int(counts[white:].sum())
    return ChannelHistogram(
        name, binned.astype(np.int64), clipped, clipped / max(int(counts.sum()), 1)
    )
