"""The counters and weights of each decision about an index (3.9, "Contexts", of FORMAT.md)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .contexts import (
    BORDER,
    FIRST,
    FIRST_START,
    QUIET,
    QUIET_START,
    SIGN,
    SIGN_SETS,
    SIGN_STARTS,
    SIGNIFICANT,
    SIGNIFICANT_SETS,
    SIGNIFICANT_STARTS,
    SILENT,
    SILENT_START,
    SIZE,
    SIZE_SETS,
    SIZE_STARTS,
    Near,
    counter,
    expected_class,
    noise_class,
    size_class,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Choice = tuple[list[int], int, int]
"""The counters of a decision, and its two rows of weights."""


class Place:
    """Row y, column x of a component's band, and what is known around it (3.9, Contexts)."""

    def __init__(self, near: Near, y: int, x: int, spot: int, noise: int) -> None:
        self.near, self.y, self.x, self.spot, self.noise = near, y, x, spot, noise
        detail = near.own.details[y + BORDER][x + BORDER]
        self.detail, self.turned = abs(detail), int(detail < 0)
        self.around = near.around(y, x)
        self.total = sum(self.around)

    @cached_property
    def expected(self) -> int:
        """C (3.9, Contexts)."""
        return expected_class(self.around.expected(self.noise))

    def _alone(self, detail: int) -> tuple[int, ...]:
        level = (self.noise >= 64) + (self.noise >= 128) + (self.noise >= 256)
        return self.near.place, self.near.later, self.spot, min(detail, 7), level

    def silent(self) -> int:
        """The counter where all around is 0 (3.9, Contexts)."""
        return counter(SILENT_START, SILENT, self._alone(self.detail))

    def first(self, left: int) -> int:
        """The counter where one of so many indices is the first that is not 0 (3.9, Contexts)."""
        return counter(FIRST_START, FIRST, (left - 1, min(self.detail, 7), self.near.later))

    def quiet(self, block: Sequence[Place]) -> int:
        """The counter of a quiet block, whose middle this is (3.9, Contexts)."""
        largest = max(place.detail for place in block)
        return counter(QUIET_START, QUIET, self._alone(largest))

    def significance(self) -> Choice:
        """Whether the index is not 0 (3.9, Contexts)."""
        a, size = self.around, size_class
        row, column = self.y + BORDER, self.x + BORDER
        near, d = self.near, self.near.own.details
        beside = (d[row][column - 1], d[row][column + 1], d[row - 1][column], d[row + 1][column])
        contexts = (
            (self.expected, self.spot, near.later),
            (size(a.west), size(a.north), size((a.diagonal + 1) // 2), near.kind),
            (size(a.parent), size(a.siblings), size(a.parent_around // 2), near.kind),
            (near.component, size(a.first), size(a.others), size(a.around_others // 2)),
            (near.place, near.component, noise_class(self.noise), self.spot),
            (self.detail, self.expected // 2, near.kind),
            (
                size(a.ahead + a.ahead_diagonal // 2),
                size(a.second),
                size((a.west + a.north + a.diagonal // 2) // 2),
            ),
            (self.detail, (sum(map(abs, beside)) + 2) // 4, near.kind),
        )
        first, second = SIGNIFICANT_SETS
        return (
            [counter(*c) for c in zip(SIGNIFICANT_STARTS, SIGNIFICANT, contexts, strict=True)],
            first + 2 * near.place + near.later,
            second + self.expected // 2,
        )

    def _seen(self, sign: int) -> int:
        """A sign as it looks where the base's coefficient is positive (3.9, Contexts)."""
        return 3 - sign if sign and self.turned else sign

    def sign(self) -> Choice:
        """Whether the index is negative, or positive where the base's is negative (3.9)."""
        place, seen, row, column = self.near, self._seen, self.y + BORDER, self.x + BORDER

        def near(down: int, right: int) -> int:
            return seen(place.own.signs[row + down][column + right])

        parent = 0
        if place.parent:
            up, left = place.parent_place(self.y, self.x)
            parent = seen(place.parent.signs[up][left])
        siblings = [seen(place.sibling_at(s.signs, self.y, self.x)) for s in place.siblings]
        siblings += [0] * (2 - len(siblings))
        others = [seen(other.signs[row][column]) for other in place.first_three]
        others += [0] * (3 - len(others))
        east, south = (near(0, 1), near(1, 0)) if place.refining else (0, 0)
        west_agrees = place.agreement(row, column - 1)
        north_agrees = place.agreement(row - 1, column)
        agree = west_agrees if west_agrees == north_agrees else 0
        coarse = (self.detail > 0) + (self.detail >= 4)
        much = (self.total >= 8) + (self.total >= 32)
        contexts = (
            (self.detail, place.place, place.later),
            (near(0, -1), near(-1, 0), coarse, agree, place.kind),
            (parent, *siblings, place.kind),
            (place.component, *others, coarse),
            (near(-1, -1), near(-1, 1), near(0, -2), near(-2, 0), place.kind),
            (east, south, near(0, -1), near(-1, 0), coarse),
            (west_agrees, north_agrees, self.detail, much),
            (self.spot, self.detail, place.component),
        )
        first, second = SIGN_SETS
        return (
            [counter(*x) for x in zip(SIGN_STARTS, SIGN, contexts, strict=True)],
            first + 2 * place.place + place.later,
            second + self.detail,
        )

    def size(self, known: int) -> Choice:
        """Whether a magnitude is larger than known, or its new bit (3.9, Contexts)."""
        near, a, size, depth = self.near, self.around, size_class, min(known, 6) - 1
        other = a.ahead + a.ahead_diagonal // 2 if near.refining else a.second
        contexts = (
            (min(known, 14) - 1, self.expected),
            (depth, size(a.west), size(a.north)),
            (depth, size(a.parent), size(a.siblings)),
            (depth, near.component, size(a.first), size(a.others)),
            (depth, near.place, self.spot),
            (depth, self.detail, near.kind),
            (depth, size((a.diagonal + 1) // 2), size(other)),
            (depth, near.place, noise_class(self.noise)),
        )
        first, second = SIZE_SETS
        return (
            [counter(*x) for x in zip(SIZE_STARTS, SIZE, contexts, strict=True)],
            first + depth,
            second + self.expected // 2,
        )
