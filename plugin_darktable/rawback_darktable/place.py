"""Where the service of this user listens: a socket that nobody else can reach."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

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
        return _own(Path(asked)) if asked else None
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        found = _own(Path(runtime) / "rawback-darktable")
        if found is not None:
            return found
    return _own(Path(tempfile.gettempdir()) / f"rawback-darktable-{os.getuid()}")


def _own(folder: Path) -> Path | None:
    """The folder, made if need be, if it is this user's and closed to all others."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
    return folder if private and found.st_uid == os.getuid() else None
