# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: batches, cancelling, and what is left in the middle."""

from __future__ import annotations

import gc
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from PyQt6.QtWidgets import QApplication

import rawback
from rawback_gui.controllers.workers import Job, Worker
from rawback_gui.views._qt.batch_window import BatchWindow
from rawback_gui.views._qt.driving import wait_until

if TYPE_CHECKING:
    from pathlib import Path

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
    # In this very process: others would have to start all of the tests over.
    queue.workers = 0
    queue.add_paths([folder])
    queue.rate.setCurrentText("quality 40")
    return queue


def test_a_batch_goes_on_past_errors_and_knows_what_is_done(
    window: MainWindow, many: Path, shot: tuple[bytes, bytes]
) -> None:
    queue = batch_of(window, many)
    queue.start.click()
    wait_until(lambda: not queue.batch.running)
    states = [entry.status for entry in queue.batch.entries]
    assert states == ["done", "failed", "done"]
    assert rawback.verify(many / "a.rawback.jpg", raw=many / "a.dng").intact
    assert "b.dng" in queue.batch.entries[1].figures
    assert queue.said.whole == "2 of 3 done, 1 failed."
    assert queue.batch.progress == 1
    # What failed is tried again, and only that.
    (many / "b.dng").write_bytes(shot[0])
    made = (many / "a.rawback.jpg").stat().st_mtime_ns
    queue.retry.click()
    wait_until(lambda: not queue.batch.running)
    assert [entry.status for entry in queue.batch.entries] == ["done", "done", "done"]
    # A second run of all finds it done.
    queue.start.click()
    wait_until(lambda: not queue.batch.running)
    assert queue.said.whole == "3 done already."
    assert (many / "a.rawback.jpg").stat().st_mtime_ns == made
    # A double click opens.
    index = queue.table.model().index(0, 0)  # type: ignore[union-attr]
    queue.table.doubleClicked.emit(index)
    wait_until(lambda: window.workspace.document is not None)
    assert window.workspace.document is not None
    assert window.workspace.document.pair.name == "a.dng + a.jpg"


def test_a_batch_pauses_and_stops(window: MainWindow, many: Path) -> None:
    (many / "b.dng").unlink()
    queue = batch_of(window, many)
    queue.start.click()
    queue.pause.click()
    assert "Resu" in queue.pause.text()
    assert "paused" in queue.said.whole
    before = [entry.status for entry in queue.batch.entries]
    qtest_wait = time.monotonic() + 0.4
    wait_until(lambda: time.monotonic() > qtest_wait)
    after = [entry.status for entry in queue.batch.entries]
    assert after.count("done") == before.count("done")
    queue.pause.click()
    assert "Pause" in queue.pause.text()
    queue.stop.click()
    wait_until(lambda: not queue.batch.running)
    assert "working" not in [entry.status for entry in queue.batch.entries]
    assert any(entry.status == "waiting" for entry in queue.batch.entries)
    queue.start.click()
    wait_until(lambda: not queue.batch.running)
    assert queue.batch.count("done", "already") == 2


def test_a_batch_writes_where_it_is_told(window: MainWindow, many: Path, tmp_path: Path) -> None:
    (many / "b.dng").unlink()
    folder = tmp_path / "carriers"
    folder.mkdir()
    precious = folder / "a.rawback.jpg"
    precious.write_bytes(b"precious")
    queue = batch_of(window, many)
    queue.use_folder(folder)
    queue.start.click()
    wait_until(lambda: not queue.batch.running)
    assert [entry.status for entry in queue.batch.entries] == ["failed", "done"]
    assert precious.read_bytes() == b"precious"
    queue.overwrite.setChecked(True)
    queue.retry.click()
    wait_until(lambda: not queue.batch.running)
    assert rawback.verify(precious, raw=many / "a.dng").intact
    before = (many / "c.jpg").read_bytes()
    queue.where.setCurrentIndex(2)
    queue.metadata.chosen.emit("all")
    queue.tune.chosen.emit("psnr")
    queue.batch.restart()
    queue.start.click()
    wait_until(lambda: not queue.batch.running)
    assert rawback.verify(many / "c.jpg").intact
    assert rawback.inspect(many / "c.jpg").metadata.personal == "stored"
    assert window.workspace.rates.metadata == "all"
    options = queue._options()
    assert options is not None
    assert (options.tune, options.verify) == ("psnr", True)
    assert (many / "c.jpg_original").read_bytes() == before


def test_closing_asks_while_a_batch_runs(
    window: MainWindow, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = batch_of(window, many)
    queue.start.click()
    queue.batch.pause(wanted=True)
    answers = [False, True]
    monkeypatch.setattr(BatchWindow, "may_close", lambda *_a: answers.pop(0))
    window.close()
    assert window.isVisible()
    assert queue.batch.running
    window.close()
    assert not window.isVisible()


def test_the_start_page_tells_what_is_opened(
    window: MainWindow, drop: Drop, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name, the stage, and a way out."""
    go, read = threading.Event(), rawback.open_session

    def slow(*args: Any, **options: Any) -> Any:
        go.wait(60)
        return read(*args, **options)

    monkeypatch.setattr(rawback, "open_session", slow)
    start = window.widgets.start
    assert not start.opening.isVisible()
    for cancelled in (True, False):
        go.clear()
        drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
        wait_until(lambda: "Reading the raw" in start.opening.stage.whole)
        assert window.pages.currentIndex() == 0
        assert start.opening.isVisible()
        assert not start.invitation.isVisible()
        assert start.opening.name.whole == "Opening photo.dng + photo.jpg"
        assert "0 %" in start.opening.stage.whole
        assert start.opening.bar.fraction == 0
        if cancelled:
            start.opening.cancel.click()
            assert start.invitation.isVisible()
            assert not start.opening.isVisible()
            assert window.workspace.feedback.text == "Cancelled."
        go.set()
        wait_until(lambda: window.workspace._opener.worker._running is None)
    wait_until(lambda: window.pages.currentIndex() == 1)


def test_opening_can_be_cancelled(window: MainWindow, drop: Drop, shot_folder: Path) -> None:
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: window.workspace.feedback.progress is not None)
    window.menus.actions["cancel"].trigger()
    assert window.workspace.feedback.progress is None
    assert window.workspace.document is None
    assert not window.workspace._opener.worker.busy
    wait_until(lambda: window.workspace._opener.worker._running is None)
    QApplication.processEvents()
    assert window.workspace.document is None


def test_workers_run_the_latest_request() -> None:
    posted: list[Callable[[], None]] = []
    failures: list[Exception] = []
    worker = Worker("rawback-test", posted.append, failures.append)
    begun, go = threading.Event(), threading.Event()
    done: list[int] = []

    def first(job: Job) -> None:
        begun.set()
        go.wait(60)
        job.report(lambda: done.append(1))

    worker.submit(first)
    assert begun.wait(60)

    def telling(number: int) -> Callable[[Job], None]:
        return lambda job: job.report(lambda: done.append(number))

    for number in (2, 3):
        worker.submit(telling(number))

    def failing(_job: Job) -> None:
        raise OSError

    go.set()
    deadline = time.monotonic() + 60
    while len(posted) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.submit(failing)
    while len(posted) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    for call in posted:
        call()
    assert worker.close(60)
    assert done == [1, 3]
    assert [type(error) for error in failures] == [OSError]


def test_what_is_cancelled_reports_nothing() -> None:
    posted: list[Callable[[], None]] = []
    worker = Worker("rawback-test", posted.append, lambda _error: None)
    told: list[int] = []
    worker.submit(lambda job: job.report(lambda: told.append(1)))
    deadline = time.monotonic() + 60
    while not posted and time.monotonic() < deadline:
        time.sleep(0.01)
    posted.pop()()
    # What the window has not heard yet is not wanted either, though its job is through.
    worker.submit(lambda job: job.report(lambda: told.append(3)))
    while not posted and time.monotonic() < deadline:
        time.sleep(0.01)
    running = threading.Event()

    def endless(job: Job) -> None:
        running.set()
        job.cancel.wait(60)
        job.report(lambda: told.append(2))

    worker.submit(endless)
    assert running.wait(60)
    worker.clear()
    assert worker.close(60)
    for call in posted:
        call()
    assert told == [1]


def test_moving_the_slider_while_another_picture_opens(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    """Sessions that are left in the middle of work leave no trace of an error."""
    for ending in (".dng", ".jpg"):
        shutil.copy(shot_folder / f"photo{ending}", shot_folder / f"other{ending}")
    raised: list[object] = []
    hooks = threading.excepthook, sys.unraisablehook
    threading.excepthook = raised.append
    sys.unraisablehook = raised.append
    try:
        for number in range(6):
            drop(window, shot_folder / ("photo.dng" if number % 2 else "other.dng"))
            wait_until(lambda: window.rate.slider.isEnabled())
            for value in range(200, 2000, 300):
                window.rate.slider.setValue(value + number)
                QApplication.processEvents()
            gc.collect()
        window.workspace.shut_down()
        gc.collect()
    finally:
        threading.excepthook, sys.unraisablehook = hooks
    assert raised == []
