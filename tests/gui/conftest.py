# SPDX-License-Identifier: GPL-3.0-or-later
"""A window on small shots, and proof that nothing of it stays behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from typing import TYPE_CHECKING

from PyQt6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication

from rawback import rawio
from rawback_gui.views._qt.driving import shows, wait_until
from rawback_gui.views._qt.window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from rawback import RawFrame

Drop = Callable[..., None]


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("rawback")}


@pytest.fixture(scope="module")
def frame(shot: tuple[bytes, bytes]) -> RawFrame:
    """The raw of the small shot."""
    return rawio.read_raw(shot[0])


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """The window, 1280 x 720; fails a test that leaves a thread or a widget."""
    settings = tmp_path / "settings"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(settings))
    there = set(map(id, QApplication.topLevelWidgets()))
    made = MainWindow()
    made.resize(1280, 720)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    del made
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()
    deadline = time.monotonic() + 60
    while threads() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threads() == set()
    assert [w for w in QApplication.topLevelWidgets() if id(w) not in there] == []


@pytest.fixture
def drop() -> Drop:
    """Drops files on a widget, as a file manager does."""

    def dropped(target: MainWindow, *paths: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        what = (
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        # Qt gives the drop to whoever has taken the entering.
        entering = QDragEnterEvent(QPoint(40, 40), *what)
        QApplication.sendEvent(target, entering)
        assert entering.isAccepted()
        QApplication.sendEvent(target, QDropEvent(QPointF(40, 40), *what))

    return dropped


@pytest.fixture
def opened(window: MainWindow, drop: Drop, shot_folder: Path) -> MainWindow:
    """The window with the small shot, restored and coded, and a rough curve."""
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    space = window.workspace

    def coded() -> bool:
        # What was refused would be waited for in vain.
        assert not space.feedback.text, space.feedback.text
        rough = space.rates.curve is not None and len(space.rates.curve.points) > 2
        return rough and space.rates.encoding is not None

    wait_until(lambda: shows(window, "carrier", "restored") or coded())
    wait_until(coded)
    return window
