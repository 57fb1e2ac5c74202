# SPDX-License-Identifier: GPL-3.0-or-later
"""Grain in what a carrier alone restores: on or off, so that both can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rawback
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from rawback_gui.controllers.document import Document
    from rawback_gui.controllers.feedback import Feedback
    from rawback_gui.controllers.workers import Job, Worker

__all__ = ["GrainSwitch"]


class GrainSwitch:
    """Restores with grain when that is asked for first, and keeps it until something else opens.

    Attributes:
        on: Whether people want grain.
    """

    def __init__(self, worker: Worker, feedback: Feedback, changed: Callable[[], None]) -> None:
        """Switch it off.

        Args:
            worker: Opens files.
            feedback: Shows progress and messages.
            changed: Called on the window's thread when another raw is to be shown.
        """
        self.on = False
        self._worker = worker
        self._feedback = feedback
        self._changed = changed
        self._grained: rawback.OpenedCarrier | None = None

    @property
    def cfa(self) -> NDArray[np.uint16] | None:
        """The mosaic with grain; None where there is none to be shown."""
        return self._grained.restored.cfa if self.on and self._grained is not None else None

    def forget(self) -> None:
        """Something else is open."""
        self.on, self._grained = False, None

    def give_up(self) -> None:
        """People did not wait for it."""
        if self.on and self._grained is None:
            self.on = False
            self._changed()

    def toggle(self, document: Document | None) -> None:
        """Show the restored raw of a carrier with grain, or without it."""
        if document is None or document.opened is None or document.pair.jpeg is None:
            return
        carrier = document.pair.jpeg
        self.on = not self.on
        if not self.on or self._grained is not None:
            self._changed()
            return

        def work(job: Job) -> None:
            report = self._feedback.reporter(job, "open")
            opened = rawback.open_carrier(carrier, grain=True, progress=report, cancel=job.cancel)
            job.report(lambda: self._take(opened))

        self._feedback.show("open", tr("Restoring"), 0.0)
        self._worker.submit(work, cancel=True)

    def _take(self, opened: rawback.OpenedCarrier) -> None:
        self._feedback.ended("open")
        if opened.grain:
            self._grained = opened
        else:
            self.on = False
            self._feedback.say(tr("There is no grain to add: no noise is missing."))
        self._changed()
