"""How many workers this machine's memory allows."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from rawback.batch.storage import is_local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback.batch.tasks import Task

__all__ = ["available_memory", "memory_of_worker", "workers_for"]

_BASE = 350 << 20
_PER_PIXEL = 42
"""Bytes of a worker: what it takes without any picture, and for each pixel of the raw; measured by
``python -m rawback_lab.bench throughput`` with some room left."""

_USABLE = 0.9
"""Part of the available memory that is used: other programs grow too."""

_LOOKED_AT = 3
_USUAL_PIXELS = 24_000_000
_CGROUPS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def workers_for(tasks: Sequence[Task], wanted: int) -> int:
    """The most workers, up to those wanted, that fit into memory with the largest picture each.

    One is always allowed: it has the memory that there is.
    """
    return max(1, min(wanted, int(_USABLE * available_memory() / memory_of_worker(tasks))))


def memory_of_worker(tasks: Sequence[Task]) -> int:
    """Bytes that a worker takes for the largest of some tasks."""
    sizes = {path: _size(path) for task in tasks for path in task.inputs[:1] if is_local(path)}
    largest = sorted(sizes, key=lambda path: sizes[path], reverse=True)[:_LOOKED_AT]
    return _BASE + _PER_PIXEL * max(map(_pixels, largest), default=_USUAL_PIXELS)


def available_memory() -> int:
    """Bytes that new processes can have without swapping, in this container if it is one."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, used, cached in _CGROUPS:
        with contextlib.suppress(OSError, ValueError):
            folder = Path("/sys/fs/cgroup")
            most = int((folder / limit).read_text("ascii"))
            taken = int((folder / used).read_text("ascii"))
            rows = (folder / limit).with_name("memory.stat").read_text("ascii").splitlines()
            idle = next((int(row.split()[1]) for row in rows if row.split()[0] == cached), 0)
            free = min(free, most - taken + idle)
    return max(free, 0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _pixels(path: Path) -> int:
    """Pixels of a raw, or of the raw in a carrier; the usual number where that is not known."""
    import rawback

    with contextlib.suppress(rawback.RawbackError):
        info = rawback.inspect(path)
        return info.width * info.height
    import rawpy

    try:
        with rawpy.imread(str(path)) as opened:
            return int(opened.sizes.raw_width) * int(opened.sizes.raw_height)
    except (rawpy.LibRawError, UnicodeError):
        return _USUAL_PIXELS
