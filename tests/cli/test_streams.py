"""``-`` is standard input and output: data goes there, words go to stderr."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import rawback
from rawback.cli import main

if TYPE_CHECKING:
    from pathlib import Path


class Stream(io.TextIOWrapper):
    """A standard stream over bytes."""

    def __init__(self, data: bytes = b"", *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    @property
    def data(self) -> bytes:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


@pytest.fixture(autouse=True)
def there(shot_folder: Path, lossless_carrier: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    (shot_folder / "carrier.jpg").write_bytes(lossless_carrier)
    monkeypatch.chdir(shot_folder)
    return shot_folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the program over streams: exit status, what it wrote, and what it said."""

    def run(*arguments: str, data: bytes = b"", **terminal: bool) -> tuple[int, bytes, str]:
        out, err = Stream(terminal=terminal.get("output", False)), Stream()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", Stream(data, terminal=terminal.get("input", False)))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            status = main(arguments)
        return status, out.data, err.data.decode()

    return run


def test_a_pipe_of_processes(shot: tuple[bytes, bytes], shot_folder: Path) -> None:
    def rawback_with(data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "rawback", *arguments],
            input=data,
            capture_output=True,
            check=True,
            cwd=shot_folder,
        )

    raw = str(shot_folder / "photo.dng")
    embedded = rawback_with(shot[1], "embed", raw, "-", "-o", "-", "--original")
    assert b"standard output: exact" in embedded.stderr
    assert rawback.inspect(embedded.stdout).exact
    restored = rawback_with(embedded.stdout, "restore", "-", "--original", "--json")
    assert restored.stdout == shot[0]
    document = json.loads(restored.stderr)
    assert document["raw_file"]["size"] == len(shot[0])
    assert document["output"] is None


def test_input_by_stream_and_output_by_name(run: Any, there: Path, lossless_carrier: bytes) -> None:
    status, out, _ = run("restore", "-", "-o", "again.dng", data=lossless_carrier)
    assert (status, (there / "again.dng").read_bytes()) == (
        0,
        rawback.restore_bytes(lossless_carrier)[0],
    )
    assert out.startswith(b"again.dng: 160 x 120")
    assert run("restore", "-", "-o", "again.dng", data=lossless_carrier)[0] == 1


@pytest.mark.parametrize("command", ["shrink --size 3000", "strip"])
def test_carriers_are_changed_on_their_way(
    run: Any, command: str, there: Path, lossless_carrier: bytes
) -> None:
    status, out, err = run(*command.split(), "-", "-o", "-", data=lossless_carrier)
    assert run(*command.split(), "carrier.jpg", "-o", "file.jpg")[0] == 0
    assert (status, out) == (0, (there / "file.jpg").read_bytes())
    assert err.startswith("standard output: ")


def test_looking_at_a_stream(run: Any, lossless_carrier: bytes) -> None:
    status, out, _ = run("info", "-", "--json", data=lossless_carrier)
    assert (status, json.loads(out)["exact"]) == (0, True)
    status, out, _ = run("verify", "-", data=lossless_carrier)
    assert (status, out.split()[:2]) == (0, [b"-:", b"intact."])


def test_errors_never_go_where_data_goes(run: Any) -> None:
    status, out, err = run("restore", "-", "--json", data=b"no JPEG")
    assert (status, out) == (1, b"")
    assert json.loads(err)["error"]["type"] == "UnsupportedCarrier"


@pytest.mark.parametrize(
    ("arguments", "terminal", "why"),
    [
        ("embed - - -o x.jpg", {}, "one file only"),
        ("embed photo.dng - --in-place", {}, "--in-place needs files"),
        ("embed photo.dng - --sidecar", {}, "--sidecar needs files"),
        ("embed photo.dng - -o x.jpg --keep-times", {}, "--keep-times needs files"),
        ("restore carrier.jpg -o -", {"output": True}, "would go to the terminal"),
        ("restore - -o x.dng", {"input": True}, "is a terminal"),
        ("strip - -o -", {"output": True}, "would go to the terminal"),
    ],
)
def test_what_does_not_go_together_is_said(
    run: Any, arguments: str, terminal: dict[str, bool], why: str
) -> None:
    status, out, err = run(*arguments.split(), data=b"x", **terminal)
    assert (status, out) == (2, b"")
    assert why in " ".join(err.replace("│", " ").split())


def test_a_file_named_so_is_no_stream(run: Any, there: Path) -> None:
    (there / "carrier.jpg").rename(there / "-")
    assert run("info", str(there / "-"))[0] == 0
