"""Jobs that are killed, and jobs that meet: see `rawback_lab.reliability.faults`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rawback

CORE = Path(__file__).parents[2] / "core"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
@pytest.mark.slow
def test_jobs_that_are_killed_at_every_step_lose_nothing() -> None:
    only = ("--only", "embed in place", "--only", "shrink")
    done = subprocess.run(
        [sys.executable, "-m", "rawback_lab.reliability.faults", "2", *only],
        env={**os.environ, "PYTHONPATH": str(CORE), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'broken_rules': 0" in done.stdout


def at_once(folder: Path, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
    """Run commands of the program at the same time; their exit statuses and what they say."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "rawback", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(CORE), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in commands
    ]
    told = [process.communicate()[0] for process in running]
    return [(process.returncode, text) for process, text in zip(running, told, strict=True)]


def test_two_processes_embed_into_one_file(shot_folder: Path, shot: tuple[bytes, bytes]) -> None:
    command = ("embed", "photo.dng", "photo.jpg", "--in-place", "-q")
    done = at_once(shot_folder, (*command, "20"), (*command, "40"))
    statuses = sorted(status for status, _ in done)
    assert statuses in ([0, 0], [0, 1]), done
    assert all("changed since" in text for status, text in done if status), done
    names = {path.name for path in shot_folder.iterdir()}
    assert names == {"photo.dng", "photo.jpg", "photo.jpg_original"}
    assert (shot_folder / "photo.jpg_original").read_bytes() == shot[1]
    carrier = (shot_folder / "photo.jpg").read_bytes()
    assert rawback.strip_bytes(carrier) == shot[1]
    assert rawback.verify(carrier).intact


def test_two_processes_write_one_output(shot_folder: Path, shot: tuple[bytes, bytes]) -> None:
    command = ("embed", "photo.dng", "photo.jpg", "-o", "out.jpg", "-q")
    done = at_once(shot_folder, (*command, "20"), (*command, "40"))
    assert sorted(status for status, _ in done) == [0, 1], done
    assert all("exists already" in text for status, text in done if status), done
    assert {path.name for path in shot_folder.iterdir()} == {"photo.dng", "photo.jpg", "out.jpg"}
    assert rawback.strip_bytes((shot_folder / "out.jpg").read_bytes()) == shot[1]
