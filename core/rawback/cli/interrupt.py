"""Ctrl-C that is not lost.

An interruption that arrives while foreign code runs a callback of ours, or while a module is being
loaded, may be swallowed there. So it is noted as well, and whoever tells progress asks.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["Interruption", "interruption"]


class Interruption:
    """Whether Ctrl-C was pressed since the program began."""

    def __init__(self) -> None:
        self._pressed = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if it was."""
        if self._pressed:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note it while the context lasts; only the main thread hears of signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._pressed = False
        before = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._pressed = True
        raise KeyboardInterrupt


interruption = Interruption()
