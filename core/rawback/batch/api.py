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
from rawback.batch.pool import Processes
from rawback.batch.report import ReportBuilder
from rawback.batch.storage import display_name, fingerprint, is_local, read_bytes, to_path
from rawback.batch.tasks import Embedding, Outcome, Restoring
from rawback.errors import OutputRefused, PayloadMissing, RawbackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rawback.batch.pairing import SourceFile
    from rawback.batch.pool import Workers
    from rawback.batch.report import BatchReport
    from rawback.batch.tasks import Task
    from rawback.files import StrPath
    from rawback.rate import Rate

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
    from rawback._api.embed import DEFAULT_QUALITY
    from rawback.rate import Rate

    if in_place and output is not None:
        message = "give output or in_place, not both"
        raise ValueError(message)
    paths = _absolute(sources, cluster)
    folder = None if output is None else _absolute([output], cluster)[0]
    pairing = pair_up(paths, recursive=recursive)
    tasks = [
        Embedding(
            raw=pair.raw,
            jpeg=pair.jpeg,
            output=pair.jpeg
            if in_place
            else _output(pair.jpeg, pair.subfolders, folder, f"{pair.jpeg.stem}.rawback.jpg"),
            input_fingerprints=(fingerprint(pair.raw), fingerprint(pair.jpeg)),
            rate=rate or Rate.quality(DEFAULT_QUALITY),
            in_place=in_place,
            overwrite=overwrite,
            force=force,
            unguided=unguided,
            verify=verify,
        )
        for pair in pairing.pairs
    ]
    unmatched = len(pairing.jpegs) + len(pairing.raws)
    builder = ReportBuilder(len(tasks), pairing.ambiguous, unmatched)
    with Journal(_journal(journal, folder, paths)) as opened:
        run = _Run(tasks, builder, opened, watcher or BatchWatcher())
        return run.report(_workers(tasks, workers, cluster))


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
    paths = _absolute(sources, cluster)
    folder = None if output is None else _absolute([output], cluster)[0]
    found = [
        file
        for file in find_files(paths, recursive=recursive)
        if file.named or file.suffix in JPEG_SUFFIXES
    ]
    by_output: dict[Path, list[SourceFile]] = defaultdict(list)
    for file in found:
        name = f"{file.path.stem.removesuffix('.rawback')}.rawback.dng"
        by_output[_output(file.path, file.subfolders, folder, name)].append(file)
    tasks = [
        Restoring(
            carrier=file.path,
            output=target,
            input_fingerprints=(fingerprint(file.path),),
            overwrite=overwrite,
            salvage=salvage,
            named=file.named,
        )
        for target, files in by_output.items()
        for file in (files if len(files) == 1 else _carriers(files))
    ]
    builder = ReportBuilder(len(tasks), (), len(found) - len(tasks))
    with Journal(_journal(journal, folder, paths)) as opened:
        run = _Run(tasks, builder, opened, watcher or BatchWatcher())
        return run.report(_workers(tasks, workers, cluster))


def _absolute(sources: Iterable[StrPath], cluster: str | None) -> list[Path]:
    """Places; those that other machines are to find by their full paths."""
    paths = [to_path(source) for source in sources]
    return paths if cluster is None else [path.absolute() for path in paths]


def _output(source: Path, inside: Sequence[str], folder: Path | None, name: str) -> Path:
    """Where to write what is made from a source."""
    return source.parent / name if folder is None else folder.joinpath(*inside, name)


def _carriers(files: Iterable[SourceFile]) -> list[SourceFile]:
    """Files of those that have the same output which do carry a raw, or were named."""
    import rawback

    found = []
    for file in files:
        try:
            rawback.inspect(read_bytes(file.path))
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
    path = folder if folder is not None else next(iter(sources), Path())
    if not is_local(path):
        message = f"A journal for {display_name(path)} needs a folder on this machine; name one."
        raise RawbackError(message)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = (
                f"{display_name(folder)} cannot be made ({error.strerror}); choose another folder."
            )
            raise OutputRefused(message) from error
    return (path if path.is_dir() else path.parent) / _JOURNAL


def _workers(tasks: Sequence[Task], workers: int | None, cluster: str | None) -> Workers:
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
    builder: ReportBuilder
    journal: Journal
    watcher: BatchWatcher

    def report(self, workers: Workers) -> BatchReport:
        """Do all that is to be done."""
        started = time.perf_counter()
        with workers:
            count = workers.count
            self.watcher.started(len(self.tasks), self._input_bytes(), count)
            for outcome in workers.outcomes(self._pending()):
                self.journal.finish(outcome)
                self._note(outcome)
        return self.builder.report(time.perf_counter() - started, count)

    def _note(self, outcome: Outcome) -> None:
        self.builder.add(outcome)
        self.watcher.ended(outcome)

    def _input_bytes(self) -> int:
        sizes = 0
        for task in self.tasks:
            for path in task.inputs:
                with contextlib.suppress(OSError, ValueError):
                    sizes += int(path.stat().st_size)
        return sizes

    def _pending(self) -> Iterator[Task]:
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
            if there is not None and there == entry.output_fingerprint:
                return Outcome(task.inputs, task.output, "unchanged")
            if there is not None and not task.overwrite:
                return replace(task, edited=True)
        if there is None or task.overwrite or task.output in task.inputs:
            return task
        if entry is not None and (entry.state == "started" or entry.output_fingerprint == there):
            return replace(task, overwrite=True)
        if entry is None:
            return _refused(task, "it exists, and no earlier run of this journal made it")
        return _refused(task, "it was changed since an earlier run made it")


def _refused(task: Task, why: str) -> Outcome:
    message = f"{display_name(task.output)} is left alone ({why}); move it away, or overwrite it."
    return Outcome(task.inputs, task.output, "failed", error=("OutputRefused", message))
