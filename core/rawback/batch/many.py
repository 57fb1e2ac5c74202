"""The verbs on whole libraries: what is to be done, by whom, and what came of it."""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rawback.batch.cluster import Cluster
from rawback.batch.journal import Journal
from rawback.batch.memory import workers_for
from rawback.batch.pairing import JPEG_SUFFIXES, find_files, pair_up
from rawback.batch.places import fingerprint, is_local, place_of, read_place, show
from rawback.batch.pool import Processes
from rawback.batch.report import Tally
from rawback.batch.tasks import Embedding, Outcome, Restoring
from rawback.errors import OutputRefused, PayloadMissing, RawbackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rawback.batch.pairing import Found
    from rawback.batch.pool import Workers
    from rawback.batch.report import BatchReport
    from rawback.batch.tasks import Task
    from rawback.codec import Rate
    from rawback.files import StrPath

__all__ = ["BatchWatcher", "embed_many", "restore_many"]

_JOURNAL = ".rawback-batch.sqlite"


class BatchWatcher:
    """Is told how a batch gets on; what these methods do is up to subclasses."""

    def started(self, total: int, input_bytes: int, workers: int) -> None:
        """All files are found.

        Args:
            total: How many are to be made.
            input_bytes: Size of what they are made from.
            workers: How many work at a time.
        """

    def ended(self, outcome: Outcome) -> None:
        """A file is made, was made before, or cannot be made."""


def embed_many(
    sources: Iterable[StrPath],
    output: StrPath | None = None,
    *,
    rate: Rate | None = None,
    recursive: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    journal: StrPath | None = None,
    in_place: bool = False,
    overwrite: bool = False,
    force: bool = False,
    unguided: bool = False,
    verify: bool = True,
    watcher: BatchWatcher | None = None,
) -> BatchReport:
    """Put the raws of whole folders into their JPEGs; errors of one file do not stop the others.

    Which raw goes with which JPEG is found as `rawback.pair_up` does. What an earlier run has done
    is not done again, unless a file, the rate or `unguided` has changed since: a journal knows. A
    run may be ended at any moment, and another one goes on.

    With several processes a program has to be importable without starting over: under
    ``if __name__ == "__main__":``, as :mod:`multiprocessing` asks.

    Args:
        sources: Raws and JPEGs, and folders of them: paths, or URLs that fsspec knows.
        output: The folder for the carriers, which get the folders of their JPEGs within it. By
            default each is beside its JPEG.
        rate: As for `rawback.embed`.
        recursive: Look into folders in folders as well.
        workers: Processes that work side by side; by default as many as there are cores. Never
            more than memory allows.
        cluster: Address of a Dask scheduler, ``tcp://HOST:8786``, whose workers do it instead.
            They read and write the files themselves, so they have to see the same paths.
        journal: Where the journal is; ``.rawback-batch.sqlite`` in `output`, or else in the first
            source's folder, by default.
        in_place: Change the JPEGs themselves and keep each as it was as ``NAME.jpg_original``; one
            that is exported anew later gets its raw again by the next run.
        overwrite: Whether files that no earlier run of this journal made may be replaced.
        force: As for `rawback.embed`.
        unguided: As for `rawback.embed`.
        verify: As for `rawback.embed`, but on by default.
        watcher: Is told how it gets on.

    Returns:
        What came of it.

    Raises:
        RawbackError: A source cannot be read, the journal cannot be used or is in use, or the
            cluster is not there. What is done stays.
        ValueError: `workers` is below 1, or both `output` and `in_place` are given.
    """
    from rawback._api.embedding import DEFAULT_QUALITY
    from rawback.codec import Rate

    if in_place and output is not None:
        message = "give output or in_place, not both"
        raise ValueError(message)
    places = _absolute(sources, cluster)
    folder = None if output is None else _absolute([output], cluster)[0]
    pairing = pair_up(places, recursive=recursive)
    tasks = [
        Embedding(
            raw=pair.raw,
            jpeg=pair.jpeg,
            output=pair.jpeg
            if in_place
            else _output(pair.jpeg, pair.inside, folder, f"{pair.jpeg.stem}.rawback.jpg"),
            marks=(fingerprint(pair.raw), fingerprint(pair.jpeg)),
            rate=rate or Rate.quality(DEFAULT_QUALITY),
            in_place=in_place,
            overwrite=overwrite,
            force=force,
            unguided=unguided,
            verify=verify,
        )
        for pair in pairing.pairs
    ]
    left = len(pairing.jpegs) + len(pairing.raws)
    tally = Tally(len(tasks), pairing.ambiguous, left)
    with Journal(_journal(journal, folder, places)) as book:
        run = _Run(tasks, tally, book, watcher or BatchWatcher())
        return run.report(_crew(tasks, workers, cluster))


def restore_many(
    sources: Iterable[StrPath],
    output: StrPath | None = None,
    *,
    salvage: bool = False,
    recursive: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    journal: StrPath | None = None,
    overwrite: bool = False,
    watcher: BatchWatcher | None = None,
) -> BatchReport:
    """Turn the carriers of whole folders back into raws, as `embed_many` makes them.

    JPEGs in folders that carry no raw are left alone; one that is named itself is an error.

    Args:
        sources: Carriers, and folders of them: paths, or URLs that fsspec knows.
        output: The folder for the DNGs; beside each carrier by default.
        salvage: As for `rawback.restore`.
        recursive: As for `embed_many`.
        workers: As for `embed_many`.
        cluster: As for `embed_many`.
        journal: As for `embed_many`.
        overwrite: As for `embed_many`.
        watcher: As for `embed_many`.

    Returns:
        What came of it.

    Raises:
        RawbackError: As for `embed_many`.
        ValueError: `workers` is below 1.
    """
    places = _absolute(sources, cluster)
    folder = None if output is None else _absolute([output], cluster)[0]
    found = [
        file
        for file in find_files(places, recursive=recursive)
        if file.named or file.suffix in JPEG_SUFFIXES
    ]
    by_output: dict[Path, list[Found]] = defaultdict(list)
    for file in found:
        name = f"{file.place.stem.removesuffix('.rawback')}.rawback.dng"
        by_output[_output(file.place, file.inside, folder, name)].append(file)
    tasks = [
        Restoring(
            carrier=file.place,
            output=target,
            marks=(fingerprint(file.place),),
            overwrite=overwrite,
            salvage=salvage,
            named=file.named,
        )
        for target, files in by_output.items()
        for file in (files if len(files) == 1 else _carriers(files))
    ]
    tally = Tally(len(tasks), (), len(found) - len(tasks))
    with Journal(_journal(journal, folder, places)) as book:
        run = _Run(tasks, tally, book, watcher or BatchWatcher())
        return run.report(_crew(tasks, workers, cluster))


def _absolute(sources: Iterable[StrPath], cluster: str | None) -> list[Path]:
    """Places; those that other machines are to find by their full paths."""
    places = [place_of(source) for source in sources]
    return places if cluster is None else [place.absolute() for place in places]


def _output(source: Path, inside: Sequence[str], folder: Path | None, name: str) -> Path:
    """Where to write what is made from a source."""
    return source.parent / name if folder is None else folder.joinpath(*inside, name)


def _carriers(files: Iterable[Found]) -> list[Found]:
    """Files of those that have the same output which do carry a raw, or were named."""
    import rawback

    found = []
    for file in files:
        try:
            rawback.inspect(read_place(file.place))
        except PayloadMissing:
            if not file.named:
                continue
        except RawbackError:
            pass
        found.append(file)
    return found


def _journal(given: StrPath | None, folder: Path | None, sources: Sequence[Path]) -> Path:
    if given is not None:
        return Path(given)
    place = folder if folder is not None else next(iter(sources), Path())
    if not is_local(place):
        message = f"A journal for {show(place)} needs a place on this machine; name one."
        raise RawbackError(message)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{show(folder)} cannot be made ({error.strerror}); choose another folder."
            raise OutputRefused(message) from error
    return (place if place.is_dir() else place.parent) / _JOURNAL


def _crew(tasks: Sequence[Task], workers: int | None, cluster: str | None) -> Workers:
    """Who does the work."""
    if workers is not None and workers < 1:
        message = f"{workers} workers cannot work; give at least 1"
        raise ValueError(message)
    if cluster is not None:
        return Cluster(cluster)
    cores = _cores()
    wanted = min(workers or cores, len(tasks) or 1)
    count = workers_for(tasks, wanted)
    return Processes(count, max(1, cores // count))


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(slots=True)
class _Run:
    """One run of a batch."""

    tasks: Sequence[Task]
    tally: Tally
    journal: Journal
    watcher: BatchWatcher

    def report(self, crew: Workers) -> BatchReport:
        """Do all that is to be done."""
        started = time.perf_counter()
        with crew:
            workers = crew.count
            self.watcher.started(len(self.tasks), self._input_bytes(), workers)
            for outcome in crew.outcomes(self._left()):
                self.journal.finish(outcome)
                self._note(outcome)
        return self.tally.report(time.perf_counter() - started, workers)

    def _note(self, outcome: Outcome) -> None:
        self.tally.add(outcome)
        self.watcher.ended(outcome)

    def _input_bytes(self) -> int:
        sizes = 0
        for task in self.tasks:
            for place in task.inputs:
                with contextlib.suppress(OSError, ValueError):
                    sizes += int(place.stat().st_size)
        return sizes

    def _left(self) -> Iterator[Task]:
        """The tasks that are to be done; what comes of the others is noted meanwhile."""
        claimed: set[Path] = set()
        for task in self.tasks:
            if task.output in claimed:
                self._note(_refused(task, "another file of this batch is written there"))
                continue
            claimed.add(task.output)
            settled = self._settled(task)
            if isinstance(settled, Outcome):
                self._note(settled)
                continue
            if not settled.edited:
                self.journal.start(settled)
            yield settled

    def _settled(self, task: Task) -> Task | Outcome:
        """A task as it is to be done; or its outcome, where there is nothing to do."""
        entry, there = self.journal.entry(task.output), fingerprint(task.output)
        if entry is not None and entry.covers(task):
            if entry.state == "nothing":
                named = isinstance(task, Restoring) and task.named
                return task if named else Outcome(task.inputs, task.output, "nothing")
            if there is not None and there == entry.mark:
                return Outcome(task.inputs, task.output, "unchanged")
            if there is not None and not task.overwrite:
                return replace(task, edited=True)
        if there is None or task.overwrite or task.output in task.inputs:
            return task
        if entry is not None and (entry.state == "started" or entry.mark == there):
            return replace(task, overwrite=True)
        if entry is None:
            return _refused(task, "it exists, and no earlier run of this journal made it")
        return _refused(task, "it was changed since an earlier run made it")


def _refused(task: Task, why: str) -> Outcome:
    message = f"{show(task.output)} is left alone ({why}); move it away, or overwrite it."
    return Outcome(task.inputs, task.output, "failed", error=("OutputRefused", message))
