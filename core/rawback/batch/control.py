"""How a program follows a batch, and holds or stops it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rawback.errors import Cancelled

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from rawback.batch.outcome import Outcome
    from rawback.batch.tasks import Task

__all__ = ["LOOK", "BatchWatcher", "Control"]

LOOK = 0.1
"""Seconds between looks at the events that pause and cancel a batch."""


class BatchWatcher:
    """Follows a batch: a subclass overrides what it wants to hear of.

    All methods are called by the thread that runs the batch, one at a time, so they should return
    soon. What one raises ends the batch; files that are done stay.
    """

    def pairing(self, stage: str, fraction: float) -> None:
        """Raws and JPEGs are being matched, before anything is made.

        Args:
            stage: What is done, in words for people.
            fraction: How much of it is done, 0 to 1.
        """

    def started(self, total: int, input_bytes: int, workers: int) -> None:
        """All files are listed, and work begins.

        Args:
            total: How many are to be made.
            input_bytes: Size of what they are made from.
            workers: How many are made at a time.
        """

    def working(self, inputs: tuple[Path, ...], stage: str, fraction: float) -> None:
        """A file is being made; called at its start, and up to some ten times a second after that.

        Workers of a cluster do not report this.

        Args:
            inputs: What it is made from, as `Outcome.inputs` will have it.
            stage: What is done to it, in words for people.
            fraction: How much of it is done, 0 to 1.
        """

    def ended(self, outcome: Outcome) -> None:
        """A file is made, was made by an earlier run, cannot be made, or was cancelled.

        Files that had not been begun when the batch was cancelled are not reported.
        """


@dataclass(slots=True)
class Control:
    """What a batch looks at while it runs.

    Attributes:
        watcher: Whom to tell of progress.
        pause: Set while nothing is to go on; None for a batch that nobody pauses.
        cancel: Set once all is to stop; None for a batch that nobody cancels.
    """

    watcher: BatchWatcher = field(default_factory=BatchWatcher)
    pause: Event | None = None
    cancel: Event | None = None

    @property
    def cancelled(self) -> bool:
        """Whether all is to stop."""
        return self.cancel is not None and self.cancel.is_set()

    @property
    def paused(self) -> bool:
        """Whether nothing is to go on, nor to stop."""
        return self.pause is not None and self.pause.is_set() and not self.cancelled

    def pairing(self, stage: str, fraction: float) -> None:
        """Pass on how far pairing is.

        Raises:
            Cancelled: All is to stop.
        """
        self.hold()
        self.watcher.pairing(stage, fraction)

    def working(self, task: Task, stage: str, fraction: float) -> None:
        """Pass on how far a task is."""
        self.watcher.working(task.inputs, stage, fraction)

    def hold(self) -> None:
        """Wait while it is paused.

        Raises:
            Cancelled: All is to stop.
        """
        while self.paused:
            time.sleep(LOOK)
        if self.cancelled:
            message = "The batch was cancelled; start it again to go on."
            raise Cancelled(message)
