# SPDX-License-Identifier: GPL-3.0-or-later
"""How much light each channel of a raw holds, and how much of it clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback_gui.models.planes import ALL, channels_of, planes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import RawFrame
    from rawback_gui.models.planes import Plane

__all__ = ["STOPS", "ChannelHistogram", "histograms_of"]

STOPS = 14
"""Stops below saturation that a histogram spans."""

_BINS_PER_STOP = 12


@dataclass(frozen=True, slots=True)
class ChannelHistogram:
    """Samples of one channel by their light.

    Attributes:
        channel: What people call it, as in :func:`.planes.channels_of`.
        counts: int64 ``[n]``: samples in even steps of stops, the last bin ends at saturation.
        clipped: Samples at saturation, which are in no bin.
        clipped_share: The same as a part of the channel's samples.
    """

    channel: str
    counts: NDArray[np.int64]
    clipped: int
    clipped_share: float


def histograms_of(frame: RawFrame) -> tuple[ChannelHistogram, ...]:
    """One histogram for each channel that people tell apart: R, G1, G2, B of a Bayer sensor."""
    channels = [name for name in channels_of(frame.mosaic) if name != ALL]
    planes = planes_of(frame.mosaic)
    return tuple(
        _of_channel(frame, name, [p for p in planes if p.name == name])
        for name in channels or [planes[0].name]
    )


def _of_channel(frame: RawFrame, name: str, planes: list[Plane]) -> ChannelHistogram:
    # Samples of one colour may have several levels of black.
    parts = []
    for black in sorted({frame.black[plane.channel] for plane in planes}):
        counts = np.zeros(0, np.int64)
        for plane in planes:
            if frame.black[plane.channel] == black:
                more = np.bincount(
                    frame.cfa[plane.index()].ravel(), minlength=max(frame.white + 1, len(counts))
                )
                counts = more + np.pad(counts, (0, len(more) - len(counts)))
        parts.append(_histogram(name, counts, black, frame.white))
    samples = sum(int(part.counts.sum()) + part.clipped for part in parts)
    clipped = sum(part.clipped for part in parts)
    counts = np.sum([part.counts for part in parts], axis=0)
    return ChannelHistogram(name, counts, clipped, clipped / max(samples, 1))


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
