"""Tiles side by side: numpy and OpenCV let other threads run while they compute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["in_threads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_threads(
    work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int = 2
) -> Iterable[_Result]:
    """Results of `work` in the order of `items`, a few at a time ahead of their use."""
    with ThreadPoolExecutor(max_workers=threads) as pool:
        yield from pool.map(work, items)
