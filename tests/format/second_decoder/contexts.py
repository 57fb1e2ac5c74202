"""What the decisions about an index are coded with (3.9, "Contexts", of FORMAT.md)."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

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
SILENT = QUIET = (11, 2, 5, 8, 4)
BLOCK = 32
FIRST = (BLOCK, 8, 2)
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
(QUIET_START, FIRST_START), EMPTY_START = _starts(int(np.prod(SILENT)), (QUIET, FIRST))
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
    return bisect_right(SIZE_EDGES, known)


def expected_class(expected: int) -> int:
    """The class of an expected magnitude (3.9, Contexts)."""
    return bisect_right(CLASS_EDGES, expected)


def noise_class(noise: int) -> int:
    """The class of the noise expected (3.9, Contexts)."""
    return min(max(noise.bit_length() - 5, 0), 7)


def bordered(values: Ints) -> Rows:
    """Rows with two zeros on each side (3.9, Contexts)."""
    found: Rows = np.pad(values, BORDER).tolist()
    return found


class Around(NamedTuple):
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
        return sum(self)

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


class Planes(NamedTuple):
    """What is known of one component of a band, bordered rows (3.9, Contexts)."""

    sizes: Rows
    signs: Rows
    details: Rows


class Near:
    """What is known around the indices of one component of a band (3.9, Contexts)."""

    def __init__(
        self, maps: list[dict[Band, Planes]], band: Band, component: int, *, refining: bool
    ) -> None:
        self.band, self.component, self.refining = band, min(component, 3), refining
        self.own = maps[component][band]
        # Those that signs are taken of, and the others that magnitudes are.
        self.first_three = [maps[c][band] for c in range(min(component, 3))]
        self.just_before = [maps[c][band] for c in range(max(component - 2, 1), component)]
        self.parent: Planes | None = None
        if band.level < LEVELS:
            self.parent = maps[component][Band(band.level + 1, band.across, band.down)]
        # Bands of the level coded before, the last one first.
        self.siblings: list[Planes] = []
        if band.down:
            if band.across:
                self.siblings.append(maps[component][Band(band.level, False, True)])
            self.siblings.append(maps[component][Band(band.level, True, False)])
        self.place, self.later = band.place, int(component > 0)
        self.kind = 3 if band.is_lowest else (2 if band.kind == 2 else int(band.down))

    def parent_place(self, y: int, x: int) -> tuple[int, int]:
        """Row and column of the parent among bordered rows (3.9, Contexts)."""
        rows = self.parent.sizes if self.parent else []
        return (
            min(y // 2, len(rows) - 2 * BORDER) + BORDER,
            min(x // 2, len(rows[0]) - 2 * BORDER) + BORDER,
        )

    @staticmethod
    def sibling_at(rows: Rows, y: int, x: int) -> int:
        """Column x of row y, or of the last row, of another band (3.9, Contexts)."""
        return rows[min(y, max(len(rows) - 2 * BORDER - 1, 0)) + BORDER][x + BORDER]

    def around(self, y: int, x: int) -> Around:
        """Known magnitudes around row y, column x (3.9, Contexts)."""
        m, row, column = self.own.sizes, y + BORDER, x + BORDER
        here, above = m[row], m[row - 1]
        ahead = ahead_diagonal = parent = parent_around = siblings = first = others = beside = 0
        if self.refining:
            below = m[row + 1]
            ahead = here[column + 1] + below[column]
            ahead_diagonal = below[column - 1] + below[column + 1]
        if self.parent:
            up, left = self.parent_place(y, x)
            parent, parent_around = self.parent.sizes[up][left], _cross(self.parent.sizes, up, left)
        for sibling in self.siblings:
            siblings += self.sibling_at(sibling.sizes, y, x)
        if self.first_three:
            first = self.first_three[0].sizes[row][column]
            beside = _cross(self.first_three[0].sizes, row, column)
        for other in self.just_before:
            others += other.sizes[row][column]
            beside += _cross(other.sizes, row, column)
        return Around(
            here[column - 1],
            above[column],
            above[column - 1] + above[column + 1],
            here[column - 2] + m[row - 2][column],
            ahead,
            ahead_diagonal,
            parent,
            parent_around,
            siblings,
            first,
            others,
            beside,
        )

    def agreement(self, row: int, column: int) -> int:
        """0 if an index or the base's coefficient is 0, 1 if of one sign, else 2 (3.9)."""
        sign, detail = self.own.signs[row][column], self.own.details[row][column]
        if not sign or not detail:
            return 0
        return 1 if (sign == 2) == (detail < 0) else 2
