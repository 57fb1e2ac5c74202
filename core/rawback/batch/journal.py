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

from rawback.batch.storage import is_local
from rawback.errors import OutputRefused, RawbackError
from rawback.files import label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from rawback.batch.outcome import Outcome
    from rawback.batch.tasks import Task

__all__ = ["Entry", "Journal"]

_VERSION = 2
_APPLICATION = 0x72776264
"""What tells an SQLite file as ours: ``rwbd`` as a number."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS outputs (
        output BLOB PRIMARY KEY, request TEXT, input_fingerprints TEXT, state TEXT,
        output_fingerprint TEXT
    ) WITHOUT ROWID
"""

_RENAMED_SINCE_1 = (
    ("place", "output"),
    ("marks", "input_fingerprints"),
    ("mark", "output_fingerprint"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one output.

    Attributes:
        request: What was asked for.
        input_fingerprints: Fingerprints of the inputs then.
        state: ``"started"``, or how it ended.
        output_fingerprint: The output's after it was last written; None if it never was.
    """

    request: str
    input_fingerprints: tuple[str | None, ...]
    state: str
    output_fingerprint: str | None

    def covers(self, task: Task) -> bool:
        """Whether the same was done with the same sources."""
        count = len(task.sources)
        now = task.request, task.input_fingerprints[:count]
        then = self.request, self.input_fingerprints[:count]
        return now == then and self.state in ("done", "unchanged", "nothing")


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
        if (ours, version) == (_APPLICATION, 1):
            for before, after in _RENAMED_SINCE_1:
                self._base.execute(f"ALTER TABLE outputs RENAME COLUMN {before} TO {after}")
        elif tables and (ours, version) != (_APPLICATION, _VERSION):
            name = label(self._path)
            message = f"{name} is not a journal of this version of rawback; name another file."
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
                "SELECT request, input_fingerprints, state, output_fingerprint FROM outputs "
                "WHERE output = ?",
                (self._key(output),),
            ).fetchone()
        if row is None:
            return None
        request, inputs, state, made = row
        return Entry(request, tuple(json.loads(inputs)), state, made)

    def start(self, task: Task) -> None:
        """Note that an output is about to be written, which is nobody else's."""
        with self._translated():
            self._base.execute(
                "INSERT INTO outputs (output, request, input_fingerprints, state) "
                "VALUES (?, ?, ?, 'started') ON CONFLICT (output) DO UPDATE SET "
                "request = excluded.request, state = excluded.state, "
                "input_fingerprints = excluded.input_fingerprints",
                (self._key(task.output), task.request, json.dumps(task.input_fingerprints)),
            )

    def finish(self, outcome: Outcome) -> None:
        """Note what came of an output that was started."""
        with self._translated():
            self._base.execute(
                "UPDATE outputs SET state = ?, "
                "output_fingerprint = coalesce(?, output_fingerprint) WHERE output = ?",
                (outcome.status, outcome.output_fingerprint, self._key(outcome.output)),
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
            message = f"{name} is not a journal, or damaged ({error}); name another file."
            raise RawbackError(message) from error
