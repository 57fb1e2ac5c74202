"""What one piece of work took: its time, and the most memory the process held meanwhile."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["Taken", "TookTooLong", "measured"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class TookTooLong(Exception):
    """The work did not end in its time."""


@dataclass(slots=True)
class Taken:
    """Filled in when the work is through.

    Attributes:
        seconds: CPU time.
        peak: The most bytes that the whole process held in memory.
        growth: By how much that exceeds what it held at the start.
    """

    seconds: float = 0.0
    peak: int = 0
    growth: int = 0


@contextlib.contextmanager
def measured(limit: float) -> Iterator[Taken]:
    """Measure what is done in the context, and stop it after so many seconds of CPU time.

    Raises:
        TookTooLong: It was stopped.
    """

    def stop(_: int, __: FrameType | None) -> None:
        raise TookTooLong

    taken = Taken()
    before = signal.signal(signal.SIGPROF, stop)
    _CLEAR.write_text(_RESET_PEAK)
    start = _bytes_of("VmHWM")
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        yield taken
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        taken.seconds = time.process_time() - began
        signal.signal(signal.SIGPROF, before)
        taken.peak = _bytes_of("VmHWM")
        taken.growth = taken.peak - start


def _bytes_of(name: str) -> int:
    text = _STATUS.read_text()
    at = text.index(name) + len(name) + 1
    return 1024 * int(text[at : text.index("kB", at)])
