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
from rawback_gui.controllers import drawing
from rawback_gui.controllers.pictures import render
from rawback_gui.models.rates import parse_rate, rate_text
from rawback_gui.models.slider import LOSSLESS
from rawback_gui.models.texts import bytes_text
from rawback_gui.views._qt.driving import drawn, grabbed, settled, shows, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from rawback_gui.views._qt.window import MainWindow


def test_the_slider_changes_what_is_restored(qtbot: QtBot, opened: MainWindow) -> None:
    space, slider = opened.workspace, opened.rate.slider
    drawn(opened)
    buffer = space._buffer
    assert buffer is not None
    before = buffer.cfa.copy()
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 4, 13))
    assert space.rates.place == pytest.approx(0.3, abs=0.1)
    assert opened.rate.size_value.text() in ("\u2013", _shown_size(opened))
    wait_until(lambda: settled(opened))
    made = space.rates.made
    assert made is not None
    assert not np.array_equal(made.restored.cfa, before)
    assert opened.rate.size_value.text() == bytes_text(made.result.payload_bytes)
    assert space.whole is not None
    assert np.array_equal(space.whole, made.restored.cfa)


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


def test_rates_are_written_as_they_are_typed() -> None:
    for text in ("quality 60", "5.00 kB", "0.100 bpp", "48 dB", "lossless"):
        rate = parse_rate(text)
        assert rate is not None
        assert rate_text(rate) == text


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


def test_the_last_picture_stays_until_a_low_rate_is_coded(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked with what it is of, and without figures of the rate that is wanted."""
    space, rates = opened.workspace, opened.workspace.rates
    wait_until(lambda: settled(opened))
    go, encode = threading.Event(), rawback.Session.encode

    def slow(self: rawback.Session, *args: Any, **options: Any) -> Any:
        go.wait(60)
        return encode(self, *args, **options)

    monkeypatch.setattr(rawback.Session, "encode", slow)
    # As if the curve was known at its ends only.
    curve = rates.curve
    assert curve is not None
    rates.curve = rawback.Curve((curve.points[-1],), complete=False)
    rates.stopped = True
    size = rates.size_at(rates.rate)
    opened.show_wanted({"selection": (0, 0, 40, 30)})
    wait_until(lambda: space.statistics is not None)
    before = grabbed(opened.canvas)[60:]
    rates.choose(rawback.Rate.size(5000))
    assert rates.preview_rate is None
    details = opened.canvas.right.details
    wait_until(lambda: "updating" in details.text())
    assert details.text() == f"still {size} \u00b7 updating"
    assert np.array_equal(before, grabbed(opened.canvas)[60:])
    assert "restored" in space.pictures.sources
    assert space.pictures.rate == rawback.Rate.quality(60)
    # No figure is told of a picture that is not at the rate.
    assert space.statistics is None
    assert opened.errors.figures["samples"].text() == "\u2013"
    readout = space.readout(30, 30)
    assert readout is not None
    assert readout.samples[0].restored is None
    # Moving about draws the earlier picture anew, whole.
    opened.run("actual")
    wait_until(lambda: not space._drawing.worker.busy)
    QApplication.processEvents()
    assert space.pictures.sources["restored"].pixels.std() > 5
    assert not space.drawn
    go.set()
    wait_until(lambda: rates.made is not None and space.drawn)
    assert space.pictures.rate == rawback.Rate.size(5000)
    assert rates.made is not None
    assert details.text() == bytes_text(rates.made.result.payload_bytes)


def test_a_pane_without_a_picture_says_what_is_awaited(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(opened)
    opened.show_wanted({"layout": "side", "left": "carrier", "right": "original"})
    drawn(opened)
    go = threading.Event()

    def slow(*args: Any) -> Any:
        go.wait(60)
        return render(*args)

    monkeypatch.setattr(drawing, "render", slow)
    opened.show_wanted({"right": "restored"})
    pane = grabbed(opened.canvas)[:, opened.canvas.width() // 2 + 4 :]
    middle = pane[pane.shape[0] // 2 - 20 : pane.shape[0] // 2 + 20]
    assert middle.max() > 200
    go.set()
    drawn(opened)


def test_stopping_the_curve_leaves_all_alive(
    window: MainWindow,
    drop: Callable[..., None],
    shot_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The slider works, and no figure of another rate is shown."""
    reached, go = threading.Event(), threading.Event()
    measured = CurveMeasurement._measured

    def slow(self: CurveMeasurement, *args: Any) -> Any:
        if len(self._knots) >= 2:
            reached.set()
            go.wait(60)
        return measured(self, *args)

    monkeypatch.setattr(CurveMeasurement, "_measured", slow)
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
