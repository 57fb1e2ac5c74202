"""Whoever turns tasks into outcomes: processes of this machine or of a cluster, or this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, Self

from rawback.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from rawback.batch.control import Control
    from rawback.batch.outcome import Outcome
    from rawback.batch.tasks import Task

__all__ = ["InProcess", "Workers", "choose_workers"]


class Workers(Protocol):
    """Whoever does tasks; a context manager that lets go of them at its end."""

    @property
    def count(self) -> int:
        """How many tasks are done at a time."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def outcomes(self, tasks: Iterable[Task], control: Control) -> Iterator[Outcome]:
        """Do tasks side by side.

        Args:
            tasks: Are drawn when there is room for them, not all at once.
            control: Is told how far each task is, and asked whether to go on.

        Returns:
            What came of each, in the order in which they end. A task whose worker is lost is
            given to another one; if that is lost too, it has failed. Once `control` is cancelled
            no more are drawn, and those under way end as ``"cancelled"``, or as they end.
        """
        ...


class InProcess:
    """This very process, which does one task at a time."""

    count = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def outcomes(self, tasks: Iterable[Task], control: Control) -> Iterator[Outcome]:
        """Do tasks one after another; see `Workers.outcomes`."""
        drawn = iter(tasks)
        while True:
            try:
                control.hold()
            except Cancelled:
                return
            task = next(drawn, None)
            if task is None:
                return

            def tell(stage: str, fraction: float, task: Task = task) -> None:
                control.working(task, stage, fraction)
                if fraction < 1:
                    control.hold()

            control.working(task, "Starting", 0.0)
            yield task.perform(tell, str(os.getpid()))


def choose_workers(tasks: Sequence[Task], count: int | None, cluster: str | None) -> Workers:
    """Who does the work.

    Args:
        tasks: What is to be done.
        count: How many processes; 0 for this one alone; None for as many as there are cores.
        cluster: Address of a Dask scheduler whose workers do it instead.

    Raises:
        ValueError: The count is below 0.
        RawbackError: The cluster is not there.
    """
    from rawback.batch.cluster import Cluster
    from rawback.batch.memory import workers_for
    from rawback.batch.pool import Processes

    if count is not None and count < 0:
        message = f"{count} workers cannot work; give at least 1, or 0 for this process alone"
        raise ValueError(message)
    if cluster is not None:
        return Cluster(cluster)
    if count == 0:
        return InProcess()
    cores = _cores()
    workers = workers_for(tasks, min(count or cores, len(tasks) or 1))
    return Processes(workers, max(1, cores // workers))


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
