"""How far a training is on its way, in steps or in time, and how fast it learns there."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

__all__ = ["Course"]


@dataclass(frozen=True, slots=True)
class Course:
    """The way of a training.

    Attributes:
        steps: It ends after so many,
        minutes: or after so many, whichever comes first. Given time, how a training ends hangs on
            the machine's speed.
        warm_up: Steps over which the learning rate rises.
        least: What is left of the learning rate at the end, of 1 at its highest.
        started: When it began, on the clock of :func:`time.monotonic`.
    """

    steps: int
    minutes: float | None = None
    warm_up: int = 200
    least: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def share(self, step: int) -> float:
        """The part of the way that lies behind after `step` steps, 0 to 1."""
        steps = step / self.steps
        if self.minutes is None:
            return min(steps, 1.0)
        return min(max(steps, (time.monotonic() - self.started) / (60 * self.minutes)), 1.0)

    def rate(self, step: int) -> float:
        """Of the highest learning rate: it rises linearly, then falls along half a cosine."""
        falling = 0.5 * (1 + math.cos(math.pi * self.share(step)))
        return min(1.0, (step + 1) / self.warm_up) * (self.least + (1 - self.least) * falling)
