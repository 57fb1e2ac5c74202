"""What the commands say: results on stdout, progress on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from rawback.cli.interrupt import interruption
from rawback.files import label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import rawback

__all__ = [
    "Printer",
    "bytes_text",
    "print_json",
    "psnr_text",
    "raw_file_text",
    "section_lines",
    "sub_progress",
    "visible_line",
    "worst_text",
]

_PATIENCE = 1.0


def print_json(document: Mapping[str, Any], *, aside: bool = False) -> None:
    """Print a document, and nothing else, to stdout; or to stderr, where that is taken by data.

    Not a letter beyond ASCII goes out, so names that are no valid text survive as escapes.
    """
    print(json.dumps(document, indent=2, allow_nan=False), file=_output(aside=aside))


def _output(*, aside: bool) -> TextIO:
    return sys.stderr if aside else sys.stdout


def bytes_text(size: int) -> str:
    """A size for people: ``812 bytes``, ``199.8 kB``, ``1.53 MB``, ``2.01 TB``."""
    if abs(size) < 1000:
        return f"{size} bytes"
    if abs(size) < 1_000_000:
        return f"{size / 1000:.1f} kB"
    for unit, factor in (("MB", 10**6), ("GB", 10**9)):
        if abs(size) < 1000 * factor:
            return f"{size / factor:.2f} {unit}"
    return f"{size / 10**12:.2f} TB"


def psnr_text(psnr: float, *, exact: bool) -> str:
    """A PSNR for people."""
    return "exact" if exact else f"{psnr:.2f} dB"


def worst_text(error: float) -> str:
    """The largest difference of samples: whole DN, or one of floating point numbers."""
    return f"{error} DN" if type(error) is int else f"{error:.3g}"


def raw_file_text(raw_file: rawback.RawFileInfo | None) -> str:
    """Whether a payload gives the raw file itself back, and what that takes."""
    if raw_file is None:
        return "not kept; a DNG is restored"
    name = f"{label(raw_file.name)}, " if raw_file.name else ""
    return f"{name}{raw_file.size:,} bytes, {raw_file.encoding}, for {bytes_text(raw_file.bytes)}"


def visible_line(errors: Sequence[rawback.VisibleError]) -> str:
    """What a person would see of an error, in a picture lifted by two stops."""
    lifted = next(error for error in errors if error.view == "1:1" and error.exposure == 2)
    return (
        f"  colours differ by {lifted.mean:.2f} at 1:1 and +2 EV, "
        f"95 % of the picture by less than {lifted.p95:.2f} (CIEDE2000 as the eye resolves it)"
    )


def section_lines(sections: Sequence[rawback.SectionInfo]) -> list[str]:
    """A small table of what a payload is made of, one line for each kind."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for section in sections:
        sizes[section.kind if section.intact else f"{section.kind} (bad)"].append(section.bytes)
    return [
        f"  {kind:<16}{sum(items):>12,} bytes" + (f" in {len(items)}" if len(items) > 1 else "")
        for kind, items in sizes.items()
    ]


def sub_progress(
    progress: rawback.Progress | None, start: float, end: float
) -> rawback.Progress | None:
    """What to hand to one of several jobs, so that together they make one bar."""
    if progress is None:
        return None
    return lambda stage, fraction: progress(stage, start + (end - start) * fraction)


@dataclass(frozen=True, slots=True)
class Printer:
    """How much to say, and in what form.

    Attributes:
        as_json: One JSON document instead of text.
        verbose: Tell progress even where stderr is no terminal.
        quiet: Neither text nor progress; a JSON document that was asked for is printed anyway.
    """

    as_json: bool
    verbose: bool
    quiet: bool

    def result(
        self, document: Mapping[str, Any], lines: Sequence[str], *, aside: bool = False
    ) -> None:
        """Print a result: as a document, or in words; to stderr where stdout is taken by data."""
        if self.as_json:
            print_json(document, aside=aside)
        elif not self.quiet:
            print(*lines, sep="\n", file=_output(aside=aside))

    @contextlib.contextmanager
    def progress(self) -> Iterator[rawback.Progress]:
        """Show how far a job is while the context lasts, if anybody watches."""
        with self._display() as show:

            def tell(stage: str, fraction: float) -> None:
                interruption.check()
                if show is not None:
                    show(stage, fraction)

            yield tell

    @contextlib.contextmanager
    def _display(self) -> Iterator[rawback.Progress | None]:
        if self.quiet or not (self.verbose or sys.stderr.isatty()):
            yield None
        elif sys.stderr.isatty():
            with _bar() as tell:
                yield tell
        else:
            yield _Lines()


class _Lines:
    """Progress for logs: a line for each stage."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._stage = ""

    def __call__(self, stage: str, fraction: float) -> None:
        if stage != self._stage:
            self._stage = stage
            seconds = time.perf_counter() - self._started
            print(f"{seconds:6.1f} s {fraction:4.0%}  {stage}", file=sys.stderr)


@contextlib.contextmanager
def _bar() -> Iterator[rawback.Progress]:
    """Progress for terminals: a bar that appears once a job turns out to take its time."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeLeft(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("", total=1.0)
    appearance = threading.Timer(_PATIENCE, bar.start)
    appearance.daemon = True
    appearance.start()
    try:
        yield lambda stage, fraction: bar.update(task, description=stage, completed=fraction)
    finally:
        appearance.cancel()
        appearance.join()
        bar.stop()
