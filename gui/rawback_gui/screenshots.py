# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the app: ``python -m rawback_gui.screenshots RAW JPEG FOLDER [--every-screen]``.

Starts the real window on a raw and its JPEG, uses it as people do, and saves what is seen as
``gui-compare.png``, ``gui-errors.png``, ``gui-carrier.png`` and ``gui-batch.png``, which are those
of the README. ``--every-screen`` does so for each kind of screen in a folder of its own, with more
scenes, to be looked through.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication

import rawback
from rawback_gui.models.clipping import jpeg_highlights, raw_highlights
from rawback_gui.models.errormap import ErrorView
from rawback_gui.models.notices import Remedy
from rawback_gui.models.orientation import upright
from rawback_gui.models.rendering import Development
from rawback_gui.models.state import ViewState
from rawback_gui.views._qt.app import make_application
from rawback_gui.views._qt.driving import compares, drawn, settled, shows, wait_until
from rawback_gui.views._qt.window import MainWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.controllers.document import Document

__all__ = ["main"]

_PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Screen:
    """A kind of screen that the window is seen on."""

    name: str
    size: str
    theme: str
    scale: float = 1.0


SCREENS = (
    Screen("1280x720-light", "1280x720", "light"),
    Screen("1600x1000-dark", "1600x1000", "dark"),
    Screen("hidpi", "1280x720", "light", 2.0),
    Screen("960x600", "960x600", "dark"),
    Screen("portrait", "960x1200", "light"),
)


@dataclass(frozen=True, slots=True)
class Scenes:
    """What is photographed.

    Attributes:
        window: The window.
        raw: The raw that is open.
        jpeg: Its JPEG.
        folder: Where pictures are saved.
    """

    window: MainWindow
    raw: Path
    jpeg: Path
    folder: Path

    def grab(self, name: str) -> None:
        """Save what is seen."""
        drawn(self.window, _PATIENCE)
        wait_until(lambda: not self.window.presenter.label_timer.isActive(), _PATIENCE)
        self.window.grab().save(str(self.folder / f"gui-{name}.png"))

    def open(self) -> float:
        """Open the pair and wait for the payload; the seconds until the first comparison."""
        window = self.window
        window.open_paths([self.raw, self.jpeg])
        first = wait_until(lambda: compares(window), _PATIENCE)
        wait_until(lambda: settled(window), _PATIENCE)
        window.workspace.rates.choose_preset("noise")
        wait_until(lambda: settled(window), _PATIENCE)
        window.workspace.feedback.clear()
        return first

    def compare(self) -> None:
        """The JPEG pulled down beside the raw that it carries, where most of it clips."""
        window, space = self.window, self.window.workspace
        window.show_wanted({"development": Development(exposure=-2.0)})
        viewport = space.state.viewport.zoomed(1.5)
        if space.document is not None:
            x, y = _where_it_clips(space.document)
            viewport = replace(viewport, x=x, y=y).zoomed(1.5)
        window.show_wanted({"viewport": viewport})
        self.grab("compare")
        window.show_wanted({"viewport": space.state.viewport.fit()})

    def push(self) -> None:
        """Both pushed, side by side."""
        window = self.window
        window.show_wanted({"layout": "side", "development": Development(exposure=2.0)})
        self.grab("push")

    def clipping(self) -> None:
        """What clips."""
        shown = frozenset(("jpeg_highlights", "raw_highlights", "jpeg_shadows"))
        self.window.show_wanted({"clipping": shown, "development": Development()})
        self.grab("clipping")
        self.window.show_wanted({"clipping": frozenset(), "layout": "split"})

    def errors(self) -> None:
        """An error map with a region's figures."""
        window, space = self.window, self.window.workspace
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
        self.grab("errors")
        window.show_wanted({"left": "carrier", "right": "restored", "selection": None})

    def expert(self) -> None:
        """Curve, section marks and bits per tile."""
        window = self.window
        window.run("expert")
        window.panel.setCurrentIndex(2)
        window.show_wanted({"overlays": frozenset(("bits",))})
        self.grab("expert")
        window.run("expert")
        window.panel.setCurrentIndex(0)
        window.show_wanted({"overlays": frozenset()})

    def messages(self) -> None:
        """What was done, and what was refused."""
        say = self.window.workspace.feedback.say
        remedies = (Remedy("choose_jpeg"), Remedy("unguided"))
        say(f"Saved {self.jpeg.stem}.rawback.jpg.", "done", (Remedy("show_in_folder"),))
        say("The JPEG and the raw do not show the same shot.", "refused", remedies)
        self.grab("messages")
        self.window.workspace.feedback.clear()

    def carrier(self) -> None:
        """A carrier alone."""
        window = self.window
        with tempfile.TemporaryDirectory() as place:
            made = window.workspace.rates.made
            path = Path(place, f"{self.jpeg.stem}.rawback.jpg")
            path.write_bytes(b"" if made is None else made.carrier)
            window.open_paths([path])
            wait_until(lambda: window.carrier.isVisible(), _PATIENCE)
            wait_until(lambda: shows(window, "restored"), _PATIENCE)
            window.panel.setCurrentIndex(2)
            self.grab("carrier")
            window.panel.setCurrentIndex(0)

    def start(self) -> None:
        """What is seen before anything is open, and while something is being opened."""
        self.window.workspace.close_document()
        wait_until(lambda: not self.window.workspace.feedback.notices, _PATIENCE)
        # Cards come when the window has come round to them.
        for _ in range(3):
            QApplication.processEvents()
        self.grab("start")
        self.window.open_paths([self.raw, self.jpeg])
        QApplication.processEvents()
        self.window.grab().save(str(self.folder / "gui-opening.png"))
        wait_until(lambda: compares(self.window), _PATIENCE)

    def batch(self) -> None:
        """A batch with finished and failed shots."""
        self.window.show_batch()
        queue = self.window.batch_window
        if queue is None:
            return
        with tempfile.TemporaryDirectory() as place:
            for name in ("DSC_0101", "DSC_0102", "DSC_0103"):
                shutil.copy(self.raw, Path(place, f"{name}{self.raw.suffix}"))
                shutil.copy(self.jpeg, Path(place, f"{name}.jpg"))
            # A raw that was cut while it was copied, as happens.
            data = self.raw.read_bytes()
            Path(place, f"DSC_0104{self.raw.suffix}").write_bytes(data[: len(data) // 3])
            shutil.copy(self.jpeg, Path(place, "DSC_0104.jpg"))
            queue.workers = 0
            queue.add_paths([Path(place)])
            queue.rate.setCurrentText("60 kB")
            queue.start.click()
            wait_until(lambda: not queue.batch.running, _PATIENCE)
            wait_until(lambda: queue.isVisible(), _PATIENCE)
            queue.grab().save(str(self.folder / "gui-batch.png"))
            queue.batch.clear()
        queue.hide()

    def of_readme(self) -> tuple[Callable[[], None], ...]:
        """Those of the README."""
        return self.compare, self.errors, self.carrier, self.batch

    def all_scenes(self) -> tuple[Callable[[], None], ...]:
        """All of them."""
        pictures = (self.compare, self.push, self.clipping, self.errors, self.expert)
        return (*pictures, self.messages, self.carrier, self.start, self.batch)


def _where_it_clips(document: Document) -> tuple[float, float]:
    """The middle of where the JPEG clips most, in the upright picture."""
    guide, frame = document.guide, document.frame
    if guide is None:
        width, height = document.size
        return width / 2, height / 2
    lost = jpeg_highlights(guide.pixels) & ~raw_highlights(frame.cfa, frame)
    side = max(min(lost.shape) // 6, 1)
    share = cv2.blur(upright(lost, frame.orientation).astype(np.float32), (side, side))
    row, column = np.unravel_index(int(share.argmax()), share.shape)
    return float(column), float(row)


def photograph(options: argparse.Namespace) -> None:
    """Make the pictures of one screen."""
    application = make_application()
    window = MainWindow()
    window.workspace.state = ViewState()
    window.run(f"theme_{options.theme}")
    window.resize(*(int(side) for side in options.size.split("x")))
    window.show()
    scenes = Scenes(window, options.raw, options.jpeg, options.folder)
    first = scenes.open()
    print(f"first comparison after {first:.2f} s", flush=True)
    for scene in scenes.all_scenes() if options.all_scenes else scenes.of_readme():
        scene()
    window.close()
    application.processEvents()


def every_screen(options: argparse.Namespace) -> int:
    """Photograph on each kind of screen, each in a process of its own; the exit status."""
    for screen in SCREENS:
        print(screen.name, flush=True)
        command = [
            *(sys.executable, "-m", "rawback_gui.screenshots"),
            *map(str, (options.raw, options.jpeg, options.folder / screen.name)),
            *("--size", screen.size, "--theme", screen.theme, "--all-scenes"),
        ]
        environment = {**os.environ, "QT_SCALE_FACTOR": str(screen.scale)}
        done = subprocess.run(command, env=environment, check=False)  # noqa: S603 -- our own
        if done.returncode:
            return done.returncode
    return 0


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description="Make pictures of the app.")
    parser.add_argument("raw", type=Path)
    parser.add_argument("jpeg", type=Path, help="its JPEG; made if it is not there")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1280x720", help="of the window")
    parser.add_argument("--theme", default="light", choices=("light", "dark", "system"))
    parser.add_argument("--all-scenes", action="store_true", help="more than the README shows")
    parser.add_argument("--every-screen", action="store_true", help="on screens of all kinds")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if not os.environ.get("DISPLAY") and sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if not options.jpeg.exists():
        options.jpeg.write_bytes(rawback.carrier_for(options.raw))
    if options.every_screen:
        return every_screen(options)
    with tempfile.TemporaryDirectory() as settings:
        # What the user's own app remembers is neither shown nor changed.
        QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, settings)
        os.environ["XDG_CACHE_HOME"] = settings
        photograph(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
