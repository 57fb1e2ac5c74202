# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: batches, cancelling, and two hundred things done at random."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication

import rawback
from rawback_gui.controllers.lanes import Lane, Task
from rawback_gui.models.actions import ACTIONS
from rawback_gui.views._qt.batch_window import BatchWindow, time_text
from rawback_gui.views._qt.driving import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from rawback_gui.views._qt.window import MainWindow

Drop = Callable[..., None]


@pytest.fixture
def many(shot_folder: Path) -> Path:
    for name in ("a", "b", "c"):
        for ending in (".dng", ".jpg"):
            shutil.copy(shot_folder / f"photo{ending}", shot_folder / f"{name}{ending}")
    (shot_folder / "b.dng").write_bytes(b"II*\0 cut short")
    for ending in (".dng", ".jpg"):
        (shot_folder / f"photo{ending}").unlink()
    return shot_folder


def batch_of(window: MainWindow, folder: Path) -> BatchWindow:
    window.show_batch()
    queue = window.batch_window
    assert queue is not None
    queue.add_paths([folder])
    return queue


def test_a_batch_goes_on_past_errors(window: MainWindow, many: Path) -> None:
    queue = batch_of(window, many)
    queue.rate.setCurrentText("quality 40")
    queue.start.click()
    wait_until(lambda: not queue.batch.running)
    states = [entry.status for entry in queue.batch.entries]
    assert states == ["done", "failed", "done"]
    assert rawback.verify(many / "a.rawback.jpg", raw=many / "a.dng").intact
    assert "b.dng" in queue.batch.entries[1].figures
    assert "2 of 3 done, 1 failed" in queue.told.text()
    assert queue.batch.progress == 1
    queue.start.click()
    queue.retry.click()
    assert queue.batch.entries[1].status == "waiting"


def test_a_batch_pauses_and_stops(window: MainWindow, many: Path) -> None:
    (many / "b.dng").unlink()
    queue = batch_of(window, many)
    queue.start.click()
    queue.pause.click()
    wait_until(lambda: "paused" in queue.told.text())
    held = [entry.status for entry in queue.batch.entries]
    time.sleep(0.2)
    QApplication.processEvents()
    assert [entry.status for entry in queue.batch.entries].count("done") <= held.count("done") + 1
    queue.stop.click()
    wait_until(lambda: not queue.batch.running)
    assert "working" not in [entry.status for entry in queue.batch.entries]
    assert any(entry.status == "waiting" for entry in queue.batch.entries)


def test_durations_are_told_in_words() -> None:
    assert [time_text(seconds) for seconds in (3, 600, 9000)] == ["3 s", "10 min", "2.5 h"]


def test_opening_can_be_cancelled(window: MainWindow, drop: Drop, shot_folder: Path) -> None:
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: window.workspace.voice.progress is not None)
    window.status.stop.click()
    assert window.workspace.voice.progress is None
    assert window.workspace.document is None
    assert not window.workspace._open.busy
    wait_until(lambda: window.workspace._open._running is None)
    QApplication.processEvents()
    assert window.workspace.document is None


def test_lanes_run_the_latest_wish() -> None:
    posted: list[Callable[[], None]] = []
    failures: list[Exception] = []
    lane = Lane("rawback-test", posted.append, failures.append)
    begun, go = threading.Event(), threading.Event()
    done: list[int] = []

    def first(task: Task) -> None:
        begun.set()
        go.wait(60)
        task.tell(lambda: done.append(1))

    lane.submit(first)
    assert begun.wait(60)

    def telling(number: int) -> Callable[[Task], None]:
        return lambda task: task.tell(lambda: done.append(number))

    for number in (2, 3):
        lane.submit(telling(number))

    def failing(_task: Task) -> None:
        raise OSError

    go.set()
    deadline = time.monotonic() + 60
    while len(posted) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    lane.submit(failing)
    while len(posted) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    for call in posted:
        call()
    assert lane.close(60)
    assert done == [1, 3]
    assert [type(error) for error in failures] == [OSError]


def test_what_is_cancelled_tells_nothing() -> None:
    posted: list[Callable[[], None]] = []
    lane = Lane("rawback-test", posted.append, lambda _error: None)
    told: list[int] = []
    lane.submit(lambda task: task.tell(lambda: told.append(1)))
    deadline = time.monotonic() + 60
    while not posted and time.monotonic() < deadline:
        time.sleep(0.01)
    posted.pop()()
    # What the window has not heard yet is not wanted either, though its job is through.
    lane.submit(lambda task: task.tell(lambda: told.append(3)))
    while not posted and time.monotonic() < deadline:
        time.sleep(0.01)
    running = threading.Event()

    def endless(task: Task) -> None:
        running.set()
        task.cancel.wait(60)
        task.tell(lambda: told.append(2))

    lane.submit(endless)
    assert running.wait(60)
    lane.clear()
    assert lane.close(60)
    for call in posted:
        call()
    assert told == [1]


def test_200_random_interactions(
    qtbot: QtBot, window: MainWindow, drop: Drop, shot_folder: Path, lossless_carrier: bytes
) -> None:
    """No exception, no thread and no widget left behind: the fixtures see to that."""
    carrier = shot_folder / "carrier.jpg"
    carrier.write_bytes(lossless_carrier)
    junk = shot_folder / "junk.dng"
    junk.write_bytes(b"junk")
    pair = (shot_folder / "photo.dng", shot_folder / "photo.jpg")
    random_ = random.Random(4)  # noqa: S311 -- the same things at every run
    dialogs = {"open", "save", "save_sidecar", "export_dng", "export_map", "export_numbers"}
    ours = [a.name for a in ACTIONS if a.name not in dialogs | {"quit", "full_screen"}]

    def place() -> QPoint:
        canvas = window.canvas
        return QPoint(random_.randrange(canvas.width()), random_.randrange(canvas.height()))

    def slide() -> None:
        slider = window.rate.slider
        if slider.isEnabled():
            slider.setValue(random_.randrange(slider.maximum() + 1))

    def pull() -> None:
        shift = random_.random() < 0.5
        keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
        qtbot.mousePress(window.canvas, Qt.MouseButton.LeftButton, keys, place())
        qtbot.mouseMove(window.canvas, place())
        qtbot.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, keys, place())

    moves: list[Callable[[], None]] = [
        lambda: drop(window, *pair),
        lambda: drop(window, random_.choice([carrier, junk, pair[0]])),
        slide,
        slide,
        pull,
        lambda: window.menus.actions[random_.choice(ours)].trigger(),
        lambda: window.menus.actions[random_.choice(ours)].trigger(),
        lambda: window.menus.actions[random_.choice(ours)].trigger(),
        window.workspace.cancel,
        lambda: qtbot.wait(random_.randrange(60)),
        lambda: window.rate.entered.emit(random_.choice(["3 kB", "45 dB", "what"])),
    ]
    for _ in range(200):
        random_.choice(moves)()
        QApplication.processEvents()
        assert "should not have happened" not in window.workspace.voice.message
    for widget in QApplication.topLevelWidgets():
        if widget.windowTitle() in ("Shortcuts", "About rawback"):
            widget.close()
    # Closed in the middle of work.
    drop(window, *pair)
    wait_until(lambda: window.workspace.voice.progress is not None)
