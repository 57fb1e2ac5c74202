"""The command line of the helper: ``rawback-darktable RAW JPEG``.

One job, one line on stdout (see :mod:`rawback_darktable.line`), and the exit status: 0 done, 1 not
done and the JPEG as it was, 2 wrong usage.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rawback_darktable.arguments import parse
from rawback_darktable.line import is_done, outcome_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback_darktable.arguments import Arguments

__all__ = ["main"]

_DONE, _NOT_DONE, _WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one job, by the service if there is one to be had, else in this process.

    Args:
        arguments: The command line without the program's name; the process's own by default.

    Returns:
        The exit status.
    """
    try:
        parsed = parse(sys.argv[1:] if arguments is None else arguments)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return _WRONG_USAGE
    if parsed.stop:
        from rawback_darktable.client import stop

        return _DONE if stop() else _NOT_DONE
    line = _line(parsed)
    sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()
    return _DONE if is_done(line) else _NOT_DONE


def _line(arguments: Arguments) -> str:
    if not arguments.alone:
        from rawback_darktable.client import ask

        line = ask(arguments)
        if line is not None:
            return line
    return outcome_line(arguments.task().perform())
