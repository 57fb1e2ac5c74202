# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window says: one sentence, and how far work is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import rawback
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.controllers.lanes import Task

__all__ = ["Change", "Progress", "Voice"]

Change: TypeAlias = str
"""One of: document, state, progress, message, curve, rate, figures, pictures, statistics, saved."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work is.

    Attributes:
        stage: What is being done, in words.
        fraction: 0 to 1.
        blocking: Whether people wait for it, rather than it going on behind their backs.
    """

    stage: str
    fraction: float
    blocking: bool


class Voice:
    """The sentence and the progress that are shown."""

    def __init__(self, told: Callable[[Change], None]) -> None:
        """Make a silent one.

        Args:
            told: Is told of each change.
        """
        self._told = told
        self.message = ""
        self.progress: Progress | None = None

    def say(self, message: str) -> None:
        """Show a sentence in the window, or none."""
        if message != self.message:
            self.message = message
            self._told("message")

    def show(self, progress: Progress | None) -> None:
        """Show how far work is, or that there is none."""
        if progress != self.progress:
            self.progress = progress
            self._told("progress")

    def teller(self, task: Task, *, blocking: bool) -> rawback.Progress:
        """What a job tells its progress to."""

        def tell(stage: str, fraction: float) -> None:
            task.tell(lambda: self.show(Progress(tr(stage), fraction, blocking)))

        return tell

    def say_failure(self, error: Exception) -> None:
        """Say what went wrong; nothing where people stopped the work themselves."""
        self.show(None)
        if isinstance(error, rawback.Cancelled):
            return
        if isinstance(error, rawback.RawbackError):
            text = str(error)
            self.say(text[:1].upper() + text[1:])
        elif isinstance(error, MemoryError):
            self.say(tr("There is not enough memory for this picture; close other programs."))
        else:
            text = tr("This should not have happened ({}); please report what you did.")
            self.say(text.format(f"{type(error).__name__}: {error}"))
