"""Hand a job to the service, and start the service where there is none."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from rawback_darktable.place import socket_path

if TYPE_CHECKING:
    from pathlib import Path

    from rawback_darktable.arguments import Arguments

__all__ = ["ask", "stop"]

_PATIENCE = 5.0
"""Seconds for a service to begin to listen."""
_SILENCE = 60.0
"""Seconds without a sign of life, of which there are two a second, until a service is given up."""
_PAUSE = 0.01


def ask(arguments: Arguments) -> str | None:
    """Let the service do a job.

    Returns:
        The line about what came of it; None where there is no service to be had, or it ended
        meanwhile: then the job is not done, or done to its end.
    """
    path = socket_path()
    if path is None:
        return None
    connection = _connected(path) or _started(path)
    if connection is None:
        return None
    with connection, contextlib.suppress(OSError, ValueError):
        return _answer(connection, json.dumps(arguments.absolute()))
    return None


def stop() -> bool:
    """End the service, if one runs.

    Returns:
        Whether one did.
    """
    path = socket_path()
    connection = None if path is None else _connected(path)
    if connection is None:
        return False
    with connection, contextlib.suppress(OSError, ValueError):
        _answer(connection, "stop")
    return True


def _answer(connection: socket.socket, request: str) -> str | None:
    """Send a line of ASCII; skip signs of life, which are empty lines, until the answer."""
    connection.settimeout(_SILENCE)
    connection.sendall(request.encode("ascii") + b"\n")
    with connection.makefile("rb") as lines:
        for line in lines:
            if line.endswith(b"\n") and line.strip():
                return line.decode("utf-8").rstrip("\n")
    return None


def _connected(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_PATIENCE)
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _started(path: Path) -> socket.socket | None:
    command = [sys.executable, "-m", "rawback_darktable.service", str(path)]
    try:
        # In a session of its own and without our files: it outlives us, and nobody waits for it.
        service = subprocess.Popen(  # noqa: S603 - this very Python, and a path of our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
    except OSError:
        return None
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        connection = _connected(path)
        if connection is not None:
            # Python would warn of a child that nobody has waited for.
            service.returncode = 0
            return connection
        if service.poll() not in (None, 0):
            return None
        time.sleep(_PAUSE)
    return None
