"""Files in and out, so that nothing is ever lost.

An output is written to a hidden file beside its place, forced to disk, and only then given its
name: at every moment that name stands for what was there before or for the whole new file. A file
that exists is replaced only where that was asked for.

Names go to the system as they came: those that are no valid text work like all others.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rawback.errors import OutputRefused, RawbackError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StrPath", "check_output", "label", "read_file", "replace_file", "write_file"]

StrPath: TypeAlias = str | os.PathLike[str]
"""A path: text, or anything that names a file."""

_ORIGINAL = "_original"
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
    path: StrPath, data: bytes, *, overwrite: bool = False, like: StrPath | None = None
) -> Path:
    """Write a whole file, or leave everything as it was.

    Args:
        path: The output. Where it is a symbolic link that may be replaced, the file it leads to is.
        data: Its bytes.
        overwrite: Whether a file that exists may be replaced; the new one gets its permissions.
        like: A file whose permissions a new output gets, as far as the umask allows: what is made
            from a private photograph is private.

    Returns:
        The path.

    Raises:
        OutputRefused: It exists, or cannot be written.
    """
    target = Path(path)
    try:
        place = Path(os.path.realpath(target)) if overwrite else target
        with _draft(place, data, place if overwrite and place.exists() else like) as draft:
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


def replace_file(path: StrPath, data: bytes) -> Path:
    """Replace a file and keep the one that was there as ``NAME_original``.

    An original that was kept before stays: it is the oldest that counts.

    Args:
        path: The file to replace.
        data: Its new bytes.

    Returns:
        The path of the original.

    Raises:
        OutputRefused: The file, or the original beside it, cannot be written.
    """
    place = Path(os.path.realpath(path))
    original = place.with_name(place.name + _ORIGINAL)
    try:
        existed = os.path.lexists(original)
        if not existed:
            _keep(place, original)
    except (OSError, ValueError) as error:
        raise _refused(original, error) from error
    try:
        write_file(place, data, overwrite=True)
    except BaseException:
        # Only a second name for the file that is still there is surely no loss.
        if not existed and place.samefile(original):
            original.unlink()
        raise
    return original


def _keep(place: Path, original: Path) -> None:
    """Give a file a second name; where the file system knows no links, copy it."""
    try:
        os.link(place, original)
    except FileExistsError:
        return
    except OSError:
        write_file(original, place.read_bytes(), like=place)


@contextlib.contextmanager
def _draft(place: Path, data: bytes, like: StrPath | None) -> Iterator[Path]:
    """A hidden file with `data` beside `place`, on disk; gone afterwards if it is still there."""
    draft = place.with_name(f".rawback-{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(draft, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Created with what the umask allows, then nobody else's until it is whole.
            allowed = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if like is not None:
                allowed &= stat.S_IMODE(Path(like).stat().st_mode) | _WRITABLE_BY_OWNER
            draft.chmod(_WRITABLE_BY_OWNER)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        draft.chmod(allowed)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


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
