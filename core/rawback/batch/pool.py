"""Workers: whoever turns tasks into outcomes. Processes of this machine, or of a cluster."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, NoReturn, Protocol, Self

from rawback.batch.tasks import perform, worker_lost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path
    from types import FrameType, TracebackType

    from rawback.batch.tasks import Outcome, Task

__all__ = ["Processes", "Workers"]

_ATTEMPTS = 2
_PATIENCE = 5.0


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

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Do tasks side by side.

        Args:
            tasks: Are drawn when there is room for them, not all at once.

        Returns:
            What came of each, in the order in which they end. A task whose worker is lost is
            given to another one; if that is lost too, it has failed.
        """
        ...


@dataclass(slots=True)
class _Worker:
    """A process, and the task that it has, if any."""

    process: SpawnProcess
    connection: Connection
    task: Task | None = None


@dataclass(slots=True)
class Processes:
    """Worker processes on this machine.

    Each loads the networks once. One that dies, as LibRaw may on a broken file or the system may
    want its memory back, takes nothing along but its own task, which gets a second try.

    Attributes:
        count: How many.
        threads: In how many threads each computes.
    """

    count: int
    threads: int
    _workers: list[_Worker] = field(default_factory=list)
    _losses: dict[Path, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            # Whoever has nothing to do ends; who is at work cleans up and ends.
            worker.connection.close()
            if worker.task is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Do tasks side by side; see `Workers.outcomes`."""
        drawn = iter(tasks)
        again: deque[Task] = deque()
        while True:
            while len(self._busy()) < self.count:
                task = again.popleft() if again else next(drawn, None)
                if task is None:
                    break
                self._give(task)
            busy = self._busy()
            if not busy:
                return
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                outcome = self._result(worker, again)
                if outcome is not None:
                    yield outcome

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.task is not None]

    def _give(self, task: Task) -> None:
        """Hand a task to a worker that is free, a new one if need be."""
        while True:
            worker = next((w for w in self._workers if w.task is None), None) or self._started()
            try:
                worker.connection.send(task)
            except OSError:
                self._bury(worker)
            else:
                worker.task = task
                return

    def _result(self, worker: _Worker, again: deque[Task]) -> Outcome | None:
        """What a worker has to say; None where it died and its task is to be tried again."""
        task, worker.task = worker.task, None
        if task is None:
            return None
        try:
            outcome: Outcome = worker.connection.recv()
        except (EOFError, OSError):
            code = self._bury(worker)
            losses = self._losses[task.output] = self._losses.get(task.output, 0) + 1
            if losses < _ATTEMPTS:
                again.append(task)
                return None
            how = f"signal {-code}" if code < 0 else f"status {code}"
            why = f"Its worker ended twice ({how}), maybe for want of memory; use fewer workers."
            return worker_lost(task, why)
        return outcome

    def _bury(self, worker: _Worker) -> int:
        """Forget a worker that is dead; how it ended."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join(_PATIENCE)
        return worker.process.exitcode or 0

    def _started(self) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, self.threads), name="rawback-batch", daemon=True
        )
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker


def _serve(connection: Connection, threads: int) -> None:
    """The life of a worker: do what comes through the pipe until it is closed."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    # Ctrl-C reaches the whole group of processes; whoever started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    parent = os.getppid()
    name = str(os.getpid())

    def check(_stage: str, _fraction: float) -> None:
        if os.getppid() != parent:
            raise SystemExit

    import rawback

    rawback.Codec()
    rawback.set_threads(threads)
    with contextlib.suppress(EOFError, OSError), connection:
        while True:
            connection.send(perform(connection.recv(), check, name))


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit
