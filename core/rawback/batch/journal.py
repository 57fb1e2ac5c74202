"""What a batch has done, so that the next run does only the rest.

An SQLite file with one row for each output, which SQLite keeps whole when a process is killed at
any moment. A row says ``started`` before the first byte of an output is written: one that is there
already is then known to be this batch's own, and may be written again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rawback.batch.places import is_local
from rawback.errors import OutputRefused, RawbackError
from rawback.files import label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from rawback.batch.tasks import Outcome, Task

__all__ = ["Entry", "Journal"]

_VERSION = 1
_APPLICATION = 0x72776264
"""What marks an SQLite file as ours: ``rwbd`` as a number."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS outputs (
        place BLOB PRIMARY KEY, request TEXT, marks TEXT, state TEXT, mark TEXT
    ) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one output.

    Attributes:
        request: What was asked for.
        marks: Fingerprints of the inputs then.
        state: ``"started"``, or how it ended.
        mark: The output's fingerprint after it was last written; None if it never was.
    """

    request: str
    marks: tuple[str | None, ...]
    state: str
    mark: str | None

    def covers(self, task: Task) -> bool:
        """Whether the same was done with the same sources."""
        count = len(task.sources)
        same = (self.request, self.marks[:count]) == (task.request, task.marks[:count])
        return same and self.state in ("done", "unchanged", "nothing")


class Journal:
    """One journal, open in one process at a time; a context manager.

    Args:
        path: The SQLite file; made if it is not there.

    Raises:
        RawbackError: Another batch has it open, or the file is none of ours.
        OutputRefused: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root = path.parent.absolute()
        with self._translated():
            self._base = sqlite3.connect(path, timeout=0.5, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._base.close()
                raise

    def _open(self) -> None:
        self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._base.execute("BEGIN EXCLUSIVE")
        (ours,) = self._base.execute("PRAGMA application_id").fetchone()
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        (tables,) = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (ours, version) != (_APPLICATION, _VERSION):
            message = f"{label(self._path)} is no journal that is understood; name another one."
            raise RawbackError(message)
        self._base.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._base.execute(f"PRAGMA user_version = {_VERSION}")
        self._base.execute(_TABLE)
        self._base.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()

    def entry(self, output: Path) -> Entry | None:
        """What is known of an output."""
        with self._translated():
            row = self._base.execute(
                "SELECT request, marks, state, mark FROM outputs WHERE place = ?",
                (self._key(output),),
            ).fetchone()
        if row is None:
            return None
        request, marks, state, mark = row
        return Entry(request, tuple(json.loads(marks)), state, mark)

    def start(self, task: Task) -> None:
        """Note that an output is about to be written, which is nobody else's."""
        with self._translated():
            self._base.execute(
                "INSERT INTO outputs (place, request, marks, state) VALUES (?, ?, ?, 'started') "
                "ON CONFLICT (place) DO UPDATE SET request = excluded.request, "
                "marks = excluded.marks, state = excluded.state",
                (self._key(task.output), task.request, json.dumps(task.marks)),
            )

    def finish(self, outcome: Outcome) -> None:
        """Note what came of an output that was started."""
        with self._translated():
            self._base.execute(
                "UPDATE outputs SET state = ?, mark = coalesce(?, mark) WHERE place = ?",
                (outcome.status, outcome.mark, self._key(outcome.output)),
            )

    def _key(self, output: Path) -> bytes:
        """An output relative to the journal, so that both can be moved together."""
        if not is_local(output):
            return os.fsencode(str(output))
        try:
            return os.fsencode(os.path.relpath(output.absolute(), self._root))
        except ValueError:  # on another drive than the journal
            return os.fsencode(output.absolute())

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors as ours."""
        name = label(self._path)
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                message = f"{name} is in use by another batch; wait for it, or name another one."
                raise RawbackError(message) from error
            message = f"{name} cannot be written ({error}); name another journal."
            raise OutputRefused(message) from error
        except sqlite3.DatabaseError as error:
            message = f"{name} is no journal, or damaged ({error}); name another one."
            raise RawbackError(message) from error
