"""Writing: the whole file under its name, or everything as it was."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rawback.errors import OutputRefused
from rawback.files.attributes import Attributes
from rawback.files.drafts import draft_beside, sync_folder
from rawback.files.naming import claim_name
from rawback.files.reading import label, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawback.files.reading import StrPath

__all__ = ["check_output", "replace_file", "write_file"]

_ORIGINAL = "_original"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def check_output(path: StrPath, *, overwrite: bool, inputs: tuple[StrPath, ...] = ()) -> None:
    """Refuse an output before any work is done for it.

    Args:
        path: The output.
        overwrite: Whether a file that exists may be replaced.
        inputs: Files that the output is made from, which it never replaces.

    Raises:
        OutputRefused: It exists, is one of the inputs, is not a plain file, or has no folder that
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
            message = f"{label(path)} is not a plain file; choose another output."
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
    keep_times: bool = False,
    check: Callable[[Path], None] | None = None,
    was: bytes | None = None,
) -> Path:
    """Write a whole file, or leave everything as it was.

    Args:
        path: The output. Where it is a symbolic link that may be replaced, the file it leads to is.
        data: Its bytes.
        overwrite: Whether a file that exists may be replaced; the new one gets its permissions,
            owner and extended attributes.
        like: What a new output is made from: it gets its permissions, as far as the umask allows,
            because what is made from a private photograph is private, and users' extended
            attributes.
        keep_times: Give the output the times of `like`, or, without that, of the file it replaces.
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
        replaced = place if overwrite and place.exists() else None
        attributes = Attributes(replaced, like, (like or replaced) if keep_times else None)
        with draft_beside(place, data, attributes) as draft:
            _look(draft, place, check, was)
            if overwrite:
                draft.replace(place)
            else:
                claim_name(draft, place)
            sync_folder(place.parent)
    except FileExistsError as error:
        raise _exists(target) from error
    except (OSError, ValueError) as error:
        raise _refused(target, error) from error
    return target


def replace_file(
    path: StrPath,
    data: bytes,
    *,
    keep_times: bool = False,
    check: Callable[[Path], None] | None = None,
    was: bytes | None = None,
) -> Path:
    """Replace a file and keep the one that was there as ``NAME_original``.

    An original that was kept before stays: it is the oldest that counts.

    Args:
        path: The file to replace.
        data: Its new bytes.
        keep_times: Whether it keeps its times.
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
        attributes = Attributes(place, times=place if keep_times else None)
        with draft_beside(place, data, attributes) as draft:
            _look(draft, place, check, was)
            with _kept(place, original):
                draft.replace(place)
            sync_folder(place.parent)
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
            write_file(original, place.read_bytes(), like=place, keep_times=True)
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


def _is_same(target: Path, source: StrPath) -> bool:
    return target.exists() and Path(source).exists() and target.samefile(source)


def _check_folder(target: Path) -> None:
    folder = target.parent
    if not folder.is_dir():
        message = f"{label(folder)} is not a folder; create it, or choose another output."
        raise OutputRefused(message)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _exists(path: Path) -> OutputRefused:
    return OutputRefused(f"{label(path)} exists already; choose another output, or overwrite it.")


def _refused(path: Path, error: OSError | ValueError) -> OutputRefused:
    if isinstance(error, OSError) and error.errno in _FULL:
        message = f"{label(path)} does not fit on its disk; make room, or choose another folder."
    else:
        message = f"{label(path)} cannot be written ({reason(error)}); choose another output."
    return OutputRefused(message)
