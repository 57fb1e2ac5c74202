"""A real Dask scheduler and real workers on this machine, one of which is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import rawback

from .conftest import COARSE, Watcher, add_shots, names_in

pytest.importorskip("distributed")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them"),
    # Dask's own, at its start and at its end.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATIENCE = 240


class Machines:
    """A scheduler and its workers, all of them processes here."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"
        )
        self.address = self._said(self._scheduler, "Scheduler at:").split()[-1]
        self._workers: dict[str, subprocess.Popen[str]] = {}

    def add_worker(self) -> None:
        # Without a nanny: what is killed stays so.
        worker = self._start(
            "worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny",
            "--no-dashboard", "--local-directory", str(self._folder),
        )  # fmt: skip
        at = self._said(worker, "Start worker at:").split()[-1]
        self._workers[at] = worker

    def kill_worker(self, address: str) -> None:
        self._workers[address].send_signal(signal.SIGKILL)
        self._workers[address].wait(PATIENCE)

    def kill_scheduler(self) -> None:
        self._scheduler.kill()
        self._scheduler.wait(PATIENCE)

    @property
    def workers(self) -> set[str]:
        return set(self._workers)

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._stack.callback(_end, process)
        return process

    def _said(self, process: subprocess.Popen[str], mark: str) -> str:
        """The line with a mark; what comes after it is read and forgotten."""
        stderr = process.stderr
        assert stderr is not None
        line = next(line for line in stderr if mark in line)
        reader = threading.Thread(target=stderr.read)
        reader.start()

        def end() -> None:
            process.kill()
            reader.join(PATIENCE)
            stderr.close()

        self._stack.callback(end)
        return line


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(PATIENCE)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    (tmp_path / "dask").mkdir()
    with contextlib.ExitStack() as stack:
        there = Machines(stack, tmp_path / "dask")
        for _ in range(2):
            there.add_worker()
        yield there


def test_two_workers_one_killed_at_work(machines: Machines, library: Path) -> None:
    add_shots(library, 10)
    for name in ("b.dng", "b.jpg"):
        (library / name).unlink()
    killed: list[str] = []

    def kill(outcome: rawback.Outcome) -> None:
        # Each worker has a task waiting for it: whoever is through with one is at the next.
        if len(watcher.outcomes) == 3:
            killed.append(outcome.worker)
            machines.kill_worker(outcome.worker)

    watcher = Watcher(kill)
    report = rawback.embed_many([library], rate=COARSE, cluster=machines.address, watcher=watcher)
    assert (report.done, report.total, report.workers) == (12, 12, 2)
    assert report.complete
    (lost,) = killed
    (other,) = machines.workers - {lost}
    assert {outcome.worker for outcome in watcher.outcomes[3:]} <= {lost, other}
    assert [outcome.worker for outcome in watcher.outcomes].count(other) >= 6
    carriers = {path.read_bytes() for path in library.glob("*.rawback.jpg")}
    assert len(carriers) == 1
    assert carriers == {rawback.embed_bytes(*_shot(library), rate=COARSE)[0]}
    assert not [name for name in names_in(library) if name.endswith(".tmp")]

    # The same journal, the same files: nothing is left, whoever asks.
    assert rawback.embed_many([library], rate=COARSE, workers=1).unchanged == 12
    back = rawback.restore_many([library], library / "back", cluster=machines.address)
    assert (back.done, back.workers) == (12, 1)


def test_workers_read_and_write_urls(machines: Machines, library: Path, ftp: str) -> None:
    for name in ("b.dng", "b.jpg"):
        (library / name).unlink()
    watcher = Watcher()
    journal = library.parent / "journal"
    report = rawback.embed_many(
        [ftp], rate=COARSE, cluster=machines.address, journal=journal, watcher=watcher
    )
    assert (report.done, report.total) == (2, 2)
    assert {outcome.worker for outcome in watcher.outcomes} <= machines.workers
    expected = rawback.embed_bytes(*_shot(library), rate=COARSE)[0]
    assert {path.read_bytes() for path in library.glob("*.rawback.jpg")} == {expected}
    assert not [name for name in names_in(library) if name.endswith(".tmp")]


def test_a_scheduler_that_goes_away(machines: Machines, library: Path) -> None:
    add_shots(library, 6)
    for name in ("b.dng", "b.jpg"):
        (library / name).unlink()

    def kill(_: rawback.Outcome) -> None:
        if len(watcher.outcomes) == 2:
            machines.kill_scheduler()

    watcher = Watcher(kill)
    with pytest.raises(rawback.RawbackError, match="is gone; run it again"):
        rawback.embed_many([library], rate=COARSE, cluster=machines.address, watcher=watcher)
    report = rawback.embed_many([library], rate=COARSE, workers=1)
    assert report.complete
    assert report.unchanged >= 2
    assert report.unchanged + report.done == 8


def test_nobody_answers(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rawback.batch.cluster._PATIENCE", 1)
    with pytest.raises(rawback.RawbackError, match="No Dask scheduler answers"):
        rawback.embed_many([library], cluster="tcp://127.0.0.1:9")
    with pytest.raises(rawback.RawbackError, match="No Dask scheduler answers"):
        rawback.embed_many([library], cluster="nonsense")


def _shot(library: Path) -> tuple[bytes, bytes]:
    return (library / "a.dng").read_bytes(), (library / "a.jpg").read_bytes()
