"""Disks that run full or cannot be written to: mounted where that is allowed, else acted.

Mounting takes rights that a desktop user does not have. What is acted refuses at the same system
calls with the same errors, and counts whole pages as a disk does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGE", "ActedDisk", "Disk", "MountedDisk", "disk_of"]

PAGE = 4096


class Disk(Protocol):
    """A folder on a disk of its own."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        ...

    def make_read_only(self) -> None:
        """Allow no writing any more."""


class MountedDisk:
    """A file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)


class ActedDisk:
    """A plain folder; this process's calls fail as those to a disk of so many bytes would."""

    def __init__(self, folder: Path, size: int, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._size = size
        self._read_only = False
        self._open, self._fdopen, self._access = os.open, os.fdopen, os.access
        patch.setattr(os, "open", self._opened)
        patch.setattr(os, "fdopen", self._file)
        patch.setattr(os, "access", self._allows)

    def make_read_only(self) -> None:
        self._read_only = True

    def _has(self, path: Any) -> bool:
        return Path(os.fsdecode(path)).parent == self.folder

    def _opened(self, path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if self._read_only and self._has(path) and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return self._open(path, flags, *arguments, **options)

    def _allows(self, path: Any, mode: int, **options: Any) -> bool:
        if self._read_only and mode & os.W_OK and Path(path) == self.folder:
            return False
        return self._access(path, mode, **options)

    def _file(self, descriptor: int, *arguments: Any, **options: Any) -> Any:
        file = self._fdopen(descriptor, *arguments, **options)
        here = {path.stat().st_ino for path in self.folder.iterdir()}
        if os.fstat(descriptor).st_ino not in here:
            return file
        return _Limited(file, self)

    def check_room(self, more: int) -> None:
        """Refuse if there is no room for more pages than there are."""
        status = [path.stat() for path in self.folder.iterdir()]
        inodes = {found.st_ino: found.st_size for found in status}
        pages = sum(-(-size // PAGE) for size in inodes.values()) + -(-more // PAGE)
        if pages * PAGE > self._size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Limited:
    """A file whose writing needs room; half of what does not fit is written."""

    def __init__(self, file: Any, disk: ActedDisk) -> None:
        self._file_, self._disk = file, disk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file_.close()

    def write(self, data: bytes) -> int:
        try:
            self._disk.check_room(len(data))
        except OSError:
            self._file_.write(data[: len(data) // 2])
            self._file_.flush()
            raise
        return int(self._file_.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file_, name)


@contextlib.contextmanager
def disk_of(size: int, folder: Path, *, acted: bool = False) -> Iterator[Disk]:
    """An empty disk while the context lasts.

    Args:
        size: Bytes of it.
        folder: Where it is to be; made if need be.
        acted: Act it even where mounting is allowed.
    """
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    mounted = not acted
    if mounted:
        try:
            done = subprocess.run(command, capture_output=True, check=False)
            mounted = done.returncode == 0
        except OSError:
            mounted = False
    if mounted:
        try:
            yield MountedDisk(folder)
        finally:
            subprocess.run(["umount", folder], check=True)
        return
    with pytest.MonkeyPatch.context() as patch:
        yield ActedDisk(folder, size, patch)
    for path in folder.iterdir():
        path.unlink()
