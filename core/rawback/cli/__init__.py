"""The command line: the public API's verbs as commands.

Results go to stdout, as one JSON document under ``--json``, and so do errors then; progress goes
to stderr. Exit status: 0 done, 1 an error (one sentence that says what to do next), 2 wrong usage,
3 all is done that could be paired, but files are left over, 130 interrupted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: The command line without the program's name; the process's own by default.

    Returns:
        The exit status.
    """
    # Tiles are worked on side by side; NumPy's own threads would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        # Loaded here, so that an interruption while loading is quiet as well.
        from rawback.cli.interrupt import interruption

        with interruption.noted():
            from rawback.cli.process import prepare_process

            prepare_process()
            from rawback.cli.app import run

            return run(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
