"""The helper: one job, one line, and a JPEG that carries its raw or is as it was."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from platformdirs.macos import MacOS

import rawback
from rawback_darktable import client, command, place, service
from rawback_darktable.arguments import Arguments, parse
from rawback_darktable.line import failure_line, outcome_line

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Line:
    """A line of the helper as the script reads it."""

    status: str
    fields: dict[str, str]

    @classmethod
    def read(cls, text: str) -> Line:
        status, *words = text.rstrip("\n").split("\t")
        pairs = [word.partition("=")[::2] for word in words]
        assert status in ("embedded", "failed")
        assert pairs[-1][0] == "message"
        return cls(status, dict(pairs))

    @property
    def message(self) -> str:
        return self.fields["message"]


def run(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, Line]:
    """Run the command; its status and the one line it prints."""
    status = command.main(arguments)
    out = capfdbinary.readouterr().out
    assert out.count(b"\n") == 1
    return status, Line.read(out.decode())


def folder_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@given(st.text())
def test_a_failure_is_one_line_whatever_it_quotes(message: str) -> None:
    line = failure_line(message)
    assert len(line.splitlines()) == 1
    assert Line.read(line).message == " ".join(message.split())


def test_outcomes_without_figures() -> None:
    files = (Path("a.dng"), Path("a.jpg"))
    failed = rawback.Outcome(files, files[1], "failed", error=("ShotMismatch", "Not\tthis one."))
    assert outcome_line(failed) == "failed\tmessage=Not this one."
    cancelled = rawback.Outcome(files, files[1], "cancelled")
    assert Line.read(outcome_line(cancelled)).status == "failed"


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ([], rawback.Rate.quality(60)),
        (["--quality", "42.5"], rawback.Rate.quality(42.5)),
        (["--size", "20000"], rawback.Rate.size(20000)),
        (["--lossless"], rawback.Rate.lossless()),
        (["--original"], rawback.Rate.lossless()),
    ],
)
@pytest.mark.parametrize("unguided", [False, True])
def test_arguments_say_the_task(words: list[str], rate: rawback.Rate, unguided: bool) -> None:
    given = [*words, *(["--unguided"] if unguided else []), "--", "raw.dng", "-j.jpg"]
    task = parse(given).task()
    assert (task.rate, task.unguided) == (rate, unguided)
    assert task.original == ("--original" in words)
    assert (task.raw, task.jpeg, task.output) == (Path("raw.dng"), Path("-j.jpg"), Path("-j.jpg"))
    assert task.in_place
    assert not task.keep_original
    assert task.verify
    assert not parse(["--no-verify", *given]).task().verify
    elsewhere = parse(parse(given).absolute()).task()
    assert (elsewhere.rate, elsewhere.unguided) == (rate, unguided)
    assert elsewhere.inputs == (Path.cwd() / "raw.dng", Path.cwd() / "-j.jpg")


@given(st.text(st.characters(exclude_characters="\0/")).filter(lambda name: name not in ("", ".")))
def test_any_name_goes_through_to_the_service(name: str) -> None:
    folder = Path("/", name)
    words = parse(["--", f"{folder}/x.dng", f"{folder}/x.jpg"]).absolute()
    text = json.dumps(words)
    assert text.isascii()
    assert "\n" not in text
    assert parse(json.loads(text)).absolute() == words


@pytest.mark.usefixtures("no_service")
def test_a_jpeg_gets_its_raw(
    shot_folder: Path, shot: tuple[bytes, bytes], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    raw, jpeg = str(shot_folder / "photo.dng"), shot_folder / "photo.jpg"
    jpeg.chmod(0o640)
    status, outcome = run(capfdbinary, "--quality", "40", "--", raw, str(jpeg))
    assert (status, outcome.status) == (0, "embedded")
    figures = outcome.fields
    assert int(figures["bytes"]) == jpeg.stat().st_size - len(shot[1])
    assert float(figures["psnr"]) > 30
    assert figures["guided"] == "yes"
    assert rawback.strip_bytes(jpeg.read_bytes()) == shot[1]
    assert stat.S_IMODE(jpeg.stat().st_mode) == 0o640
    assert folder_names(shot_folder) == {"photo.dng", "photo.jpg"}


@pytest.mark.usefixtures("no_service")
def test_a_jpeg_gets_the_raw_file_itself(
    shot_folder: Path, shot: tuple[bytes, bytes], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    raw, jpeg = str(shot_folder / "photo.dng"), shot_folder / "photo.jpg"
    status, outcome = run(capfdbinary, "--original", raw, str(jpeg))
    assert (status, outcome.fields["exact"]) == (0, "yes")
    again = rawback.restore(jpeg, shot_folder / "again.dng", original=True)
    assert again.output is not None
    assert again.output.read_bytes() == shot[0]


@pytest.mark.usefixtures("no_service")
def test_names_relative_hostile_and_from_a_file(
    shot_folder: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shot_folder)
    name = "-a 'b' \"c\" `d` $(e) ü\\.jpg"
    (shot_folder / "photo.jpg").rename(shot_folder / name)
    arguments = ["--lossless", "--", "photo.dng", name]
    (shot_folder / "job").write_text("\n".join(arguments), "utf-8")
    status, outcome = run(capfdbinary, "--job", "job")
    assert (status, outcome.fields["exact"]) == (0, "yes")
    assert rawback.inspect(name).exact


def unrelated(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (120, 160, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(noise).save(data, "JPEG")
    return data.getvalue()


@pytest.mark.usefixtures("no_service")
def test_a_jpeg_of_something_else_is_refused_or_coded_without_it(
    shot_folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    raw, jpeg = str(shot_folder / "photo.dng"), shot_folder / "photo.jpg"
    jpeg.write_bytes(unrelated(1))
    status, outcome = run(capfdbinary, raw, str(jpeg))
    assert (status, outcome.status) == (1, "failed")
    assert "same shot" in outcome.message
    assert jpeg.read_bytes() == unrelated(1)
    status, outcome = run(capfdbinary, "--unguided", "--lossless", raw, str(jpeg))
    assert (status, outcome.fields["guided"]) == (0, "no")
    assert rawback.verify(jpeg, raw=raw).exact


@pytest.mark.usefixtures("no_service")
@pytest.mark.parametrize("missing", ["photo.dng", "photo.jpg"])
def test_missing_files_are_told(
    shot_folder: Path, missing: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (shot_folder / missing).unlink()
    raw, jpeg = str(shot_folder / "photo.dng"), str(shot_folder / "photo.jpg")
    status, outcome = run(capfdbinary, raw, jpeg)
    assert (status, outcome.status) == (1, "failed")
    assert missing in outcome.message


@pytest.mark.usefixtures("no_service")
def test_what_should_not_happen_is_a_line_as_well(
    shot_folder: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        message = "two\nlines"
        raise KeyError(message)

    monkeypatch.setattr("rawback.embed", broken)
    raw, jpeg = str(shot_folder / "photo.dng"), str(shot_folder / "photo.jpg")
    status, outcome = run(capfdbinary, raw, jpeg)
    assert (status, outcome.status) == (1, "failed")
    assert "KeyError" in outcome.message


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        [],
        ["a"],
        ["--size", "many", "a", "b"],
        ["--job", "/none"],
        ["a", "b", "--lossless"],
    ):
        assert command.main(arguments) == 2
        assert "usage" in capsys.readouterr().err


def test_killed_while_at_work(shot_folder: Path, helper: Path) -> None:
    """The JPEG is as it was, and nothing is left beside it."""
    raw, jpeg = shot_folder / "photo.dng", shot_folder / "photo.jpg"
    before = jpeg.read_bytes()
    process = subprocess.Popen([helper, "--alone", raw, jpeg], stdout=subprocess.DEVNULL)
    time.sleep(0.4)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert jpeg.read_bytes() == before
    assert folder_names(shot_folder) == {"photo.dng", "photo.jpg"}


# the service


def arguments_of(folder: Path, *options: str) -> Arguments:
    return parse([*options, "--", str(folder / "photo.dng"), str(folder / "photo.jpg")])


def test_the_service_is_started_once_and_does_the_jobs(
    shot_folder: Path, service_folder: Path
) -> None:
    job = arguments_of(shot_folder, "--lossless")
    first = client.ask(job)
    assert first is not None
    assert Line.read(first).status == "embedded", first
    path = place.socket_path()
    assert path is not None
    assert path.parent == service_folder
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lock = path.with_suffix(".lock").stat().st_ino
    second = client.ask(job)
    assert second is not None
    assert Line.read(second).fields["bytes"] == Line.read(first).fields["bytes"]
    assert path.with_suffix(".lock").stat().st_ino == lock
    assert not service.Service(path).run(), "a second service in the same place"
    assert client.stop()
    end = time.monotonic() + 10
    while path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not path.exists()
    assert not client.stop()


def test_the_service_tells_what_it_refuses(shot_folder: Path, service_folder: Path) -> None:
    (shot_folder / "photo.dng").unlink()
    line = client.ask(arguments_of(shot_folder))
    assert line is not None
    assert Line.read(line).status == "failed"
    assert "photo.dng" in line


class Running:
    """A service in a thread of this process."""

    def __init__(self, path: Path, idle: float = 60.0) -> None:
        self.path = path
        self.thread = threading.Thread(target=service.Service(path, idle).run)
        self.thread.start()
        while not path.exists():
            time.sleep(0.01)

    def connection(self) -> socket.socket:
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.connect(str(self.path))
        return found


def test_a_client_that_hangs_up_ends_its_job(
    shot_folder: Path, service_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, ended = threading.Event(), threading.Event()

    made = Arguments.task

    def task(arguments: Arguments) -> rawback.EmbedTask:
        assert gone.wait(10)
        return made(arguments)

    def noted_line(outcome: rawback.Outcome) -> str:
        statuses.append(outcome.status)
        ended.set()
        return outcome_line(outcome)

    words = arguments_of(shot_folder).absolute()
    statuses: list[str] = []
    monkeypatch.setattr(Arguments, "task", task)
    monkeypatch.setattr(service, "outcome_line", noted_line)
    running = Running(service_folder / "s.sock", idle=0.5)
    before = (shot_folder / "photo.jpg").read_bytes()
    with running.connection() as connection:
        connection.sendall(json.dumps(words).encode() + b"\n")
        assert connection.recv(1) == b"\n", "a sign of life"
    time.sleep(2 * service.TICK)
    gone.set()
    assert ended.wait(30)
    running.thread.join(10)
    assert not running.thread.is_alive(), "it ends when nothing is asked of it"
    assert statuses == ["cancelled"]
    assert (shot_folder / "photo.jpg").read_bytes() == before


@pytest.mark.parametrize(
    "request_",
    [
        b"\n", b"hello\n", b"{}\n", b"[1]\n", b"[]\n", b"\xff\xfe\n", b"x" * 70_000,
        b'["--help"]\n', b'["--stop"]\n', b'["--size", "x", "a", "b"]\n',
    ],
)  # fmt: skip
def test_requests_that_make_no_sense(service_folder: Path, request_: bytes) -> None:
    running = Running(service_folder / "s.sock", idle=0.3)
    with running.connection() as connection, connection.makefile("rb") as lines:
        connection.sendall(request_)
        assert Line.read(lines.readline().decode()).status == "failed"
    running.thread.join(10)
    assert not running.thread.is_alive()


def test_a_service_that_dies_leaves_the_job_to_the_helper(
    shot_folder: Path, service_folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = place.socket_path()
    assert path is not None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        raw, jpeg = str(shot_folder / "photo.dng"), str(shot_folder / "photo.jpg")
        status, outcome = run(capfdbinary, "--lossless", raw, jpeg)
    assert (status, outcome.status) == (0, "embedded")
    assert rawback.inspect(jpeg).intact


def test_folders_that_others_can_enter_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(place.OVERRIDE, str(tmp_path / "shared"))
    (tmp_path / "shared").mkdir(mode=0o700)
    (tmp_path / "shared").chmod(0o755)
    assert place.socket_path() is None
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "own")
    monkeypatch.setenv(place.OVERRIDE, str(tmp_path / "link"))
    assert place.socket_path() is None
    monkeypatch.setenv(place.OVERRIDE, str(tmp_path / ("long" * 30)))
    assert place.socket_path() is None


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A temporary folder whose name leaves room for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="rb-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def test_the_folder_that_linux_has_for_sockets(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(place.OVERRIDE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    path = place.socket_path()
    assert path is not None
    assert path.parent == short_folder / "rawback-darktable"
    # One that others can enter is passed over.
    short_folder.chmod(0o755)
    other = place.socket_path()
    assert other is not None
    assert other.parent == Path(tempfile.gettempdir()) / f"rawback-darktable-{os.getuid()}"


def test_the_folder_that_macos_has_for_sockets(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(place.OVERRIDE, raising=False)
    monkeypatch.setenv("HOME", str(short_folder))
    monkeypatch.setattr(
        "platformdirs.user_runtime_path", lambda name, **_: MacOS(name).user_runtime_path
    )
    temporary = short_folder / "Library" / "Caches" / "TemporaryItems"
    temporary.mkdir(mode=0o700, parents=True)
    path = place.socket_path()
    assert path is not None
    assert path.parent == temporary / "rawback-darktable"
    # A name that is too long for a socket: no service, the helper does its jobs itself.
    monkeypatch.setenv("HOME", str(short_folder / ("long" * 20)))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(short_folder / ("long" * 20)))
    assert place.socket_path() is None


def test_windows_has_no_such_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert place.socket_path() is None
    monkeypatch.undo()
    monkeypatch.delattr(os, "getuid")
    assert place.socket_path() is None


def test_the_command_starts_without_the_codec() -> None:
    """What a hook waits for: the helper loads nothing that only the service needs."""
    heavy = ("numpy", "torch", "rawback.encoder", "rawback.decoder", "asyncio")
    program = (
        "import sys, rawback_darktable.command, rawback_darktable.client;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
