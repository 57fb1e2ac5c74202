# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written of what is open, on a thread of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import rawback
from rawback_gui.controllers.feedback import error_text
from rawback_gui.controllers.workers import Job, Post, Worker
from rawback_gui.models.notices import Remedy
from rawback_gui.models.texts import bytes_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from rawback_gui.controllers.feedback import Feedback
    from rawback_gui.controllers.rating import RateControl

__all__ = ["SaveRequest", "Saving", "Target"]

Target: TypeAlias = Literal["carrier", "in_place", "sidecar", "dng", "other"]

_BREAKS_SIGNATURE: tuple[Target, ...] = ("carrier", "in_place")
_PAYLOADS: tuple[Target, ...] = ("carrier", "in_place", "sidecar")

_CODED = 0.75
"""Part of the time that coding takes where what was written is verified."""


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """A file to be written of the payload at the rate.

    Attributes:
        target: What it is to be.
        path: Where; for "in_place" the JPEG itself.
        overwrite: Whether it may replace a file.
        break_signature: Whether a C2PA signature may be broken.
        write: Writes a file that is "other", from the payload.
    """

    target: Target
    path: Path
    overwrite: bool = False
    break_signature: bool = False
    write: Callable[[rawback.Encoding], None] | None = None


class Saving:
    """Writes files and says what came of it.

    Attributes:
        worker: Writes.
        verify: Whether payloads are read back from what was written and compared, before the file
            gets its name.
    """

    def __init__(
        self, post: Post, feedback: Feedback, rates: RateControl, saved: Callable[[], None]
    ) -> None:
        """Get ready.

        Args:
            post: Runs a call on the window's thread.
            feedback: Shows progress and messages.
            rates: Knows the rate, and the payload if it was made.
            saved: Called on the window's thread when a file was written.
        """
        self.worker = Worker("rawback-save", post, self._failed)
        self._feedback = feedback
        self._rates = rates
        self._saved = saved
        self._request: SaveRequest | None = None
        self._session: rawback.Session | None = None
        self.verify = True

    def save(self, session: rawback.Session, request: SaveRequest) -> None:
        """Make the payload of the rate, if that is not done yet, and write something of it."""
        signs = request.target in _BREAKS_SIGNATURE and session.signed
        if signs and not request.break_signature:
            self._ask_for_signature(session, request)
            return
        self._request, self._session = request, session
        make, made = self._rates.maker(), self._rates.made
        if made is None:
            # Both would wait for the same session; what is saved comes first.
            self._rates.interrupt()
        verify = self.verify and request.target in _PAYLOADS
        coded = 0.0 if made is not None else _CODED if verify else 1.0

        def work(job: Job) -> None:
            report = self._feedback.reporter(job, "save")
            encoding = made or make(session, _part(report, 0.0, coded), job.cancel)
            report("Writing the file", coded)
            writing = _Writing(verify, _part(report, coded, 1.0), job.cancel)
            place = writing.written(session, encoding, request)
            text = _sentence(request, place, encoding)
            if verify:
                text += " " + tr("It was read back and compared.")
            if signs:
                text += " " + tr("The JPEG\u2019s C2PA signature no longer holds; sign it again.")
            shown = request.path if request.target == "in_place" else place
            job.report(lambda: self._done(text, shown, encoding))

        self._feedback.show("save", tr("Coding"), 0.0)
        self.worker.submit(work)

    def run(self, stage: str, work: Callable[[Job], tuple[str, Path | None]]) -> None:
        """Do something else with files, and say what came of it.

        Args:
            stage: What is being done, in words.
            work: Does it; returns a sentence and the file that it is about.
        """

        def all_of_it(job: Job) -> None:
            text, path = work(job)
            job.report(lambda: self._done(text, path, None))

        self._request = self._session = None
        self._feedback.show("save", stage, 0.0)
        self.worker.submit(all_of_it)

    def reporter(self, job: Job) -> rawback.Progress:
        """What a job of :meth:`run` reports its progress to; raises once it is cancelled."""
        report = self._feedback.reporter(job, "save")

        def checked(stage: str, fraction: float) -> None:
            if job.cancel.is_set():
                message = tr("The job was cancelled; start it again to finish it.")
                raise rawback.Cancelled(message)
            report(stage, fraction)

        return checked

    def cancel(self) -> None:
        """Stop what is being written; nothing of it is left."""
        self.worker.clear()
        self._feedback.ended("save")
        self._rates.measure()

    def _done(self, text: str, path: Path | None, encoding: rawback.Encoding | None) -> None:
        self._feedback.ended("save")
        remedies = () if path is None else (Remedy("show_in_folder"),)
        self._feedback.say(text, "done", remedies, path)
        if encoding is not None and self._rates.made is None:
            self._rates.take(encoding, None)
        self._saved()
        self._rates.measure()

    def _failed(self, error: Exception) -> None:
        self._feedback.ended("save")
        request, session = self._request, self._session
        remedies: tuple[Remedy, ...] = ()
        if isinstance(error, rawback.OutputRefused) and request is not None and session is not None:
            again = replace(request, overwrite=True)
            replaceable = request.target != "in_place" and not request.overwrite
            if replaceable and request.path.exists():
                remedies = (Remedy("overwrite", lambda: self.save(session, again)),)
        if not isinstance(error, rawback.Cancelled):
            self._feedback.say(error_text(error), "refused", remedies)
        self._rates.measure()

    def _ask_for_signature(self, session: rawback.Session, request: SaveRequest) -> None:
        text = tr(
            "{} is signed (C2PA), and a payload in it breaks the signature. Nothing was written: "
            "save all the same and sign the JPEG again, or save the payload beside it."
        ).format(request.path.name)
        anyway = replace(request, break_signature=True)
        beside = SaveRequest("sidecar", request.path.with_name(request.path.name + ".rawback"))
        self._feedback.say(
            text,
            "refused",
            (
                Remedy("save_signed", lambda: self.save(session, anyway)),
                Remedy("save_beside", lambda: self.save(session, beside)),
            ),
        )


@dataclass(frozen=True, slots=True)
class _Writing:
    """How a file is written.

    Attributes:
        verify: Whether it is read back and compared.
        progress: Is told how far that is.
        cancel: Stops it; nothing is written then.
    """

    verify: bool
    progress: rawback.Progress
    cancel: threading.Event

    def written(
        self, session: rawback.Session, encoding: rawback.Encoding, request: SaveRequest
    ) -> Path:
        """Write a file; its path, or the path of what was kept of it."""
        path, overwrite = request.path, request.overwrite
        progress, cancel = self.progress, self.cancel
        if request.target == "in_place":
            return session.save_in_place(
                encoding, path, verify=self.verify, progress=progress, cancel=cancel
            )
        if request.target in ("carrier", "sidecar"):
            return session.save(
                encoding,
                path,
                sidecar=request.target == "sidecar",
                overwrite=overwrite,
                verify=self.verify,
                progress=progress,
                cancel=cancel,
            )
        if request.target == "dng":
            return session.save_dng(encoding, path, overwrite=overwrite)
        if request.write is not None:
            request.write(encoding)
        return path


def _part(report: rawback.Progress, start: float, end: float) -> rawback.Progress:
    """What to hand to a part of a job that tells its own progress from 0 to 1."""
    return lambda stage, fraction: report(stage, start + (end - start) * fraction)


def _sentence(request: SaveRequest, place: Path, encoding: rawback.Encoding) -> str:
    if request.target == "carrier":
        size = bytes_text(encoding.result.payload_bytes)
        text = tr("Saved {} with {} of raw in it.")
        if encoding.result.raw_file is not None:
            text = tr("Saved {} with {} in it, the raw file itself included.")
        return text.format(place.name, size)
    if request.target == "in_place":
        text = tr("{} now carries its raw; as it was, it is {}.")
        return text.format(request.path.name, place.name)
    return tr("Saved {}.").format(place.name)
