# SPDX-License-Identifier: GPL-3.0-or-later
"""From worker threads to the window's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Poster"]


class Poster(QObject):
    """Runs calls on the thread it was made on: Qt queues what other threads emit."""

    _asked = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._asked.connect(self._run)

    def __call__(self, call: Callable[[], None]) -> None:
        """Run a call later, from any thread."""
        if self._open:
            self._asked.emit(call)

    def close(self) -> None:
        """Drop everything that is still to be run."""
        self._open = False

    def _run(self, call: Callable[[], None]) -> None:
        if self._open:
            call()
