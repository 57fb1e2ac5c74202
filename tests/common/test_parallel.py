"""Work in threads: in order, a few results ahead, and without touching what others compute in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rawback import parallel
from rawback.common.network_input import in_torch_threads, single_threaded
from rawback.mosaic import Mosaic
from rawback.parallel import in_threads
from rawback.tone import NoiseDomain
from rawback.types import NoiseModel

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


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("rows", [0, 1, 255, 256, 1000, 4097])
@pytest.mark.parametrize("period", [1, 6])
def test_bands_hold_every_row_once(
    monkeypatch: pytest.MonkeyPatch, count: int, rows: int, period: int
) -> None:
    monkeypatch.setattr(parallel, "_chosen", count)
    bands = parallel.row_bands(rows, period)
    assert [row for band in bands for row in range(rows)[band]] == list(range(rows))
    assert len(bands) <= count
    assert all(band.start % period == 0 for band in bands)


@pytest.mark.parametrize("pattern", ["RGGB", "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG", "R+G+B"])
def test_bands_of_a_frame_are_mapped_as_the_whole_is(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    mosaic, rng = Mosaic.parse(pattern), np.random.default_rng(0)
    levels = np.arange(len(mosaic.colours)) * 40.0
    domain = NoiseDomain.of(NoiseModel(1e-3, 1e-5), tuple(levels), 1023, mosaic=mosaic)
    shape = mosaic.cell * 1550, mosaic.across * 5
    samples = rng.integers(0, 1024, shape).astype(np.uint16)
    results = []
    for count in (1, 3):
        monkeypatch.setattr(parallel, "_chosen", count)
        planes = domain.to_planes(samples)
        results.append((planes, domain.to_mosaic(planes, (1, 0))))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
