# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hundred things done at random: nothing breaks, and nothing that is shown is out of date."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication

from rawback_gui.controllers.inspection import statistics_in
from rawback_gui.controllers.pictures import raw_region
from rawback_gui.models.actions import ACTIONS
from rawback_gui.models.texts import bytes_text
from rawback_gui.views._qt.driving import settled, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from rawback_gui.controllers.document import Document
    from rawback_gui.views._qt.window import MainWindow

Drop = Callable[..., None]

ASKING = {"open", "save", "save_sidecar", "export_dng", "export_map", "export_numbers"} | {
    "shrink",
    "strip",
    "compare_raw",
    "export_grain",
    "quit",
    "full_screen",
}
"""Actions that would wait for somebody, or end it all."""


class Checks:
    """That what is on the screen belongs to the picture and the rate that are."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.seen: Counter[str] = Counter()

    def __call__(self) -> None:
        space = self.window.workspace
        assert "should not have happened" not in space.feedback.text
        document = space.document
        if document is None:
            assert space.pictures.sources == {}
            assert space.statistics is None
            return
        self._pictures(document)
        self._figures()
        self._statistics(document)

    def _pictures(self, document: Document) -> None:
        space = self.window.workspace
        pictures = space.pictures
        assert pictures.opening in (0, document.opening)
        assert set(pictures.sources) <= document.sources
        if space.drawn and pictures.rate is not None:
            assert space.restored is not None
            assert pictures.rate == space.restored.rate
        self._labels(document)
        scale = pictures.error_scale
        if scale is not None:
            self.seen["maps"] += 1
            # The bar tells of the map that is seen.
            assert self.window.errors.bar._top == scale.top

    def _labels(self, document: Document) -> None:
        """A pane's label tells of the picture in it, be that of an earlier rate."""
        space, canvas = self.window.workspace, self.window.canvas
        pictures, now = space.pictures, space.restored
        for source, pane in (
            (space.resolved.left, canvas.left),
            (space.resolved.right, canvas.right),
        ):
            if source not in ("restored", "error") or not document.has_original:
                continue
            text = pane.details.text()
            if source not in pictures.sources or pictures.rate is None:
                assert text in ("", "updating")
                continue
            earlier = now is None or pictures.rate != now.rate
            size = space.rates.size_at(pictures.rate if earlier else space.rates.rate)
            self.seen["labels"] += 1
            assert size in text

    def _figures(self) -> None:
        space, rates = self.window.workspace, self.window.workspace.rates
        shown = self.window.rate.size_value.text()
        figures = rates.figures
        if space.document is None or not space.document.has_original or figures is None:
            assert shown == "\u2013" or space.document is None or not space.document.has_original
            return
        self.seen["measured" if figures.measured else "figures"] += 1
        about = "" if figures.measured else "\u2248 "
        assert shown == about + bytes_text(figures.payload_bytes)
        made = rates.made
        if figures.measured:
            assert made is not None
            assert made.rate == rates.rate
            assert figures.payload_bytes == made.result.payload_bytes
        gain = rates.gained
        if gain is None and space.document.prepared:
            assert "measured when" in self.window.widgets.sentence.sentence.whole

    def _statistics(self, document: Document) -> None:
        space = self.window.workspace
        selection, rates = space.state.selection, space.rates
        shown = self.window.errors.figures["samples"].text()
        if selection is None or space.statistics is None:
            assert shown == "\u2013"
            return
        restored = None
        if rates.made is not None:
            restored = rates.made.restored.cfa
        elif space.drawn and rates.preview_rate is not None:
            region = raw_region(document, selection)
            left, top, width, height = region
            restored = document.frame.cfa.copy()
            assert document.session is not None
            part = document.session.preview(rates.preview_rate, region).restored
            restored[top : top + height, left : left + width] = part
        if restored is not None:
            again = statistics_in(document, restored, selection, space.state.errors)
            assert again is not None
            self.seen["statistics"] += 1
            assert again.count == space.statistics.count
            if rates.made is None:
                assert again.psnr_db == pytest.approx(space.statistics.psnr_db)

    def readout(self, x: float, y: float) -> None:
        """A sample that is read out is that of the rate."""
        space = self.window.workspace
        readout, made = space.readout(x, y), space.rates.made
        if readout is None or readout.samples[0].restored is None or made is None:
            return
        self.seen["readouts"] += 1
        restored = made.restored.cfa[readout.row, readout.column]
        assert readout.samples[0].restored == restored


class User:
    """Somebody who does anything."""

    def __init__(
        self, qtbot: QtBot, window: MainWindow, drop: Drop, folder: Path, check: Checks
    ) -> None:
        self.qtbot, self.window, self.drop, self.check = qtbot, window, drop, check
        self.files = [folder / name for name in ("photo.dng", "photo.jpg")]
        self.others = [folder / "carrier.jpg", folder / "junk.dng", folder / "photo.dng"]
        self.random = random.Random(4)  # noqa: S311 -- the same things at every run
        self.actions = [a.name for a in ACTIONS if a.name not in ASKING | {"close"}]
        self.weights: dict[Callable[[], None], int] = {
            self.open: 4,
            self.open_another: 2,
            self.close: 1,
            self.cancel: 2,
            self.wait: 12,
            self.slide: 16,
            self.pull: 10,
            self.look_at_errors: 8,
            self.expose: 6,
            self.resize: 4,
            self.act: 30,
            self.type_a_rate: 4,
            self.hover: 12,
        }

    def do_something(self) -> None:
        moves, weights = zip(*self.weights.items(), strict=True)
        self.random.choices(moves, weights)[0]()

    def open(self) -> None:
        self.drop(self.window, *self.files)

    def open_another(self) -> None:
        self.drop(self.window, self.random.choice(self.others))

    def close(self) -> None:
        self.window.menus.actions["close"].trigger()

    def cancel(self) -> None:
        self.window.workspace.cancel()

    def wait(self) -> None:
        """Let what was begun come to its end, more or less."""
        end = time.monotonic() + self.random.choice([0.02, 0.2, 1.0])
        wait_until(lambda: time.monotonic() > end or settled(self.window))

    def slide(self) -> None:
        slider = self.window.rate.slider
        if slider.isEnabled():
            slider.setValue(self.random.randrange(slider.maximum() + 1))

    def pull(self) -> None:
        shift = self.random.random() < 0.5
        keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
        canvas, left = self.window.canvas, Qt.MouseButton.LeftButton
        places = [
            QPoint(self.random.randrange(canvas.width()), self.random.randrange(canvas.height()))
            for _ in range(2)
        ]
        self.qtbot.mousePress(canvas, left, keys, places[0])
        self.qtbot.mouseMove(canvas, places[1])
        self.qtbot.mouseRelease(canvas, left, keys, places[1])

    def look_at_errors(self) -> None:
        region = (2 * self.random.randrange(40), 2 * self.random.randrange(30), 60, 40)
        self.window.show_wanted({"right": "error", "selection": region})

    def expose(self) -> None:
        self.window.top.exposure.setValue(self.random.randrange(-240, 361))

    def resize(self) -> None:
        width, height = self.random.choice([960, 1101, 1280]), self.random.choice([600, 721])
        self.window.resize(width, height)

    def act(self) -> None:
        self.window.menus.actions[self.random.choice(self.actions)].trigger()

    def type_a_rate(self) -> None:
        self.window.payload.entered.emit(self.random.choice(["3 kB", "45 dB", "what"]))

    def hover(self) -> None:
        self.check.readout(self.random.uniform(0, 160), self.random.uniform(0, 120))


def test_200_random_interactions(
    qtbot: QtBot, window: MainWindow, drop: Drop, shot_folder: Path, lossless_carrier: bytes
) -> None:
    """No exception, no stale figure; no thread and no widget left behind, as the fixtures see."""
    (shot_folder / "carrier.jpg").write_bytes(lossless_carrier)
    (shot_folder / "junk.dng").write_bytes(b"junk")
    check = Checks(window)
    user = User(qtbot, window, drop, shot_folder, check)
    user.open()
    for number in range(200):
        user.do_something()
        QApplication.processEvents()
        check()
        if number % 50 == 49:
            # Now and then a payload is waited for, and all is checked once more.
            user.open()
            wait_until(lambda: window.workspace.rates.made is not None)
            user.look_at_errors()
            wait_until(lambda: window.workspace.drawn and window.workspace.statistics is not None)
            check()
            user.hover()
    kinds = ("measured", "maps", "statistics", "readouts", "labels")
    assert min(check.seen[kind] for kind in kinds) > 0
    for widget in QApplication.topLevelWidgets():
        if widget.windowTitle() in ("Shortcuts", "About rawback"):
            widget.close()
    # Closed in the middle of work.
    user.open()
    wait_until(lambda: window.workspace.feedback.progress is not None)
