"""Errors are one sentence and an exit status; a traceback is never shown unasked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest
import typer

import rawback
from rawback.cli import main
from rawback.cli.options import parse_region, parse_size

if TYPE_CHECKING:
    from pathlib import Path

RAWBACK = [sys.executable, "-m", "rawback"]


@pytest.fixture(autouse=True)
def there(shot_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands run in the folder of the shot."""
    monkeypatch.chdir(shot_folder)
    return shot_folder


@pytest.fixture
def carrier(there: Path, lossless_carrier: bytes) -> Path:
    path = there / "carrier.jpg"
    path.write_bytes(lossless_carrier)
    return path


def breaking(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `rawback.inspect` fail with `error`."""

    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(rawback, "inspect", fail)


WRONG_USAGE = [
    ["no-such-command"],
    ["embed"],
    ["embed", "photo.dng"],
    ["embed", "photo.dng", "photo.jpg", "--size", "10kB", "--lossless"],
    ["embed", "photo.dng", "photo.jpg", "-q", "50", "--bpp", "1"],
    ["embed", "photo.dng", "photo.jpg", "-q", "0", "--psnr", "50"],
    ["embed", "photo.dng", "photo.jpg", "--size", "ten"],
    ["embed", "photo.dng", "photo.jpg", "--size", "0"],
    ["embed", "photo.dng", "photo.jpg", "-q", "101"],
    ["embed", "photo.dng", "photo.jpg", "--bpp", "0"],
    ["embed", "photo.dng", "photo.jpg", "--bpp", "nan"],
    ["embed", "photo.dng", "photo.jpg", "--in-place", "-o", "x.jpg"],
    ["embed", "photo.dng", "photo.jpg", "--in-place", "--sidecar"],
    ["batch", ".", "--in-place", "-o", "out"],
    ["restore", "photo.jpg", "--region", "1,2,3"],
    ["restore", "photo.jpg", "--region", "1,2,3,-4"],
    ["shrink", "photo.jpg", "-o", "x.jpg"],
    ["strip", "photo.jpg"],
    ["info", "photo.jpg", "--no-such-option"],
]


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str], there: Path) -> None:
    before = sorted(there.iterdir())
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "Error: " in told.err
    assert main([*arguments, "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["type"] == "UsageError"
    assert told.err == ""
    assert sorted(there.iterdir()) == before


ERRORS = [
    (["embed", "photo.jpg", "photo.jpg"], "UnsupportedRaw"),
    (["embed", "photo.dng", "photo.dng"], "UnsupportedCarrier"),
    (["embed", "photo.dng", "nowhere.jpg"], "RawbackError"),
    (["embed", "photo.dng", "photo.jpg", "-o", "photo.dng"], "OutputRefused"),
    (["embed", "photo.dng", "photo.jpg", "-o", "nowhere/x.jpg"], "OutputRefused"),
    (["embed", "photo.dng", "photo.jpg", "--size", "50"], "RateUnreachable"),
    (["restore", "photo.jpg"], "PayloadMissing"),
    (["info", "photo.jpg"], "PayloadMissing"),
    (["shrink", "photo.jpg", "--size", "1kB", "-o", "x.jpg"], "PayloadMissing"),
    (["strip", "photo.jpg", "-o", "x.jpg"], "PayloadMissing"),
    (["verify", "nowhere.jpg"], "RawbackError"),
    (["demo", "photo.jpg"], "OutputRefused"),
]


@pytest.mark.parametrize(("arguments", "kind"), ERRORS)
def test_errors(
    arguments: list[str], kind: str, capsys: pytest.CaptureFixture[str], there: Path
) -> None:
    before = {path: path.read_bytes() for path in there.iterdir()}
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("rawback: ")
    assert len(told.err.splitlines()) == 1
    assert main([*arguments, "--json"]) == 1
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert error["type"] == kind
    assert error["message"]
    assert told.err == ""
    assert {path: path.read_bytes() for path in there.iterdir()} == before


def test_names_do_not_break_messages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "no\nsuch\x1b[31m\udcff.jpg"]) == 1
    assert capsys.readouterr().err == (
        "rawback: no\\nsuch\\x1b[31m\N{REPLACEMENT CHARACTER}.jpg cannot be read "
        "(No such file or directory); check the path.\n"
    )


@pytest.mark.parametrize("error", [RuntimeError("one\ntwo"), OSError(5, "disk"), MemoryError()])
def test_what_should_not_happen_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    breaking(monkeypatch, error)
    assert main(["info", "photo.jpg"]) == 1
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "Traceback" not in told
    assert main(["info", "photo.jpg", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["type"] == type(error).__name__
    assert main(["info", "photo.jpg", "-v"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaking(monkeypatch, KeyboardInterrupt())
    assert main(["info", "photo.jpg"]) == 130
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_in_the_middle_of_a_job(there: Path) -> None:
    job = subprocess.Popen(
        [*RAWBACK, "demo", "-v"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert job.stderr is not None
    job.stderr.readline()
    job.send_signal(signal.SIGINT)
    out, err = job.communicate(timeout=60)
    assert job.returncode == 130
    assert "Traceback" not in err
    assert out == ""
    assert not list(there.glob("rawback-demo/.*"))


def test_a_reader_that_goes_away(carrier: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*RAWBACK, "info", str(carrier)], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.parametrize("name", [b"-x.jpg", b"two words.jpg", b"new\nline.jpg", b"\xff\xfe.jpg"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_name_goes_through_the_command_line(
    there: Path, carrier: Path, name: bytes, encoding: str
) -> None:
    carrier.rename(os.fsdecode(name))
    done = subprocess.run(
        [*RAWBACK, "strip", "--json", "-o", b"out " + name, "--", name],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["output"] == os.fsdecode(b"out " + name)
    words = subprocess.run(
        [*RAWBACK, "info", "--", name],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert (words.returncode, words.stderr) == (0, b"")
    assert (there / os.fsdecode(b"out " + name)).exists()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("200000", 200_000),
        ("200kB", 200_000),
        ("200KB", 200_000),
        ("200 kB", 200_000),
        ("200k", 200_000),
        ("200KiB", 204_800),
        ("1.5MB", 1_500_000),
        (".5MiB", 524_288),
        ("4GiB", 1 << 32),
        ("12B", 12),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "kB", "-1", "0", "1e3", "1,5MB", "5TB", "inf", "nan", "5iB", "5GiB", "1..5", "٣"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_size(text)


def test_regions() -> None:
    assert parse_region("1, 2,30,40") == (1, 2, 30, 40)
    for text in ("", "1,2,3", "1,2,3,4,5", "a,b,c,d", "-1,0,5,5", "0,0,0,5", "1.5,0,5,5"):
        with pytest.raises(typer.BadParameter):
            parse_region(text)
