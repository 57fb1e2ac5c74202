"""Standard input and output in place of files: ``-``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rawback.cli.options import UsageError
from rawback.files import check_output, label, read_file, write_file

if TYPE_CHECKING:
    from rawback.files import StrPath

__all__ = ["StreamJob", "is_stream", "read_bytes"]

_STREAM = "-"


def is_stream(path: StrPath | None) -> bool:
    """Whether a path stands for standard input or output; ``-`` in a folder is a file."""
    return path is not None and str(path) == _STREAM


def read_bytes(path: StrPath) -> bytes:
    """What a file holds, or what comes from standard input.

    Raises:
        UsageError: Somebody would have to type it.
        RawbackError: The file cannot be read.
    """
    if not is_stream(path):
        return read_file(path)
    if sys.stdin.isatty():
        message = "- reads standard input, which is a terminal; pipe a file into it."
        raise UsageError(message)
    return sys.stdin.buffer.read()


class StreamJob:
    """Work on bytes, because an input or the output is ``-``.

    Where no output is named it is standard output: there is no name to make one from.

    Args:
        inputs: The paths that are read; one of them at most is ``-``.
        output: The path that is written.
        overwrite: Whether it may replace a file.
        needs_files: Options that were given and go with files only, by name.

    Raises:
        UsageError: These do not go together.
        OutputRefused: The output exists, or cannot be written.
    """

    def __init__(
        self,
        inputs: tuple[StrPath | None, ...],
        output: StrPath | None,
        *,
        overwrite: bool = False,
        needs_files: dict[str, bool] | None = None,
    ) -> None:
        files = [path for path in inputs if path is not None]
        if sum(map(is_stream, files)) > 1:
            message = "Standard input is one file only; give the others by name."
            raise UsageError(message)
        refused = next((name for name, given in (needs_files or {}).items() if given), None)
        if refused is not None:
            message = f"{refused} needs files; give names instead of -."
            raise UsageError(message)
        self._output = None if output is None or is_stream(output) else output
        self._overwrite = overwrite
        if self._output is not None:
            named = tuple(path for path in files if not is_stream(path))
            check_output(self._output, overwrite=overwrite, inputs=named)
        elif sys.stdout.isatty():
            message = "The output would go to the terminal; give --output FILE, or pipe it."
            raise UsageError(message)

    @property
    def to_stdout(self) -> bool:
        """Whether standard output is taken by what the job makes."""
        return self._output is None

    @property
    def output(self) -> Path | None:
        """The file that is written; None for standard output."""
        return None if self._output is None else Path(self._output)

    @property
    def name(self) -> str:
        """What to call the output."""
        return "standard output" if self._output is None else label(self._output)

    def write(self, data: bytes) -> None:
        """Write the output."""
        if self._output is None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            write_file(self._output, data, overwrite=self._overwrite)
