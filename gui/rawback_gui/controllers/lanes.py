# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that do one thing at a time and tell the window of it, the latest wish first.

A *lane* is one thread with room for one waiting job: a newer wish takes the place of an older one
that has not begun. What a job tells is handed to the window's own thread, and dropped there if
the lane has been cleared since: nothing late overwrites anything newer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Lane", "Post", "Task"]

Post: TypeAlias = Callable[[Callable[[], None]], None]
"""Runs a call on the window's thread, later."""


@dataclass(slots=True)
class Task:
    """A job on a lane.

    Attributes:
        generation: Later jobs of a lane have higher ones.
        cancel: Set when the job is to stop and nothing of it is wanted any more; shared by all
            jobs since the lane was cleared last.
        superseded: Set when a newer job waits; what this one has done so far is still wanted.
    """

    generation: int
    post: Post
    cancel: threading.Event
    superseded: threading.Event = field(default_factory=threading.Event)

    def tell(self, call: Callable[[], None]) -> None:
        """Run a call on the window's thread, unless the lane has been cleared by then."""

        def unless_cancelled() -> None:
            if not self.cancel.is_set():
                call()

        self.post(unless_cancelled)


Work: TypeAlias = Callable[[Task], None]


class Lane:
    """One thread, begun with its first job."""

    def __init__(self, name: str, post: Post, failed: Callable[[Exception], None]) -> None:
        """Make a lane.

        Args:
            name: Of the thread.
            post: How to reach the window's thread.
            failed: Is told there what a job raised.
        """
        self._name = name
        self._post = post
        self._failed = failed
        self._wake = threading.Condition()
        self._waiting: tuple[Task, Work] | None = None
        self._running: Task | None = None
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
            work: The job. What it raises is told, once the job has not been cancelled.
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
            self._waiting = (Task(self._generation, self._post, self._cancel), work)
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
        # Jobs that are through may have told things that the window has not heard yet.
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
                task, work = self._waiting
                self._waiting, self._running = None, task
            self._run(task, work)
            # Arrays that the job held must not live until the next one.
            del task, work

    def _run(self, task: Task, work: Work) -> None:
        try:
            work(task)
        except Exception as error:  # noqa: BLE001 -- whatever happens is told, not lost
            found = error
            task.tell(lambda: self._failed(found))
