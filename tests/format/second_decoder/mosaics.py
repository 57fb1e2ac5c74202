"""Patterns, channels and cells of frames (3.5 of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from .refusal import RefusedError, require

if TYPE_CHECKING:
    from collections.abc import Callable

    from .arrays import Ints

LETTERS = frozenset("RGBCMYEW")
MOST_CHANNELS, MOST_PIXELS = 4, 16


@dataclass(frozen=True)
class Pattern:
    """The colour of each channel, and the channel of each pixel of the pattern (3.5).

    The pattern of a linear frame is empty.
    """

    text: str
    colours: str
    rows: tuple[tuple[int, ...], ...]

    @property
    def linear(self) -> bool:
        """Whether each pixel has several samples (3.5, Pattern)."""
        return not self.rows

    @property
    def samples(self) -> int:
        """Samples of each pixel (3.5, Pattern)."""
        return len(self.colours) if self.linear else 1

    @property
    def palette(self) -> str:
        """The colours of all channels, each once (3.5, Channels)."""
        first = [colour for colour in "RGB" if colour in self.colours]
        return "".join(dict.fromkeys([*first, *self.colours]))

    @property
    def own(self) -> list[int]:
        """The place of each channel's colour in the palette (3.5, Channels)."""
        return [self.palette.index(colour) for colour in self.colours]

    @cached_property
    def phases(self) -> tuple[Ints, list[int]]:
        """The phase of each pixel of the pattern, and each phase's channel (3.5, Phases)."""
        pattern = np.array(self.rows, np.int64)
        numbers: dict[bytes, int] = {}
        found = np.zeros_like(pattern)
        of: list[int] = []
        for y, x in np.ndindex(pattern.shape):
            seen = np.roll(pattern, (-y, -x), (0, 1)).tobytes()
            if seen not in numbers:
                numbers[seen] = len(of)
                of.append(int(pattern[y, x]))
            found[y, x] = numbers[seen]
        return found, of

    @property
    def turns_filters(self) -> bool:
        """Whether phases have filters or turns (3.7)."""
        return not self.linear and len(self.colours) < len(self.phases[1]) <= 32

    @property
    def turns(self) -> list[int]:
        """The turn of each phase (3.5, Phases)."""
        phases, of = self.phases
        letters = np.array([*self.colours])[np.array(self.rows)]
        wide = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]

        def around(phase: int, turn: int) -> list[str]:
            y, x = np.argwhere(phases == phase)[0]
            seen = (turned(*offset, turn) for offset in wide)
            height, width = letters.shape
            return [letters[(y + v) % height, (x + u) % width] for v, u in seen]

        return [
            next((t for t in range(8) if around(phase, t) == around(of.index(channel), 0)), 0)
            for phase, channel in enumerate(of)
        ]

    @cached_property
    def side(self) -> int:
        """Pixels along the side of a cell (3.5, Cells)."""
        if self.linear:
            return 1
        height, width = len(self.rows), len(self.rows[0])
        for side in (2, 3, 4):
            cells = _cells(self.repeated(lcm(height, side), lcm(width, side)), side, side)
            ordered = np.sort(cells, axis=-1)
            if (ordered == ordered[0, 0]).all():
                return side
        return 2

    @property
    def across(self) -> int:
        """Samples in a row of a cell (3.5)."""
        return self.side * self.samples

    @property
    def planes(self) -> int:
        """n: the samples of a cell (3.5, Cells)."""
        return self.side * self.across

    def repeated(self, height: int, width: int) -> Ints:
        """The channels of so many rows and columns of pixels of a mosaic (3.5, Pattern)."""
        channels = np.array(self.rows, np.int64)
        y, x = np.arange(height) % channels.shape[0], np.arange(width) % channels.shape[1]
        found: Ints = channels[y[:, None], x]
        return found


def turned(v: int, u: int, turn: int) -> tuple[int, int]:
    """An offset after a turn (3.5, Phases)."""
    if turn >= 4:
        v, u = u, v
    return (-v if turn % 4 >= 2 else v), (-u if turn % 2 else u)


def _cells(samples: Ints, side: int, across: int) -> Ints:
    """The samples [row, column, sample] of all cells in reading order (3.5, Cells)."""
    rows, columns = samples.shape[0] // side, samples.shape[1] // across
    split = samples.reshape(rows, side, columns, across).transpose(0, 2, 1, 3)
    return split.reshape(rows, columns, side * across)


class Frame:
    """The completed frame of a pattern, and the order of samples in planes (3.5)."""

    def __init__(self, pattern: Pattern, height: int, width: int) -> None:
        self.pattern = pattern
        side = pattern.side
        self.rows, self.columns = -(-height // side), -(-width // side)
        if pattern.linear:
            self.channels = np.tile(np.arange(pattern.samples), (self.rows, self.columns))
        else:
            self.channels = pattern.repeated(side * self.rows, side * self.columns)
        cells = self._cells(self.channels)
        self.order = np.broadcast_to(np.arange(pattern.planes), cells.shape)
        if not (
            pattern.linear or all(side % n == 0 for n in map(len, (pattern.rows, *pattern.rows)))
        ):
            self.order = np.argsort(cells, axis=-1, kind="stable")

    @property
    def phases(self) -> Ints:
        """The phase of each pixel (3.5, Phases)."""
        phases = self.pattern.phases[0]
        rows, columns = self.channels.shape
        return np.tile(phases, (-(-rows // len(phases)), -(-columns // len(phases[0]))))[
            :rows, :columns
        ]

    def _cells(self, samples: Ints) -> Ints:
        """All cells of samples (3.5, Cells)."""
        return _cells(samples, self.pattern.side, self.pattern.across)

    def planes(self, samples: Ints) -> Ints:
        """Planes [plane, row, column] of rows of samples (3.5, Cells)."""
        found = np.take_along_axis(self._cells(samples), self.order, axis=-1)
        return np.moveaxis(found, -1, 0)

    def samples(self, planes: Ints) -> Ints:
        """Rows of samples of planes (3.5, Cells)."""
        side, across = self.pattern.side, self.pattern.across
        cells = np.empty(self.order.shape, planes.dtype)
        np.put_along_axis(cells, self.order, np.moveaxis(planes, 0, -1), axis=-1)
        split = cells.reshape(self.rows, self.columns, side, across).transpose(0, 2, 1, 3)
        return split.reshape(side * self.rows, across * self.columns)

    def within(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        """Where the samples of rows and columns of cells lie (3.5, Tiles)."""
        side, across = self.pattern.side, self.pattern.across
        return (
            slice(side * rows.start, side * rows.stop),
            slice(across * columns.start, across * columns.stop),
        )


def _numbered(
    rows: list[str], kind_of: Callable[[int, int], tuple[str, int]]
) -> tuple[str, tuple[tuple[int, ...], ...]]:
    """Colours of channels as they first appear, and the channel of each pixel (3.5, Channels)."""
    kinds = [[kind_of(y, x) for x in range(len(rows[0]))] for y in range(len(rows))]
    numbers: dict[tuple[str, int], int] = {}
    for kind in (kind for row in kinds for kind in row):
        numbers.setdefault(kind, len(numbers))
    colours = "".join(colour for colour, _ in numbers)
    return colours, tuple(tuple(numbers[kind] for kind in row) for row in kinds)


def pattern_of(text: str) -> Pattern:
    """What the header's field `pattern` says (3.5, Pattern and Channels)."""
    if "+" in text:
        letters = text.split("+")
        require(len(letters) == 3 and set(letters) <= LETTERS, "an impossible pattern")
        return Pattern(text, "".join(letters), ())
    rows = text.split("/")
    if len(rows) == 1 and len(text) == 4:
        rows = [text[:2], text[2:]]
    else:
        require(len(rows) != 2 or len(rows[0]) != 2, "a pattern of 2 x 2 with a slash")
    height, width = len(rows), len(rows[0])
    require(all(len(row) == width and set(row) <= LETTERS for row in rows), "no pattern")
    require(0 < width <= MOST_PIXELS and height <= MOST_PIXELS, "no pattern")

    def by_place(y: int, x: int) -> tuple[str, int]:
        return rows[y][x], width * y + x

    def by_neighbours(y: int, x: int) -> tuple[str, int]:
        around = ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x))
        return rows[y][x], sum(rows[v % height][u % width] == rows[y][x] for v, u in around)

    def by_colour(y: int, x: int) -> tuple[str, int]:
        return rows[y][x], 0

    choices = [by_place] if height * width <= MOST_CHANNELS else [by_neighbours, by_colour]
    for choice in choices:
        colours, channels = _numbered(rows, choice)
        if len(colours) <= MOST_CHANNELS:
            return Pattern(text, colours, channels)
    msg = "more than four colours"
    raise RefusedError(msg)
