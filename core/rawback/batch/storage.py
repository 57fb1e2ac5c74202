"""Files here and elsewhere: paths of this machine, and URLs that fsspec understands.

Both are handled as pathlib handles paths: a :class:`pathlib.Path`, or for ``s3://bucket/photos``
and its like what universal-pathlib makes of it, which has the same methods.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from rawback.errors import OutputRefused, RawbackError
from rawback.files import label, read_file

__all__ = [
    "display_name",
    "fingerprint",
    "is_folder",
    "is_local",
    "list_files",
    "read_bytes",
    "read_head",
    "to_path",
    "write_remote",
]


_OBJECT_STORES = frozenset(
    ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oci", "oss", "memory")
)
"""Where an object appears once all of it is there; elsewhere files grow as they are written."""


def to_path(text: object) -> Path:
    """Text as a path: a `Path`, or what universal-pathlib makes of a URL; a path stays what it is.

    Raises:
        RawbackError: No installed library knows URLs of this kind.
    """
    if not isinstance(text, str) or "://" not in text:
        return Path(text) if isinstance(text, str | os.PathLike) else cast("Path", text)
    if text.startswith("file://"):
        found = unquote(urlsplit(text).path)
        # Before a drive's letter a URL has a slash more than a path.
        return Path(found.lstrip("/") if os.name == "nt" else found)
    try:
        from upath import UPath

        path: Any = UPath(text)
        known = not is_local(path)
        path.fs  # noqa: B018 -- what a URL of this kind needs is loaded here
    except ImportError as error:
        message = f"{label(text)} needs more libraries ({error}); try pip install rawback[cluster]."
        raise RawbackError(message) from error
    except Exception as error:
        message = f"{label(text)} cannot be reached ({_line(error)}); check the URL."
        raise RawbackError(message) from error
    if not known:
        message = f"{label(text)} is a URL of a kind that nobody knows; check the URL."
        raise RawbackError(message)
    return cast("Path", path)


def is_local(path: Path) -> bool:
    """Whether a path is one of this machine, and no URL."""
    return isinstance(path, Path)


def display_name(path: Path) -> str:
    """A path as it can be shown on one line; passwords of URLs are not part of it."""
    return label(path if is_local(path) else str(path))


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, and not a file.

    Raises:
        RawbackError: There is nothing, or it cannot be looked at.
    """
    try:
        if path.is_dir():
            return True
        there = path.exists()
    except Exception as error:
        message = f"{display_name(path)} cannot be reached ({_line(error)}); check the path."
        raise RawbackError(message) from error
    if not there:
        message = f"{display_name(path)} is not there; check the path."
        raise RawbackError(message)
    return False


def list_files(folder: Path, *, recursive: bool) -> list[Path]:
    """The files in a folder, in the order of their names, but for hidden ones.

    Raises:
        RawbackError: The folder cannot be read.
    """
    try:
        found = _walk(folder, recursive) if is_local(folder) else _find(folder, recursive)
    except Exception as error:
        message = f"{display_name(folder)} cannot be read ({_line(error)}); check the path."
        raise RawbackError(message) from error
    return sorted(found)


def _walk(folder: Path, recursive: bool) -> list[Path]:
    found: list[Path] = []
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                # A linked folder may lead back up.
                if entry.is_dir(follow_symlinks=False):
                    waiting += [Path(entry.path)] if recursive else []
                elif entry.is_file():
                    found.append(Path(entry.path))
    return found


def _find(folder: Any, recursive: bool) -> list[Path]:
    top = folder.path.rstrip("/")
    inside = (
        path.removeprefix(top).lstrip("/")
        for path in folder.fs.find(folder.path, maxdepth=None if recursive else 1)
    )
    return [
        folder / name for name in inside if not any(part[:1] == "." for part in name.split("/"))
    ]


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises:
        RawbackError: It cannot be read.
    """
    if is_local(path):
        return read_file(path)
    remote = cast("Any", path)
    try:
        return bytes(remote.fs.cat_file(remote.path))
    except Exception as error:
        message = f"{display_name(path)} cannot be read ({_line(error)}); check the URL."
        raise RawbackError(message) from error


def read_head(path: Path, size: int) -> bytes:
    """The first bytes of a file.

    Raises:
        RawbackError: It cannot be read.
    """
    try:
        if is_local(path):
            with path.open("rb") as file:
                return file.read(size)
        remote = cast("Any", path)
        return bytes(remote.fs.cat_file(remote.path, start=0, end=size))
    except Exception as error:
        message = f"{display_name(path)} cannot be read ({_line(error)}); check the path."
        raise RawbackError(message) from error


def write_remote(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a file that is not on this machine, whole or not at all, and read it back.

    Raises:
        OutputRefused: It exists and is not to be replaced, or cannot be written.
    """
    remote = cast("Any", path)
    if not overwrite and fingerprint(path) is not None:
        message = f"{display_name(path)} exists already; choose another output, or overwrite it."
        raise OutputRefused(message)
    try:
        remote.fs.makedirs(remote.parent.path, exist_ok=True)
        if remote.protocol in _OBJECT_STORES:
            remote.fs.pipe_file(remote.path, data)
        else:
            # One name for each output: what a killed process leaves there, the next one replaces.
            draft = (remote.parent / f".rawback-{remote.name}.tmp").path
            remote.fs.pipe_file(draft, data)
            remote.fs.mv(draft, remote.path)
        written = remote.fs.cat_file(remote.path)
    except Exception as error:
        message = f"{display_name(path)} cannot be written ({_line(error)}); choose another output."
        raise OutputRefused(message) from error
    if written != data:
        message = f"{display_name(path)} does not hold what was written to it; run it again."
        raise OutputRefused(message)


def fingerprint(path: Path) -> str | None:
    """What changes when a file is written anew: size and time of change; None where it is not."""
    try:
        if is_local(path):
            status = path.stat()
            return f"{status.st_size} {status.st_mtime_ns}"
        remote = cast("Any", path)
        remote.fs.invalidate_cache(remote.parent.path)
        return str(remote.fs.ukey(remote.path))
    except (OSError, ValueError):
        return None


def _line(error: Exception) -> str:
    """What went wrong, on one line."""
    return " ".join(
        (getattr(error, "strerror", None) or str(error) or type(error).__name__).split()
    )
