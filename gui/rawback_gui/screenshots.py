# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures in the README: ``python -m rawback_gui.screenshots RAW JPEG FOLDER``.

Starts the real window on a raw and its JPEG, uses it as people do, and saves what is seen as
``gui-compare.png``, ``gui-errors.png`` and ``gui-batch.png``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QSettings

from rawback_gui.models.errormap import ErrorView
from rawback_gui.models.rendering import Development
from rawback_gui.models.state import ViewState
from rawback_gui.views._qt.app import make_application
from rawback_gui.views._qt.driving import compares, drawn, settled, shows, wait_until
from rawback_gui.views._qt.window import MainWindow

__all__ = ["main"]

_SIZE = (1280, 720)
_PATIENCE = 900.0


def compare(window: MainWindow, raw: Path, jpeg: Path, folder: Path) -> float:
    """Open the pair and save a comparison; the seconds until the first one."""
    space = window.workspace
    window.open_paths([raw, jpeg])
    first = wait_until(lambda: compares(window), _PATIENCE)
    wait_until(lambda: space.rates.curve is not None and space.rates.curve.complete, _PATIENCE)
    space.rates.enter("60 kB")
    wait_until(lambda: settled(window), _PATIENCE)
    development = Development(exposure=-1.0)
    space.update(replace(space.state, development=development, divider=0.5))
    viewport = space.state.viewport.zoomed(1.0)
    space.update(replace(space.state, viewport=viewport.panned(0, 160)))
    _grab(window, folder / "gui-compare.png")
    return first


def errors(window: MainWindow, folder: Path) -> None:
    """Save an error map with a region's figures."""
    space = window.workspace
    width, height = space.state.viewport.picture_width, space.state.viewport.picture_height
    region = (width * 5 // 8, height // 4, width // 4, height // 4)
    window.show_wanted(
        {
            "left": "original",
            "right": "error",
            "viewport": space.state.viewport.fit(),
            "development": Development(),
            "errors": ErrorView(unit="sigma", kind="absolute"),
            "selection": region,
        }
    )
    wait_until(lambda: shows(window, "error") and space.statistics is not None, _PATIENCE)
    _grab(window, folder / "gui-errors.png")


def batch(window: MainWindow, raw: Path, jpeg: Path, folder: Path) -> None:
    """Save a batch with finished, failed and waiting shots."""
    window.show_batch()
    queue = window.batch_window
    if queue is None:
        return
    with tempfile.TemporaryDirectory() as place:
        for name in ("DSC_0101", "DSC_0102", "DSC_0103"):
            shutil.copy(raw, Path(place, f"{name}.dng"))
            shutil.copy(jpeg, Path(place, f"{name}.jpg"))
        # A raw that was cut while it was copied, as happens.
        Path(place, "DSC_0104.dng").write_bytes(raw.read_bytes()[: raw.stat().st_size // 3])
        shutil.copy(jpeg, Path(place, "DSC_0104.jpg"))
        queue.add_paths([Path(place)])
        queue.rate.setCurrentText("60 kB")
        queue.start.click()
        wait_until(lambda: not queue.batch.running, _PATIENCE)
        wait_until(lambda: queue.isVisible(), _PATIENCE)
        queue.grab().save(str(folder / "gui-batch.png"))
    queue.hide()


def _grab(window: MainWindow, path: Path) -> None:
    drawn(window, _PATIENCE)
    window.workspace.feedback.clear()
    window.grab().save(str(path))


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description="Make the README's pictures of the app.")
    parser.add_argument("raw", type=Path)
    parser.add_argument("jpeg", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if not os.environ.get("DISPLAY") and sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as settings:
        # What the user's own app remembers is neither shown nor changed.
        QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, settings)
        application = make_application()
        window = MainWindow()
        window.workspace.state = ViewState()
        window.resize(*_SIZE)
        window.show()
        first = compare(window, options.raw, options.jpeg, options.folder)
        print(f"first comparison after {first:.2f} s", flush=True)
        errors(window, options.folder)
        batch(window, options.raw, options.jpeg, options.folder)
        window.close()
        application.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
