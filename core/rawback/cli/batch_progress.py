"""What a batch shows: progress on stderr, lines of JSON, and a summary."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import IO, TYPE_CHECKING, Any, Self

import rawback
from rawback.cli.interrupt import interruption
from rawback.cli.output import Printer, bytes_text
from rawback.errors import OutputRefused
from rawback.files import label

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

__all__ = ["BatchProgress", "time_text"]

_WIDTH = 120
_MOST_UNMATCHED = 20


def time_text(seconds: float) -> str:
    """A time for people: ``12.3 s``, ``4.5 min``, ``2.1 h``."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 6000:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


class BatchProgress(rawback.BatchWatcher):
    """Shows how a batch gets on while its context lasts.

    Args:
        printer: How much to say.
        verb: What is done to the files, in the past tense.
        json_lines: The file for lines of JSON; ``-`` for stdout; None for none.

    Raises:
        OutputRefused: That file cannot be written.
    """

    def __init__(self, printer: Printer, verb: str, json_lines: str | None) -> None:
        self._printer = printer
        self._verb = verb
        self._display: Any = None
        self._pairing: rawback.Progress | None = None
        self._stack = contextlib.ExitStack()
        self._task: Any = None
        self._began = time.perf_counter()
        self._total = self._ended = self._bytes = self._saved = 0
        self._lines = _opened(json_lines)
        self._silent = printer.quiet or json_lines == "-"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        if self._display is not None:
            self._display.stop()
        if self._lines is not None and self._lines is not sys.stdout:
            self._lines.close()

    def pairing(self, stage: str, fraction: float) -> None:
        """Show how far the search for pairs is."""
        if self._pairing is None:
            self._pairing = self._stack.enter_context(self._printer.progress())
        self._pairing(stage, fraction)

    def started(self, total: int, input_bytes: int, workers: int) -> None:
        """Show the bar, where somebody watches."""
        interruption.check()
        self._stack.close()
        self._total = total
        if self._printer.quiet:
            return
        if sys.stderr.isatty():
            self._display = _bar()
            self._display.start()
            self._task = self._display.add_task(self._verb, total=total, status="")
        elif self._printer.verbose:
            size = bytes_text(input_bytes)
            print(f"{total} files from {size}, {workers} at a time", file=sys.stderr)

    def ended(self, outcome: rawback.Outcome) -> None:
        """Show that one more file is through."""
        interruption.check()
        self._ended += 1
        self._bytes += sum(outcome.input_sizes)
        self._saved += outcome.saved_bytes
        self._line("file", outcome.as_dict())
        if self._display is not None:
            speed = bytes_text(int(self._bytes / (time.perf_counter() - self._began)))
            status = f"{speed}/s" + (f", saved {bytes_text(self._saved)}" if self._saved else "")
            self._display.update(self._task, completed=self._ended, status=status)
        elif self._printer.verbose and not self._printer.quiet:
            why = f": {outcome.error[1]}" if outcome.error else ""
            name = label(str(outcome.output))
            print(f"{self._ended}/{self._total} {outcome.status} {name}{why}", file=sys.stderr)

    def summary(self, report: rawback.BatchReport) -> None:
        """Say what came of it all."""
        for item in report.ambiguous:
            self._line("ambiguous", item.as_dict())
        for left in report.unmatched:
            self._line("unmatched", left.as_dict())
        self._line("summary", report.as_dict())
        if self._display is not None:
            self._display.stop()
        if not self._silent or self._printer.as_json:
            self._printer.result(report.as_dict(), self._sentences(report))
        if not self._silent and not self._printer.as_json:
            _show_failures(report)
            _show_unmatched(report)

    def _sentences(self, report: rawback.BatchReport) -> list[str]:
        there = report.done + report.unchanged
        text = f"{self._verb} {there} of {report.total}"
        if report.unchanged:
            text += f", {report.unchanged} of them in an earlier run"
        lines = [text]
        if report.done:
            lines.append(
                f"  {bytes_text(report.input_bytes)} read, {bytes_text(report.output_bytes)} "
                f"written in {time_text(report.seconds)} by {report.workers} at a time"
            )
        if report.payload_bytes:
            lines.append(
                f"  payloads take {bytes_text(report.payload_bytes)}, "
                f"{bytes_text(report.saved_bytes)} less than the raws"
            )
        if report.unmatched:
            lines.append(f"  {len(report.unmatched)} files without a counterpart were left alone")
        return lines

    def _line(self, event: str, document: dict[str, Any]) -> None:
        if self._lines is not None:
            self._lines.write(json.dumps({"event": event, **document}, allow_nan=False) + "\n")
            self._lines.flush()


def _opened(json_lines: str | None) -> IO[str] | None:
    if json_lines is None:
        return None
    if json_lines == "-":
        return sys.stdout
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(json_lines, "a", encoding="utf-8"))  # noqa: PTH123
        except (OSError, ValueError) as error:
            message = f"{label(json_lines)} cannot be written ({error}); choose another file."
            raise OutputRefused(message) from error
        stack.pop_all()
        return file


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[status]}"),
        TimeLeft(),
        console=Console(stderr=True),
        transient=True,
    )


def _show_failures(report: rawback.BatchReport) -> None:
    """A table of what could not be made, and why."""
    if report.complete:
        return
    rows = [(outcome.output, (outcome.error or ("", ""))[1]) for outcome in report.failures]
    for item in report.ambiguous:
        names = ", ".join(label(str(raw)) for raw in item.raws)
        rows.append((item.jpeg, f"{item.why}: {names}" if names else item.why))
    _print_table("not made, or not whole", rows)


def _show_unmatched(report: rawback.BatchReport) -> None:
    """A table of the first files that were left alone, and why."""
    rows = [(item.path, item.why) for item in report.unmatched[:_MOST_UNMATCHED]]
    if not rows:
        return
    _print_table("left alone", rows)
    more = len(report.unmatched) - len(rows)
    if more:
        print(f"and {more} more, which --dry-run lists")


def _print_table(heading: str, rows: Iterable[tuple[Path, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, pad_edge=False)
    table.add_column(heading, overflow="fold", ratio=2)
    table.add_column("why", overflow="fold", ratio=3)
    for path, why in rows:
        table.add_row(Text(label(str(path))), Text(why))
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
