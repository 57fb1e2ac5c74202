"""Work on parts side by side: numpy, OpenCV and the kernels let other threads run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["in_threads", "set_thread_count", "threads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_threads = 2


def threads() -> int:
    """How many parts are worked on at a time."""
    return _threads


def set_thread_count(count: int) -> None:
    """Let this process work on so many parts at a time; it counts for what begins after it.

    Raises:
        ValueError: The count is below 1.
    """
    global _threads
    if count < 1:
        message = f"{count} threads cannot work; give at least 1"
        raise ValueError(message)
    _threads = count


def in_threads(
    work: Callable[[_Item], _Result], items: Iterable[_Item], count: int | None = None
) -> Iterable[_Result]:
    """Results of `work` in the order of `items`, a few at a time ahead of their use."""
    with ThreadPoolExecutor(max_workers=_threads if count is None else count) as pool:
        yield from pool.map(work, items)
