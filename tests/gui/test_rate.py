# SPDX-License-Identifier: GPL-3.0-or-later
"""The slider, presets, typed rates and the curve."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication

import rawback
from rawback._api.curve_measurement import CurveMeasurement
from rawback_gui.models.rates import parse_rate
from rawback_gui.models.slider import LOSSLESS
from rawback_gui.models.texts import bytes_text
from rawback_gui.views._qt.driving import drawn, settled, shows, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from rawback_gui.views._qt.window import MainWindow


def test_the_slider_changes_what_is_restored(qtbot: QtBot, opened: MainWindow) -> None:
    space, slider = opened.workspace, opened.rate.slider
    drawn(opened)
    before = space.restored
    assert before is not None
    before = before.copy()
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 4, 13))
    assert space.rates.place == pytest.approx(0.3, abs=0.1)
    assert opened.rate.size_value.text() in ("\u2013", _shown_size(opened))
    wait_until(lambda: settled(opened))
    made = space.rates.made
    assert made is not None
    assert not np.array_equal(made.restored.cfa, before)
    assert opened.rate.size_value.text() == bytes_text(made.result.payload_bytes)
    assert space.restored is not None
    assert np.array_equal(space.restored, made.restored.cfa)


def _shown_size(window: MainWindow) -> str:
    figures = window.workspace.rates.figures
    if figures is None:
        return "\u2013"
    return ("" if figures.measured else "\u2248 ") + bytes_text(figures.payload_bytes)


def test_the_handle_never_moves_by_itself(
    window: MainWindow, drop: Callable[..., None], shot_folder: Path
) -> None:
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    space, slider = window.workspace, window.rate.slider
    wait_until(lambda: space.rates.scale is not None)
    place, scale = slider.value(), space.rates.scale
    seen: list[int] = []
    slider.valueChanged.connect(seen.append)
    wait_until(lambda: settled(window))
    assert seen == []
    assert slider.value() == place
    assert space.rates.scale == scale
    assert space.rates.rate == rawback.Rate.quality(60)


def test_the_right_end_is_lossless(qtbot: QtBot, opened: MainWindow) -> None:
    space, slider = opened.workspace, opened.rate.slider
    wait_until(lambda: settled(opened))
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert space.rates.rate == rawback.Rate.lossless()
    assert space.rates.place == LOSSLESS
    assert opened.rate.psnr.text() == "exact"
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    curve = space.rates.curve
    assert curve is not None
    assert space.rates.rate == curve.smallest.rate
    # Anywhere on the stop, and as far right as the mouse goes.
    for x in (slider.width() - 40, slider.width() - 1):
        for place, lossless in ((30, False), (x, True)):
            qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(place, 13))
            assert (space.rates.rate.kind == "lossless") == lossless
    wait_until(lambda: settled(opened))
    assert space.rates.made is not None
    assert space.rates.made.result.exact
    assert "every sample" in opened.widgets.sentence.sentence.whole


@pytest.mark.parametrize("text", ["47 dB", "1.5 bpp", "4 kB"])
def test_rates_can_be_typed(qtbot: QtBot, opened: MainWindow, text: str) -> None:
    rates = opened.workspace.rates
    wait_until(lambda: settled(opened))
    opened.menus.actions["enter_rate"].trigger()
    entry = opened.payload.entry
    assert entry.isVisible()
    qtbot.keyClicks(entry, text)
    qtbot.keyClick(entry, Qt.Key.Key_Return)
    point = rates.point
    assert point is not None
    assert rates.rate == parse_rate(text)
    assert rates.place is not None
    # What is made is what the command line would make of the same words.
    wait_until(lambda: settled(opened))
    assert rates.made is not None
    made = rates.made.result
    if "dB" in text:
        assert point.psnr_db == pytest.approx(47, abs=0.4)
        assert 47 <= made.psnr_db < 47.3
    elif "bpp" in text:
        assert point.bpp == pytest.approx(1.5, rel=0.05)
        assert 1.3 < made.bpp <= 1.5
    else:
        assert point.payload_bytes == pytest.approx(4000, rel=0.05)
        assert 3500 < made.payload_bytes <= 4000
    qtbot.keyClicks(entry, "lots")
    qtbot.keyClick(entry, Qt.Key.Key_Return)
    assert "no rate" in opened.workspace.feedback.text
    entry.setText("1 B")
    qtbot.keyClick(entry, Qt.Key.Key_Return)
    curve = rates.curve
    assert curve is not None
    smallest = curve.smallest
    assert f"takes {smallest.payload_bytes} bytes" in opened.workspace.feedback.text
    assert rates.rate == smallest.rate


def test_the_curve_can_be_clicked(qtbot: QtBot, opened: MainWindow) -> None:
    wait_until(lambda: settled(opened))
    opened.panel.setCurrentIndex(2)
    QApplication.processEvents()
    curve, known = opened.payload.curve, opened.workspace.rates.curve
    assert known is not None
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(curve.width() - 4, 60))
    assert opened.workspace.rates.place == LOSSLESS
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(50, 60))
    point = opened.workspace.rates.point
    assert point is not None
    assert point.payload_bytes < 3 * known.smallest.payload_bytes


def test_presets_buy_what_they_say(opened: MainWindow) -> None:
    rates = opened.workspace.rates
    wait_until(lambda: settled(opened))
    opened.menus.actions["preset_noise"].trigger()
    wait_until(lambda: settled(opened))
    assert rates.made is not None
    assert rates.made.result.error_over_sigma == pytest.approx(1, abs=0.1)
    noisy = rates.made.result.payload_bytes
    opened.menus.actions["preset_highlights"].trigger()
    wait_until(lambda: settled(opened))
    assert rates.made.result.payload_bytes < noisy
    assert rates.gained is not None
    opened.menus.actions["preset_lossless"].trigger()
    assert rates.rate.kind == "lossless"


def test_coarse_payloads_are_asked_for_by_size(qtbot: QtBot, opened: MainWindow) -> None:
    """For a size the encoder tries all that the learned layer can do."""
    rates = opened.workspace.rates
    wait_until(lambda: settled(opened))
    rates.choose_place(0.2)
    assert rates.rate.kind == "size"
    point = rates.point
    assert point is not None
    wait_until(lambda: settled(opened))
    assert rates.made is not None
    assert rates.made.result.payload_bytes <= rates.rate.value


def test_stopping_the_curve_leaves_all_alive(
    window: MainWindow,
    drop: Callable[..., None],
    shot_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The slider works, and no figure of another rate is shown."""
    reached, go = threading.Event(), threading.Event()
    measured = CurveMeasurement._point

    def slow(self: CurveMeasurement, *args: Any) -> Any:
        if len(self._points) >= 2:
            reached.set()
            go.wait(60)
        return measured(self, *args)

    monkeypatch.setattr(CurveMeasurement, "_point", slow)
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: shows(window, "carrier", "restored"))
    wait_until(reached.is_set)
    rates = window.workspace.rates
    # Both ends are known, and nothing near the rate: a dash, not a figure of another rate.
    wait_until(lambda: rates.curve is not None and len(rates.curve.points) == 2)
    assert rates.figures is None
    assert window.rate.size_value.text() == "\u2013"
    # Escape is for messages; the curve has an action of its own.
    window.menus.actions["cancel"].trigger()
    assert not rates.stopped
    window.menus.actions["stop_measuring"].trigger()
    go.set()
    wait_until(lambda: rates.made is not None)
    for place in (0.9, 0.4):
        rates.choose_place(place)
        assert window.rate.slider.isEnabled()
        wait_until(lambda: rates.made is not None)
        wait_until(lambda: window.workspace.feedback.progress is None)
        assert rates.made is not None
        size = rates.made.result.payload_bytes
        assert window.rate.size_value.text() == bytes_text(size)
    assert rates.curve is not None
    assert not rates.curve.complete
