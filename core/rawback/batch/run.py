"""One run of a batch: what is to be done of it, by whom, and what came of it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rawback.batch.outcome import Outcome
from rawback.batch.storage import display_name, fingerprint
from rawback.batch.tasks import RestoreTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rawback.batch.control import Control
    from rawback.batch.journal import Journal
    from rawback.batch.report import BatchReport, ReportBuilder
    from rawback.batch.tasks import Task
    from rawback.batch.workers import Workers

__all__ = ["Run"]


@dataclass(slots=True)
class Run:
    """One run of a batch.

    Attributes:
        tasks: Everything that is to be there in the end.
        builder: Is told what came of each.
        journal: What earlier runs have done.
        control: Who follows, pauses and cancels it.
    """

    tasks: Sequence[Task]
    builder: ReportBuilder
    journal: Journal
    control: Control

    def report(self, workers: Workers) -> BatchReport:
        """Do all that is not done yet."""
        started = time.perf_counter()
        with workers:
            count = workers.count
            self.control.watcher.started(len(self.tasks), self._input_bytes(), count)
            for outcome in workers.outcomes(self._pending(), self.control):
                self.journal.finish(outcome)
                self._note(outcome)
        return self.builder.report(time.perf_counter() - started, count)

    def _note(self, outcome: Outcome) -> None:
        self.builder.add(outcome)
        self.control.watcher.ended(outcome)

    def _input_bytes(self) -> int:
        sizes = 0
        for task in self.tasks:
            for path in task.inputs:
                with contextlib.suppress(OSError, ValueError):
                    sizes += int(path.stat().st_size)
        return sizes

    def _pending(self) -> Iterator[Task]:
        """The tasks that are to be done; what comes of the others is noted meanwhile."""
        claimed: dict[Path, Task] = {}
        for task in self.tasks:
            other = claimed.setdefault(task.output, task)
            if other is not task:
                self._note(_contradicted(task, other))
                continue
            settled = self._settled(task)
            if isinstance(settled, Outcome):
                self._note(settled)
                continue
            if not settled.edited:
                self.journal.start(settled)
            yield settled

    def _settled(self, task: Task) -> Task | Outcome:
        """A task as it is to be done; or its outcome, where there is nothing to do."""
        entry, there = self.journal.entry(task.output), fingerprint(task.output)
        if entry is not None and entry.covers(task):
            if entry.state == "nothing":
                named = isinstance(task, RestoreTask) and task.named
                return task if named else Outcome(task.inputs, task.output, "nothing")
            if there is not None and there == entry.output_fingerprint:
                return Outcome(task.inputs, task.output, "unchanged")
            if there is not None and not task.overwrite:
                return replace(task, edited=True)
        if there is None or task.overwrite or task.output in task.inputs:
            return task
        if entry is not None and (entry.state == "started" or entry.output_fingerprint == there):
            return replace(task, overwrite=True)
        if entry is None:
            return _refused(task, "it exists, and no earlier run of this journal made it")
        return _refused(task, "it was changed since an earlier run made it")


def _contradicted(task: Task, other: Task) -> Outcome:
    """Two raws that are to go into one JPEG, in place."""
    output, raw, before = map(display_name, (task.output, task.inputs[0], other.inputs[0]))
    message = f"{output} cannot get both {before} and {raw}; give one of them."
    return Outcome(task.inputs, task.output, "failed", error=("OutputRefused", message))


def _refused(task: Task, why: str) -> Outcome:
    message = f"{display_name(task.output)} is left alone ({why}); move it away, or overwrite it."
    return Outcome(task.inputs, task.output, "failed", error=("OutputRefused", message))
