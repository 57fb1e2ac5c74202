"""One file's worth of work, in a form that goes to another process or machine.

A task is idempotent: done twice, even at the same time, it leaves one whole file that is as good.
Whatever comes of it is an outcome: nothing that a file holds stops the others.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rawback.batch.outcome import Outcome, describe_error
from rawback.batch.storage import display_name, fingerprint, is_local, read_bytes, write_remote
from rawback.errors import Cancelled, OutputRefused, PayloadMissing, RawbackError

if TYPE_CHECKING:
    from pathlib import Path

    from rawback._api.metadata import MetadataChoice
    from rawback._api.original import KeepOriginal
    from rawback._api.results import EmbedResult, RestoreResult
    from rawback.batch.outcome import Status
    from rawback.rate import Rate, Tune
    from rawback.types import Progress

__all__ = ["EmbedTask", "RestoreTask", "Task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What all tasks have.

    Attributes:
        output: The file to write.
        input_fingerprints: Fingerprints that the inputs had when the task was made; empty if nobody
            asks whether they change.
        overwrite: Whether the output may be replaced: it is this batch's own, or that was asked.
        edited: Whether the output was changed since it was written; it is kept if it is good.
    """

    output: Path
    input_fingerprints: tuple[str | None, ...] = ()
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

    def perform(self, progress: Progress | None = None, worker: str = "") -> Outcome:
        """Write the output, and say what came of it.

        Args:
            progress: Is told how far it is; what it raises that is no `Exception` goes through.
            worker: Who does it.

        Returns:
            What came of it, whatever that was.
        """
        started = time.perf_counter()

        def outcome(status: Status, **more: Any) -> Outcome:
            seconds = round(time.perf_counter() - started, 3)
            return Outcome(self.inputs, self.output, status, seconds=seconds, worker=worker, **more)

        try:
            if self.edited and self.is_still_good():
                return outcome("unchanged", output_fingerprint=fingerprint(self.output))
            figures = self.work(progress)
            before = self.input_fingerprints[: len(self.sources)]
            if before != tuple(map(fingerprint, self.sources))[: len(before)]:
                changed = ("RawbackError", "A file changed while it was read; run it again.")
                return outcome("failed", error=changed, output_fingerprint=fingerprint(self.output))
        except Cancelled:
            return outcome("cancelled")
        except Exception as error:  # noqa: BLE001 -- one file must not end the others
            if self.is_nothing(error):
                return outcome("nothing")
            return outcome("failed", error=describe_error(error))
        lost = self.lost_part(figures)
        return outcome(
            "done" if lost is None else "incomplete",
            error=lost,
            figures=figures,
            input_sizes=tuple(map(_size, self.inputs)),
            output_bytes=_size(self.output),
            output_fingerprint=fingerprint(self.output),
        )

    def is_still_good(self) -> bool:
        """Whether an output that was edited needs no work.

        Raises:
            OutputRefused: It does, and is not to be replaced: it is what somebody made of it.
        """
        return True

    def lost_part(self, figures: EmbedResult | RestoreResult) -> tuple[str, str] | None:
        """What is missing in the output, as `Outcome.error` says it; None where it is whole."""
        del figures
        return None

    def is_nothing(self, error: Exception) -> bool:
        """Whether an error says that there is nothing to do, rather than that it failed."""
        del error
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedTask(Task):
    """Put a raw into its JPEG.

    Attributes:
        raw: The raw.
        jpeg: The JPEG; None for the preview in the raw, or a rendering of it.
        rate: As for `rawback.embed`.
        tune: As for `rawback.embed`.
        force: As for `rawback.embed`.
        in_place: As for `rawback.embed`: `output` is the JPEG then.
        keep_original: As for `rawback.embed`.
        unguided: As for `rawback.embed`.
        verify: As for `rawback.embed`.
        metadata: As for `rawback.embed`.
        original: As for `rawback.embed`.
        keep_times: As for `rawback.embed`; outputs that are not local files get none.
    """

    raw: Path
    jpeg: Path | None
    rate: Rate
    tune: Tune = "visual"
    in_place: bool = False
    keep_original: bool = True
    force: bool = False
    unguided: bool = False
    verify: bool = True
    metadata: MetadataChoice = "auto"
    original: KeepOriginal = False
    keep_times: bool = False

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
        words = [self.rate.kind, repr(self.rate.value), self.tune]
        words += ["in place"] * self.in_place + ["unguided"] * self.unguided
        words += [f"original {self.original}"] * bool(self.original)
        words += ["unverified"] * (not self.verify) + ["preview"] * (self.jpeg is None)
        words += [f"metadata {self.metadata}"] * (self.metadata != "auto")
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
                tune=self.tune,
                in_place=self.in_place,
                keep_original=self.keep_original,
                overwrite=self.overwrite,
                force=self.force,
                unguided=self.unguided,
                verify=self.verify,
                metadata=self.metadata,
                original=self.original,
                keep_times=self.keep_times,
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
            tune=self.tune,
            force=self.force,
            unguided=self.unguided,
            verify=self.verify,
            metadata=self.metadata,
            original=self.original,
            raw_name=self.raw.name,
            progress=progress,
        )
        _write(self.output, carrier, self)
        return replace(result, output=self.output)

    def is_still_good(self) -> bool:
        """Whether the carrier is whole still: somebody tagged it, say."""
        import rawback

        with contextlib.suppress(RawbackError):
            if rawback.verify(read_bytes(self.output)).intact:
                return True
        if self.in_place:
            # The JPEG was exported anew.
            return False
        message = (
            f"{display_name(self.output)} was changed since it was written, and its raw is damaged "
            "or gone; move it away, or overwrite it."
        )
        raise OutputRefused(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTask(Task):
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

    def lost_part(self, figures: EmbedResult | RestoreResult) -> tuple[str, str] | None:
        """What damage took: the finest sections, or none."""
        if getattr(figures, "complete", True):
            return None
        name = display_name(self.carrier)
        why = f"{name} is damaged, and only what stands before the damage was restored; "
        return "PayloadDamaged", why + "find a whole copy of it and restore that."

    def is_nothing(self, error: Exception) -> bool:
        """Whether a JPEG in a folder carries no raw."""
        return isinstance(error, PayloadMissing) and not self.named


def _write(output: Path, data: bytes, task: Task) -> None:
    from rawback.files import write_file

    if is_local(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        write_file(output, data, overwrite=task.overwrite)
    else:
        write_remote(output, data, overwrite=task.overwrite)


def _size(path: Path) -> int:
    try:
        return int(path.stat().st_size)
    except (OSError, ValueError):
        return 0
