"""Darktable's window with the panel, on a screen of its own.

``python -m rawback_lab.darktable_window PICTURE`` exports the sample raw with the script in the
real darktable, under Xvfb, and saves what the window then shows.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rawback.cli import main as rawback_program

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NEEDED", "drive", "write_programs"]

NEEDED = ("darktable", "Xvfb", "import", "dbus-run-session")
"""Programs that must be there; ``import`` is ImageMagick's."""

_ROOT = Path(__file__).parents[2]
_WIDTH, _HEIGHT = 1500, 940
_SETTINGS = {
    "lua/_scripts_install/dont_show": "TRUE",
    "plugins/lighttable/rawback/expanded": "TRUE",
    "plugins/lighttable/images_in_row": "4",
    "lighttable/ui/1/bottom_visible": "FALSE",
    "lighttable/ui/1/left_visible": "FALSE",
    "lighttable/ui/1/right_size": "500",
    "ui_last/maximized": "FALSE",
    "ui_last/window_x": "0",
    "ui_last/window_y": "0",
    "ui_last/window_w": str(_WIDTH),
    "ui_last/window_h": str(_HEIGHT),
}


def write_programs(folder: Path) -> Path:
    """Write ``rawback`` and ``rawback-darktable`` of this very checkout.

    Returns:
        The path of the helper.
    """
    for name, module in (("rawback", "rawback"), ("rawback-darktable", "rawback_darktable")):
        paths = ":".join(str(_ROOT / part) for part in ("core", "gui", "plugin_darktable"))
        lines = ("#!/bin/sh", f"PYTHONPATH='{paths}' exec '{sys.executable}' -m {module} \"$@\"")
        program = folder / name
        program.write_text("\n".join(lines) + "\n", "utf-8")
        program.chmod(0o755)
    return folder / "rawback-darktable"


_STARTS = 3


def drive(folder: Path, picture: Path, patience: float = 300.0) -> str:
    """Let Lua drive exports and a restore in the window.

    Args:
        folder: An empty folder; afterwards it holds ``raccoon.dng``, its carriers, what was
            restored, and ``log``, which darktable said.
        picture: The screenshot to write, a PNG.
        patience: Seconds to wait for it.

    Returns:
        Four paragraphs: the panel's last results; those after the programs were taken away, which
        are failures; how the panel shows these; and its tooltip, with ``|`` between paragraphs.

    Raises:
        TimeoutError: It took longer.
    """
    shutil.copy(_ROOT / "assets" / "sample.dng", folder / "raccoon.dng")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "config").mkdir()
        rawback_program(["plugin", "install", "--quiet", "--darktable-config", f"{home}/config"])
        driver = Path(__file__).with_suffix(".lua")
        with (home / "config" / "luarc").open("a", encoding="utf-8") as luarc:
            luarc.write(f"dofile({str(driver)!r})\n")
        settings = _SETTINGS | {"lua/rawback/executable": str(write_programs(home))}
        environment = {
            **os.environ,
            "HOME": name,
            "RAWBACK_FOLDER": str(folder),
            "RAWBACK_DARKTABLE_RUNTIME": "",
        }
        command = ["dbus-run-session", "--", "darktable", "--configdir", f"{home}/config"]
        command += ["--cachedir", f"{home}/cache", "--library", ":memory:", "--disable-opencl"]
        command += ["-d", "lua"]
        for key, value in settings.items():
            command += ["--conf", f"{key}={value}"]
        with _screen() as display, (folder / "log").open("wb") as log:
            environment["DISPLAY"] = display
            for left in reversed(range(_STARTS)):
                with _running(command, environment, log.fileno()):
                    # Now and then darktable stands still while it starts, before any script runs.
                    if not _appeared(folder / "said", patience / _STARTS):
                        if left == 0:
                            message = f"darktable's window did nothing in {patience:.0f} s"
                            raise TimeoutError(message)
                        continue
                    time.sleep(1.0)
                    subprocess.run(  # noqa: S603 - a fixed program and a path of our own
                        ["import", "-display", display, "-window", "root", str(picture)],  # noqa: S607
                        check=True,
                    )
                    break
    return (folder / "said").read_text("utf-8").strip()


def _appeared(path: Path, patience: float) -> bool:
    end = time.monotonic() + patience
    while not path.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


@contextlib.contextmanager
def _screen() -> Iterator[str]:
    """An X server of our own while the context lasts: its display."""
    reading, writing = os.pipe()
    size = f"{_WIDTH}x{_HEIGHT}x24"
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(  # noqa: S603 - a fixed program
        command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="ascii") as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], log: int) -> Iterator[None]:
    """A program and its children while the context lasts."""
    process = subprocess.Popen(  # noqa: S603 - a fixed program and paths of our own
        command, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Take a picture of the panel in darktable.")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(drive(Path(folder), options.picture))


if __name__ == "__main__":
    main()
