"""Give a file its name, unless another file has it."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["claim_name"]

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4


def claim_name(draft: Path, path: Path) -> None:
    """Give a draft its name at one stroke: until then there is no such file, not even an empty one.

    A hard link does it on most file systems; the draft's own name is left to whoever made it. FAT
    and exFAT know no links, and get a renaming that replaces nothing. Where the system has no such
    call either, only what another program makes between one look and the renaming is not seen.

    Args:
        draft: The file.
        path: Its name, in the same folder.

    Raises:
        FileExistsError: Another file has it, whoever made that meanwhile.
        OSError: The folder cannot be written.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        if not _renamed_exclusively(draft, path):
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
            draft.rename(path)


def _renamed_exclusively(draft: Path, path: Path) -> bool:
    """Rename without replacing; False where the system or the file system cannot.

    Raises:
        FileExistsError: The name is taken.
    """
    if sys.platform == "win32":
        draft.rename(path)  # replaces nothing there
        return True
    rename = _system_call()
    if rename is None:
        return False
    ctypes.set_errno(0)
    if rename(os.fsencode(draft), os.fsencode(path)) == 0:
        return True
    if ctypes.get_errno() == errno.EEXIST:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    return False


@cache
def _system_call() -> Any:
    """A function of two names, as bytes, that returns 0 or sets errno; None where there is none.

    Linux has renameat2, and macOS renamex_np.
    """
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            call = library.renamex_np
            call.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint)
            return lambda old, new: call(old, new, _RENAME_EXCL)
        call = library.renameat2
    except (AttributeError, OSError):
        return None
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return lambda old, new: call(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE)
