# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as an app: menus, names, room for every text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QMouseEvent, QPalette
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QWidget

from rawback_gui.models.notices import Remedy
from rawback_gui.views._qt.driving import drag, drawn, grabbed, shows, wait_until
from rawback_gui.views._qt.theme import CANVAS, Elided, contrast, theme_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from rawback_gui.views._qt.window import MainWindow


def test_every_action_is_in_a_menu_and_on_the_sheet(window: MainWindow) -> None:
    window.show_shortcuts()
    sheet = QApplication.activeModalWidget() or next(
        w for w in QApplication.topLevelWidgets() if w.windowTitle() == "Shortcuts"
    )
    text = sheet.text.toPlainText()  # type: ignore[attr-defined]
    for name, action in window.menus.actions.items():
        assert action.text().split("\t")[0].replace("&", "") in text, name
        assert action.menu() is None
        assert action.shortcuts() or name == "flip"
    sheet.close()


def test_everything_has_a_name_for_screen_readers(opened: MainWindow) -> None:
    from PyQt6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLineEdit

    for kind in (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit):
        for widget in opened.findChildren(kind):
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(opened):
                text = getattr(widget, "text", str)()
                assert widget.accessibleName() or text, widget.objectName()


def test_nothing_is_clipped_at_1280_by_720(opened: MainWindow) -> None:
    from PyQt6.QtWidgets import QLabel, QPushButton

    opened.menus.actions["select_view"].trigger()
    for index, page in enumerate((opened.look, opened.errors, opened.payload)):
        opened.panel.setCurrentIndex(index)
        QApplication.processEvents()
        assert page.minimumSizeHint().height() <= page.height()
        assert page.minimumSizeHint().width() <= page.width()
        texts: list[QLabel | QPushButton] = list(opened.findChildren(QLabel))
        for widget in texts + list(opened.findChildren(QPushButton)):
            if not widget.isVisible() or not widget.text() or isinstance(widget, Elided):
                continue
            if isinstance(widget, QLabel) and widget.wordWrap():
                needed = widget.heightForWidth(widget.width())
                assert needed <= widget.height() + 1, widget.text()
            else:
                assert widget.sizeHint().width() <= widget.width() + 1, widget.text()


def test_the_window_fits_half_a_screen(opened: MainWindow) -> None:
    opened.resize(960, 600)
    QApplication.processEvents()
    assert (opened.width(), opened.height()) == (960, 600)
    assert opened.panel.isHidden()
    assert opened.canvas.height() > 380
    assert opened.rate.height() == 64
    opened.menus.actions["panel"].trigger()
    assert opened.panel.isVisible()
    assert (opened.width(), opened.height()) == (960, 600)
    opened.menus.actions["panel"].trigger()
    opened.resize(1280, 720)
    QApplication.processEvents()
    assert opened.panel.isVisible()


def test_stages_are_read_whole_on_half_a_screen(opened: MainWindow) -> None:
    opened.resize(960, 600)
    feedback, stage = opened.workspace.feedback, opened.widgets.sentence.stage
    for text in ("Registering the JPEG on the raw", "Verifying", "Measuring the curve"):
        feedback.show("open", text, 0.5)
        assert stage.geometry().right() < opened.widgets.sentence.cancel.x()
        QApplication.processEvents()
        assert stage.text() == f"{text} \u00b7 50 %"
    # What is long leaves half of the line to the sentence.
    feedback.show("open", "Registering " * 20, 0.5)
    QApplication.processEvents()
    assert stage.width() <= 480
    assert opened.width() == 960
    feedback.ended("open")


def test_long_names_do_not_widen_the_window(
    window: MainWindow, drop: Callable[..., None], shot_folder: Path
) -> None:
    name = "a very long name of a photograph " * 5
    for ending in ("dng", "jpg"):
        (shot_folder / f"photo.{ending}").rename(shot_folder / f"{name}.{ending}")
    window.resize(960, 600)
    drop(window, shot_folder / f"{name}.dng")
    wait_until(lambda: shows(window, "carrier", "restored"))
    window.workspace.feedback.say(f"Saved {name}.rawback.jpg.", "done", (Remedy("show_in_folder"),))
    QApplication.processEvents()
    assert window.width() == 960
    window.workspace.close_document()
    window.workspace.feedback.say(f"{name} cannot be read.", "refused")
    QApplication.processEvents()
    assert window.width() == 960
    assert window.minimumSizeHint().width() <= 960


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_are_readable_in_both_themes(opened: MainWindow, theme: str) -> None:
    opened.menus.actions[f"theme_{theme}"].trigger()
    QApplication.processEvents()
    colours = theme_of(opened)
    assert colours.dark == (theme == "dark")
    role = QPalette.ColorRole
    for widget in opened.findChildren(QWidget):
        # What lies on the canvas has its own colours.
        if widget is opened.canvas or opened.canvas.isAncestorOf(widget):
            continue
        palette = widget.palette()
        if isinstance(widget, QLabel):
            assert contrast(palette.color(role.WindowText), palette.color(role.Window)) >= 4.5
        elif isinstance(widget, QAbstractButton | QComboBox):
            assert contrast(palette.color(role.ButtonText), palette.color(role.Button)) >= 4.5
        elif isinstance(widget, QLineEdit):
            assert contrast(palette.color(role.PlaceholderText), palette.color(role.Base)) >= 4.5
    assert contrast(colours.faint, colours.window) >= 4.5
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    assert contrast(colours.accent_line, colours.window) >= 4.5
    # The canvas is dark and without any colour in both.
    assert CANVAS.red() == CANVAS.green() == CANVAS.blue() < 60
    opened.show_wanted({"viewport": opened.workspace.state.viewport.fit()})
    drawn(opened)
    assert QColor(*grabbed(opened.canvas)[-1, 1].tolist()) == CANVAS
    opened.run("theme_light")


def test_messages_move_nothing_and_go(qtbot: QtBot, opened: MainWindow) -> None:
    drawn(opened)
    before = (opened.canvas.geometry(), opened.workspace.state.viewport)
    opened.workspace.feedback.say("A message.", "done")
    QApplication.processEvents()
    assert (opened.canvas.geometry(), opened.workspace.state.viewport) == before
    toast = opened.widgets.toasts.toasts[-1]
    assert toast.isVisible()
    assert toast._timer.interval() == 5000
    toast._timer.timeout.emit()
    assert opened.workspace.feedback.notices == ()
    opened.workspace.feedback.say("Refused.", "refused")
    # What was refused stays until it is dismissed.
    assert not opened.widgets.toasts.toasts[-1]._timer.isActive()
    opened.widgets.toasts.toasts[-1].close_button.click()
    assert opened.workspace.feedback.notices == ()


def test_what_is_painted_is_what_is_read_out(opened: MainWindow) -> None:
    """Also where the pane has an odd number of pixels."""
    for width in (1280, 1281):
        opened.resize(width, 720)
        opened.show_wanted({"layout": "flip", "left": "original", "right": "carrier"})
        opened.show_wanted({"viewport": opened.workspace.state.viewport.zoomed(8.0)})
        QApplication.processEvents()
        drawn(opened)
        canvas, viewport = opened.canvas, opened.workspace.state.viewport
        picture = opened.workspace.pictures.sources["original"]
        seen = grabbed(canvas)
        for x, y in ((300.5, 200.5), (301.0, 333.0), (640.0, 360.5)):
            column, row = (int(part) for part in canvas.place_at(QPointF(x, y)))
            left, top = viewport.to_pane(column, row)
            assert left == pytest.approx(round(left), abs=1e-6)
            shown = seen[int(top) + 4, int(left) + 4]
            inside = picture.pixels[row - picture.region[1], column - picture.region[0]]
            assert abs(shown.astype(int) - inside).max() <= 1
            assert left <= x < left + 8
            assert top <= y < top + 8


def test_dragging_does_not_drift(opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "viewport": opened.workspace.state.viewport.zoomed(16.0)})
    before = opened.workspace.state.viewport
    for step in range(1, 8):
        drag(opened.canvas, QPoint(300, 200), QPoint(300 + step, 200 + step))
        drag(opened.canvas, QPoint(300, 200), QPoint(300 - step, 200 - step))
    assert opened.workspace.state.viewport.x == pytest.approx(before.x, abs=1e-6)


def test_the_exposure_rests_at_its_marks(qtbot: QtBot, opened: MainWindow) -> None:
    slider = opened.top.exposure
    x = round(slider._place(2.0))
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(x + 3, 11))
    assert opened.workspace.state.development.exposure == 2.0
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(x + 12, 11))
    assert opened.workspace.state.development.exposure > 2.0
    qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(x, 11))
    assert opened.workspace.state.development.exposure == 0.0
    opened.menus.actions["push"].trigger()
    assert opened.workspace.state.development.exposure == 2.0
    opened.menus.actions["pull"].trigger()
    opened.menus.actions["pull"].trigger()
    assert opened.workspace.state.development.exposure == -2.0


def test_panes_choose_what_they_show(opened: MainWindow) -> None:
    buttons = opened.canvas.right.sources.buttons
    for source in ("original", "restored"):
        buttons[source].click()
        assert opened.workspace.state.right == source
    figures = opened.workspace.rates.figures
    assert figures is not None
    drawn(opened)
    wait_until(lambda: "kB" in opened.canvas.right.details.text())
    assert all(button.accessibleName() for button in buttons.values())
    # A click leaves the keys with the canvas.
    opened.canvas.setFocus()
    place = QPointF(5, 5)
    for kind in (QMouseEvent.Type.MouseButtonPress, QMouseEvent.Type.MouseButtonRelease):
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, place, place, left, left, none)
        QApplication.sendEvent(buttons["carrier"], event)
    assert opened.canvas.hasFocus()
