"""Worker processes of this machine: one that dies takes nothing along, none outlives a batch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import rawback
from rawback.batch import memory
from rawback.batch.memory import available_memory, memory_of_worker, workers_for
from rawback.batch.tasks import EmbedTask

from .conftest import COARSE, Watcher, add_shots, names_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

BATCH = [sys.executable, "-m", "rawback", "batch"]


@pytest.mark.slow
def test_two_workers_do_as_one(library: Path) -> None:
    add_shots(library, 4)
    watcher = Watcher()
    report = rawback.embed_many([library], rate=COARSE, workers=2, watcher=watcher)
    assert (report.done, report.failed, report.workers) == (6, 1, 2)
    workers = {outcome.worker for outcome in watcher.outcomes if outcome.status == "done"}
    assert len(workers) == 2
    assert str(os.getpid()) not in workers
    carriers = {(library / f"{name}.rawback.jpg").read_bytes() for name in ("a", "c", "shot03")}
    assert len(carriers) == 1
    assert not [worker for worker in workers if psutil.pid_exists(int(worker))]


@pytest.mark.slow
def test_a_worker_that_is_killed_at_work_loses_nothing(library: Path) -> None:
    add_shots(library, 3)
    killed: list[str] = []

    def kill(outcome: rawback.Outcome) -> None:
        """Kill the worker that is not the one whose work is done."""
        for process in psutil.Process().children() if not killed else ():
            if process.status() == psutil.STATUS_ZOMBIE:
                continue  # Of another test; it has no command line any more.
            if "spawn_main" in " ".join(process.cmdline()) and str(process.pid) != outcome.worker:
                killed.append(str(process.pid))
                process.kill()

    watcher = Watcher(kill)
    report = rawback.embed_many([library], rate=COARSE, workers=2, watcher=watcher)
    assert len(killed) == 1
    assert (report.done, report.failed) == (5, 1)
    assert killed[0] not in {outcome.worker for outcome in watcher.outcomes}
    assert len({outcome.worker for outcome in watcher.outcomes}) >= 2
    assert not [name for name in names_in(library) if name.startswith(".")]


@pytest.mark.slow
def test_a_shot_that_kills_its_workers_fails_alone(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.dng", "b.jpg"):
        (library / name).unlink()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "deadly"))
    report = rawback.embed_many([library], rate=COARSE, workers=1)
    assert (report.done, report.failed) == (1, 1)
    (failure,) = report.failures
    assert failure.output.name == "c.rawback.jpg"
    assert failure.error == (
        "WorkerLost",
        "Its worker ended twice (signal 9), maybe for want of memory; use fewer workers.",
    )


@pytest.mark.slow
def test_ctrl_c_ends_all_of_it_and_the_next_run_goes_on(library: Path) -> None:
    add_shots(library, 4)
    for name in ("b.dng", "b.jpg"):
        (library / name).unlink()
    arguments = [*BATCH, str(library), "-q", "5", "-j", "2", "-v"]
    job = subprocess.Popen(
        arguments, stderr=subprocess.PIPE, text=True, cwd=library, start_new_session=True
    )
    assert job.stderr is not None
    line = next(line for line in job.stderr if " done " in line)
    os.killpg(job.pid, signal.SIGINT)
    _, err = job.communicate(timeout=120)
    assert line
    assert job.returncode == 130
    assert "Traceback" not in err
    assert not [name for name in names_in(library) if name.startswith(".")]
    made = {path: path.stat().st_mtime_ns for path in library.glob("*.rawback.jpg")}
    assert made
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert "embedded 6 of 6" in done.stdout
    assert " unchanged " in done.stderr
    assert len(list(library.glob("*.rawback.jpg"))) == 6


@pytest.mark.slow
def test_a_batch_that_is_killed_leaves_whole_files(
    library: Path, shot: tuple[bytes, bytes]
) -> None:
    add_shots(library, 2)
    for name in ("b.dng", "b.jpg"):
        (library / name).unlink()
    arguments = [*BATCH, str(library), "-q", "5", "-j", "1", "-v"]
    for _ in range(2):
        job = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, cwd=library)
        assert job.stderr is not None
        next(line for line in job.stderr if " done " in line)
        workers = psutil.Process(job.pid).children(recursive=True)
        job.kill()
        job.wait()
        job.stderr.close()
        psutil.wait_procs(workers, timeout=60)
        assert not [worker for worker in workers if worker.is_running()]
        for carrier in library.glob("*.rawback.jpg"):
            assert rawback.strip_bytes(carrier.read_bytes()) == shot[1]
            assert rawback.verify(carrier).intact
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert "embedded 4 of 4" in done.stdout
    assert not [name for name in names_in(library) if name.startswith(".")]


def test_never_more_workers_than_memory_allows(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = EmbedTask(
        raw=library / "a.dng",
        jpeg=library / "a.jpg",
        output=library / "x",
        input_fingerprints=(),
        rate=COARSE,
    )
    need = memory_of_worker([task])
    assert need == memory._BASE + memory._PER_PIXEL * 160 * 120
    for free, workers in ((10 * need, 9), (need, 1), (0, 1)):
        monkeypatch.setattr(memory, "available_memory", lambda free=free: free)
        assert workers_for([task] * 20, 16) == workers
    assert workers_for([], 4) == 1


def test_memory_of_this_machine() -> None:
    assert 0 < available_memory() <= psutil.virtual_memory().total


def test_a_negative_number_of_workers(library: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        rawback.embed_many([library], workers=-1)
