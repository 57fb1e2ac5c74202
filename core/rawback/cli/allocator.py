"""What a command's process does with memory that it has freed."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def keep_freed_memory() -> None:
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
