"""The warm process: ``python -m rawback_darktable.service SOCKET``.

It listens on a socket that only this user can open, does one job at a time, and ends itself when
nothing was asked of it for some minutes. A client that hangs up ends its job, whose JPEG then
stays as it was.

::

    client     the arguments of the command as a JSON list, or the word stop, on one line
    service    empty lines as signs of life, then the line that the command prints
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import rawback
from rawback_darktable.arguments import parse
from rawback_darktable.line import failure_line, outcome_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawback_darktable.arguments import Arguments

__all__ = ["TICK", "Service", "main"]

_IDLE = 180.0
_LONGEST_REQUEST = 1 << 16
_REQUEST_PATIENCE = 5.0
TICK = 0.5
"""Seconds between signs of life."""


class Service:
    """Answers on one socket.

    Args:
        path: Where to listen; its folder is this user's alone.
        idle: Seconds without a job after which it ends.
    """

    def __init__(self, path: Path, idle: float = _IDLE) -> None:
        self._path = path
        self._idle = idle
        self._turn = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def run(self) -> bool:
        """Answer until there is nothing to do.

        Returns:
            False where another service has the place already.
        """
        with _alone(self._path.with_suffix(".lock")) as alone:
            if not alone:
                return False
            with _listening(self._path) as listener:
                threading.Thread(target=rawback.Codec, daemon=True).start()
                listener.settimeout(TICK)
                used = time.monotonic()
                while not self._stopped.is_set() and time.monotonic() - used < self._idle:
                    if self._accept(listener):
                        used = time.monotonic()
        return True

    def _accept(self, listener: socket.socket) -> bool:
        """Wait a moment for a client; whether anybody is being served."""
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            thread = threading.Thread(target=self._serve, args=(connection,))
            thread.start()
            self._threads.append(thread)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return bool(self._threads)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_REQUEST_PATIENCE)
            line = self._answer(connection, _request(connection))
            connection.sendall(line.encode("utf-8", "replace") + b"\n")

    def _answer(self, connection: socket.socket, request: str) -> str:
        """Do what a request asks for; the line about what came of it."""
        if request == "stop":
            self._stopped.set()
            return failure_line("The service ends.")
        try:
            arguments = _arguments(request)
        except ValueError:
            return failure_line("The service does not understand this; start it again.")

        with _signs_of_life(connection) as gone:

            def check(_stage: str = "", _fraction: float = 0.0) -> None:
                if gone.is_set():
                    message = "Nobody waits for this job any more; export again."
                    raise rawback.Cancelled(message)

            while not self._turn.acquire(timeout=TICK):
                if gone.is_set():
                    return ""
            try:
                return outcome_line(arguments.task().perform(check))
            finally:
                self._turn.release()


@contextlib.contextmanager
def _signs_of_life(connection: socket.socket) -> Iterator[threading.Event]:
    """Send empty lines while the context lasts; the event tells that the client has hung up."""
    gone, over = threading.Event(), threading.Event()

    def send() -> None:
        try:
            while not over.wait(TICK):
                connection.sendall(b"\n")
        except OSError:
            gone.set()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield gone
    finally:
        over.set()
        thread.join()


def _request(connection: socket.socket) -> str:
    data = bytearray()
    while not data.endswith(b"\n") and len(data) < _LONGEST_REQUEST:
        part = connection.recv(_LONGEST_REQUEST)
        if not part:
            break
        data += part
    return data.decode("ascii", "replace").strip()


def _arguments(request: str) -> Arguments:
    """What a line of a client asks for.

    Raises:
        ValueError: It asks for nothing that there is.
    """
    words = json.loads(request)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        message = f"{request!r} is not a list of words"
        raise ValueError(message)
    try:
        arguments = parse(words)
    except SystemExit as error:
        raise ValueError(request) from error
    if arguments.stop or arguments.alone:
        message = f"{request!r} is not for the service"
        raise ValueError(message)
    return arguments


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Hold a lock file while the context lasts; False where another process holds it."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """A socket of mode 0600 while the context lasts."""
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
    finally:
        os.umask(before)
    try:
        listener.listen()
        yield listener
    finally:
        path.unlink(missing_ok=True)
        listener.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a service on the socket that is named, unless there is one already."""
    (path,) = sys.argv[1:] if arguments is None else arguments
    Service(Path(path)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
