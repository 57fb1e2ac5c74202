# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window says: messages, and how far work is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import rawback
from rawback_gui.models.notices import Notice, NoticeKind, Remedy
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawback_gui.controllers.workers import Job

__all__ = ["Change", "Feedback", "Progress", "Work", "error_text"]

Change: TypeAlias = Literal[
    "document",
    "state",
    "progress",
    "notices",
    "curve",
    "rate",
    "figures",
    "pictures",
    "statistics",
    "saved",
    "shots",
]
"""What of the window has changed."""

Work: TypeAlias = Literal["open", "save", "measure"]
"""What long work is for, what people wait for first."""

_ORDER: tuple[Work, ...] = ("open", "save", "measure")
_MOST_NOTICES = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work is.

    Attributes:
        work: What it is for.
        stage: What is being done, in words.
        fraction: 0 to 1.
    """

    work: Work
    stage: str
    fraction: float

    @property
    def blocking(self) -> bool:
        """Whether people wait for it, rather than it going on behind their backs."""
        return self.work != "measure"


class Feedback:
    """The messages and the progress that are shown.

    Attributes:
        notices: The messages, the latest last.
    """

    def __init__(self, changed: Callable[[Change], None]) -> None:
        """Say nothing.

        Args:
            changed: Called with what has changed.
        """
        self._changed = changed
        self._progress: dict[Work, Progress] = {}
        self.notices: tuple[Notice, ...] = ()

    # Messages.

    def say(
        self,
        text: str,
        kind: NoticeKind = "note",
        remedies: tuple[Remedy, ...] = (),
        path: Path | None = None,
    ) -> None:
        """Show a message; one with the same text is replaced."""
        others = tuple(notice for notice in self.notices if notice.text != text)
        self.notices = (*others, Notice(kind, text, remedies, path))[-_MOST_NOTICES:]
        self._changed("notices")

    def dismiss(self, notice: Notice | None = None) -> bool:
        """Take a message away, the latest by default; whether there was one."""
        before = self.notices
        if notice is None:
            self.notices = before[:-1]
        else:
            self.notices = tuple(other for other in before if other is not notice)
        if self.notices != before:
            self._changed("notices")
        return self.notices != before

    def clear(self) -> None:
        """Take all messages away."""
        if self.notices:
            self.notices = ()
            self._changed("notices")

    @property
    def text(self) -> str:
        """The latest message; empty for none."""
        return self.notices[-1].text if self.notices else ""

    # Progress.

    @property
    def progress(self) -> Progress | None:
        """How far the work is that people wait for, or else what goes on behind their backs."""
        return next((self._progress[work] for work in _ORDER if work in self._progress), None)

    def show(self, work: Work, stage: str, fraction: float) -> None:
        """Show how far work is."""
        progress = Progress(work, stage, fraction)
        if self._progress.get(work) != progress:
            self._progress[work] = progress
            self._changed("progress")

    def ended(self, work: Work) -> None:
        """Show that work has ended."""
        if self._progress.pop(work, None) is not None:
            self._changed("progress")

    def reporter(self, job: Job, work: Work) -> rawback.Progress:
        """What a job reports its progress to."""

        def report(stage: str, fraction: float) -> None:
            job.report(lambda: self.show(work, tr(stage), fraction))

        return report

    # Going wrong.

    def say_failure(self, error: Exception, remedies: tuple[Remedy, ...] = ()) -> None:
        """Say what went wrong; nothing where people stopped the work themselves."""
        if not isinstance(error, rawback.Cancelled):
            self.say(error_text(error), "refused", remedies)


def error_text(error: Exception) -> str:
    """What went wrong, for people."""
    if isinstance(error, rawback.RawbackError):
        return str(error)
    if isinstance(error, MemoryError):
        return tr("There is not enough memory for this picture; close other programs.")
    text = tr("This should not have happened ({}); please report what you did.")
    return text.format(f"{type(error).__name__}: {error}")
