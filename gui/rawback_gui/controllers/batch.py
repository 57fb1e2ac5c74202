# SPDX-License-Identifier: GPL-3.0-or-later
"""Many shots at one rate: a queue that can be paused, and whose errors stop nobody."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import rawback
from rawback_gui.models.rates import bytes_text, psnr_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rawback_gui.controllers.lanes import Post
    from rawback_gui.models.pairing import Pair

__all__ = ["Batch", "Entry"]

Status: TypeAlias = Literal["waiting", "working", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One shot of a batch.

    Attributes:
        pair: Its files.
        status: What has become of it.
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
    """A queue of shots. All methods are for the window's thread."""

    def __init__(self, post: Post, changed: Callable[[], None]) -> None:
        """Make an empty one.

        Args:
            post: Runs a call on the window's thread.
            changed: Is told there that something has changed.
        """
        self._post = post
        self._changed = changed
        self._cancel = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._thread: threading.Thread | None = None
        self._changing = threading.Lock()
        self.entries: tuple[Entry, ...] = ()
        self.rate = rawback.Rate.quality(rawback.DEFAULT_QUALITY)

    @property
    def running(self) -> bool:
        """Whether it has been started and is not through."""
        return self._thread is not None

    @property
    def paused(self) -> bool:
        """Whether it waits for people."""
        return not self._go.is_set()

    @property
    def progress(self) -> float:
        """How much of it is done, 0 to 1."""
        if not self.entries:
            return 0.0
        done = sum(
            1.0 if entry.status in ("done", "failed") else entry.progress for entry in self.entries
        )
        return done / len(self.entries)

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take, if it goes on like this; None while nobody can tell."""
        taken = [entry.seconds for entry in self.entries if entry.status == "done"]
        if not taken or not self.running:
            return None
        each = sum(taken) / len(taken)
        left = sum(
            1 - entry.progress for entry in self.entries if entry.status in ("waiting", "working")
        )
        return each * left

    def add(self, pairs: Iterable[Pair]) -> int:
        """Add shots that have a raw and are not there yet; returns how many."""
        with self._changing:
            there = {entry.pair for entry in self.entries}
            new = [Entry(pair) for pair in pairs if pair.raw is not None and pair not in there]
            self.entries += tuple(new)
        self._changed()
        return len(new)

    def clear(self) -> None:
        """Take out everything that is not being worked on."""
        with self._changing:
            self.entries = tuple(entry for entry in self.entries if entry.status == "working")
        self._changed()

    def retry(self) -> None:
        """Let what failed wait for its turn again."""
        with self._changing:
            self.entries = tuple(
                Entry(entry.pair) if entry.status == "failed" else entry for entry in self.entries
            )
        self._changed()

    def start(self, rate: rawback.Rate) -> None:
        """Work on all that waits."""
        if self.running:
            return
        self.rate = rate
        self._cancel = threading.Event()
        self._go.set()
        self._thread = threading.Thread(
            target=self._work, args=(rate, self._cancel), name="rawback-batch", daemon=True
        )
        self._thread.start()
        self._changed()

    def pause(self, *, wanted: bool) -> None:
        """Hold the work at its next word of progress, or let it go on."""
        if wanted:
            self._go.clear()
        else:
            self._go.set()
        self._changed()

    def cancel(self) -> None:
        """Stop; what is done stays, what was being worked on waits again."""
        self._cancel.set()
        self._go.set()

    def shut_down(self, timeout: float | None = None) -> bool:
        """Stop, and wait for the thread; whether it has ended."""
        self.cancel()
        thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _work(self, rate: rawback.Rate, cancel: threading.Event) -> None:
        while not cancel.is_set():
            entry = next((e for e in self.entries if e.status == "waiting"), None)
            if entry is None:
                break
            self._embed(entry.pair, rate, cancel)
        self._post(self._ended)

    def _ended(self) -> None:
        self._thread = None
        self._changed()

    def _embed(self, pair: Pair, rate: rawback.Rate, cancel: threading.Event) -> None:
        started = time.perf_counter()
        waited = 0.0

        def tell(_stage: str, fraction: float) -> None:
            nonlocal waited
            if not self._go.is_set():
                since = time.perf_counter()
                self._go.wait()
                waited += time.perf_counter() - since
            if cancel.is_set():
                message = tr("The batch was cancelled; start it again to go on.")
                raise rawback.Cancelled(message)
            self._note(pair, status="working", progress=fraction)

        try:
            tell("Starting", 0.0)
            output, result = _embedded(pair, rate, tell)
        except rawback.Cancelled:
            self._note(pair, status="waiting", progress=0.0)
        except rawback.RawbackError as error:
            self._note(pair, status="failed", figures=_short(error, pair))
        except Exception as error:  # noqa: BLE001 -- one shot must not end the others
            self._note(pair, status="failed", figures=f"{type(error).__name__}: {error}")
        else:
            figures = f"{bytes_text(result.payload_bytes)}, {psnr_text(result.psnr_db)}"
            seconds = time.perf_counter() - started - waited
            self._note(
                pair, status="done", progress=1.0, output=output, figures=figures, seconds=seconds
            )

    def _note(self, pair: Pair, **differences: object) -> None:
        with self._changing:
            self.entries = tuple(
                replace(entry, **differences) if entry.pair == pair else entry  # type: ignore[arg-type]
                for entry in self.entries
            )
        self._post(self._changed)


def _short(error: rawback.RawbackError, pair: Pair) -> str:
    """What went wrong, without the folders of files that stand beside it."""
    text = str(error)
    for file in pair.files:
        text = text.replace(str(file), file.name)
    return text


def _embedded(
    pair: Pair, rate: rawback.Rate, progress: rawback.Progress
) -> tuple[Path, rawback.EmbedResult]:
    """Write the carrier of one shot beside its JPEG, or beside the raw."""
    if pair.raw is None:
        message = tr("There is no raw to embed; add its raw file.")
        raise rawback.RawbackError(message)
    if pair.jpeg is not None:
        result = rawback.embed(pair.raw, pair.jpeg, rate=rate, progress=progress)
        return result.output or pair.jpeg, result
    output = pair.raw.with_name(pair.raw.stem + ".rawback.jpg")
    session = rawback.open_session(pair.raw, rawback.carrier_for(pair.raw))
    encoding = session.encode(rate, progress=progress)
    return session.save_carrier(encoding, output), encoding.result
