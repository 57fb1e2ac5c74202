"""How a command's process shares out memory and time."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["prepare_process"]

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8

_SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that runs Python lets another one run it."""


def prepare_process() -> None:
    """Set up this process for a command: a program of its own, of few threads and large arrays.

    Threads that come out of a kernel wait for the one that runs Python: by default for as long as
    many kernels take.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL)
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Let arrays be made where others lay, where the system's allocator can be told so (glibc).

    It gives large blocks back to the system at once by default. A command makes arrays of the same
    few sizes again and again, and to clear their pages anew each time is a tenth of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        choose = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):
        choose(parameter, value)
