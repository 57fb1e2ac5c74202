"""Drafts: hidden files that hold an output until it is whole.

A draft is locked as long as somebody writes it. One that nobody holds was left behind by a process
that was killed, and goes when the next file is written beside it.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING

from rawback.files.attributes import WRITABLE_BY_OWNER, Attributes

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["draft_beside", "sync_folder"]

_DRAFT = re.compile(r"\.rawback-[0-9a-f]{16}\.tmp")


@contextlib.contextmanager
def draft_beside(place: Path, data: bytes, attributes: Attributes) -> Iterator[Path]:
    """A hidden file with `data` beside `place`, on disk; gone afterwards if it is still there."""
    _sweep(place.parent)
    draft, descriptor = _new_draft(place.parent)
    with os.fdopen(descriptor, "wb") as file:
        try:
            # Created with what the umask allows, then nobody else's until it is whole.
            created = os.fstat(descriptor).st_mode & 0o777
            draft.chmod(WRITABLE_BY_OWNER)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            attributes.give_to(draft, created)
            if sys.platform == "win32":
                file.close()  # there, files that are open cannot be renamed
            yield draft
        finally:
            draft.unlink(missing_ok=True)


def _new_draft(folder: Path) -> tuple[Path, int]:
    """An empty hidden file that is ours, and its descriptor, which holds a lock on it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        draft = folder / f".rawback-{os.urandom(8).hex()}.tmp"
        descriptor = os.open(draft, flags, 0o666)
        if sys.platform == "win32":
            return draft, descriptor
        # Not all file systems know locks; on those nothing is swept away either.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return draft, descriptor
        os.close(descriptor)  # swept away before it was locked


def _sweep(folder: Path) -> None:
    """Take away the drafts of processes that were killed: those that nobody holds a lock on."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for name in [entry.name for entry in entries if _DRAFT.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    (folder / name).unlink()
                finally:
                    os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Force a new name to disk, where folders can be opened for that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
