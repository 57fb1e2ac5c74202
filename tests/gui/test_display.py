# SPDX-License-Identifier: GPL-3.0-or-later
"""The real program under a window manager, used by its keys as people use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from ctypes.util import find_library
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rawback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
TOOLS = ("Xvfb", "openbox", "xdotool")
XCB = ("xcb-cursor", "xcb-icccm", "xcb-keysyms", "xkbcommon-x11")
PATHS = os.pathsep.join(str(ROOT / part) for part in ("core", "gui"))
PATIENCE = 300.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)


@pytest.fixture
def display(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A display with a window manager, as the environment of a program on it."""
    if missing := [name for name in TOOLS if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(missing)} not installed: no display to use the program on")
    if missing := [name for name in XCB if find_library(name) is None]:
        pytest.skip(f"Qt needs {', '.join(missing)} to start the program on a display")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    with server.stdout as told:
        number = told.readline().strip()
    plain = {k: v for k, v in os.environ.items() if k not in ("QT_QPA_PLATFORM", "XDG_CACHE_HOME")}
    environment = {
        **plain,
        "DISPLAY": f":{number}",
        "QT_QPA_PLATFORM": "xcb",
        "PYTHONPATH": PATHS,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    manager = subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL)
    yield environment
    for process in (manager, server):
        process.terminate()
        process.wait(30)


class Hand:
    """Looks for windows and presses keys."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def run(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def find(self, name: str) -> str:
        """A visible window by a part of its title; empty for none."""
        return self.run("search", "--onlyvisible", "--name", name).split("\n")[0]

    def width(self, window: str) -> int:
        lines = self.run("getwindowgeometry", "--shell", window).splitlines()
        return int(dict(line.split("=") for line in lines)["WIDTH"])

    def press(self, window: str, *keys: str) -> None:
        self.run("windowactivate", "--sync", window)
        for key in keys:
            self.run("key", "--clearmodifiers", key)


@pytest.mark.slow
def test_a_session_by_keys(display: dict[str, str], shot_folder: Path) -> None:
    """Long names, Escape while measuring, the lossless end, saving, quitting in the middle."""
    name = "a very long name of a photograph " * 4
    for ending in ("dng", "jpg"):
        (shot_folder / f"photo.{ending}").rename(shot_folder / f"{name}.{ending}")
    hand = Hand(display)
    program = subprocess.Popen(
        [sys.executable, "-m", "rawback_gui", str(shot_folder / f"{name}.dng")],
        env=display,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: hand.find("a very long name"), "the window")
        window = hand.find("a very long name")
        assert hand.width(window) == 1280
        carrier = shot_folder / f"{name}.rawback.jpg"

        def asked() -> str:
            """Ask for a carrier, until there is something to save."""
            if not hand.find("Save carrier"):
                hand.press(window, "ctrl+End", "ctrl+s")
                time.sleep(1)
            return hand.find("Save carrier")

        until(asked, "the dialog")
        # Escape closes it, and ends nothing of what is being measured meanwhile.
        hand.press(asked(), "Escape")
        until(lambda: not hand.find("Save carrier"), "the dialog's end")
        hand.press(window, "Escape")
        until(asked, "the dialog once more")
        hand.press(asked(), "Return")
        until(carrier.exists, "the carrier")
        assert hand.width(window) == 1280
        assert rawback.verify(carrier, raw=shot_folder / f"{name}.dng").exact
        # In the middle of coding at another rate.
        hand.press(window, "ctrl+Left", "ctrl+q")
        _, errors = program.communicate(timeout=PATIENCE)
        assert program.returncode == 0, errors
        assert "Traceback" not in errors
    finally:
        if program.poll() is None:
            program.terminate()
            program.communicate(timeout=30)
