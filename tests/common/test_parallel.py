"""Work in threads: in order, a few results ahead, and without touching what others compute in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import torch

from rawback.common.network_input import in_torch_threads, single_threaded
from rawback.parallel import in_threads

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_results_come_in_the_order_of_the_items() -> None:
    started = threading.Barrier(2)

    def work(item: int) -> int:
        if item < 2:
            started.wait(timeout=30)
        return item * item

    assert list(in_threads(work, range(20), 2)) == [item * item for item in range(20)]


def test_items_are_taken_only_a_few_ahead_of_their_use() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = in_threads(lambda item: item, items(), 2)
    assert next(results) == 0
    assert len(taken) < 10
    results.close()
    assert len(taken) < 10


def test_an_error_reaches_the_caller() -> None:
    def work(item: int) -> int:
        return 1 // item

    with pytest.raises(ZeroDivisionError):
        list(in_threads(work, [1, 0, 1], 2))


def test_torch_keeps_its_threads_elsewhere() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        inside = list(in_torch_threads(lambda _: torch.get_num_threads(), range(4), 2))
        assert inside == [1, 1, 1, 1]
        assert single_threaded(torch.get_num_threads) == 1
        assert torch.get_num_threads() == 3
        elsewhere: list[int] = []
        other = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
        other.start()
        other.join()
        assert elsewhere == [3]
    finally:
        torch.set_num_threads(usual)
