# SPDX-License-Identifier: GPL-3.0-or-later
"""Many shots at one rate, on the library's own batch: it verifies, and knows what is done."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import rawback
from rawback_gui.controllers.feedback import error_text
from rawback_gui.models.texts import bytes_text, psnr_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rawback_gui.controllers.workers import Post
    from rawback_gui.models.pairing import Pair

__all__ = ["Batch", "BatchOptions", "Entry", "Status"]

Status: TypeAlias = Literal["waiting", "working", "done", "already", "failed"]
_ENDED: tuple[Status, ...] = ("done", "already", "failed")


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How all shots are embedded.

    Attributes:
        rate: How large, or how good.
        output: The folder for carriers; None for beside each JPEG.
        in_place: Change the JPEGs themselves.
        overwrite: Replace files that no earlier run made.
        workers: How many at a time; None for as many as there are cores.
        metadata: What payloads tell of the raws.
        tune: What errors are small for.
        verify: Read back what was written and compare.
    """

    rate: rawback.Rate
    output: Path | None = None
    in_place: bool = False
    overwrite: bool = False
    workers: int | None = None
    metadata: rawback.MetadataChoice = "auto"
    tune: rawback.Tune = "visual"
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One shot of a batch.

    Attributes:
        pair: Its files.
        status: What has become of it; "already" where an earlier run has done it.
        progress: 0 to 1 while it is worked on.
        output: The carrier, once it is written.
        figures: Size and quality in words, or what went wrong.
        seconds: Time taken.
    """

    pair: Pair
    status: Status = "waiting"
    progress: float = 0.0
    output: Path | None = None
    figures: str = ""
    seconds: float = 0.0


class Batch:
    """A list of shots, and the thread that embeds them. All methods are for the window's thread.

    Attributes:
        entries: The shots.
        error: What ended the last run before its time; empty for nothing.
    """

    def __init__(self, post: Post, changed: Callable[[], None]) -> None:
        """Make an empty one.

        Args:
            post: Runs a call on the window's thread.
            changed: Called there when something has changed.
        """
        self._post = post
        self._changed = changed
        self._cancel = threading.Event()
        self._pause = threading.Event()
        self._thread: threading.Thread | None = None
        self._workers = 1
        self.entries: tuple[Entry, ...] = ()
        self.error = ""

    @property
    def running(self) -> bool:
        """Whether it has been started and is not through."""
        return self._thread is not None

    @property
    def paused(self) -> bool:
        """Whether it waits for people."""
        return self.running and self._pause.is_set()

    @property
    def progress(self) -> float:
        """How much of it is done, 0 to 1."""
        if not self.entries:
            return 0.0
        done = sum(1.0 if e.status in _ENDED else e.progress for e in self.entries)
        return done / len(self.entries)

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take, if it goes on like this; None while nobody can tell."""
        taken = [entry.seconds for entry in self.entries if entry.status == "done"]
        if not taken or not self.running:
            return None
        each = sum(taken) / len(taken)
        left = sum(1 - e.progress for e in self.entries if e.status not in _ENDED)
        return each * left / max(self._workers, 1)

    def count(self, *statuses: Status) -> int:
        """How many shots have one of these statuses."""
        return sum(entry.status in statuses for entry in self.entries)

    def add(self, pairs: Iterable[Pair]) -> int:
        """Add shots that have a raw and are not there yet; returns how many."""
        there = {entry.pair for entry in self.entries}
        new = [Entry(pair) for pair in pairs if pair.raw is not None and pair not in there]
        self.entries += tuple(new)
        self._changed()
        return len(new)

    def clear(self) -> None:
        """Take out everything; nothing while it runs."""
        if not self.running:
            self.entries = ()
            self.error = ""
            self._changed()

    def retry(self) -> None:
        """Let what failed wait for its turn again."""
        self.entries = tuple(
            Entry(entry.pair) if entry.status == "failed" else entry for entry in self.entries
        )
        self._changed()

    def restart(self) -> None:
        """Let everything wait for its turn again: what is done already is seen at once."""
        self.entries = tuple(Entry(entry.pair) for entry in self.entries)
        self._changed()

    def start(self, options: BatchOptions) -> None:
        """Work on all that waits."""
        waiting = tuple(entry.pair for entry in self.entries if entry.status == "waiting")
        if self.running or not waiting:
            return
        self.error = ""
        self._cancel = threading.Event()
        self._pause = threading.Event()
        watcher = _Watcher(self._post, self)
        self._thread = threading.Thread(
            target=self._work,
            args=(waiting, options, watcher, self._pause, self._cancel),
            name="rawback-batch",
            daemon=True,
        )
        self._thread.start()
        self._changed()

    def pause(self, *, wanted: bool) -> None:
        """Hold the work at its next step, or let it go on."""
        if wanted:
            self._pause.set()
        else:
            self._pause.clear()
        self._changed()

    def cancel(self) -> None:
        """Stop; what is done stays, what was being worked on waits again."""
        self._cancel.set()
        self._pause.clear()

    def shut_down(self, timeout: float | None = None) -> bool:
        """Stop, and wait for the thread; whether it has ended."""
        self.cancel()
        thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _work(
        self,
        pairs: tuple[Pair, ...],
        options: BatchOptions,
        watcher: _Watcher,
        pause: threading.Event,
        cancel: threading.Event,
    ) -> None:
        error = ""
        try:
            rawback.embed_many(
                _sources(pairs),
                options.output,
                rate=options.rate,
                in_place=options.in_place,
                overwrite=options.overwrite,
                workers=options.workers,
                metadata=options.metadata,
                tune=options.tune,
                verify=options.verify,
                previews=True,
                watcher=watcher,
                pause=pause,
                cancel=cancel,
            )
        except rawback.Cancelled:
            pass
        except Exception as raised:  # noqa: BLE001 -- whatever happens is shown, not lost
            error = error_text(raised)
        self._post(lambda: self._ended(error))

    def _ended(self, error: str) -> None:
        self._thread = None
        self.error = error
        self.entries = tuple(
            replace(entry, status="waiting", progress=0.0) if entry.status == "working" else entry
            for entry in self.entries
        )
        self._changed()

    def note_workers(self, workers: int) -> None:
        """Be told how many work at a time."""
        self._workers = workers

    def note_progress(self, inputs: tuple[Path, ...], fraction: float) -> None:
        """Be told how far a shot is."""
        self._update(inputs, status="working", progress=fraction)

    def note_outcome(self, outcome: rawback.Outcome) -> None:
        """Be told what came of a shot."""
        if outcome.status == "failed":
            text = outcome.error[1] if outcome.error is not None else ""
            self._update(outcome.inputs, status="failed", figures=_short(text, outcome.inputs))
        elif outcome.status == "unchanged":
            self._update(
                outcome.inputs,
                status="already",
                progress=1.0,
                output=outcome.output,
                figures=tr("as an earlier run made it"),
            )
        elif outcome.status == "done":
            figures = outcome.figures
            text = ""
            if isinstance(figures, rawback.EmbedResult):
                text = f"{bytes_text(figures.payload_bytes)}, {psnr_text(figures.psnr_db)}"
                if not figures.guided:
                    text += tr(", without the JPEG\u2019s help")
            self._update(
                outcome.inputs,
                status="done",
                progress=1.0,
                output=outcome.output,
                figures=text,
                seconds=outcome.seconds,
            )

    def _update(self, inputs: tuple[Path, ...], **differences: object) -> None:
        wanted = set(inputs)
        self.entries = tuple(
            replace(entry, **differences)  # type: ignore[arg-type]
            if {file.absolute() for file in entry.pair.files} == wanted
            else entry
            for entry in self.entries
        )
        self._changed()


class _Watcher(rawback.BatchWatcher):
    """Hears of the batch on its thread, and passes it on to the window's."""

    def __init__(self, post: Post, batch: Batch) -> None:
        self._post = post
        self._batch = batch

    def started(self, total: int, input_bytes: int, workers: int) -> None:
        del total, input_bytes
        self._post(lambda: self._batch.note_workers(workers))

    def working(self, inputs: tuple[Path, ...], stage: str, fraction: float) -> None:
        del stage
        self._post(lambda: self._batch.note_progress(inputs, fraction))

    def ended(self, outcome: rawback.Outcome) -> None:
        self._post(lambda: self._batch.note_outcome(outcome))


def _sources(pairs: tuple[Pair, ...]) -> list[rawback.Pair | Path]:
    """Pairs as the library takes them, and raws that are alone."""
    sources: list[rawback.Pair | Path] = []
    for pair in pairs:
        if pair.raw is not None and pair.jpeg is not None:
            sources.append(rawback.Pair(pair.raw.absolute(), pair.jpeg.absolute()))
        elif pair.raw is not None:
            sources.append(pair.raw.absolute())
    return sources


def _short(text: str, files: tuple[Path, ...]) -> str:
    """What went wrong, without the folders of files that stand beside it."""
    for file in files:
        text = text.replace(str(file), file.name)
    return text
