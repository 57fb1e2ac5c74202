"""Tiles side by side: NumPy, OpenCV and the kernels let other threads run while they compute."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Future

__all__ = ["each_in_threads", "in_threads", "row_bands", "set_threads", "threads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MOST = 8
"""Threads by default, however many processors there are: each holds a tile's arrays."""

_AHEAD = 2
"""Results that may wait for their use beyond those that are worked on."""

_chosen: int | None = None


def threads() -> int:
    """How many parts are worked on at a time: as many as there are processors, up to 8."""
    if _chosen is not None:
        return _chosen
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), _MOST)
    return min(os.cpu_count() or 1, _MOST)


def set_threads(count: int) -> None:
    """Let this process work on so many tiles at a time, and OpenCV compute in so many threads.

    It counts for what begins after it, so it is called before any work.

    Raises:
        ValueError: The count is below 1.
    """
    import cv2

    global _chosen
    if count < 1:
        message = f"{count} threads cannot work; give at least 1"
        raise ValueError(message)
    _chosen = count
    cv2.setNumThreads(count)


def row_bands(rows: int, period: int = 1, least: int = 256) -> list[slice]:
    """Bands of rows to work on at a time: as many as there are threads, or fewer.

    Args:
        rows: How many there are.
        period: Bands begin at multiples of it.
        least: Rows of a band, unless there are fewer in all.
    """
    count = max(1, min(threads(), rows // max(least, 1)))
    ends = [rows * i // count // period * period for i in range(count)] + [rows]
    return [slice(a, b) for a, b in pairwise(ends) if a < b]


def each_in_threads(work: Callable[[_Item], object], items: Iterable[_Item]) -> None:
    """Call `work` with each item, some side by side."""
    for _ in in_threads(work, items):
        pass


def in_threads(
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    count: int | None = None,
    *,
    initialise: Callable[[], None] | None = None,
) -> Generator[_Result, None, None]:
    """Results of `work` in the order of `items`, computed a few ahead of their use.

    Args:
        work: Is called with each item.
        items: Are taken as they are needed.
        count: Threads; :func:`threads` by default.
        initialise: Is called in each thread before its first item.
    """
    count = threads() if count is None else count
    with ThreadPoolExecutor(max_workers=count, initializer=initialise) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= count + _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
