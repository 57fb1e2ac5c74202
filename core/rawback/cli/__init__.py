"""The command line: the public API's verbs as commands.

Results go to stdout, as one JSON document under ``--json``; progress goes to stderr. Exit status:
0 done, 1 an error (one sentence that says what to do next), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

from rawback.cli.program import main

__all__ = ["main"]
