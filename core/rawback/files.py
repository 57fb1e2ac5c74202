"""Files in and out, so that nothing is ever lost.

An output is written to a hidden file beside its place, forced to disk, and only then given its
name: at every moment that name stands for what was there before or for the whole new file. A file
that exists is replaced only where that was asked for, and never after it was changed meanwhile.

A hidden file is locked as long as somebody writes it. One that nobody holds was left behind by a
process that was killed, and goes when the next file is written beside it.

Names go to the system as they came: those that are no valid text work like all others.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rawback.errors import OutputRefused, RawbackError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "StrPath",
    "check_output",
    "label",
    "read_file",
    "read_packaged",
    "replace_file",
    "write_file",
]

StrPath: TypeAlias = str | os.PathLike[str]
"""A path: text, or anything that names a file."""

_ORIGINAL = "_original"
_DRAFT = re.compile(r"\.rawback-[0-9a-f]{16}\.tmp")
_WRITABLE_BY_OWNER = stat.S_IRUSR | stat.S_IWUSR
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def label(path: StrPath) -> str:
    """A path as it can be shown on one line of any terminal."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def read_file(path: StrPath) -> bytes:
    """Read a whole file.

    Raises:
        RawbackError: There is no such file, or it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        message = f"{label(path)} cannot be read ({_reason(error)}); check the path."
        raise RawbackError(message) from error


def read_packaged(package: str, name: str) -> bytes:
    """Read a file that comes with the library, which is the very one it came with.

    Payloads are coded with such files: one that had changed on this machine would make payloads
    that no other machine restores.

    Args:
        package: The package that holds it, and ``SHA256SUMS``, as the program sha256sum writes it.
        name: The file's name.

    Raises:
        RawbackError: The file is not there, or is not what it was.
    """
    folder = files(package)
    try:
        data = folder.joinpath(name).read_bytes()
        sums = folder.joinpath("SHA256SUMS").read_text("ascii")
        held = {name: digest for digest, name in map(str.split, sums.splitlines())}
    except (OSError, ValueError) as error:
        message = f"This installation of rawback lacks {name}; install it again."
        raise RawbackError(message) from error
    if held.get(name) != hashlib.sha256(data).hexdigest():
        message = f"{name} of this installation of rawback is damaged; install it again."
        raise RawbackError(message)
    return data


def check_output(path: StrPath, *, overwrite: bool, inputs: tuple[StrPath, ...] = ()) -> None:
    """Refuse an output before any work is done for it.

    Args:
        path: The output.
        overwrite: Whether a file that exists may be replaced.
        inputs: Files that the output is made from, which it never replaces.

    Raises:
        OutputRefused: It exists, is one of the inputs, is no plain file, or has no folder that
            can be written to.
    """
    target = Path(path)
    try:
        _check_folder(target)
        target.lstat()
        if any(_is_same(target, source) for source in inputs):
            message = f"{label(path)} is an input of this very job; choose another output."
            raise OutputRefused(message)
        if not overwrite:
            raise _exists(target)
        if target.exists() and not target.is_file():
            message = f"{label(path)} is no plain file; choose another output."
            raise OutputRefused(message)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise _refused(target, error) from error


def write_file(
    path: StrPath,
    data: bytes,
    *,
    overwrite: bool = False,
    like: StrPath | None = None,
    check: Callable[[Path], None] | None = None,
    was: bytes | None = None,
) -> Path:
    """Write a whole file, or leave everything as it was.

    Args:
        path: The output. Where it is a symbolic link that may be replaced, the file it leads to is.
        data: Its bytes.
        overwrite: Whether a file that exists may be replaced; the new one gets its permissions.
        like: A file whose permissions a new output gets, as far as the umask allows: what is made
            from a private photograph is private.
        check: Is given the written file before it gets its name, and raises if it is not good.
        was: What the file that is replaced has to hold still.

    Returns:
        The path.

    Raises:
        OutputRefused: It exists, cannot be written, or is no longer what it `was`.
    """
    target = Path(path)
    try:
        place = Path(os.path.realpath(target)) if overwrite else target
        with _draft(place, data, place if overwrite and place.exists() else like) as draft:
            _look(draft, place, check, was)
            if overwrite:
                draft.replace(place)
            else:
                _claim(draft, place)
            _sync_folder(place.parent)
    except FileExistsError as error:
        raise _exists(target) from error
    except (OSError, ValueError) as error:
        raise _refused(target, error) from error
    return target


def replace_file(
    path: StrPath,
    data: bytes,
    *,
    check: Callable[[Path], None] | None = None,
    was: bytes | None = None,
) -> Path:
    """Replace a file and keep the one that was there as ``NAME_original``.

    An original that was kept before stays: it is the oldest that counts.

    Args:
        path: The file to replace.
        data: Its new bytes.
        check: As for `write_file`.
        was: As for `write_file`.

    Returns:
        The path of the original.

    Raises:
        OutputRefused: The file, or the original beside it, cannot be written, or the file is no
            longer what it `was`.
    """
    place = Path(os.path.realpath(path))
    original = place.with_name(place.name + _ORIGINAL)
    try:
        with _draft(place, data, place) as draft:
            _look(draft, place, check, was)
            with _kept(place, original):
                draft.replace(place)
            _sync_folder(place.parent)
    except (OSError, ValueError) as error:
        raise _refused(place, error) from error
    return original


@contextlib.contextmanager
def _kept(place: Path, original: Path) -> Iterator[None]:
    """Give a file a second name, or a copy where the file system knows no links."""
    existed = os.path.lexists(original)
    if not existed:
        try:
            os.link(place, original)
        except FileExistsError:
            existed = True
        except OSError:
            write_file(original, place.read_bytes(), like=place)
    try:
        yield
    except BaseException:
        # Only a second name for the file that is still there is surely no loss.
        if not existed and place.samefile(original):
            original.unlink()
        raise


def _look(
    draft: Path, place: Path, check: Callable[[Path], None] | None, was: bytes | None
) -> None:
    """Look once more, in the last moment in which nothing has happened yet."""
    if check is not None:
        check(draft)
    if was is not None and place.read_bytes() != was:
        message = f"{label(place)} has changed since it was read; run it again."
        raise OutputRefused(message)


@contextlib.contextmanager
def _draft(place: Path, data: bytes, like: StrPath | None) -> Iterator[Path]:
    """A hidden file with `data` beside `place`, on disk; gone afterwards if it is still there."""
    _sweep(place.parent)
    draft, descriptor = _new_draft(place.parent)
    with os.fdopen(descriptor, "wb") as file:
        try:
            # Created with what the umask allows, then nobody else's until it is whole.
            allowed = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if like is not None:
                allowed &= stat.S_IMODE(Path(like).stat().st_mode) | _WRITABLE_BY_OWNER
            draft.chmod(_WRITABLE_BY_OWNER)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            draft.chmod(allowed)
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


def _claim(draft: Path, place: Path) -> None:
    """Give a draft its name unless another file has it, whoever made that meanwhile."""
    try:
        os.link(draft, place)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links: hold the name with an empty file, then replace that.
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            draft.replace(place)
        except BaseException:
            place.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """Force a new name to disk, where folders can be opened for that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_same(target: Path, source: StrPath) -> bool:
    return target.exists() and Path(source).exists() and target.samefile(source)


def _check_folder(target: Path) -> None:
    folder = target.parent
    if not folder.is_dir():
        message = f"{label(folder)} is no folder; create it, or choose another output."
        raise OutputRefused(message)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _exists(path: Path) -> OutputRefused:
    return OutputRefused(f"{label(path)} exists already; choose another output, or overwrite it.")


def _refused(path: Path, error: OSError | ValueError) -> OutputRefused:
    if isinstance(error, OSError) and error.errno in _FULL:
        message = f"{label(path)} does not fit on its disk; make room, or choose another folder."
    else:
        message = f"{label(path)} cannot be written ({_reason(error)}); choose another output."
    return OutputRefused(message)


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
