# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that do one job at a time for the window, the latest request first.

A worker is one thread with room for one waiting job: a newer request takes the place of an older
one that has not begun. What a job reports is run on the window's own thread, and dropped there if
the worker has been cleared since: nothing late overwrites anything newer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Job", "Post", "Worker"]

Post: TypeAlias = Callable[[Callable[[], None]], None]
"""Runs a call on the window's thread, later."""


@dataclass(slots=True)
class Job:
    """A job of a worker.

    Attributes:
        generation: Later jobs of a worker have higher ones.
        cancel: Set when the job is to stop and nothing of it is wanted any more; shared by all
            jobs since the worker was cleared last.
        superseded: Set when a newer job waits; what this one has done so far is still wanted.
    """

    generation: int
    post: Post
    cancel: threading.Event
    superseded: threading.Event = field(default_factory=threading.Event)

    def report(self, call: Callable[[], None]) -> None:
        """Run a call on the window's thread, unless the worker has been cleared by then."""

        def unless_cancelled() -> None:
            if not self.cancel.is_set():
                call()

        self.post(unless_cancelled)


Work: TypeAlias = Callable[[Job], None]


class Worker:
    """One thread, begun with its first job."""

    def __init__(self, name: str, post: Post, failed: Callable[[Exception], None]) -> None:
        """Make a worker.

        Args:
            name: Of the thread.
            post: How to reach the window's thread.
            failed: Called there with what a job raised.
        """
        self._name = name
        self._post = post
        self._failed = failed
        self._wake = threading.Condition()
        self._waiting: tuple[Job, Work] | None = None
        self._running: Job | None = None
        self._thread: threading.Thread | None = None
        self._generation = 0
        self._closed = False
        self._cancel = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether a job is running or waiting that is still wanted."""
        with self._wake:
            running = self._running is not None and not self._running.cancel.is_set()
            return running or self._waiting is not None

    @property
    def newest(self) -> int:
        """The generation of the job that was submitted last; 0 before the first."""
        with self._wake:
            return self._generation

    def submit(self, work: Work, *, cancel: bool = False) -> None:
        """Do a job as soon as the one that runs is through.

        Args:
            work: The job. What it raises is reported, unless the job has been cancelled.
            cancel: Stop the job that runs, rather than let it come to an end.
        """
        with self._wake:
            if self._closed:
                return
            if cancel:
                self._clear()
            elif self._running is not None:
                self._running.superseded.set()
            self._generation += 1
            self._waiting = (Job(self._generation, self._post, self._cancel), work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def clear(self) -> None:
        """Forget what waits and stop what runs."""
        with self._wake:
            self._clear()

    def close(self, timeout: float | None = None) -> bool:
        """Clear, and wait for the thread to end.

        Args:
            timeout: Seconds to wait at most; without end by default.

        Returns:
            Whether it has ended.
        """
        with self._wake:
            self._closed = True
            self._clear()
            self._wake.notify_all()
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _clear(self) -> None:
        self._waiting = None
        # Jobs that are through may have reports that the window has not run yet.
        self._cancel.set()
        self._cancel = threading.Event()
        if self._running is not None:
            self._running.superseded.set()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._running = None
                self._wake.wait_for(lambda: self._closed or self._waiting is not None)
                if self._waiting is None:
                    return
                job, work = self._waiting
                self._waiting, self._running = None, job
            self._run(job, work)
            # Arrays of the job must not live until the next one.
            del job, work

    def _run(self, job: Job, work: Work) -> None:
        try:
            work(job)
        except Exception as error:  # noqa: BLE001 -- whatever happens is reported, not lost
            raised = error
            job.report(lambda: self._failed(raised))
