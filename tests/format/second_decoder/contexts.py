"""What the decisions about an index are coded with (3.9, "Contexts", of FORMAT.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .wavelet import LEVELS, Band

if TYPE_CHECKING:
    from .arrays import Ints

Rows = list[list[int]]
BORDER = 2
EXPECTED_EDGES = [4, 5, 7] + [e << i for i in range(12) for e in (8, 10, 13)]
CLASS_EDGES = EXPECTED_EDGES[:39]
SIZE_EDGES = (1, 4, 7, 12, 21, 41, 100)
# Contexts in the order of their counters, with how many values each of their parts has (3.9).
SILENT = (11, 2, 5, 8, 4)
SIGNIFICANT = (
    (40, 5, 2),
    (8, 8, 8, 4),
    (8, 8, 8, 4),
    (4, 8, 8, 8),
    (11, 4, 8, 5),
    (12, 20, 4),
    (8, 8, 8),
    (12, 12, 4),
)
SIGN = (
    (12, 11, 2),
    (3, 3, 3, 3, 4),
    (3, 3, 3, 4),
    (4, 3, 3, 3, 3),
    (3, 3, 3, 3, 4),
    (3, 3, 3, 3, 3),
    (3, 3, 12, 3),
    (5, 12, 4),
)
SIZE = (
    (14, 40),
    (6, 8, 8),
    (6, 8, 8),
    (6, 4, 8, 8),
    (6, 11, 5),
    (6, 12, 4),
    (6, 8, 8),
    (6, 11, 8),
)
EMPTY_COUNTERS, GOLOMB_COUNTERS = 10, 16


def _starts(first: int, contexts: tuple[tuple[int, ...], ...]) -> tuple[list[int], int]:
    """Where the counters of each context begin, and where those of all end (3.9, Contexts)."""
    starts = []
    for parts in contexts:
        starts.append(first)
        first += int(np.prod(parts))
    return starts, first


SILENT_START = 0
EMPTY_START = int(np.prod(SILENT))
GOLOMB_START = EMPTY_START + EMPTY_COUNTERS
SIGNIFICANT_STARTS, _END = _starts(GOLOMB_START + GOLOMB_COUNTERS, SIGNIFICANT)
SIGN_STARTS, _END = _starts(_END, SIGN)
SIZE_STARTS, _END = _starts(_END, SIZE)
# Rows of weights (3.9).
SIGNIFICANT_SETS, SIGN_SETS, SIZE_SETS = (0, 22), (42, 64), (76, 82)


def counter(start: int, parts: tuple[int, ...], values: tuple[int, ...]) -> int:
    """The counter of a context whose parts have these values (3.9, Contexts)."""
    place = 0
    for count, value in zip(parts, values, strict=True):
        place = place * count + value
    return start + place


def size_class(known: int) -> int:
    """The class of a known magnitude (3.9, Contexts)."""
    return sum(known >= edge for edge in SIZE_EDGES)


def expected_class(expected: int) -> int:
    """The class of an expected magnitude (3.9, Contexts)."""
    return sum(expected >= edge for edge in CLASS_EDGES)


def noise_class(noise: int) -> int:
    """The class of the noise expected (3.9, Contexts)."""
    return min(max(noise.bit_length() - 5, 0), 7)


def bordered(values: Ints) -> Rows:
    """Rows with two zeros on each side (3.9, Contexts)."""
    found: Rows = np.pad(values, BORDER).tolist()
    return found


@dataclass(frozen=True)
class Around:
    """Known magnitudes around an index (3.9, Contexts)."""

    west: int
    north: int
    diagonal: int
    second: int
    ahead: int
    ahead_diagonal: int
    parent: int
    parent_around: int
    siblings: int
    first: int
    others: int
    around_others: int

    def total(self) -> int:
        """All of them (3.9, Contexts)."""
        return (
            self.west
            + self.north
            + self.diagonal
            + self.second
            + self.ahead
            + self.ahead_diagonal
            + self.parent
            + self.parent_around
            + self.siblings
            + self.first
            + self.others
            + self.around_others
        )

    def expected(self, noise: int) -> int:
        """The magnitude expected, in 1/256 of half a step (3.9, Contexts)."""
        return (
            30 * (self.west + self.north)
            + 12 * (self.diagonal + self.ahead + self.siblings)
            + 6 * (self.second + self.ahead_diagonal)
            + 14 * self.parent
            + 3 * self.parent_around
            + 24 * (self.first + self.others)
            + 5 * self.around_others
            + (40 * noise >> 8)
        )


def _cross(rows: Rows, y: int, x: int) -> int:
    """Sum of the four beside, above and below (3.9, Contexts)."""
    return rows[y][x - 1] + rows[y][x + 1] + rows[y - 1][x] + rows[y + 1][x]


class Maps:
    """What is known of all bands of a tile while a layer is decoded (3.9, Contexts).

    `sizes`, `signs` and `details` are [component][band], bordered rows.
    """

    def __init__(self, *, refining: bool) -> None:
        self.refining = refining
        self.sizes: list[dict[Band, Rows]] = [{} for _ in range(4)]
        self.signs: list[dict[Band, Rows]] = [{} for _ in range(4)]
        self.details: list[dict[Band, Rows]] = [{} for _ in range(4)]

    def parent_of(self, band: Band) -> Band | None:
        """The band of this kind at level + 1 (3.9, Contexts)."""
        return None if band.level == LEVELS else Band(band.level + 1, band.across, band.down)

    def siblings_of(self, band: Band) -> list[Band]:
        """Bands of the level coded before, the last one first (3.9, Contexts)."""
        earlier = []
        if band.down:
            if band.across:
                earlier.append(Band(band.level, False, True))
            earlier.append(Band(band.level, True, False))
        return earlier

    def look_up(self, maps: dict[Band, Rows], band: Band, y: int, x: int) -> int:
        """Row y, column x of another band; behind its last row its last one (3.9, Contexts)."""
        rows = maps[band]
        return rows[min(y, max(len(rows) - 2 * BORDER - 1, 0)) + BORDER][x + BORDER]

    def around(self, band: Band, component: int, y: int, x: int) -> Around:
        """Known magnitudes around row y, column x (3.9, Contexts)."""
        m, row, column = self.sizes[component][band], y + BORDER, x + BORDER
        ahead = ahead_diagonal = parent = parent_around = 0
        if self.refining:
            ahead = m[row][column + 1] + m[row + 1][column]
            ahead_diagonal = m[row + 1][column - 1] + m[row + 1][column + 1]
        above = self.parent_of(band)
        if above is not None:
            rows = self.sizes[component][above]
            up, left = (
                min(y // 2, len(rows) - 2 * BORDER) + BORDER,
                min(x // 2, len(rows[0]) - 2 * BORDER) + BORDER,
            )
            parent, parent_around = rows[up][left], _cross(rows, up, left)
        others = [self.sizes[c][band] for c in range(component)]
        return Around(
            m[row][column - 1],
            m[row - 1][column],
            m[row - 1][column - 1] + m[row - 1][column + 1],
            m[row][column - 2] + m[row - 2][column],
            ahead,
            ahead_diagonal,
            parent,
            parent_around,
            sum(self.look_up(self.sizes[component], b, y, x) for b in self.siblings_of(band)),
            others[0][row][column] if others else 0,
            sum(other[row][column] for other in others[1:]),
            sum(_cross(other, row, column) for other in others),
        )

    def agreement(self, band: Band, component: int, row: int, column: int) -> int:
        """0 if an index or the base's coefficient is 0, 1 if of one sign, else 2 (3.9)."""
        sign, detail = (maps[component][band][row][column] for maps in (self.signs, self.details))
        if not sign or not detail:
            return 0
        return 1 if (sign == 2) == (detail < 0) else 2
