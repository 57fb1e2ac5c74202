"""Jobs killed at every moment: ``python -m rawback_lab.reliability.faults 240``.

Each job runs in a child that is killed (SIGKILL): before the first, the second, ... thing that it
does to its folder, and then after random whiles. Whatever the moment, every input is there and
whole, every output is there and whole or not at all, and the next run ends well and leaves no
temporary file.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import rawback
from rawback_lab.reliability.report import record, recorded
from rawback_lab.reliability.shots import small_shot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["JOBS", "Job", "Kills", "kill_at_every_step", "kill_at_random", "run"]

_RATE = rawback.Rate.quality(20)
_SHRUNK = 2500


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be killed.

    Attributes:
        act: Does it, in a folder that holds ``photo.dng``, ``photo.jpg`` and ``carrier.jpg``.
        outputs: Names that it writes. One that is also an input may be what it was before.
        notes: Patterns of names of what it keeps for itself, such as a journal.
    """

    act: Callable[[Path], object]
    outputs: tuple[str, ...]
    notes: tuple[str, ...] = ()


def _embed(folder: Path) -> object:
    return rawback.embed(folder / "photo.dng", folder / "photo.jpg", rate=_RATE)


def _embed_unverified(folder: Path) -> object:
    return rawback.embed(folder / "photo.dng", folder / "photo.jpg", rate=_RATE, verify=False)


def _embed_in_place(folder: Path) -> object:
    return rawback.embed(folder / "photo.dng", folder / "photo.jpg", rate=_RATE, in_place=True)


def _embed_in_place_only(folder: Path) -> object:
    raw, jpeg = folder / "photo.dng", folder / "photo.jpg"
    return rawback.embed(raw, jpeg, rate=_RATE, in_place=True, keep_original=False)


def _shrink(folder: Path) -> object:
    return rawback.shrink(folder / "carrier.jpg", _SHRUNK, folder / "small.jpg", overwrite=True)


def _restore(folder: Path) -> object:
    return rawback.restore(folder / "carrier.jpg", folder / "again.dng", overwrite=True)


def _batch(folder: Path) -> object:
    return rawback.embed_many([folder / "photo.dng", folder / "photo.jpg"], rate=_RATE, workers=1)


JOBS = {
    "embed": Job(_embed, ("photo.rawback.jpg",)),
    "embed, not verified": Job(_embed_unverified, ("photo.rawback.jpg",)),
    "embed in place": Job(_embed_in_place, ("photo.jpg", "photo.jpg_original")),
    "embed in place, no copy": Job(_embed_in_place_only, ("photo.jpg",)),
    "shrink": Job(_shrink, ("small.jpg",)),
    "restore": Job(_restore, ("again.dng",)),
    "batch": Job(_batch, ("photo.rawback.jpg",), ("*journal*", "*.rawback-batch*")),
}


@dataclass(slots=True)
class Kills:
    """What was seen.

    Attributes:
        found: Kills by what they left: ``untouched``, ``part`` (one of several outputs), or
            ``complete``; and those that left a temporary file ``with a draft``.
        broken: What was not as it must be.
    """

    found: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Bench:
    """A job, its inputs, and what it gives when nobody disturbs it."""

    job: Job
    inputs: dict[str, bytes]
    complete: dict[str, bytes]
    seconds: float

    @classmethod
    def of(cls, job: Job) -> _Bench:
        raw, jpeg = small_shot()
        carrier, _ = rawback.embed_bytes(raw, jpeg, rate=rawback.Rate.quality(70))
        inputs = {"photo.dng": raw, "photo.jpg": jpeg, "carrier.jpg": carrier}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _fill(folder, inputs)
            job.act(folder)  # the first time, much is loaded
            _fill(folder, inputs)
            started = time.perf_counter()
            job.act(folder)
            seconds = time.perf_counter() - started
            complete = {output: (folder / output).read_bytes() for output in job.outputs}
        return cls(job, inputs, complete, seconds)

    def look(self, folder: Path, kills: Kills, moment: str) -> None:
        """Look at what a kill has left, run again, and look once more."""
        there = self.contents(folder)
        drafts = [name for name in there if name.endswith(".tmp")]
        done = 0
        for name in self.inputs.keys() | self.complete.keys():
            allowed = {data for data in (self.inputs.get(name), self.complete.get(name)) if data}
            data = there.get(name)
            done += name in self.complete and data == self.complete[name]
            if data not in allowed and (name in self.inputs or data is not None):
                kills.broken.append(f"{moment}: {name} is neither what it was nor what it will be")
        if there.keys() - self.inputs.keys() - self.complete.keys() - set(drafts):
            kills.broken.append(f"{moment}: {sorted(there)}")
        kills.found[{0: "untouched", len(self.complete): "complete"}.get(done, "part")] += 1
        kills.found["with a draft"] += bool(drafts)
        self._again(folder, kills, moment)

    def contents(self, folder: Path) -> dict[str, bytes]:
        """The files in the folder, but for the job's own notes."""
        return {
            path.name: path.read_bytes()
            for path in folder.iterdir()
            if not any(path.match(pattern) for pattern in self.job.notes)
        }

    def _again(self, folder: Path, kills: Kills, moment: str) -> None:
        if self.job.outputs == ("photo.rawback.jpg",) and not self.job.notes:
            (folder / self.job.outputs[0]).unlink(missing_ok=True)
        self.job.act(folder)
        there = self.contents(folder)
        if there != self.inputs | self.complete:
            kills.broken.append(f"{moment}: the next run left {sorted(there)}")


def _fill(folder: Path, files: dict[str, bytes]) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _child(act: Callable[[], object]) -> int:
    """Start something in a child; its process id."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)  # so that what it starts is killed with it
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)  # whoever comes first
    return child


def kill_at_random(job: Job, times: int, seed: int) -> Kills:
    """Kill a job after a random while, again and again.

    Args:
        job: The job.
        times: How often.
        seed: Of all chance.
    """
    bench, kills, random = _Bench.of(job), Kills(), Random(seed)  # noqa: S311 -- repeatable chance
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _fill(folder, bench.inputs)
            child = _child(lambda folder=folder: job.act(folder))  # type: ignore[misc]
            wait = random.uniform(0, 1.1) * bench.seconds
            time.sleep(wait)
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            bench.look(folder, kills, f"after {wait:.3f} s")
    return kills


def kill_at_every_step(job: Job) -> Kills:
    """Kill a job before the first, the second, ... thing that it does to its folder."""
    bench, kills = _Bench.of(job), Kills()
    for step in count(1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _fill(folder, bench.inputs)
            child = _child(lambda folder=folder, step=step: _until(job, folder, step))  # type: ignore[misc]
            _, status = os.waitpid(child, 0)
            bench.look(folder, kills, f"at step {step}")
            if not os.WIFSIGNALED(status):
                return kills
    raise AssertionError


def _until(job: Job, folder: Path, step: int) -> None:
    """Do a job, and die before a step of it."""
    left = [None] * (step - 1)

    def watch(event: str, given: tuple[object, ...]) -> None:
        if event.startswith(("open", "os.")) and any(_within(item, folder) for item in given):
            if not left:
                os.killpg(0, signal.SIGKILL)
            left.pop()

    sys.addaudithook(watch)
    job.act(folder)


def _within(item: object, folder: Path) -> bool:
    return isinstance(item, str | Path) and str(item).startswith(str(folder))


def run(names: list[str], times: int, seed: int = 1) -> Iterator[tuple[str, Kills]]:
    """Kill jobs at every step, and at random moments until they were killed so often.

    Args:
        names: Of the jobs.
        times: Kills in all, at least.
        seed: Of all chance.

    Yields:
        Each job's name, and what was seen.
    """
    for name in names:
        job = JOBS[name]
        kills = kill_at_every_step(job)
        killed = sum(kills.found[key] for key in ("untouched", "part", "complete"))
        more = kill_at_random(job, max(1, -(-times // len(names)) - killed), seed)
        yield name, Kills(kills.found + more.found, kills.broken + more.broken)


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill jobs at every moment.")
    parser.add_argument("times", type=int, help="kills in all")
    parser.add_argument("--only", choices=sorted(JOBS), action="append", help="of the jobs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="keep the figures in the results")
    options = parser.parse_args()
    broken = 0
    for name, kills in run(options.only or list(JOBS), options.times, options.seed):
        broken += len(kills.broken)
        figures = {**dict(sorted(kills.found.items())), "broken_rules": len(kills.broken)}
        print(name, figures, *kills.broken[:5], sep="\n  ", flush=True)
        if options.record:
            record("kills", (recorded("kills") or {}) | {name: figures})
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()
