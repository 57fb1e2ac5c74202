"""The verbs on whole libraries: what is to be done, by whom, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rawback.batch.control import BatchWatcher, Control
from rawback.batch.journal import Journal
from rawback.batch.outputs import distinct_outputs
from rawback.batch.pairing import Pair, pair_files
from rawback.batch.report import NO_RAW, ReportBuilder, Unmatched
from rawback.batch.run import Run
from rawback.batch.sources import find_files
from rawback.batch.storage import display_name, fingerprint, is_local, read_bytes, to_path
from rawback.batch.tasks import EmbedTask, RestoreTask
from rawback.batch.workers import choose_workers
from rawback.errors import OutputRefused, PayloadMissing, RawbackError
from rawback.files import JPEG_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from threading import Event

    from rawback._api.metadata import MetadataChoice
    from rawback._api.original import KeepOriginal
    from rawback.batch.pairing import Match
    from rawback.batch.report import BatchReport
    from rawback.batch.sources import SourceFile
    from rawback.files import StrPath
    from rawback.rate import Rate, Tune

__all__ = ["embed_many", "restore_many"]

_JOURNAL = ".rawback-batch.sqlite"
_NO_PICTURE = "It is neither a raw nor a JPEG, as its name goes."

_AnyTask = TypeVar("_AnyTask", EmbedTask, RestoreTask)


def embed_many(
    sources: Iterable[StrPath | Pair],
    output: StrPath | None = None,
    *,
    rate: Rate | None = None,
    tune: Tune = "visual",
    recursive: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    journal: StrPath | None = None,
    in_place: bool = False,
    overwrite: bool = False,
    force: bool = False,
    unguided: bool = False,
    verify: bool = True,
    metadata: MetadataChoice = "auto",
    original: KeepOriginal = False,
    keep_times: bool = False,
    match: Match = "pictures",
    previews: bool = False,
    watcher: BatchWatcher | None = None,
    pause: Event | None = None,
    cancel: Event | None = None,
) -> BatchReport:
    """Put the raws of whole folders into their JPEGs; errors of one file do not stop the others.

    Which raw goes with which JPEG is found as `rawback.pair_up` does, but for pairs that are given.
    What an earlier run has done is not done again, unless a file, the rate, `tune`, `unguided`
    or `metadata` has changed since: a journal knows. A run may be ended at any moment, and another
    one goes on.

    The call returns when all is done. A program with a window makes it in a thread, hears of
    progress through `watcher`, and holds or stops it by events that it may set at any time::

        class Rows(rawback.BatchWatcher):
            def working(self, inputs, stage, fraction):
                post(show_progress, inputs, fraction)

            def ended(self, outcome):
                post(show_outcome, outcome)

        pause, cancel = threading.Event(), threading.Event()
        report = rawback.embed_many(pairs, watcher=Rows(), pause=pause, cancel=cancel)

    Worker processes have to be able to import the program without running it: what it does stands
    under ``if __name__ == "__main__":``, as :mod:`multiprocessing` asks. Where that cannot be,
    `workers` of 0 makes one file after another in this very process.

    Args:
        sources: Raws and JPEGs, and folders of them: paths, or URLs that fsspec knows; and
            `rawback.Pair` where raw and JPEG are known already, which nothing is asked of.
        output: The folder for the carriers, which get the folders of their JPEGs within it. By
            default each is beside its JPEG.
        rate: As for `rawback.embed`.
        tune: As for `rawback.embed`.
        recursive: Search subfolders as well.
        workers: Processes that work side by side; by default as many as there are cores. Never
            more than memory allows. 0: no other process, one file at a time.
        cluster: Address of a Dask scheduler, ``tcp://HOST:8786``, whose workers do it instead.
            They read and write the files themselves, so they have to see the same paths.
        journal: Where the journal is; ``.rawback-batch.sqlite`` in `output`, or else in the first
            source's folder, by default.
        in_place: Change the JPEGs themselves and keep each as it was as ``NAME.jpg_original``; one
            that is exported anew later gets its raw again by the next run.
        overwrite: Whether files that no earlier run of this journal made may be replaced.
        force: As for `rawback.embed`.
        unguided: As for `rawback.embed`.
        verify: As for `rawback.embed`.
        metadata: As for `rawback.embed`.
        original: As for `rawback.embed`.
        keep_times: As for `rawback.embed`; outputs that are not local files get none.
        match: As for `rawback.pair_up`.
        previews: Give raws without a JPEG one, as `rawback.carrier_for` does: the camera's own, or
            else a rendering. The carrier is ``NAME.rawback.jpg`` beside the raw or in `output`.
        watcher: Hears how it gets on, in the calling thread.
        pause: While it is set, nothing new begins, and what is being made waits at its next step;
            once it is cleared all goes on. A cluster finishes what its workers have begun.
        cancel: Once it is set, what is being made stops at its next step and leaves nothing behind;
            the call returns. The next run makes what is missing.

    Returns:
        What came of it. `BatchReport.cancelled` counts what was not made as it was cancelled.

    Raises:
        RawbackError: A source cannot be read, the journal cannot be used or is in use, or the
            cluster is not there. What is done stays.
        Cancelled: It was cancelled before all pairs were found.
        ValueError: `workers` is below 0, both `output` and `in_place` are given, or
            `metadata` or `match` is none of its choices.
    """
    from rawback._api.embed import DEFAULT_QUALITY
    from rawback._api.metadata import check_choice
    from rawback._api.original import original_rate
    from rawback.rate import Rate

    if in_place and output is not None:
        message = "give output or in_place, not both"
        raise ValueError(message)
    check_choice(metadata)
    given = list(sources)
    pairs = [item for item in given if isinstance(item, Pair)]
    paths = _absolute([item for item in given if not isinstance(item, Pair)], cluster)
    files = find_files(paths, recursive=recursive)
    control = Control(watcher or BatchWatcher(), pause, cancel)
    pairing = pair_files(files, match, control.pairing)
    make = _EmbeddingMaker(
        folder=None if output is None else _absolute([output], cluster)[0],
        rate=original_rate(rate, original) or Rate.quality(DEFAULT_QUALITY),
        tune=tune,
        in_place=in_place,
        overwrite=overwrite,
        force=force,
        unguided=unguided,
        verify=verify,
        metadata=metadata,
        original=original,
        keep_times=keep_times,
    )
    tasks = [make.of_pair(pair) for pair in dict.fromkeys((*pairs, *pairing.pairs))]
    if previews:
        alone = set(pairing.raws)
        tasks += [make.of_raw(file) for file in files if file.path in alone]
    tasks = _with_distinct_outputs(tasks)
    lonely = (*pairing.jpegs, *(() if previews else pairing.raws))
    unmatched = [Unmatched(path, pairing.reasons[path]) for path in lonely]
    unmatched += [Unmatched(file.path, _NO_PICTURE) for file in files if _is_no_picture(file)]
    builder = ReportBuilder(len(tasks), pairing.ambiguous, unmatched)
    paths += [pair.jpeg for pair in pairs]
    with Journal(_journal(journal, make.folder, paths)) as opened:
        run = Run(tasks, builder, opened, control)
        return run.report(choose_workers(tasks, workers, cluster))


@dataclass(frozen=True, slots=True)
class _EmbeddingMaker:
    """What the tasks of one `embed_many` have in common."""

    folder: Path | None
    rate: Rate
    tune: Tune
    in_place: bool
    overwrite: bool
    force: bool
    unguided: bool
    verify: bool
    metadata: MetadataChoice
    original: KeepOriginal
    keep_times: bool

    def of_pair(self, pair: Pair) -> EmbedTask:
        """Put the raw of a pair into its JPEG."""
        name = f"{pair.jpeg.stem}.rawback.jpg"
        output = _output(pair.jpeg, pair.subfolders, self.folder, name)
        return self._task(pair.raw, pair.jpeg, pair.jpeg if self.in_place else output)

    def of_raw(self, raw: SourceFile) -> EmbedTask:
        """Put a raw into its preview."""
        name = f"{raw.path.stem}.rawback.jpg"
        return self._task(raw.path, None, _output(raw.path, raw.subfolders, self.folder, name))

    def _task(self, raw: Path, jpeg: Path | None, output: Path) -> EmbedTask:
        inputs = (raw,) if jpeg is None else (raw, jpeg)
        return EmbedTask(
            raw=raw,
            jpeg=jpeg,
            output=output,
            input_fingerprints=tuple(map(fingerprint, inputs)),
            rate=self.rate,
            tune=self.tune,
            in_place=self.in_place and jpeg is not None,
            overwrite=self.overwrite,
            force=self.force,
            unguided=self.unguided,
            verify=self.verify,
            metadata=self.metadata,
            original=self.original,
            keep_times=self.keep_times,
        )


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
    pause: Event | None = None,
    cancel: Event | None = None,
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
        pause: As for `embed_many`.
        cancel: As for `embed_many`.

    Returns:
        What came of it.

    Raises:
        RawbackError: As for `embed_many`.
        ValueError: `workers` is below 0.
    """
    paths = _absolute(sources, cluster)
    folder = None if output is None else _absolute([output], cluster)[0]
    jpegs = [
        file
        for file in find_files(paths, recursive=recursive)
        if file.named or file.suffix in JPEG_SUFFIXES
    ]
    by_output: dict[Path, list[SourceFile]] = defaultdict(list)
    for file in jpegs:
        name = f"{file.path.stem.removesuffix('.rawback')}.rawback.dng"
        by_output[_output(file.path, file.subfolders, folder, name)].append(file)
    tasks = [
        RestoreTask(
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
    carriers = {task.carrier for task in tasks}
    unmatched = [Unmatched(file.path, NO_RAW) for file in jpegs if file.path not in carriers]
    tasks = _with_distinct_outputs(tasks)
    builder = ReportBuilder(len(tasks), (), unmatched)
    control = Control(watcher or BatchWatcher(), pause, cancel)
    with Journal(_journal(journal, folder, paths)) as opened:
        run = Run(tasks, builder, opened, control)
        return run.report(choose_workers(tasks, workers, cluster))


def _absolute(sources: Iterable[StrPath], cluster: str | None) -> list[Path]:
    """Paths; absolute ones where other machines are to find them too."""
    paths = [to_path(source) for source in sources]
    return paths if cluster is None else [path.absolute() for path in paths]


def _output(source: Path, subfolders: Sequence[str], folder: Path | None, name: str) -> Path:
    """Where to write what is made from a source."""
    return source.parent / name if folder is None else folder.joinpath(*subfolders, name)


def _with_distinct_outputs(tasks: Sequence[_AnyTask]) -> list[_AnyTask]:
    """Tasks none of which writes where another one does; those in place stay where they are."""
    free = [task for task in tasks if task.output not in task.inputs]
    outputs = distinct_outputs([task.inputs[-1] for task in free], [task.output for task in free])
    names = {id(task): output for task, output in zip(free, outputs, strict=True)}
    return [replace(task, output=names.get(id(task), task.output)) for task in tasks]


def _is_no_picture(file: SourceFile) -> bool:
    """Whether somebody named a file that is neither a raw nor a JPEG, as its name goes."""
    return file.named and file.suffix not in (RAW_SUFFIXES | JPEG_SUFFIXES)


def _carriers(files: Iterable[SourceFile]) -> list[SourceFile]:
    """Files of those that have the same output which do carry a raw, or were named."""
    import rawback

    carriers = []
    for file in files:
        try:
            rawback.inspect(read_bytes(file.path))
        except PayloadMissing:
            if not file.named:
                continue
        except RawbackError:
            pass
        carriers.append(file)
    return carriers


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
