# SPDX-License-Identifier: GPL-3.0-or-later
"""The shots beside the one that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rawback
from rawback_gui.controllers.workers import Job, Post, Worker
from rawback_gui.models.pairing import Pair, neighbour, shots_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Browsing"]


class Browsing:
    """The folder of what is open.

    Attributes:
        shots: Of the folder, in the order of their names.
        worker: Reads folders.
    """

    def __init__(
        self, post: Post, failed: Callable[[Exception], None], changed: Callable[[], None]
    ) -> None:
        """Know no folder yet.

        Args:
            post: Runs a call on the window's thread.
            failed: Called there with what went wrong.
            changed: Called there when the shots are known.
        """
        self.worker = Worker("rawback-browse", post, failed)
        self.shots: tuple[Pair, ...] = ()
        self._changed = changed
        self._current = Pair()
        self._folder: Path | None = None

    def arrive(self, pair: Pair) -> None:
        """Look around where a shot is."""
        self._current = pair
        folder = next((file.parent for file in pair.files), None)
        if folder is None:
            return
        if folder != self._folder:
            self.shots = ()
        self._folder = folder

        def work(job: Job) -> None:
            try:
                shots = shots_in(folder)
            except (rawback.RawbackError, OSError):
                # What goes away, or cannot be read, has no shots beside the one that is open.
                shots = ()
            job.report(lambda: self._found(folder, shots))

        self.worker.submit(work)

    def neighbour(self, step: int) -> Pair | None:
        """The shot before (-1) or after (1) what is open; None at the ends of the folder."""
        return neighbour(self.shots, self._current, step)

    def _found(self, folder: Path, shots: tuple[Pair, ...]) -> None:
        if folder == self._folder:
            self.shots = shots
            self._changed()
