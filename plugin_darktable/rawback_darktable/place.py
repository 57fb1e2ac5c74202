"""Where the service of this user listens: a socket that nobody else can reach."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import warnings
from pathlib import Path

import platformdirs

import rawback

__all__ = ["OVERRIDE", "socket_path"]

OVERRIDE = "RAWBACK_DARKTABLE_RUNTIME"
"""Environment variable that names another folder for the socket; empty for no service at all."""

_LONGEST = 100
"""Bytes of a socket's path; systems allow 104 to 108."""


def socket_path() -> Path | None:
    """The socket of this user and this very installation.

    Returns:
        Its path, in a folder that is this user's alone and exists; None where the system has no
        such sockets, or no such folder can be had.
    """
    if not hasattr(os, "getuid") or sys.platform == "win32":
        return None
    folder = _folder()
    if folder is None:
        return None
    # Another version, or the same one installed elsewhere, gets a service of its own.
    identity = "\0".join((rawback.__version__, sys.executable, rawback.__file__, __file__))
    name = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    path = folder / f"{name}.sock"
    return path if len(os.fsencode(path)) <= _LONGEST else None


def _folder() -> Path | None:
    asked = os.environ.get(OVERRIDE)
    if asked is not None:
        return _private_folder(Path(asked)) if asked else None
    with warnings.catch_warnings():
        # Where the system has no such folder, platformdirs warns and names one of its own.
        warnings.simplefilter("ignore")
        runtime = platformdirs.user_runtime_path("rawback-darktable", appauthor=False)
    if _is_private(runtime.parent):
        folder = _private_folder(runtime)
        if folder is not None:
            return folder
    return _private_folder(Path(tempfile.gettempdir()) / f"rawback-darktable-{os.getuid()}")


def _private_folder(folder: Path) -> Path | None:
    """The folder, made if need be, if it is this user's and closed to all others."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return folder if _is_private(folder) else None


def _is_private(folder: Path) -> bool:
    """Whether it is a folder, no link, of this user, which nobody else can enter."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    closed = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
    return closed and status.st_uid == os.getuid()
