"""Libraries of small shots."""

from __future__ import annotations

import shutil
import threading
import warnings
from typing import TYPE_CHECKING

import pytest

import rawback
from rawback.batch import api
from rawback.batch.workers import InProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COARSE = rawback.Rate.quality(5)


class Watcher(rawback.BatchWatcher):
    """Keeps what it is told."""

    def __init__(self, tell: Callable[[rawback.Outcome], None] | None = None) -> None:
        self.outcomes: list[rawback.Outcome] = []
        self.stages: dict[str, list[tuple[str, float]]] = {}
        self.workers = 0
        self._tell = tell

    def started(self, total: int, input_bytes: int, workers: int) -> None:
        assert total >= 0
        assert input_bytes >= 0
        self.workers = workers

    def working(self, inputs: tuple[Path, ...], stage: str, fraction: float) -> None:
        self.stages.setdefault(inputs[0].stem, []).append((stage, fraction))

    def ended(self, outcome: rawback.Outcome) -> None:
        self.outcomes.append(outcome)
        if self._tell is not None:
            self._tell(outcome)

    @property
    def statuses(self) -> dict[str, str]:
        return {outcome.output.name: outcome.status for outcome in self.outcomes}


@pytest.fixture
def serial(monkeypatch: pytest.MonkeyPatch) -> None:
    """All batches are done by this process."""
    monkeypatch.setattr(api, "choose_workers", lambda *_: InProcess())


@pytest.fixture
def library(tmp_path: Path, shot: tuple[bytes, bytes]) -> Path:
    """A folder with three shots, a to c, the raw of b being broken."""
    folder = tmp_path / "library"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.dng").write_bytes(shot[0])
        (folder / f"{name}.jpg").write_bytes(shot[1])
    (folder / "b.dng").write_bytes(b"II*\0 cut short")
    return folder


@pytest.fixture
def ftp(library: Path) -> Iterator[str]:
    """The library on an FTP server of this machine."""
    with warnings.catch_warnings():
        # It uses asyncore, which Python 3.11 still has.
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import FTPHandler
        from pyftpdlib.servers import FTPServer

    class Handler(FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()

    Handler.authorizer.add_user("me", "secret", str(library.parent), perm="elradfmwMT")
    server = FTPServer(("127.0.0.1", 0), Handler)
    port = server.socket.getsockname()[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.05})
    thread.start()
    yield f"ftp://me:secret@127.0.0.1:{port}/library"
    server.close_all()
    thread.join()


def add_shots(folder: Path, count: int) -> None:
    """More copies of the first shot."""
    for number in range(count):
        for ending in (".dng", ".jpg"):
            shutil.copy(folder / f"a{ending}", folder / f"shot{number:02}{ending}")


def names_in(folder: Path) -> list[str]:
    """Files in a folder but for the journal; hidden ones too."""
    return sorted(
        path.name for path in folder.iterdir() if not path.name.startswith(".rawback-batch")
    )
