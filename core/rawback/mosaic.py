"""Which samples a sensor or a file gives of each pixel, and of which colour each is.

NumPy is loaded by the methods that make arrays, so that looking at a payload loads none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import lcm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LETTERS", "Mosaic", "turned"]

LETTERS = {
    "R": "red", "G": "green", "B": "blue", "C": "cyan", "M": "magenta", "Y": "yellow",
    "E": "emerald", "W": "white",
}  # fmt: skip
"""The colours of filters, by letter; an unfiltered sample is white."""

_LARGEST_PERIOD = 16
_LARGEST_CELL = 4
_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A repeating pattern of filters over the pixels, or several samples for every pixel.

    Every sample belongs to one of up to four channels, the samples of which are alike: of one
    colour and, in large patterns, with as many neighbours of that colour. Levels, tables and
    filters are kept by channel.

    Attributes:
        colours: The colour of each channel, a letter of LETTERS each: ``"GRBG"``, ``"W"``.
        pattern: The channel of each pixel of the pattern, row by row. Empty where each pixel has
            one sample of every channel, as in linear RGB.
    """

    colours: str
    pattern: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def of_letters(cls, rows: Sequence[str]) -> Mosaic:
        """The mosaic of a repeating pattern of colours.

        Args:
            rows: A letter of LETTERS for each pixel, all rows of one length.

        Raises:
            ValueError: They are no such pattern, or one of more than four colours.
        """
        if len(rows) == 1 and len(rows[0]) == 4:
            rows = (*rows, *rows)  # as a text, four letters are a cell of 2x2
        height, width = len(rows), len(rows[0]) if rows else 0
        if not 0 < height <= _LARGEST_PERIOD or not 0 < width <= _LARGEST_PERIOD:
            message = f"a mosaic repeats after 1 to {_LARGEST_PERIOD} pixels"
            raise ValueError(message)
        if any(len(row) != width or not set(row) <= LETTERS.keys() for row in rows):
            message = f"{'/'.join(rows)!r} is no pattern of colours"
            raise ValueError(message)

        def by_neighbours(y: int, x: int) -> tuple[str, int]:
            around = ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
            same = sum(rows[row % height][column % width] == rows[y][x] for row, column in around)
            return rows[y][x], same

        def by_place(y: int, x: int) -> tuple[str, int]:
            return rows[y][x], y * width + x

        def by_colour(y: int, x: int) -> tuple[str, int]:
            return rows[y][x], 0

        places = list(product(range(height), range(width)))
        for kind_of in (by_place, by_neighbours, by_colour):
            kinds = list(dict.fromkeys(kind_of(*place) for place in places))
            if len(kinds) <= _CHANNELS:
                channels = [kinds.index(kind_of(*place)) for place in places]
                pattern = tuple(tuple(channels[y * width : (y + 1) * width]) for y in range(height))
                return cls("".join(colour for colour, _ in kinds), pattern)
        message = f"{'/'.join(rows)!r} has more than four colours"
        raise ValueError(message)

    @classmethod
    def linear(cls, colours: str = "RGB") -> Mosaic:
        """A sample of every colour at each pixel."""
        return cls(colours)

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> Mosaic:
        """Undo `str`: ``"GRBG"``, ``"W"``, rows with slashes between them, or ``"R+G+B"``.

        Raises:
            ValueError: It is no such text.
        """
        if "+" in text:
            letters = text.split("+")
            if len(letters) != 3 or any(letter not in LETTERS for letter in letters):
                message = f"{text!r} does not name the samples of a pixel"
                raise ValueError(message)
            return cls("".join(letters))
        if len(text) == 4 and "/" not in text:
            return cls.of_letters((text[:2], text[2:]))
        mosaic = cls.of_letters(text.split("/"))
        if str(mosaic) != text:
            message = f"{text!r} is not how that pattern is written"
            raise ValueError(message)
        return mosaic

    def __str__(self) -> str:
        if not self.pattern:
            return "+".join(self.colours)
        rows = ["".join(self.colours[channel] for channel in row) for row in self.pattern]
        return "".join(rows) if self.period == (2, 2) else "/".join(rows)

    @property
    def period(self) -> tuple[int, int]:
        """Rows and columns after which the pattern repeats; 1, 1 where there is none."""
        return (len(self.pattern), len(self.pattern[0])) if self.pattern else (1, 1)

    @property
    def samples(self) -> int:
        """Samples of each pixel."""
        return 1 if self.pattern else len(self.colours)

    @property
    def palette(self) -> str:
        """Each colour once, in the order R, G, B where these are the colours."""
        order = "RGB" + self.colours
        return "".join(dict.fromkeys(colour for colour in order if colour in self.colours))

    @property
    def phases(self) -> tuple[int, ...]:
        """The channel of each phase.

        Samples are of one phase if the whole mosaic looks the same around each of them: the four
        of a quad are of four, an X-Trans sensor's are of 18. Numbered as they first appear, row by
        row; those of linear frames are the channels.
        """
        return _phases_of(self)[1]

    @property
    def turns(self) -> tuple[int, ...]:
        """How the colours around each phase lie, seen from the first phase of its channel.

        The number of the first turn for which all colours within two rows and columns agree: 1 to
        mirror columns, 2 rows, and 4 to swap rows and columns before; 0 where none does.
        """
        return _turns_of(self)

    @property
    def cell(self) -> int:
        """Pixels along a side of the cells that are coded together.

        The smallest ones that all have as many samples of each channel: quads of Bayer mosaics, 3x3
        of X-Trans, 4x4 of quad Bayer; quads too where no cell up to 4x4 has. Where each pixel has
        several samples it is a cell.
        """
        return _cell_of(self)

    @property
    def planes(self) -> int:
        """Samples of a cell: each is coded in a plane of its own."""
        return self.cell * self.cell * self.samples

    @property
    def across(self) -> int:
        """Samples along a row of a cell."""
        return self.cell * self.samples

    @property
    def is_bayer(self) -> bool:
        """Whether it repeats after 2 x 2 pixels, of which two on a diagonal are green."""
        return str(self) in {"RGGB", "BGGR", "GRBG", "GBRG"}

    @property
    def is_monochrome(self) -> bool:
        """Whether all samples are of one colour."""
        return len(self.palette) == 1

    @property
    def name(self) -> str:
        """What people call it."""
        if not self.pattern:
            return f"linear {self.colours}"
        if self.is_monochrome:
            return "monochrome"
        rows, columns = self.period
        if self.period == (2, 2):
            return str(self)
        kind = {"BGR": "X-Trans"}.get("".join(sorted(self.palette)), "".join(self.palette))
        if self.period == (4, 4) and kind == "X-Trans":
            quads = "".join(self.colours[self.pattern[y][x]] for y in (0, 2) for x in (0, 2))
            return f"quad Bayer {quads}"
        return kind if self.period == (6, 6) else f"{self.palette} in {rows} x {columns}"

    def channel_map(self, down: int = 0, right: int = 0) -> NDArray[np.uint8]:
        """The channel of each sample of the smallest rectangle of whole cells that repeats.

        Args:
            down: Rows of cells from the frame's corner to where the rectangle begins.
            right: Columns of cells.

        Returns:
            uint8 ``[p, q]`` over the mosaic; the samples of a pixel, ``[1, n]``, of linear frames.
        """
        import numpy as np

        if not self.pattern:
            return np.arange(self.samples, dtype=np.uint8)[None]
        channels = np.array(self.pattern, np.uint8)
        rows, columns = (lcm(size, self.cell) // size for size in self.period)
        whole = np.tile(channels, (rows, columns))
        return np.ascontiguousarray(
            np.roll(whole, (-self.cell * down, -self.across * right), (0, 1))
        )

    def channels_at(
        self, shape: tuple[int, int], place: tuple[int, int] = (0, 0)
    ) -> NDArray[np.uint8]:
        """The channel of each of so many rows and columns of samples, from a cell on."""
        import numpy as np

        pattern = self.channel_map(*place)
        rows, columns = (-(-size // own) for size, own in zip(shape, pattern.shape, strict=True))
        return np.tile(pattern, (rows, columns))[: shape[0], : shape[1]]

    def layout(self, down: int = 0, right: int = 0, *, by_phase: bool = False) -> NDArray[np.uint8]:
        """Where the samples of each plane lie, in the cells from some row and column of them on.

        Cells of some mosaics differ in where their colours are; their samples are sorted by
        channel, so that a plane has samples of one channel.

        Returns:
            uint8 ``[p, q, planes, 2]`` of cells that repeat: for each plane which of the cell's
            samples it has, row by row, and of which channel that is; or, if asked for, phase.
        """
        import numpy as np

        layout = _layout_of_phases(self) if by_phase else _layout_of(self)
        return np.roll(layout, (-down, -right), (0, 1))

    def pixels_of(
        self, plane: int, shape: tuple[int, int]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Row and column in the frame of the pixels that a plane ``[h, w]`` has the samples of."""
        import numpy as np

        height, width = shape
        return self.pixels_at(plane, np.arange(height)[:, None], np.arange(width)[None, :])

    def pixels_at(
        self, plane: int, rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Row and column in the frame of a plane's samples in the cells of these places."""
        import numpy as np

        samples = self.layout()[:, :, plane, 0].astype(np.intp)
        within = samples[rows % samples.shape[0], columns % samples.shape[1]] // self.samples
        y, x = np.divmod(within, self.cell) if self.pattern else (0 * within, 0 * within)
        return y + self.cell * rows, x + self.cell * columns

    def plane_channels(self, plane: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """The channel of each sample of a plane of a whole frame, uint8 ``[h, w]``."""
        import numpy as np

        channels = self.layout()[:, :, plane, 1]
        (height, width), (rows, columns) = shape, channels.shape
        return np.tile(channels, (-(-height // rows), -(-width // columns)))[:height, :width]

    def shares(self) -> dict[str, float]:
        """The share of all samples that are of each colour of the palette."""
        channels = [channel for row in self.pattern for channel in row] or range(self.samples)
        colours = [self.colours[channel] for channel in channels]
        return {colour: colours.count(colour) / len(colours) for colour in self.palette}

    def mask(self, colour: str, height: int, width: int) -> NDArray[np.bool_]:
        """Which pixels of a mosaic have a sample of a colour, bool ``[height, width]``."""
        import numpy as np

        of_colour = np.array([letter == colour for letter in self.colours])
        rows, columns = self.period
        if not self.pattern:
            return np.full((height, width), bool(of_colour.any()))
        pattern = of_colour[np.array(self.pattern)]
        return np.tile(pattern, (-(-height // rows), -(-width // columns)))[:height, :width]

    def shifted(self, top: int, left: int) -> tuple[Mosaic, tuple[int, ...]]:
        """The mosaic of a part that begins so many rows and columns further on.

        Returns:
            The mosaic, and which of this one's channels each of its channels is.
        """
        if not self.pattern:
            return self, tuple(range(self.samples))
        rows, columns = self.period
        turned = [
            [self.pattern[(top + y) % rows][(left + x) % columns] for x in range(columns)]
            for y in range(rows)
        ]
        order = tuple(dict.fromkeys(channel for row in turned for channel in row))
        pattern = tuple(tuple(order.index(channel) for channel in row) for row in turned)
        return Mosaic("".join(self.colours[channel] for channel in order), pattern), order


@lru_cache(maxsize=64)
def _cell_of(mosaic: Mosaic) -> int:
    if not mosaic.pattern:
        return 1
    rows, columns = mosaic.period

    def samples(top: int, left: int, cell: int) -> list[int]:
        within = product(range(top, top + cell), range(left, left + cell))
        return sorted(mosaic.pattern[y % rows][x % columns] for y, x in within)

    for cell in range(2, _LARGEST_CELL + 1):
        corners = product(range(0, lcm(rows, cell), cell), range(0, lcm(columns, cell), cell))
        if len({tuple(samples(*corner, cell)) for corner in corners}) == 1:
            return cell
    return 2


@lru_cache(maxsize=64)
def _phases_of(mosaic: Mosaic) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """The phase of each pixel of the pattern, and the channel of each phase."""
    if not mosaic.pattern:
        return (), tuple(range(mosaic.samples))
    pattern, (rows, columns) = mosaic.pattern, mosaic.period

    def moved(down: int, right: int) -> tuple[tuple[int, ...], ...]:
        lines = pattern[down:] + pattern[:down]
        return tuple(line[right:] + line[:right] for line in lines)

    places = list(product(range(rows), range(columns)))
    same = [move for move in places if moved(*move) == pattern]
    first = [
        min(((y + down) % rows, (x + right) % columns) for down, right in same) for y, x in places
    ]
    order = list(dict.fromkeys(first))
    numbers = [order.index(place) for place in first]
    phases = tuple(tuple(numbers[columns * y : columns * (y + 1)]) for y in range(rows))
    return phases, tuple(pattern[y][x] for y, x in order)


@lru_cache(maxsize=64)
def _turns_of(mosaic: Mosaic) -> tuple[int, ...]:
    phases, channels = _phases_of(mosaic)
    if not mosaic.pattern:
        return (0,) * len(channels)
    rows, columns = mosaic.period
    places: dict[int, tuple[int, int]] = {}
    for y, x in product(range(rows), range(columns)):
        places.setdefault(phases[y][x], (y, x))

    def colour(y: int, x: int) -> str:
        return mosaic.colours[mosaic.pattern[y % rows][x % columns]]

    def agree(phase: int, turn: int) -> bool:
        (y, x), (first_y, first_x) = places[phase], places[channels.index(channels[phase])]
        around = product(range(-2, 3), repeat=2)
        return all(
            colour(y + down, x + right) == colour(first_y + v, first_x + u)
            for v, u in around
            for down, right in (turned(v, u, turn),)
        )

    return tuple(
        next((turn for turn in range(8) if agree(phase, turn)), 0) for phase in range(len(places))
    )


def turned(down: int, right: int, turn: int) -> tuple[int, int]:
    """An offset from a pixel after a turn, see :attr:`Mosaic.turns`."""
    if turn & 4:
        down, right = right, down
    return (-down if turn & 2 else down), (-right if turn & 1 else right)


@lru_cache(maxsize=64)
def _layout_of_phases(mosaic: Mosaic) -> NDArray[np.uint8]:
    import numpy as np

    layout = _layout_of(mosaic).copy()
    if mosaic.pattern:
        phases = np.array(_phases_of(mosaic)[0])
        rows, columns = (np.arange(size)[:, None] for size in layout.shape[:2])
        down, right = np.divmod(layout[..., 0].astype(np.intp), mosaic.cell)
        y = (mosaic.cell * rows[:, :, None] + down) % phases.shape[0]
        x = (mosaic.cell * columns[None] + right) % phases.shape[1]
        layout[..., 1] = phases[y, x]
    return layout


def _cells(channels: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """The samples of each cell of a mosaic, row by row: ``[p, q, cell * cell]``."""
    rows, columns = (size // cell for size in channels.shape)
    quads = channels.reshape(rows, cell, columns, cell).transpose(0, 2, 1, 3)
    return quads.reshape(rows, columns, cell * cell)


@lru_cache(maxsize=64)
def _layout_of(mosaic: Mosaic) -> NDArray[np.uint8]:
    import numpy as np

    channels = mosaic.channel_map()
    if not mosaic.pattern:
        return np.stack([channels[0], channels[0]], axis=1)[None, None]
    cells = _cells(channels, mosaic.cell)
    order = np.argsort(cells, axis=2, kind="stable")
    if cells.shape[:2] == (1, 1):
        order = np.arange(cells.size).reshape(order.shape)
    sorted_cells = np.take_along_axis(cells, order, axis=2)
    return np.ascontiguousarray(np.stack([order, sorted_cells], axis=3).astype(np.uint8))
