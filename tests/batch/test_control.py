"""A program that follows a batch, pauses it and cancels it, whoever does the work."""

from __future__ import annotations

import itertools
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

import rawback

from .conftest import COARSE, Watcher, add_shots, names_in

if TYPE_CHECKING:
    from pathlib import Path

WORKERS = [0, pytest.param(2, marks=pytest.mark.slow)]
LONG = 0.6
"""Seconds in which something that is not paused would be heard of."""


@pytest.mark.parametrize("workers", WORKERS)
def test_progress_of_each_file(library: Path, workers: int) -> None:
    watcher = Watcher()
    report = rawback.embed_many([library], rate=COARSE, workers=workers, watcher=watcher)
    assert report.done == 2
    assert set(watcher.stages) == {"a", "b", "c"}
    for name in "ac":
        stages = watcher.stages[name]
        fractions = [fraction for _, fraction in stages]
        assert stages[0] == ("Starting", 0.0)
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
        assert len({stage for stage, _ in stages}) > 3
    assert (str(os.getpid()) in {outcome.worker for outcome in watcher.outcomes}) == (workers == 0)


@pytest.mark.parametrize("workers", WORKERS)
def test_a_batch_is_paused_and_goes_on(library: Path, workers: int) -> None:
    add_shots(library, 2)
    pause = threading.Event()
    heard: list[float] = []
    timers: list[threading.Timer] = []

    class Pausing(Watcher):
        def working(self, inputs: tuple[Path, ...], stage: str, fraction: float) -> None:
            super().working(inputs, stage, fraction)
            heard.append(time.monotonic())
            if fraction > 0 and not timers:
                pause.set()
                timers.append(threading.Timer(2 * LONG, pause.clear))
                timers[0].start()

    watcher = Pausing()
    report = rawback.embed_many(
        [library], rate=COARSE, workers=workers, watcher=watcher, pause=pause
    )
    timers[0].join()
    assert (report.done, report.failed, report.cancelled) == (4, 1, 0)
    assert max(b - a for a, b in itertools.pairwise(heard)) > LONG


@pytest.mark.parametrize(
    ("workers", "paused"),
    [(0, False), (0, True), pytest.param(2, True, marks=pytest.mark.slow)],
)
def test_a_batch_is_cancelled_and_the_next_run_goes_on(
    library: Path, workers: int, paused: bool
) -> None:
    add_shots(library, 6)
    for name in ("b.dng", "b.jpg"):
        (library / name).unlink()
    pause, cancel = threading.Event(), threading.Event()
    timers: list[threading.Timer] = []

    class Cancelling(Watcher):
        def working(self, inputs: tuple[Path, ...], stage: str, fraction: float) -> None:
            super().working(inputs, stage, fraction)
            if self.outcomes and fraction > 0 and not timers:
                if paused:
                    pause.set()
                timers.append(threading.Timer(0.2 if paused else 0, cancel.set))
                timers[0].start()
                timers[0].join(0 if paused else None)

    watcher = Cancelling()
    report = rawback.embed_many(
        [library], rate=COARSE, workers=workers, watcher=watcher, pause=pause, cancel=cancel
    )
    assert report.done >= 1
    assert not report.failures, report.failures[0].error
    assert report.cancelled == 8 - report.done >= 1
    assert not report.failed
    assert not report.complete
    begun = [outcome for outcome in watcher.outcomes if outcome.status == "cancelled"]
    assert len(begun) >= 1
    assert {outcome.inputs[0].stem for outcome in watcher.outcomes} == set(watcher.stages)
    assert len([name for name in names_in(library) if ".rawback." in name]) == report.done
    assert not [name for name in names_in(library) if name.startswith(".")]
    again = rawback.embed_many([library], rate=COARSE, workers=0)
    assert (again.unchanged, again.done) == (report.done, report.cancelled)


def test_what_somebody_wrote_where_a_cancelled_file_belongs_stays(library: Path) -> None:
    cancel = threading.Event()

    class Cancelling(Watcher):
        def working(self, inputs: tuple[Path, ...], stage: str, fraction: float) -> None:
            cancel.set()

    rawback.embed_many([library], rate=COARSE, workers=0, watcher=Cancelling(), cancel=cancel)
    (library / "a.rawback.jpg").write_bytes(b"somebody's")
    watcher = Watcher()
    rawback.embed_many([library], rate=COARSE, workers=0, watcher=watcher)
    assert watcher.statuses["a.rawback.jpg"] == "failed"
    assert (library / "a.rawback.jpg").read_bytes() == b"somebody's"


def test_pairs_that_are_known_already(library: Path, tmp_path: Path) -> None:
    odd = (library / "a.jpg").rename(library / "holiday.jpg")
    pair = rawback.Pair(library / "a.dng", odd)
    watcher = Watcher()
    report = rawback.embed_many([pair, pair], rate=COARSE, workers=0, watcher=watcher)
    assert (report.total, report.done) == (1, 1)
    assert watcher.outcomes[0].inputs == (library / "a.dng", odd)
    assert rawback.verify(library / "holiday.rawback.jpg", raw=library / "a.dng").intact
    # The journal is where the pair's JPEG is.
    assert rawback.embed_many([pair], rate=COARSE, workers=0).unchanged == 1
    mixed = rawback.embed_many([pair, library / "c.dng", library / "c.jpg"], tmp_path, workers=0)
    assert (mixed.total, mixed.done) == (2, 2)


def test_raws_without_a_jpeg_get_one(library: Path, tmp_path: Path) -> None:
    (library / "a.jpg").unlink()
    without = rawback.embed_many([library / "a.dng"], rate=COARSE, workers=0)
    assert (without.total, len(without.unmatched)) == (0, 1)
    raw, out = library / "a.dng", tmp_path / "out"
    beside = rawback.embed_many([raw], rate=COARSE, workers=0, previews=True)
    assert (beside.done, beside.unmatched) == (1, ())
    assert rawback.verify(library / "a.rawback.jpg", raw=raw).intact
    assert rawback.embed_many([raw], rate=COARSE, workers=0, previews=True).unchanged == 1
    rawback.embed_many([tmp_path], out, rate=COARSE, recursive=True, workers=0, previews=True)
    assert rawback.verify(out / "library" / "a.rawback.jpg", raw=raw).intact
