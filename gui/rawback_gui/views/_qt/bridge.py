# SPDX-License-Identifier: GPL-3.0-or-later
"""From worker threads to the window's."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QCoreApplication, QObject, Qt, pyqtSignal

__all__ = ["Poster", "tr"]


def tr(text: str) -> str:
    """A text in the user's language."""
    return QCoreApplication.translate("rawback", text)


class Poster(QObject):
    """Runs calls on the thread it was made on."""

    _asked = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._asked.connect(self._run, Qt.ConnectionType.QueuedConnection)

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
