"""What came of a batch as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rawback.batch.storage import display_name

if TYPE_CHECKING:
    from pathlib import Path

    from rawback.batch.outcome import Outcome
    from rawback.batch.pairing import Ambiguity

__all__ = ["NO_RAW", "BatchReport", "ReportBuilder", "Unmatched"]

NO_RAW = "It carries no raw."


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A file that was left alone.

    Attributes:
        path: The file.
        why: One sentence about it.
    """

    path: Path
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Names to what JSON has."""
        return {"file": display_name(self.path), "why": self.why}


@dataclass(frozen=True, slots=True)
class BatchReport:
    """Counts and sums over all files, and what went wrong.

    Attributes:
        total: Files that were to be made: carriers, or raws.
        done: Files that were made now.
        unchanged: Files that an earlier run had made, of inputs that are still the same.
        failures: Outcomes of the files that could not be made, or are incomplete.
        ambiguous: JPEGs whose raw cannot be told; each counts as a file that could not be made.
        cancelled: Files that were not made as the batch was cancelled.
        unmatched: JPEGs without a raw and raws without a JPEG; or JPEGs in folders that carry no
            raw. They were left alone.
        input_bytes: Size of all inputs of the files made now.
        output_bytes: Size of these files.
        payload_bytes: Size of the payloads that were made.
        saved_bytes: By how much these are smaller than the raws they stand for.
        seconds: Time taken.
        workers: How many worked at a time.
    """

    total: int
    done: int
    unchanged: int
    failures: tuple[Outcome, ...]
    ambiguous: tuple[Ambiguity, ...]
    cancelled: int
    unmatched: tuple[Unmatched, ...]
    input_bytes: int
    output_bytes: int
    payload_bytes: int
    saved_bytes: int
    seconds: float
    workers: int

    @property
    def failed(self) -> int:
        """How many files could not be made, or not whole."""
        return len(self.failures) + len(self.ambiguous)

    @property
    def complete(self) -> bool:
        """Whether all that was to be made is there."""
        return not (self.failed or self.cancelled)

    def as_dict(self) -> dict[str, Any]:
        """Names to what JSON has."""
        return {
            "total": self.total,
            "done": self.done,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "failures": [outcome.as_dict() for outcome in self.failures],
            "ambiguous": [item.as_dict() for item in self.ambiguous],
            "cancelled": self.cancelled,
            "unmatched": [item.as_dict() for item in self.unmatched],
            "input_bytes": self.input_bytes,
            "output_bytes": self.output_bytes,
            "payload_bytes": self.payload_bytes,
            "saved_bytes": self.saved_bytes,
            "seconds": round(self.seconds, 3),
            "workers": self.workers,
        }


@dataclass(slots=True)
class ReportBuilder:
    """A report in the making."""

    total: int
    ambiguous: tuple[Ambiguity, ...]
    unmatched: list[Unmatched]
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[Outcome] = field(default_factory=list)
    input_bytes: int = 0
    output_bytes: int = 0
    payload_bytes: int = 0
    saved_bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one more outcome."""
        self.counts[outcome.status] = self.counts.get(outcome.status, 0) + 1
        if outcome.status == "nothing":
            self.unmatched.append(Unmatched(outcome.inputs[0], NO_RAW))
        if outcome.error is not None:
            self.failures.append(outcome)
        if outcome.status in ("done", "incomplete"):
            self.input_bytes += sum(outcome.input_sizes)
            self.output_bytes += outcome.output_bytes
            self.payload_bytes += outcome.payload_bytes
            self.saved_bytes += outcome.saved_bytes

    def report(self, seconds: float, workers: int) -> BatchReport:
        """The report of what was added so far."""
        nothing = self.counts.get("nothing", 0)
        ended = sum(count for status, count in self.counts.items() if status != "cancelled")
        return BatchReport(
            total=self.total + len(self.ambiguous) - nothing,
            done=self.counts.get("done", 0),
            unchanged=self.counts.get("unchanged", 0),
            failures=tuple(self.failures),
            ambiguous=self.ambiguous,
            cancelled=self.total - ended,
            unmatched=tuple(self.unmatched),
            input_bytes=self.input_bytes,
            output_bytes=self.output_bytes,
            payload_bytes=self.payload_bytes,
            saved_bytes=self.saved_bytes,
            seconds=seconds,
            workers=workers,
        )
