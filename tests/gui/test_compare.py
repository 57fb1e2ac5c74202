# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing: layouts, zoom, exposure, and pictures that come late."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QNativeGestureEvent, QPointingDevice, QWheelEvent
from PyQt6.QtWidgets import QApplication

import rawback
from rawback_gui.controllers import drawing
from rawback_gui.controllers.pictures import render
from rawback_gui.models.rendering import Development, neutral_at
from rawback_gui.views._qt.driving import drag, drawn, grabbed, wait_until

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from rawback_gui.views._qt.window import MainWindow


def test_the_divider_is_dragged(qtbot: QtBot, opened: MainWindow) -> None:
    opened.show_wanted({"layout": "split", "left": "carrier", "right": "original"})
    canvas = opened.canvas
    middle = QPoint(canvas.width() // 2, canvas.height() // 2)
    drag(canvas, middle, QPoint(canvas.width() // 4, middle.y()))
    assert opened.workspace.state.divider == pytest.approx(0.25, abs=0.01)
    opened.menus.actions["turn_divider"].trigger()
    assert not opened.workspace.state.vertical
    opened.menus.actions["layout_swipe"].trigger()
    qtbot.mouseMove(canvas, QPoint(10, canvas.height() * 3 // 4))
    assert opened.workspace.state.divider == pytest.approx(0.75, abs=0.02)


def test_sides_show_their_sources(opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "left": "original", "right": "carrier"})
    opened.workspace.rates.choose(rawback.Rate.lossless())
    drawn(opened)
    original = grabbed(opened.canvas)[60:]
    opened.show_wanted({"left": "restored"})
    drawn(opened)
    restored = grabbed(opened.canvas)[60:]
    opened.show_wanted({"left": "carrier"})
    drawn(opened)
    carrier = grabbed(opened.canvas)[60:]
    # Lossless: the same data rendered alike is the same picture; the JPEG is another.
    assert np.array_equal(original, restored)
    assert not np.array_equal(original, carrier)


def test_space_flips_while_it_is_held(qtbot: QtBot, opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "left": "carrier", "right": "error"})
    drawn(opened)
    opened.canvas.setFocus()
    before = grabbed(opened.canvas)[60:]
    qtbot.keyPress(opened.canvas, Qt.Key.Key_Space)
    held = grabbed(opened.canvas)[60:]
    qtbot.keyRelease(opened.canvas, Qt.Key.Key_Space)
    assert not np.array_equal(before, held)
    assert np.array_equal(before, grabbed(opened.canvas)[60:])


def test_zoom_and_pan_are_linked_and_honest(qtbot: QtBot, opened: MainWindow) -> None:
    canvas, space = opened.canvas, opened.workspace
    opened.show_wanted({"layout": "side", "left": "original", "right": "restored"})
    opened.menus.actions["actual"].trigger()
    assert opened.top.zoom.text() == "100 %"
    at = QPointF(canvas.width() / 4, canvas.height() / 2)
    under = canvas.place_at(at)
    event = QWheelEvent(
        at,
        QPointF(canvas.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)
    assert space.state.viewport.zoom == pytest.approx(1.2)
    assert canvas.place_at(at) == pytest.approx(under, abs=0.6)
    for _ in range(8):
        opened.menus.actions["zoom_in"].trigger()
    before = space.state.viewport
    drag(canvas, QPoint(100, 100), QPoint(140, 90))
    assert before.x - space.state.viewport.x == pytest.approx(40 / before.zoom, rel=0.05)
    left = canvas.place_at(QPointF(50, 60))
    other = canvas.place_at(QPointF(50 + (canvas.width() + 2) / 2, 60))
    assert left == pytest.approx(other, abs=1 / before.zoom)


def test_fingers_zoom_by_pinching(opened: MainWindow) -> None:
    canvas, space = opened.canvas, opened.workspace
    opened.menus.actions["actual"].trigger()
    for _ in range(6):
        opened.menus.actions["zoom_in"].trigger()
    before = space.state.viewport.zoom
    at = QPointF(canvas.width() / 3, canvas.height() / 3)
    under = canvas.place_at(at)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        at,
        at,
        QPointF(canvas.mapToGlobal(at.toPoint())),
        0.25,
        QPointF(),
    )
    QApplication.sendEvent(canvas, event)
    assert space.state.viewport.zoom == pytest.approx(1.25 * before)
    assert canvas.place_at(at) == pytest.approx(under, abs=0.6)


def test_exposure_and_white_reach_all_pictures(qtbot: QtBot, opened: MainWindow) -> None:
    for left in ("original", "restored", "carrier"):
        opened.show_wanted({"layout": "flip", "left": left, "right": "error"})
        opened.top.exposure.setValue(0)
        drawn(opened)
        before = grabbed(opened.canvas)[60:].mean()
        opened.top.exposure.setValue(-120)
        drawn(opened)
        assert grabbed(opened.canvas)[60:].mean() < 0.9 * before, left
    assert opened.top.exposure_text.text() == "-2.00 EV"
    assert opened.canvas.left.sources.buttons["carrier"].text() == "JPEG pushed"
    opened.look.pick.click()
    frame = opened.workspace.document.frame if opened.workspace.document else None
    assert frame is not None
    x, y = next(
        (x, y)
        for y in range(8, 104, 8)
        for x in range(8, 144, 8)
        if neutral_at(frame.cfa[y - 8 : y + 16, x - 8 : x + 16], frame) is not None
    )
    column, row = opened.workspace.state.viewport.to_pane(x + 4, y + 4)
    qtbot.mouseClick(
        opened.canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(column), round(row))
    )
    assert opened.workspace.state.development.picked is not None
    assert not opened.look.pick.isChecked()
    opened.menus.actions["camera_white"].trigger()
    assert opened.workspace.state.development.picked is None


def test_late_results_do_not_overwrite_newer_ones(opened: MainWindow) -> None:
    space = opened.workspace
    drawn(opened)
    newest = space.pictures
    document = space.document
    assert document is not None
    late = replace(newest, generation=newest.generation - 1)
    space._drawing._show(late)
    assert space.pictures is newest


def test_pictures_of_an_earlier_wish_are_not_taken_for_the_latest(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = opened.workspace
    opened.show_wanted({"layout": "flip", "left": "original", "right": "carrier"})
    drawn(opened)
    go = threading.Semaphore(0)

    def slow(*args: Any) -> Any:
        go.acquire()
        return render(*args)

    monkeypatch.setattr(drawing, "render", slow)
    shown = space.pictures.generation
    opened.show_wanted({"development": Development(exposure=-1.0)})
    wait_until(lambda: space._drawing.worker._waiting is None)
    opened.show_wanted({"development": Development(exposure=-2.0)})
    # Each wish renders two sources.
    go.release(2)
    wait_until(lambda: space.pictures.generation > shown)
    early = space.pictures
    assert early.complete
    assert not space.drawn
    go.release(2)
    drawn(opened)
    assert space.pictures.generation == early.generation + 1
    before, after = (p.sources["original"].pixels.mean() for p in (early, space.pictures))
    assert after < 0.9 * before
