"""The counters and weights of each decision about an index (3.9, "Contexts", of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .contexts import (
    BORDER,
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
    Maps,
    counter,
    expected_class,
    noise_class,
    size_class,
)

if TYPE_CHECKING:
    from .wavelet import Band

Choice = tuple[list[int], int, int]
"""The counters of a decision, and its two rows of weights."""


class Place:
    """Row y, column x of a component's band, and what is known around it (3.9, Contexts)."""

    def __init__(
        self, maps: Maps, band: Band, component: int, y: int, x: int, spot: int, noise: int
    ) -> None:
        self.maps, self.band, self.component, self.y, self.x = maps, band, component, y, x
        self.spot, self.noise = spot, noise
        detail = maps.details[component][band][y + BORDER][x + BORDER]
        self.detail, self.turned = abs(detail), int(detail < 0)
        self.later = int(component > 0)
        self.around = maps.around(band, component, y, x)
        self.total = self.around.total()
        self.expected = expected_class(self.around.expected(noise))
        self.kind = 3 if band.is_lowest else (2 if band.kind == 2 else int(band.down))

    def silent(self) -> int:
        """The counter where all around is 0 (3.9, Contexts)."""
        level = sum(self.noise >= edge for edge in (64, 128, 256))
        parts = self.band.place, self.later, self.spot, min(self.detail, 7), level
        return counter(SILENT_START, SILENT, parts)

    def significance(self) -> Choice:
        """Whether the index is not 0 (3.9, Contexts)."""
        a, size = self.around, size_class
        row, column = self.y + BORDER, self.x + BORDER
        d = self.maps.details[self.component][self.band]
        beside = (d[row][column - 1], d[row][column + 1], d[row - 1][column], d[row + 1][column])
        contexts = (
            (self.expected, self.spot, self.later),
            (size(a.west), size(a.north), size((a.diagonal + 1) // 2), self.kind),
            (size(a.parent), size(a.siblings), size(a.parent_around // 2), self.kind),
            (self.component, size(a.first), size(a.others), size(a.around_others // 2)),
            (self.band.place, self.component, noise_class(self.noise), self.spot),
            (self.detail, self.expected // 2, self.kind),
            (
                size(a.ahead + a.ahead_diagonal // 2),
                size(a.second),
                size((a.west + a.north + a.diagonal // 2) // 2),
            ),
            (self.detail, (sum(map(abs, beside)) + 2) // 4, self.kind),
        )
        first, second = SIGNIFICANT_SETS
        return (
            [counter(*c) for c in zip(SIGNIFICANT_STARTS, SIGNIFICANT, contexts, strict=True)],
            first + 2 * self.band.place + self.later,
            second + self.expected // 2,
        )

    def _sign_at(self, rows: list[list[int]], down: int, right: int) -> int:
        """A sign near by, as seen where the base's coefficient is positive (3.9, Contexts)."""
        sign = rows[self.y + BORDER + down][self.x + BORDER + right]
        return 3 - sign if sign and self.turned else sign

    def sign(self) -> Choice:
        """Whether the index is negative, or positive where the base's is negative (3.9)."""
        maps, c, band = self.maps, self.component, self.band
        own = maps.signs[c][band]

        def near(down: int, right: int) -> int:
            return self._sign_at(own, down, right)

        def seen(sign: int) -> int:
            return 3 - sign if sign and self.turned else sign

        parent, above = 0, maps.parent_of(band)
        if above is not None:
            rows = maps.signs[c][above]
            up = min(self.y // 2, len(rows) - 2 * BORDER) + BORDER
            left = min(self.x // 2, len(rows[0]) - 2 * BORDER) + BORDER
            parent = seen(rows[up][left])
        siblings = [
            seen(maps.look_up(maps.signs[c], b, self.y, self.x)) for b in maps.siblings_of(band)
        ]
        siblings += [0] * (2 - len(siblings))
        others = [self._sign_at(maps.signs[k][band], 0, 0) if k < c else 0 for k in range(3)]
        east, south = (near(0, 1), near(1, 0)) if maps.refining else (0, 0)
        row, column = self.y + BORDER, self.x + BORDER
        west_agrees = maps.agreement(band, c, row, column - 1)
        north_agrees = maps.agreement(band, c, row - 1, column)
        agree = west_agrees if west_agrees == north_agrees else 0
        coarse = (self.detail > 0) + (self.detail >= 4)
        much = (self.total >= 8) + (self.total >= 32)
        contexts = (
            (self.detail, band.place, self.later),
            (near(0, -1), near(-1, 0), coarse, agree, self.kind),
            (parent, *siblings, self.kind),
            (c, *others, coarse),
            (near(-1, -1), near(-1, 1), near(0, -2), near(-2, 0), self.kind),
            (east, south, near(0, -1), near(-1, 0), coarse),
            (west_agrees, north_agrees, self.detail, much),
            (self.spot, self.detail, c),
        )
        first, second = SIGN_SETS
        return (
            [counter(*x) for x in zip(SIGN_STARTS, SIGN, contexts, strict=True)],
            first + 2 * band.place + self.later,
            second + self.detail,
        )

    def size(self, known: int) -> Choice:
        """Whether a magnitude is larger than known, or its new bit (3.9, Contexts)."""
        a, size, depth = self.around, size_class, min(known, 6) - 1
        other = a.ahead + a.ahead_diagonal // 2 if self.maps.refining else a.second
        contexts = (
            (min(known, 14) - 1, self.expected),
            (depth, size(a.west), size(a.north)),
            (depth, size(a.parent), size(a.siblings)),
            (depth, self.component, size(a.first), size(a.others)),
            (depth, self.band.place, self.spot),
            (depth, self.detail, self.kind),
            (depth, size((a.diagonal + 1) // 2), size(other)),
            (depth, self.band.place, noise_class(self.noise)),
        )
        first, second = SIZE_SETS
        return (
            [counter(*x) for x in zip(SIZE_STARTS, SIZE, contexts, strict=True)],
            first + depth,
            second + self.expected // 2,
        )
