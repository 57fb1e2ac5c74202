"""The command line of the helper: ``rawback-darktable RAW JPEG``.

One job, one line of outcome on stdout (see :mod:`rawback_darktable.outcome`), and the exit status:
0 done, 1 not done and the JPEG as it was, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rawback_darktable.job import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback_darktable.outcome import Outcome

__all__ = ["main"]

_DONE, _NOT_DONE = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one job, by the service if there is one to be had, else in this process.

    Args:
        arguments: The command line without the program's name; the process's own by default.

    Returns:
        The exit status.
    """
    parser = _parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) == 2 and given[0] == "--job":
        given = _from_file(parser, given[1])
    options = parser.parse_args(given)
    if options.stop:
        from rawback_darktable.client import stop

        return _DONE if stop() else _NOT_DONE
    if options.raw is None or options.jpeg is None:
        parser.error("give a raw and a JPEG")
    outcome = _outcome(_job(options), alone=options.alone)
    sys.stdout.buffer.write(outcome.to_line().encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()
    return _DONE if outcome.done else _NOT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rawback-darktable",
        description="Put a raw into the JPEG that was just exported from it.",
        allow_abbrev=False,
    )
    parser.add_argument("raw", nargs="?", help="the raw file")
    parser.add_argument("jpeg", nargs="?", help="the JPEG; it is changed in place, or not at all")
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument("--quality", type=float, metavar="N", help="0 to 100; 60 by default")
    rate.add_argument("--size", type=int, metavar="BYTES", help="at most so many bytes")
    rate.add_argument("--lossless", action="store_true", help="every sample comes back")
    parser.add_argument(
        "--unguided", action="store_true", help="code the raw on its own if the JPEG is another"
    )
    parser.add_argument("--alone", action="store_true", help="do not use the background service")
    parser.add_argument("--stop", action="store_true", help="end the background service")
    parser.add_argument(
        "--job", metavar="FILE", help="take all arguments from a UTF-8 file's lines"
    )
    return parser


def _from_file(parser: argparse.ArgumentParser, path: str) -> list[str]:
    """Arguments for systems whose command lines cannot carry every name."""
    try:
        return Path(path).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        parser.error(f"{path} cannot be read ({error})")


def _job(options: argparse.Namespace) -> Job:
    kind, value = "quality", 60.0
    if options.lossless:
        kind, value = "lossless", 0.0
    elif options.size is not None:
        kind, value = "size", float(options.size)
    elif options.quality is not None:
        value = options.quality
    # The service runs in another folder; links are left to be followed where the file is opened.
    raw, jpeg = (os.path.abspath(path) for path in (options.raw, options.jpeg))  # noqa: PTH100
    return Job(raw, jpeg, kind, value, options.unguided)


def _outcome(job: Job, *, alone: bool) -> Outcome:
    if not alone:
        from rawback_darktable.client import ask

        found = ask(job)
        if found is not None:
            return found
    from rawback_darktable.work import perform

    return perform(job)
