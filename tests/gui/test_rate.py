# SPDX-License-Identifier: GPL-3.0-or-later
"""The slider, typed rates and the curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt

from rawback_gui.models.rates import parse_rate
from rawback_gui.views._qt.driving import settled, wait_until

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from rawback_gui.views._qt.window import MainWindow


def test_the_slider_changes_what_is_restored(qtbot: QtBot, opened: MainWindow) -> None:
    space, slider = opened.workspace, opened.rate.slider
    before = space.restored
    assert before is not None
    before = before.copy()
    place = QPoint(slider.width() // 4, 13)
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=place)
    wait_until(lambda: space.restored is not None and not np.array_equal(space.restored, before))
    point = space.rates.point
    assert point is not None
    assert space.rates.curve is not None
    assert space.rates.curve.smallest.payload_bytes <= point.payload_bytes < 5000
    wait_until(lambda: settled(opened))
    assert space.rates.encoding is not None
    assert space.rates.encoding.rate == space.rates.rate
    seen = space.restored
    assert seen is not None
    session = space.session
    assert session is not None
    assert np.array_equal(seen, session.preview(space.rates.rate, (0, 0, 160, 120)).restored)


def test_the_slider_goes_to_both_ends_by_keys(qtbot: QtBot, opened: MainWindow) -> None:
    space, slider = opened.workspace, opened.rate.slider
    wait_until(lambda: settled(opened))
    assert space.rates.curve is not None
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert space.rates.rate.kind == "lossless"
    assert opened.rate._values["psnr"].text() == "exact"
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert space.rates.rate == space.rates.curve.smallest.rate
    wait_until(lambda: settled(opened))
    assert space.rates.encoding is not None
    assert (
        space.rates.encoding.result.payload_bytes <= space.rates.curve.smallest.payload_bytes + 16
    )


@pytest.mark.parametrize("text", ["47 dB", "1.5 bpp", "4 kB"])
def test_rates_can_be_typed(qtbot: QtBot, opened: MainWindow, text: str) -> None:
    rates = opened.workspace.rates
    wait_until(lambda: settled(opened))
    opened.menus.actions["enter_rate"].trigger()
    qtbot.keyClicks(opened.rate.entry, text)
    qtbot.keyClick(opened.rate.entry, Qt.Key.Key_Return)
    point = rates.point
    assert point is not None
    assert rates.rate == parse_rate(text)
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
    qtbot.keyClicks(opened.rate.entry, "lots")
    qtbot.keyClick(opened.rate.entry, Qt.Key.Key_Return)
    assert "no rate" in opened.workspace.voice.message


def test_the_curve_can_be_clicked(qtbot: QtBot, opened: MainWindow) -> None:
    curve = opened.rate.curve
    known = opened.workspace.rates.curve
    assert known is not None
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(curve.width() - 4, 60))
    assert opened.workspace.rates.rate.kind == "lossless"
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(50, 60))
    point = opened.workspace.rates.point
    assert point is not None
    assert point.payload_bytes < 3 * known.smallest.payload_bytes
