"""Which base serves a size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from rawback.encoder.base_choice import best_trial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.encoder.base_choice import BasesAtSize


@dataclass
class Worth:
    """A trial that is worth something."""

    merit: float

    def followed(self) -> Worth:
        return self


@dataclass
class Bases:
    """Bases of levels whose worth is known."""

    merits: list[float]
    start: int
    is_small: bool

    def usual(self) -> int:
        return self.start

    def trial(self, level: int, like: object = None) -> Worth:
        del like
        return Worth(self.merits[level])

    def smaller(self, level: int) -> Iterator[int]:
        yield from range(level + 1, len(self.merits))

    def larger(self, level: int) -> Iterator[int]:
        yield from range(level - 1, -1, -1)


@pytest.mark.parametrize(
    ("merits", "start", "small", "large"),
    [
        ([30.0, 31.0, 32.0, 31.0], 1, 2, 2),
        ([34.0, 33.0, 32.0, 31.0], 2, 0, 0),
        # A hair is gained on one side, much on the other.
        ([30.0, 35.7, 34.92, 34.95, 34.9], 2, 1, 3),
        # Several of the smallest are one and the same.
        ([30.0, 31.0, 31.0, 31.0], 1, 1, 1),
    ],
)
def test_the_best_base_is_found_on_both_sides_of_the_first(
    merits: list[float], start: int, small: int, large: int
) -> None:
    """Of large frames one side is enough."""
    for is_small, expected in ((True, small), (False, large)):
        bases = cast("BasesAtSize", Bases(merits, start, is_small))
        level, trial = best_trial(bases)
        assert level == expected
        assert trial.merit == merits[expected]
