"""One file's worth of work, in a form that goes to another process or machine and back.

A task is idempotent: done twice, even at the same time, it leaves one whole file that is as good.
What came of it is an outcome, whatever that was: nothing that a file holds stops the others.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from rawback.batch.storage import display_name, fingerprint, is_local, read_bytes, write_remote
from rawback.errors import Cancelled, OutputRefused, PayloadMissing, RawbackError

if TYPE_CHECKING:
    from pathlib import Path

    from rawback._api.results import EmbedResult, RestoreResult
    from rawback.rate import Rate
    from rawback.types import Progress

__all__ = ["Embedding", "Outcome", "Restoring", "Status", "Task", "perform", "worker_lost"]

Status: TypeAlias = Literal["done", "unchanged", "failed", "nothing", "cancelled"]
"""What came of a task: ``"unchanged"`` was made by an earlier run; ``"nothing"`` is a JPEG in a
folder that carries no raw."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file.

    Attributes:
        inputs: The raw and the JPEG, or the raw alone; or the carrier.
        output: The file that was to be written.
        status: What became of it.
        error: The kind of error, and one sentence; None where nothing failed.
        figures: What `rawback.embed` or `rawback.restore` returned; None where nothing was done.
        input_sizes: Bytes of each input.
        output_bytes: Size of the output.
        output_fingerprint: The output's fingerprint.
        seconds: Time taken.
        worker: Which process did it.
    """

    inputs: tuple[Path, ...]
    output: Path
    status: Status
    error: tuple[str, str] | None = None
    figures: EmbedResult | RestoreResult | None = None
    input_sizes: tuple[int, ...] = ()
    output_bytes: int = 0
    output_fingerprint: str | None = None
    seconds: float = 0.0
    worker: str = ""

    @property
    def payload_bytes(self) -> int:
        """All bytes that the payload takes; 0 where none was made."""
        return getattr(self.figures, "payload_bytes", 0)

    @property
    def saved_bytes(self) -> int:
        """By how much the payload is smaller than the raw; 0 where none was made."""
        return self.input_sizes[0] - self.payload_bytes if self.payload_bytes else 0

    def as_dict(self) -> dict[str, Any]:
        """Names to what JSON has."""
        kind, message = self.error or (None, None)
        return {
            "inputs": [display_name(path) for path in self.inputs],
            "output": display_name(self.output),
            "status": self.status,
            "error": None if self.error is None else {"type": kind, "message": message},
            "figures": None if self.figures is None else self.figures.as_dict(),
            "input_bytes": sum(self.input_sizes),
            "output_bytes": self.output_bytes,
            "seconds": self.seconds,
            "worker": self.worker,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What all tasks have.

    Attributes:
        output: The file to write.
        input_fingerprints: Fingerprints that the inputs had when the task was made.
        overwrite: Whether the output may be replaced: it is this batch's own, or that was asked.
        edited: Whether the output was changed since it was written; it is kept if it is good.
    """

    output: Path
    input_fingerprints: tuple[str | None, ...]
    overwrite: bool = False
    edited: bool = False

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What the output is made from."""
        raise NotImplementedError

    @property
    def sources(self) -> tuple[Path, ...]:
        """Those of the inputs, first of all, that the work does not change."""
        return self.inputs

    @property
    def request(self) -> str:
        """What is asked for, in words that differ where outputs would."""
        raise NotImplementedError

    def work(self, progress: Progress | None) -> EmbedResult | RestoreResult:
        """Write the output.

        Raises:
            RawbackError: As the verb does.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding(Task):
    """Put a raw into its JPEG.

    Attributes:
        raw: The raw.
        jpeg: The JPEG; None for the preview in the raw, or a rendering of it.
        rate: As for `rawback.embed`.
        force: As for `rawback.embed`.
        in_place: As for `rawback.embed`: `output` is the JPEG then.
        unguided: As for `rawback.embed`.
        verify: As for `rawback.embed`.
    """

    raw: Path
    jpeg: Path | None
    rate: Rate
    in_place: bool = False
    force: bool = False
    unguided: bool = False
    verify: bool = True

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The raw and the JPEG, if there is one."""
        return (self.raw,) if self.jpeg is None else (self.raw, self.jpeg)

    @property
    def sources(self) -> tuple[Path, ...]:
        """The raw; the JPEG too, unless it is to be changed in place."""
        return self.inputs[:1] if self.in_place else self.inputs

    @property
    def request(self) -> str:
        """The rate, and what else decides what comes of it."""
        words = [self.rate.kind, repr(self.rate.value)]
        words += ["in place"] * self.in_place + ["unguided"] * self.unguided
        words += ["unverified"] * (not self.verify) + ["preview"] * (self.jpeg is None)
        return " ".join(("embed", *words))

    def work(self, progress: Progress | None) -> EmbedResult:
        """Write the carrier."""
        from dataclasses import replace

        import rawback

        if self.jpeg is not None and all(map(is_local, (*self.inputs, self.output))):
            self.output.parent.mkdir(parents=True, exist_ok=True)
            return rawback.embed(
                self.raw,
                self.jpeg,
                None if self.in_place else self.output,
                rate=self.rate,
                in_place=self.in_place,
                overwrite=self.overwrite,
                force=self.force,
                unguided=self.unguided,
                verify=self.verify,
                progress=progress,
            )
        if self.in_place:
            name = display_name(self.output)
            message = f"{name} cannot be changed where it is; give an output folder."
            raise OutputRefused(message)
        raw = read_bytes(self.raw)
        jpeg = rawback.carrier_for(raw) if self.jpeg is None else read_bytes(self.jpeg)
        carrier, result = rawback.embed_bytes(
            raw,
            jpeg,
            rate=self.rate,
            force=self.force,
            unguided=self.unguided,
            verify=self.verify,
            progress=progress,
        )
        _write(self.output, carrier, self)
        return replace(result, output=self.output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring(Task):
    """Turn a carrier back into a raw.

    Attributes:
        carrier: The JPEG with the payload.
        salvage: As for `rawback.restore`.
        named: Whether the carrier was named itself, so that one without a payload is an error.
    """

    carrier: Path
    salvage: bool = False
    named: bool = True

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The carrier."""
        return (self.carrier,)

    @property
    def request(self) -> str:
        """The verb."""
        return "restore"

    def work(self, progress: Progress | None) -> RestoreResult:
        """Write the DNG."""
        from dataclasses import replace

        import rawback

        if all(map(is_local, (self.carrier, self.output))):
            self.output.parent.mkdir(parents=True, exist_ok=True)
            return rawback.restore(
                self.carrier,
                self.output,
                salvage=self.salvage,
                overwrite=self.overwrite,
                progress=progress,
            )
        data = read_bytes(self.carrier)
        dng, result = rawback.restore_bytes(data, salvage=self.salvage, progress=progress)
        _write(self.output, dng, self)
        return replace(result, output=self.output)


def _write(output: Path, data: bytes, task: Task) -> None:
    from rawback.files import write_file

    if is_local(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        write_file(output, data, overwrite=task.overwrite)
    else:
        write_remote(output, data, overwrite=task.overwrite)


def perform(task: Task, progress: Progress | None = None, worker: str = "") -> Outcome:
    """Do a task, and say what came of it.

    Args:
        task: What to do.
        progress: Is told how far it is; what it raises that is no `Exception` goes through.
        worker: Who does it.

    Returns:
        What came of it; never an error.
    """
    started = time.perf_counter()

    def outcome(status: Status, **more: Any) -> Outcome:
        seconds = round(time.perf_counter() - started, 3)
        return Outcome(task.inputs, task.output, status, seconds=seconds, worker=worker, **more)

    try:
        if task.edited and _is_still_good(task):
            return outcome("unchanged", output_fingerprint=fingerprint(task.output))
        figures = task.work(progress)
        sources = task.sources
        if tuple(map(fingerprint, sources)) != task.input_fingerprints[: len(sources)]:
            changed = ("RawbackError", "A file changed while it was read; run it again.")
            return outcome("failed", error=changed, output_fingerprint=fingerprint(task.output))
    except Cancelled:
        return outcome("cancelled")
    except PayloadMissing as error:
        if isinstance(task, Restoring) and not task.named:
            return outcome("nothing")
        return outcome("failed", error=_describe_error(error))
    except Exception as error:  # noqa: BLE001 -- one file must not end the others
        return outcome("failed", error=_describe_error(error))
    return outcome(
        "done",
        figures=figures,
        input_sizes=tuple(map(_size, task.inputs)),
        output_bytes=_size(task.output),
        output_fingerprint=fingerprint(task.output),
    )


def worker_lost(task: Task, why: str) -> Outcome:
    """The outcome of a task whose workers did not survive it."""
    return Outcome(task.inputs, task.output, "failed", error=("WorkerLost", why))


def _is_still_good(task: Task) -> bool:
    """Whether an output that was changed is still good: a carrier that somebody tagged, say.

    Raises:
        OutputRefused: It is not, and is not to be replaced: it is what somebody made of it.
    """
    import rawback

    if isinstance(task, Restoring):
        return True
    with contextlib.suppress(RawbackError):
        data = read_bytes(task.output)
        if rawback.verify(data).intact:
            return True
    if isinstance(task, Embedding) and task.in_place:
        # The JPEG was exported anew.
        return False
    message = (
        f"{display_name(task.output)} was changed since it was written, and its raw is damaged or "
        "gone; move it away, or overwrite it."
    )
    raise OutputRefused(message)


def _describe_error(error: Exception) -> tuple[str, str]:
    kind = type(error).__name__
    if isinstance(error, RawbackError):
        return kind, str(error)
    if isinstance(error, MemoryError):
        return kind, "There is not enough memory for this; use fewer workers."
    return kind, f"This should not have happened ({kind}: {' '.join(str(error).split())})."


def _size(path: Path) -> int:
    try:
        return int(path.stat().st_size)
    except (OSError, ValueError):
        return 0
