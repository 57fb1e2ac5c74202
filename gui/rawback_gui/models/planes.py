# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples of a raw by their place in the pattern of its colours, whatever that is.

A plane is made of all samples at one place of the repeating pattern: four of a Bayer sensor, 36 of
X-Trans, one for each sample of a pixel where there are several. Samples of a plane are alike, so
that arithmetic on them needs no masks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rawback.mosaic import Mosaic

__all__ = ["ALL", "Plane", "cell_of", "channels_of", "planes_of"]

ALL = "all"
"""In the place of a channel: samples of every channel."""

_Index: TypeAlias = "tuple[slice, slice] | tuple[slice, slice, int]"


@dataclass(frozen=True, slots=True)
class Plane:
    """The samples at one place of the pattern.

    Attributes:
        row: Of the place in the pattern, from the top.
        column: The same from the left.
        period: Rows and columns after which the pattern repeats.
        sample: Which of a pixel's samples; None where each pixel has one.
        colour: Its letter.
        channel: Its number in the mosaic, by which levels are kept.
        name: What people call its samples: the letter, with a number where a 2 x 2 pattern has the
            colour twice.
    """

    row: int
    column: int
    period: tuple[int, int]
    sample: int | None
    colour: str
    channel: int
    name: str

    def index(self, every: int = 1) -> _Index:
        """Where its samples are in an array of the mosaic that begins at a whole pattern.

        Args:
            every: Of how many patterns, along each side, one is taken.
        """
        rows, columns = self.pixels(every)
        return (rows, columns) if self.sample is None else (rows, columns, self.sample)

    def pixels(self, every: int = 1) -> tuple[slice, slice]:
        """Where their pixels are in an array ``[h, w, ...]``; for the rest as `index`."""
        down, across = self.period
        return slice(self.row, None, down * every), slice(self.column, None, across * every)


@lru_cache(maxsize=64)
def planes_of(mosaic: Mosaic) -> tuple[Plane, ...]:
    """All planes of a mosaic, row by row of its pattern."""
    places: list[tuple[int, int, int | None, int]] = [
        (row, column, None, channel)
        for row, channels in enumerate(mosaic.pattern)
        for column, channel in enumerate(channels)
    ] or [(0, 0, sample, sample) for sample in range(mosaic.samples)]
    return tuple(
        Plane(
            row,
            column,
            mosaic.period,
            sample,
            mosaic.colours[channel],
            channel,
            _name(mosaic, channel),
        )
        for row, column, sample, channel in places
    )


def _name(mosaic: Mosaic, channel: int) -> str:
    """Of a channel. Of larger patterns the colour is all that people tell apart."""
    colour = mosaic.colours[channel]
    if mosaic.period != (2, 2) or mosaic.colours.count(colour) < 2:
        return colour
    return f"{colour}{mosaic.colours[: channel + 1].count(colour)}"


@lru_cache(maxsize=64)
def channels_of(mosaic: Mosaic) -> tuple[str, ...]:
    """What samples can be told apart by: `ALL`, then names as in :class:`Plane`, red first."""
    names = sorted(
        {plane.name for plane in planes_of(mosaic)},
        key=lambda name: (mosaic.palette.index(name[0]), name),
    )
    return (ALL, *names) if len(names) > 1 else (ALL,)


def cell_of(mosaic: Mosaic) -> tuple[int, int]:
    """Rows and columns of what parts of the picture are made up of: whole patterns, even sides."""
    down, across = mosaic.period
    return math.lcm(down, 2), math.lcm(across, 2)
