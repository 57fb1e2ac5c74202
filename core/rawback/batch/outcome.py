"""What came of one file of a batch: a value that goes to another process or machine and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from rawback.batch.storage import display_name
from rawback.errors import RawbackError

if TYPE_CHECKING:
    from pathlib import Path

    from rawback._api.results import EmbedResult, RestoreResult

__all__ = ["Outcome", "Status", "describe_error"]

Status: TypeAlias = Literal["done", "incomplete", "unchanged", "failed", "nothing", "cancelled"]
"""What came of a task: ``"incomplete"`` was written, but a part of it is lost; ``"unchanged"`` was
made by an earlier run; ``"nothing"`` is a JPEG in a folder that carries no raw."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file.

    Attributes:
        inputs: The raw and the JPEG, or the raw alone; or the carrier.
        output: The file that was to be written.
        status: What became of it.
        error: The kind of error, and one sentence; None where all is well.
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


def describe_error(error: Exception) -> tuple[str, str]:
    """An error as `Outcome.error` has it: its kind, and one sentence."""
    kind = type(error).__name__
    if isinstance(error, RawbackError):
        return kind, str(error)
    if isinstance(error, MemoryError):
        return kind, "There is not enough memory for this; close programs, or use fewer workers."
    return kind, f"This should not have happened ({kind}: {' '.join(str(error).split())})."
