"""Reading, and what a path looks like on a terminal."""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from rawback.errors import RawbackError

__all__ = ["StrPath", "label", "read_file", "read_packaged", "reason"]

StrPath: TypeAlias = str | os.PathLike[str]
"""A path: text, or anything that names a file."""


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
        message = f"{label(path)} cannot be read ({reason(error)}); check the path."
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


def reason(error: OSError | ValueError) -> str:
    """Why the system refused, in its own words."""
    return getattr(error, "strerror", None) or str(error)
