"""``rawback batch``, and ``rawback restore`` of many carriers."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import rawback
from rawback.cli import main
from rawback.cli.batch_progress import time_text
from rawback.cli.options import parse_jobs
from rawback.cli.output import bytes_text

if TYPE_CHECKING:
    from pathlib import Path

BATCH = ["batch", ".", "-q", "5", "-j", "1"]


@pytest.fixture(autouse=True)
def there(shot_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands run in a folder with two shots, the raw of one being broken."""
    monkeypatch.chdir(shot_folder)
    (shot_folder / "broken.dng").write_bytes(b"II*\0 cut short")
    (shot_folder / "broken.jpg").write_bytes((shot_folder / "photo.jpg").read_bytes())
    return shot_folder


def test_in_place(
    there: Path, shot: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BATCH, "--in-place"]) == 1
    assert capsys.readouterr().out.startswith("embedded 1 of 2\n")
    assert rawback.verify(there / "photo.jpg", raw=there / "photo.dng").intact
    assert (there / "photo.jpg_original").read_bytes() == shot[1]
    assert not (there / "broken.jpg_original").exists()


@pytest.mark.slow
def test_there_and_back(
    there: Path, shot: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(BATCH) == 1
    told = capsys.readouterr()
    assert told.out.startswith("embedded 1 of 2\n")
    assert "broken.rawback.jpg" in told.out
    assert "is cut or damaged" in told.out
    assert told.err == ""
    (there / "broken.dng").write_bytes(shot[0])
    assert main([*BATCH, "--json", "--json-lines", "lines.jsonl"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["total"], report["done"], report["unchanged"]) == (2, 1, 1)
    lines = [json.loads(line) for line in (there / "lines.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["file", "file", "summary"]
    assert {line["status"] for line in lines[:2]} == {"done", "unchanged"}
    done = next(line for line in lines[:2] if line["status"] == "done")
    assert done["figures"]["verified"] is True
    assert main(["restore", "photo.rawback.jpg", "broken.rawback.jpg", "-o", "out", "-j", "1"]) == 0
    assert capsys.readouterr().out.startswith("restored 2 of 2\n")
    assert sorted(path.name for path in (there / "out").glob("*.dng")) == [
        "broken.rawback.dng",
        "photo.rawback.dng",
    ]
    assert main(["restore", ".", "-j", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["done"], len(report["unmatched"])) == (2, 2)


def test_a_dry_run_says_what_goes_with_what(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (there / "photo.nef").write_bytes(b"")
    (there / "alone.jpg").write_bytes(b"")
    before = sorted(there.iterdir())
    assert main(["batch", ".", "--dry-run", "--match", "times"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "broken.dng goes into broken.jpg (by name)",
        "photo.jpg is ambiguous: 2 raws have the same name or time: photo.dng, photo.nef",
        "alone.jpg is left over: No raw has its name or time.",
        "1 pairs, 1 ambiguous, 1 left over",
    ]
    assert main(["batch", ".", "--dry-run", "--json"]) == 3
    pairing = json.loads(capsys.readouterr().out)
    assert pairing["jpegs"] == ["alone.jpg"]
    # Only one of the two shows anything.
    assert {pair["raw"]: pair["basis"] for pair in pairing["pairs"]} == {
        "broken.dng": "name",
        "photo.dng": "picture",
    }
    (there / "photo.nef").unlink()
    (there / "alone.jpg").unlink()
    assert main(["batch", ".", "--dry-run"]) == 0
    assert set(before) - set(there.iterdir()) == {there / "photo.nef", there / "alone.jpg"}


def test_the_exit_status_tells_of_what_is_left(
    there: Path, shot: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    (there / "broken.dng").unlink()
    (there / "broken.jpg").write_bytes(b"")
    assert main([*BATCH, "--json-lines", "lines"]) == 3
    told = capsys.readouterr()
    assert told.out.startswith("embedded 1 of 1\n")
    assert "left alone" in told.out
    assert "broken.jpg" in told.out
    assert "none shows it" in told.out
    events = [json.loads(line)["event"] for line in (there / "lines").read_text().splitlines()]
    assert events == ["file", "unmatched", "summary"]
    (there / "broken.jpg").unlink()
    assert main(BATCH) == 0


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_to_pair_is_no_success(
    there: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    for name in ("photo.jpg", "broken.dng", "broken.jpg"):
        (there / name).unlink()
    options = ["--json"] if as_json else []
    assert main([*BATCH, *options]) == 1
    told = capsys.readouterr()
    if as_json:
        assert json.loads(told.out)["total"] == 0
        assert told.err == ""
    else:
        assert "photo.dng" in told.out
        assert "No raw and JPEG of one shot are in ." in told.err
    assert main(["restore", ".", "-j", "1", *options]) == 1
    assert as_json or "No JPEG in . carries a raw" in capsys.readouterr().err


def test_ambiguous_shots_are_failures(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (there / "photo.nef").write_bytes(b"")
    for name in ("broken.dng", "broken.jpg"):
        (there / name).unlink()
    assert main([*BATCH, "--match", "times", "--json-lines", "-"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["ambiguous", "summary"]
    assert main([*BATCH, "--match", "times"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("embedded 0 of 1\n")
    assert "photo.nef" in told


WHOLE: list[tuple[list[str], dict[str, Any]]] = [
    ([], {"rate": None, "workers": None, "verify": True, "cluster": None, "match": "pictures"}),
    (["--size", "20kB", "-r", "-j", "3"], {"rate": rawback.Rate.size(20000), "workers": 3}),
    (["--lossless", "-j", "all", "--no-verify"], {"workers": None, "verify": False}),
    (["--cluster", "tcp://h:1", "--journal", "j"], {"cluster": "tcp://h:1"}),
    (["--overwrite", "--force", "--unguided"], {"overwrite": True, "force": True}),
    (["--match", "names"], {"match": "names"}),
]


@pytest.mark.parametrize(("options", "expected"), WHOLE)
def test_options(
    monkeypatch: pytest.MonkeyPatch, options: list[str], expected: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {}

    def refuse(sources: list[str], output: str | None, **given: Any) -> None:
        asked.update(given, sources=sources, output=output)
        message = "Enough; stop here."
        raise rawback.RawbackError(message)

    monkeypatch.setattr(rawback, "embed_many", refuse)
    assert main(["batch", "s3://bucket/a b", "-o", "s3://bucket/out", *options]) == 1
    assert (asked["sources"], asked["output"]) == (["s3://bucket/a b"], "s3://bucket/out")
    assert asked.items() >= expected.items()


@pytest.mark.parametrize(
    "arguments",
    [
        ["batch"],
        ["batch", ".", "-j", "0"],
        ["batch", ".", "-j", "many"],
        ["batch", ".", "--match", "luck"],
        ["batch", ".", "-j", "2", "--cluster", "tcp://h:1"],
        ["batch", ".", "--size", "10kB", "--lossless"],
        ["restore", ".", "--region", "0,0,10,10"],
        ["restore", "photo.jpg", "broken.jpg", "--sidecar", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str], there: Path) -> None:
    before = sorted(there.iterdir())
    assert main(arguments) == 2
    assert "Error: " in capsys.readouterr().err
    assert sorted(there.iterdir()) == before


def test_files_that_cannot_be_had(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batch", "nowhere"]) == 1
    assert "nowhere is not there" in capsys.readouterr().err
    assert main([*BATCH, "--json-lines", "nowhere/lines"]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main(["batch", "no-such-kind://x"]) == 1
    assert "check the URL" in capsys.readouterr().err


@pytest.mark.slow
def test_a_terminal_shows_files_speed_time_and_savings(there: Path) -> None:
    for name in ("broken.dng", "broken.jpg"):
        (there / name).unlink()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rawback", *BATCH],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:
        pass  # the terminal is gone with its last user
    finally:
        os.close(ours)
    assert process.wait() == 0
    text = shown.decode()
    for part in ("embedded", "0/1", "1/1", "files", "B/s", "saved"):
        assert part in text, text


def test_words_for_numbers() -> None:
    sizes = (812, 199_800, 1_530_000, 999_990_000, 2 * 10**9, 3 * 10**12, -5_000_000)
    assert [bytes_text(size) for size in sizes] == [
        "812 bytes", "199.8 kB", "1.53 MB", "999.99 MB", "2.00 GB", "3.00 TB", "-5.00 MB",
    ]  # fmt: skip
    assert [time_text(seconds) for seconds in (3, 99.94, 600, 9000)] == [
        "3.0 s", "99.9 s", "10.0 min", "2.5 h",
    ]  # fmt: skip
    assert [parse_jobs(text) for text in ("all", "1", "16")] == [0, 1, 16]
