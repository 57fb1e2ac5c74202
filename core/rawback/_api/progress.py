"""What long jobs have in common: their figures, and one progress bar for several parts."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rawback.errors import Cancelled

if TYPE_CHECKING:
    from threading import Event

    from rawback.types import Progress

__all__ = ["Job", "peak_memory", "stoppable"]

_STATUS = Path("/proc/self/status")
"""Where Linux tells what a process holds."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job under way.

    Attributes:
        progress: Whom to tell; None for nobody.
        started: When it began, on the monotonic clock.
    """

    progress: Progress | None
    started: float = field(default_factory=time.perf_counter)

    def at(self, stage: str, fraction: float) -> None:
        """Tell that a stage begins."""
        if self.progress is not None:
            self.progress(stage, fraction)

    def part(self, start: float, end: float) -> Progress | None:
        """What to hand to a part that reports its own progress from 0 to 1."""
        whole = self.progress
        if whole is None:
            return None
        reached = start

        def tell(stage: str, fraction: float) -> None:
            # A part that tries several ways starts again; people see that nothing goes back.
            nonlocal reached
            reached = max(reached, start + (end - start) * fraction)
            whole(stage, reached)

        return tell

    @property
    def seconds(self) -> float:
        """Time taken so far."""
        return time.perf_counter() - self.started


def stoppable(progress: Progress | None, cancel: Event | None) -> Progress:
    """Progress whose next word, once `cancel` is set, stops the job that tells it.

    Args:
        progress: Whom to tell; None for nobody.
        cancel: Is looked at before each word; None for a job that nobody stops.

    Returns:
        What to hand to the job. It raises :class:`rawback.errors.Cancelled`.
    """

    def tell(stage: str, fraction: float) -> None:
        if cancel is not None and cancel.is_set():
            message = "The job was cancelled; start it again to finish it."
            raise Cancelled(message)
        if progress is not None:
            progress(stage, fraction)

    return tell


def peak_memory() -> int | None:
    """The most bytes this process has held, or None where the system does not tell."""
    with suppress(OSError), _STATUS.open(encoding="ascii") as lines:
        # What `getrusage` tells on Linux counts what the program held that started this one.
        for line in lines:
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
