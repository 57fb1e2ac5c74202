"""Worker processes on this machine.

::

    to a worker      a task; then "pause", "resume" or "cancel" while it is at it
    from a worker    (stage, fraction), at most some ten times a second; then the outcome

A worker that reads the end of its pipe has nobody to work for any more, and ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Literal, NoReturn, Self, TypeAlias

from rawback.batch.control import LOOK
from rawback.batch.outcome import Outcome
from rawback.batch.tasks import Task
from rawback.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path
    from types import FrameType, TracebackType

    from rawback.batch.control import Control

__all__ = ["Processes"]

_ATTEMPTS = 2
_PATIENCE = 5.0

Command: TypeAlias = Literal["pause", "resume", "cancel"]


@dataclass(slots=True)
class _Worker:
    """A process, the task that it has, if any, and the last command it got at that task."""

    process: SpawnProcess
    connection: Connection
    task: Task | None = None
    command: Command = "resume"


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

    def outcomes(self, tasks: Iterable[Task], control: Control) -> Iterator[Outcome]:
        """Do tasks side by side; see `Workers.outcomes`."""
        drawn = iter(tasks)
        again: deque[Task] = deque()
        while True:
            if not (control.paused or control.cancelled):
                self._fill(again, drawn, control)
            self._command(control)
            busy = self._busy()
            if not busy and not control.paused:
                break
            if not busy:
                time.sleep(LOOK)
                continue
            ready = wait([worker.connection for worker in busy], LOOK)
            for worker in [worker for worker in busy if worker.connection in ready]:
                outcome = self._result(worker, again, control)
                if outcome is not None:
                    yield outcome
        for task in again:
            yield Outcome(task.inputs, task.output, "cancelled")

    def _fill(self, again: deque[Task], drawn: Iterator[Task], control: Control) -> None:
        """Give tasks to all workers that have none, while there are any."""
        while len(self._busy()) < self.count:
            task = again.popleft() if again else next(drawn, None)
            if task is None:
                break
            self._give(task)
            control.working(task, "Starting", 0.0)

    def _command(self, control: Control) -> None:
        """Pass on that all is to pause, to go on, or to stop."""
        command: Command = "pause" if control.paused else "resume"
        if control.cancelled:
            command = "cancel"
        for worker in self._busy():
            if worker.command != command:
                worker.command = command
                # One that is dead is noticed when its result is read.
                with contextlib.suppress(OSError):
                    worker.connection.send(command)

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
                worker.task, worker.command = task, "resume"
                return

    def _result(self, worker: _Worker, again: deque[Task], control: Control) -> Outcome | None:
        """What came of a worker's task; None where that is not known yet.

        A task whose worker died is to be tried again, once.
        """
        task = worker.task
        if task is None:
            return None
        try:
            message: Outcome | tuple[str, float] = worker.connection.recv()
        except (EOFError, OSError):
            worker.task = None
            code = self._bury(worker)
            losses = self._losses[task.output] = self._losses.get(task.output, 0) + 1
            if losses < _ATTEMPTS:
                again.append(task)
                return None
            how = f"signal {-code}" if code < 0 else f"status {code}"
            why = f"Its worker ended twice ({how}), maybe for want of memory; use fewer workers."
            return Outcome(task.inputs, task.output, "failed", error=("WorkerLost", why))
        if isinstance(message, tuple):
            control.working(task, *message)
            return None
        worker.task = None
        return message

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
    import rawback

    rawback.Codec()
    rawback.set_threads(threads)
    with contextlib.suppress(EOFError, OSError), connection:
        while True:
            message: Task | Command = connection.recv()
            # Commands that came too late were for the task before.
            if isinstance(message, Task):
                connection.send(message.perform(_Reporter(connection), str(os.getpid())))


class _Reporter:
    """Progress of a task for the process that gave it, whose commands it obeys meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stage = ""
        self._reported = time.monotonic()

    def __call__(self, stage: str, fraction: float) -> None:
        """Report progress; wait while it is paused.

        Raises:
            Cancelled: The task is not wanted any more.
            SystemExit: The other process is gone.
        """
        now = time.monotonic()
        try:
            if stage != self._stage or now - self._reported >= LOOK:
                self._stage, self._reported = stage, now
                self._connection.send((stage, fraction))
            if fraction < 1:
                self._obey()
        except (EOFError, OSError) as error:
            raise SystemExit from error

    def _obey(self) -> None:
        paused = False
        while paused or self._connection.poll():
            command: Command = self._connection.recv()
            paused = command == "pause"
            if command == "cancel":
                message = "The batch was cancelled; start it again to go on."
                raise Cancelled(message)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit
