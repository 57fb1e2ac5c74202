# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the window from a script: waiting for things, as people do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEventLoop
from PyQt6.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.models.state import Source
    from rawback_gui.views._qt.window import MainWindow

__all__ = ["compares", "settled", "shows", "wait_until"]

_MILLISECONDS = 5


def wait_until(condition: Callable[[], bool], seconds: float = 400.0) -> float:
    """Let the window live until something holds.

    Args:
        condition: What has to hold.
        seconds: How long to wait for it.

    Returns:
        The seconds it took.

    Raises:
        TimeoutError: It does not hold.
    """
    started = time.perf_counter()
    while not condition():
        if time.perf_counter() - started > seconds:
            message = f"the window was waited for {seconds} s in vain"
            raise TimeoutError(message)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, _MILLISECONDS)
        time.sleep(_MILLISECONDS / 5000)
    return time.perf_counter() - started


def shows(window: MainWindow, *sources: Source) -> bool:
    """Whether the window shows pictures of all these sources."""
    return set(sources) <= set(window.workspace.pictures.sources)


def compares(window: MainWindow) -> bool:
    """Whether the window shows the JPEG beside a raw."""
    there = set(window.workspace.pictures.sources)
    return "carrier" in there and bool(there & {"original", "restored"})


def settled(window: MainWindow) -> bool:
    """Whether the payload at the rate was made and everything is shown as it restores."""
    space = window.workspace
    made = space.encoding is not None and space.encoding.rate == space.rate
    rested = space.progress is None and space.curve is not None and space.curve.complete
    return made and rested and space.drawn
