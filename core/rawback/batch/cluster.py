"""Many machines: tasks for the workers of a Dask scheduler.

Files are read and written by the workers themselves, over a file system that all machines share or
over URLs; only tasks and outcomes travel. Dask gives the tasks of a lost worker to another one,
which writes the same files again.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from concurrent.futures import CancelledError
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from rawback.batch.control import LOOK
from rawback.batch.outcome import Outcome
from rawback.errors import RawbackError
from rawback.files import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from rawback.batch.control import Control
    from rawback.batch.tasks import Task

__all__ = ["Cluster"]

_PATIENCE = 30
_AHEAD = 2
"""Tasks that wait at the workers for each one that is being done, so that none has to wait."""


class Cluster:
    """The workers of a Dask scheduler that runs already.

    Args:
        address: The scheduler's, such as ``tcp://HOST:8786``.

    Raises:
        RawbackError: Dask is not installed here or rawback not there, or nobody answers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            message = "Clusters need Dask; get it with: pip install 'rawback[cluster]'."
            raise RawbackError(message) from error
        self._address = address
        try:
            self._client: Any = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            message = f"No Dask scheduler answers at {label(address)}; check the address."
            raise RawbackError(message) from error
        try:
            self._check_workers()
        except BaseException:
            self._client.close()
            raise

    def _check_workers(self) -> None:
        """Let workers load what they need, and see that it is what is here."""
        import rawback

        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
            versions: dict[str, str] = self._client.run(ready)
        except TimeoutError as error:
            message = f"The scheduler at {label(self._address)} has no workers; start some."
            raise RawbackError(message) from error
        except Exception as error:
            message = f"A worker cannot run rawback ({error}); install it on all machines."
            raise RawbackError(message) from error
        others = {
            f"{worker} has {version}"
            for worker, version in versions.items()
            if version != rawback.__version__
        }
        if others:
            message = f"This is rawback {rawback.__version__} but {min(others)}; install the same."
            raise RawbackError(message)

    @property
    def count(self) -> int:
        """Threads of all workers that are there now: each does a task."""
        return max(1, sum(map(int, self._client.nthreads().values())))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Tasks that nobody waits for any more are forgotten by the scheduler.
        self._client.close()

    def outcomes(self, tasks: Iterable[Task], control: Control) -> Iterator[Outcome]:
        """Do tasks side by side; see `Workers.outcomes`."""
        from distributed import as_completed

        run = secrets.token_hex(4)
        drawn = enumerate(tasks)
        given: dict[str, tuple[Task, Any]] = {}
        ended = as_completed(loop=self._client.loop)

        def fill() -> None:
            for number, task in islice(drawn, max(0, _AHEAD * self.count - len(given))):
                key = f"rawback-{run}-{number}"
                # What it does to files counts, not only what it returns: never taken from a cache.
                future = self._client.submit(work, task, key=key, pure=False)
                given[key] = task, future
                ended.add(future)

        room = True
        while not control.cancelled:
            with self._translated():
                if room and not control.paused:
                    fill()
                    room = False
                    if not given:
                        return
                if not ended.has_ready():
                    time.sleep(LOOK)
                    continue
                future = next(ended)
                task, _ = given.pop(future.key)
                outcome = _outcome(future, task)
                room = True
            yield outcome
        # Those that have begun end without anybody hearing of it; the next run does them again.
        with self._translated():
            self._client.cancel([future for _, future in given.values()])
        for task, _ in given.values():
            yield Outcome(task.inputs, task.output, "cancelled")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """What Dask raises where its scheduler is gone, as ours."""
        try:
            yield
        except (OSError, CancelledError) as error:
            address = label(self._address)
            message = f"The scheduler at {address} is gone; run it again to do what is left."
            raise RawbackError(message) from error


def _outcome(future: Any, task: Task) -> Outcome:
    if future.status == "error":
        why = f"Its workers were lost ({type(future.exception()).__name__})."
        return Outcome(task.inputs, task.output, "failed", error=("WorkerLost", why))
    outcome: Outcome = future.result()
    return outcome


def ready() -> str:
    """Load all that tasks need on a worker; rawback's version there."""
    import rawback

    rawback.Codec()
    return rawback.__version__


def work(task: Task) -> Outcome:
    """Do a task on a worker."""
    from distributed import get_worker

    import rawback

    # As many tasks run at a time as the worker has threads: each computes in one.
    rawback.set_threads(1)
    name = ""
    with contextlib.suppress(ValueError):
        name = str(get_worker().address)
    return task.perform(worker=name)
