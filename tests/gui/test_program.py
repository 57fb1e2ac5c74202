# SPDX-License-Identifier: GPL-3.0-or-later
"""The real program on a display, and the command that starts it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import pytest
from PyQt6.QtGui import QImage

from rawback.cli import main

ROOT = Path(__file__).parents[2]
XCB = ("xcb-cursor", "xcb-icccm", "xcb-keysyms", "xkbcommon-x11")
PATHS = os.pathsep.join(str(ROOT / part) for part in ("core", "gui"))


@pytest.mark.slow
def test_the_program_on_a_display(tmp_path: Path) -> None:
    runner = shutil.which("xvfb-run")
    if runner is None:
        pytest.skip("Xvfb is not installed: no display to start the program on")
    if missing := [name for name in XCB if find_library(name) is None]:
        pytest.skip(f"Qt needs {', '.join(missing)} to start the program on a display")
    environment = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    done = subprocess.run(
        [
            *(runner, "-a", "-s", "-screen 0 1600x1000x24", sys.executable),
            *("-m", "rawback_gui.screenshots"),
            *(ROOT / "assets" / "sample.dng", ROOT / "assets" / "sample.jpg", tmp_path),
        ],
        env={**environment, "PYTHONPATH": PATHS, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"first comparison after [0-9.]+ s", done.stdout)
    for name in ("gui-compare.png", "gui-errors.png"):
        image = QImage(str(tmp_path / name))
        assert (image.width(), image.height()) == (1280, 720)
        colours = {image.pixel(x, y) for x in range(200, 900, 7) for y in range(100, 500, 7)}
        assert len(colours) > 1000
    assert not QImage(str(tmp_path / "gui-batch.png")).isNull()


def test_the_command_needs_qt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rawback.cli import gui

    monkeypatch.setattr(gui, "find_spec", lambda _name: None)
    assert main(["gui"]) == 1
    assert "pip install 'rawback[gui]'" in capsys.readouterr().err


def test_the_command_starts_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    from rawback_gui.views._qt import app

    given: list[list[str]] = []

    def started(files: list[str]) -> int:
        given.append(files)
        return 0

    monkeypatch.setattr(app, "main", started)
    assert main(["gui", "a.dng", "b.jpg"]) == 0
    assert given == [["a.dng", "b.jpg"]]


def test_the_core_loads_no_qt() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import rawback.cli.app, sys; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [name for name in done.stdout.split() if name.startswith(("PyQt6", "rawback_gui"))]


def test_the_desktop_file_starts_the_command() -> None:
    text = (ROOT / "assets" / "rawback.desktop").read_text("utf-8")
    assert "Exec=rawback gui %F" in text
    assert "Icon=rawback\n" in text
    assert (ROOT / "assets" / "rawback.svg").exists()
