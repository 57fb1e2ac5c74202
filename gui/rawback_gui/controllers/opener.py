# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens files on a thread: reads them, finds the JPEG on the raw, and prepares the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import rawback
from rawback_gui.controllers.document import Document, open_carrier, open_pair, with_guide
from rawback_gui.controllers.feedback import error_text
from rawback_gui.controllers.restoring import RestoredBuffer
from rawback_gui.controllers.workers import Worker
from rawback_gui.models.notices import Remedy
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from rawback_gui.controllers.feedback import Feedback
    from rawback_gui.controllers.workers import Job, Post
    from rawback_gui.models.pairing import Pair

__all__ = ["Opener", "Place"]


class Place(Protocol):
    """Where what is opened arrives, step by step; called on the window's thread."""

    def arrive(self, document: Document, *, again: bool) -> None:
        """Files are read and can be shown; `again` where they are looked at as before."""

    def register(self, document: Document) -> None:
        """The JPEG's place on the raw is known too."""

    def prepare(
        self,
        session: rawback.Session,
        buffer: RestoredBuffer,
        ends: tuple[rawback.SectionEnd, ...],
    ) -> None:
        """The session can encode; `ends` are those of the sections of its base."""

    def abandon(self) -> None:
        """It failed."""


class Opener:
    """What is being opened, or was last. All methods are for the window's thread.

    Attributes:
        worker: Its thread.
        tune: What errors of payloads are to be small for.
    """

    def __init__(self, post: Post, feedback: Feedback, place: Place) -> None:
        """Open nothing yet.

        Args:
            post: Runs a call on the window's thread.
            feedback: Shows progress and messages.
            place: Where what is opened arrives.
        """
        self.worker = Worker("rawback-open", post, self._failed)
        self.tune: rawback.Tune = "visual"
        self._feedback = feedback
        self._place = place
        self._openings = 0
        self._pair: Pair | None = None
        self._unguided = False

    @property
    def pair(self) -> Pair | None:
        """What is being opened; None for nothing."""
        progress = self._feedback.progress
        busy = progress is not None and progress.work == "open"
        return self._pair if busy else None

    def open(self, pair: Pair, *, unguided: bool = False, again: bool = False) -> None:
        """Open files; what is open stays until the new is there.

        Args:
            pair: The files.
            unguided: Code the raw on its own where the JPEG does not show it.
            again: Look at them as before, at the rate as it is.
        """
        self._openings += 1
        opening, self._pair, self._unguided = self._openings, pair, unguided
        self._feedback.clear()
        self._feedback.show("open", tr("Reading"), 0.0)
        tune, place = self.tune, self._place

        def work(job: Job) -> None:
            report = self._feedback.reporter(job, "open")
            if pair.raw is None:
                alone = open_carrier(opening, pair, report, job.cancel)
                job.report(lambda: place.arrive(alone, again=False))
                return
            document = open_pair(opening, pair, report, unguided=unguided, tune=tune)
            session = document.session
            job.report(lambda: place.arrive(document, again=again))
            if session is None:
                return

            def registered(guide: rawback.Guide) -> None:
                placed = with_guide(document, guide)
                job.report(lambda: place.register(placed))

            session.prepare(progress=report, cancel=job.cancel, registered=registered)
            ends = session.base_ends()
            buffer = RestoredBuffer(session)
            job.report(lambda: place.prepare(session, buffer, ends))

        self.worker.submit(work, cancel=True)

    def use_tune(self, tune: rawback.Tune, document: Document | None) -> None:
        """Let errors be small for something else; what is open is prepared anew for that."""
        if tune == self.tune:
            return
        self.tune = tune
        if self.pair is not None:
            self.open(self.pair, unguided=self._unguided)
        elif document is not None and document.has_original:
            self.open(document.pair, unguided=document.unguided, again=True)

    def stop(self) -> None:
        """Open nothing after all."""
        self.worker.clear()
        self._feedback.ended("open")

    def _failed(self, error: Exception) -> None:
        self._feedback.ended("open")
        if isinstance(error, rawback.Cancelled):
            return
        pair = self._pair
        if pair is not None and isinstance(error, rawback.PayloadMissing):
            name = pair.jpeg.name if pair.jpeg is not None else pair.name
            text = tr("{} carries no raw yet; its raw file goes with it.").format(name)
            self._feedback.say(text, "refused", (Remedy("find_raw"),), pair.jpeg)
            return
        remedies: tuple[Remedy, ...] = ()
        if pair is not None and isinstance(error, rawback.ShotMismatch):
            again = pair
            remedies = (
                Remedy("choose_jpeg"),
                Remedy("unguided", lambda: self.open(again, unguided=True)),
            )
        path = None if pair is None else pair.raw or pair.jpeg
        self._feedback.say(error_text(error), "refused", remedies, path)
        self._place.abandon()
