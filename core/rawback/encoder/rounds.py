"""Progress of work whose length nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawback.types import Progress

__all__ = ["Rounds"]


class Rounds:
    """Progress of work that takes an unknown number of rounds: each gets half of what is left."""

    def __init__(self, report: Progress) -> None:
        self._report = report
        self._start, self._end, self._last = 0.0, 0.5, 0.0

    def __call__(self, stage: str, done: float) -> None:
        """Say which part of a round is done; a smaller one than before begins the next round."""
        if done < self._last:
            self._start, self._end = self._end, (1 + self._end) / 2
        self._last = done
        self._report(stage, self._start + (self._end - self._start) * done)
