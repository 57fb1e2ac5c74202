# SPDX-License-Identifier: GPL-3.0-or-later
"""The window, driven as people do: drops, drags, keys."""

from __future__ import annotations

import csv
import io
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QGuiApplication, QImage, QWheelEvent
from PyQt6.QtWidgets import QApplication, QFileDialog, QWidget

import rawback
from rawback import rawio
from rawback_gui.controllers import workspace
from rawback_gui.controllers.pictures import render
from rawback_gui.models.rendering import Development, neutral_at
from rawback_gui.models.state import ViewState
from rawback_gui.views._qt.driving import settled, shows, wait_until
from rawback_gui.views._qt.window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

Drop = Callable[..., None]


def pixels_of(widget: QWidget) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = image.constBits()
    assert bits is not None
    data = np.frombuffer(bits.asstring(image.sizeInBytes()), np.uint8)
    rows = data.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
    return rows.reshape(image.height(), image.width(), 3)


def drawn(window: MainWindow) -> None:
    """Wait for pictures of the state and the rate as they are: of no earlier wish."""
    wait_until(lambda: window.workspace.drawn)


def written(window: MainWindow, name: str) -> None:
    """Wait until the window says that a file was written."""
    wait_until(lambda: name in window.workspace.message)


def drag(qtbot: QtBot, widget: QWidget, start: QPoint, end: QPoint, shift: bool = False) -> None:
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, keys, start)
    qtbot.mouseMove(widget, (start + end) / 2)
    qtbot.mouseMove(widget, end)
    qtbot.mouseRelease(widget, Qt.MouseButton.LeftButton, keys, end)


def test_dropping_a_pair_compares_it(opened: MainWindow) -> None:
    assert opened.pages.currentIndex() == 1
    assert opened.windowTitle().startswith("photo.dng + photo.jpg")
    assert opened.workspace.message == ""
    seen = pixels_of(opened.canvas)
    middle = seen[100:-100, 300:-300]
    assert middle.std() > 10
    figures = opened.workspace.figures
    assert figures is not None
    assert figures.measured
    assert "dB" in opened.rate._values["psnr"].text()
    assert [t.label for t in opened.workspace.ticks][:1] == ["base"]


def test_a_raw_alone_gets_its_own_jpeg(window: MainWindow, drop: Drop, shot_folder: Path) -> None:
    drop(window, shot_folder / "photo.dng")
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert window.workspace.document is not None
    assert window.workspace.document.has_original


def test_a_carrier_alone_opens_restored(
    window: MainWindow, drop: Drop, tmp_path: Path, lossless_carrier: bytes
) -> None:
    path = tmp_path / "carrier.jpg"
    path.write_bytes(lossless_carrier)
    drop(window, path)
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert window.workspace.document is not None
    assert not window.workspace.document.has_original
    assert not window.rate.isVisible()
    assert not window.menus.actions["export_map"].isEnabled()
    assert window.menus.actions["export_dng"].isEnabled()


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("notes.txt", b"hello", "neither a raw nor a JPEG"),
        ("broken.dng", b"II*\0 nonsense", "broken.dng"),
        ("plain.jpg", None, "carries no raw yet"),
    ],
)
def test_what_cannot_be_opened_is_a_sentence(
    window: MainWindow,
    drop: Drop,
    shot_folder: Path,
    name: str,
    data: bytes | None,
    sentence: str,
) -> None:
    path = shot_folder / name
    path.write_bytes((shot_folder / "photo.jpg").read_bytes() if data is None else data)
    drop(window, path)
    wait_until(lambda: bool(window.workspace.message))
    assert sentence in window.message_text.text()
    assert window.message.isVisible()
    assert window.workspace.progress is None
    assert QApplication.activeModalWidget() is None


def test_many_drops_open_one_and_fill_the_batch(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    for ending in (".dng", ".jpg"):
        shutil.copy(shot_folder / f"photo{ending}", shot_folder / f"other{ending}")
    drop(window, *sorted(shot_folder.glob("*.*g")))
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert window.batch_window is not None
    names = [entry.pair.name for entry in window.batch_window.batch.entries]
    assert names == ["other.dng + other.jpg", "photo.dng + photo.jpg"]


def test_the_slider_changes_what_is_restored(qtbot: QtBot, opened: MainWindow) -> None:
    space, slider = opened.workspace, opened.rate.slider
    before = space.restored
    assert before is not None
    before = before.copy()
    place = QPoint(slider.width() // 4, 13)
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=place)
    wait_until(lambda: space.restored is not None and not np.array_equal(space.restored, before))
    point = space.point
    assert point is not None
    assert space.curve is not None
    assert space.curve.smallest.payload_bytes <= point.payload_bytes < 5000
    wait_until(lambda: settled(opened))
    assert space.encoding is not None
    assert space.encoding.rate == space.rate
    seen = space.restored
    assert seen is not None
    session = space.session
    assert session is not None
    assert np.array_equal(seen, session.preview(space.rate, (0, 0, 160, 120)).restored)


def test_the_slider_goes_to_both_ends_by_keys(qtbot: QtBot, opened: MainWindow) -> None:
    space, slider = opened.workspace, opened.rate.slider
    wait_until(lambda: settled(opened))
    assert space.curve is not None
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert space.rate.kind == "lossless"
    assert opened.rate._values["psnr"].text() == "exact"
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert space.rate == space.curve.smallest.rate
    wait_until(lambda: settled(opened))
    assert space.encoding is not None
    assert space.encoding.result.payload_bytes <= space.curve.smallest.payload_bytes + 16


@pytest.mark.parametrize(("text", "psnr"), [("47 dB", 47.0), ("1.5 bpp", None), ("4 kB", None)])
def test_rates_can_be_typed(
    qtbot: QtBot, opened: MainWindow, text: str, psnr: float | None
) -> None:
    wait_until(lambda: settled(opened))
    opened.menus.actions["enter_rate"].trigger()
    qtbot.keyClicks(opened.rate.entry, text)
    qtbot.keyClick(opened.rate.entry, Qt.Key.Key_Return)
    point = opened.workspace.point
    assert point is not None
    if psnr is not None:
        assert point.psnr_db == pytest.approx(psnr, abs=0.4)
    elif "bpp" in text:
        assert point.bpp == pytest.approx(1.5, rel=0.05)
    else:
        assert point.payload_bytes == pytest.approx(4000, rel=0.05)
    qtbot.keyClicks(opened.rate.entry, "lots")
    qtbot.keyClick(opened.rate.entry, Qt.Key.Key_Return)
    assert "no rate" in opened.workspace.message


def test_the_curve_can_be_clicked(qtbot: QtBot, opened: MainWindow) -> None:
    curve = opened.rate.curve
    known = opened.workspace.curve
    assert known is not None
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(curve.width() - 4, 60))
    assert opened.workspace.rate.kind == "lossless"
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(50, 60))
    point = opened.workspace.point
    assert point is not None
    assert point.payload_bytes < 3 * known.smallest.payload_bytes


def test_the_divider_is_dragged(qtbot: QtBot, opened: MainWindow) -> None:
    opened.show_wanted({"layout": "split", "left": "carrier", "right": "original"})
    canvas = opened.canvas
    middle = QPoint(canvas.width() // 2, canvas.height() // 2)
    drag(qtbot, canvas, middle, QPoint(canvas.width() // 4, middle.y()))
    assert opened.workspace.state.divider == pytest.approx(0.25, abs=0.01)
    opened.menus.actions["turn_divider"].trigger()
    assert not opened.workspace.state.vertical
    opened.menus.actions["layout_swipe"].trigger()
    qtbot.mouseMove(canvas, QPoint(10, canvas.height() * 3 // 4))
    assert opened.workspace.state.divider == pytest.approx(0.75, abs=0.02)


def test_sides_show_their_sources(opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "left": "original", "right": "carrier"})
    opened.workspace.set_rate(rawback.Rate.lossless())
    drawn(opened)
    original = pixels_of(opened.canvas)[60:]
    opened.show_wanted({"left": "restored"})
    drawn(opened)
    restored = pixels_of(opened.canvas)[60:]
    opened.show_wanted({"left": "carrier"})
    drawn(opened)
    carrier = pixels_of(opened.canvas)[60:]
    # Lossless: the same data rendered alike is the same picture; the JPEG is another.
    assert np.array_equal(original, restored)
    assert not np.array_equal(original, carrier)


def test_space_flips_while_it_is_held(qtbot: QtBot, opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "left": "carrier", "right": "error"})
    drawn(opened)
    opened.canvas.setFocus()
    before = pixels_of(opened.canvas)[60:]
    qtbot.keyPress(opened.canvas, Qt.Key.Key_Space)
    held = pixels_of(opened.canvas)[60:]
    qtbot.keyRelease(opened.canvas, Qt.Key.Key_Space)
    assert not np.array_equal(before, held)
    assert np.array_equal(before, pixels_of(opened.canvas)[60:])


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
    drag(qtbot, canvas, QPoint(100, 100), QPoint(140, 90))
    assert before.x - space.state.viewport.x == pytest.approx(40 / before.zoom, rel=0.05)
    left = canvas.place_at(QPointF(50, 60))
    other = canvas.place_at(QPointF(50 + (canvas.width() + 2) / 2, 60))
    assert left == pytest.approx(other, abs=1 / before.zoom)


def test_exposure_and_white_reach_both_raws(qtbot: QtBot, opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "left": "original", "right": "carrier"})
    drawn(opened)
    before = pixels_of(opened.canvas)[60:].mean()
    opened.look.exposure.setValue(-60)
    drawn(opened)
    assert pixels_of(opened.canvas)[60:].mean() < 0.9 * before
    assert opened.look.exposure_text.text() == "-2.00 EV"
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
    assert opened.workspace.state.development.neutral is not None
    assert not opened.look.pick.isChecked()
    opened.menus.actions["camera_white"].trigger()
    assert opened.workspace.state.development.neutral is None


def test_errors_of_a_region(qtbot: QtBot, opened: MainWindow) -> None:
    space = opened.workspace
    opened.errors.shown.click()
    wait_until(lambda: shows(opened, "error"))
    assert opened.panel.currentWidget() is opened.errors
    state = space.state
    corners = [QPoint(*map(round, state.viewport.to_pane(*at))) for at in ((40, 30), (80, 60))]
    drag(qtbot, opened.canvas, corners[0], corners[1], shift=True)
    found = space.statistics
    assert found is not None
    assert found.count == pytest.approx(1200, rel=0.15)
    assert "\u03c3" in opened.errors._figures["rms"].text()
    rms = found.rms
    opened.menus.actions["unit_DN"].trigger()
    assert space.statistics is not None
    assert space.statistics.rms > 3 * rms
    opened.menus.actions["clear_selection"].trigger()
    assert space.statistics is None


def test_the_color_bar_is_dragged(qtbot: QtBot, opened: MainWindow) -> None:
    opened.errors.shown.click()
    wait_until(lambda: shows(opened, "error"))
    drawn(opened)
    before = pixels_of(opened.canvas)[60:]
    bar = opened.errors.bar
    drag(qtbot, bar, QPoint(20, 8), QPoint(20 + bar.width() // 2, 8))
    top = opened.workspace.state.errors.top
    assert top is not None
    drawn(opened)
    assert opened.workspace.pictures.error_top == top
    assert pixels_of(opened.canvas)[60:].mean() < before.mean()
    opened.menus.actions["auto_range"].trigger()
    assert opened.workspace.state.errors.top is None


def test_the_pointer_reads_samples_out(opened: MainWindow) -> None:
    readout = opened.workspace.readout(81.4, 60.9)
    assert readout is not None
    document = opened.workspace.document
    assert document is not None
    assert (readout.column, readout.row, readout.colour) == (81, 60, "G1")
    assert readout.original == document.frame.cfa[60, 81]
    restored = opened.workspace.restored
    assert restored is not None
    assert readout.restored == restored[60, 81]
    opened.canvas.hovered.emit((81.4, 60.9))
    assert "x 81, y 60" in opened.readout.text()
    assert opened.workspace.readout(500, 3) is None


def test_clipping_and_bits_are_overlays(opened: MainWindow) -> None:
    opened.show_wanted({"layout": "flip", "left": "carrier"})
    drawn(opened)
    plain = pixels_of(opened.canvas)
    opened.look._boxes["bits"].click()
    assert opened.workspace.state.overlays == {"bits"}
    assert not np.array_equal(plain, pixels_of(opened.canvas))
    opened.look._boxes["bits"].click()
    assert np.array_equal(plain, pixels_of(opened.canvas))
    document = opened.workspace.document
    assert document is not None
    assert document.guide is not None
    clipped = (document.guide.pixels.max(axis=2) >= 254).any()
    opened.look.carrier_clipping.click()
    drawn(opened)
    marks = opened.workspace.pictures.carrier_clipping
    assert marks is not None
    assert bool(marks.pixels[..., 3].any()) == bool(clipped)


def test_files_are_saved(
    opened: MainWindow, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        "save": "carrier.jpg",
        "save_sidecar": "photo.jpg.rawback",
        "export_dng": "restored.dng",
        "export_map": "map.png",
        "export_numbers": "numbers.csv",
    }
    for action, name in answers.items():
        path = shot_folder / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, path=path: (str(path), ""))
        opened.menus.actions[action].trigger()
        written(opened, name)
    carrier = shot_folder / "carrier.jpg"
    assert rawback.verify(carrier, raw=shot_folder / "photo.dng").intact
    encoding = opened.workspace.encoding
    assert encoding is not None
    assert carrier.read_bytes() == encoding.carrier
    assert np.array_equal(rawio.read_raw(shot_folder / "restored.dng").cfa, encoding.restored.cfa)
    image = QImage(str(shot_folder / "map.png"))
    assert image.height() > 120 + 80
    rows = list(csv.reader(io.StringIO((shot_folder / "numbers.csv").read_text("utf-8"))))
    assert rows[0] == ["region", "0", "0", "160", "120"]
    assert rows[5][:2] == ["all", "19200"]
    before = (shot_folder / "photo.jpg").read_bytes()
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_a: (str(shot_folder / "photo.jpg"), "")
    )
    opened.menus.actions["save"].trigger()
    wait_until(lambda: "input" in opened.workspace.message)
    assert (shot_folder / "photo.jpg").read_bytes() == before
    opened.menus.actions["save_in_place"].trigger()
    wait_until(lambda: "now carries its raw" in opened.workspace.message)
    assert (shot_folder / "photo.jpg_original").read_bytes() == before


def test_the_clipboard_gets_view_and_command(opened: MainWindow, shot_folder: Path) -> None:
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    opened.menus.actions["copy_command"].trigger()
    text = clipboard.text()
    assert text.startswith("rawback embed ")
    assert text.endswith("-q 60")
    opened.menus.actions["copy_view"].trigger()
    assert clipboard.image().width() == opened.canvas.width()


def test_settings_and_recent_files_are_restored(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: bool(window.workspace.pictures.sources))
    window.show_wanted({"layout": "side", "left": "original"})
    window.close()
    again = MainWindow()
    assert again.workspace.state.layout == "side"
    assert again.workspace.state.left == "original"
    assert [pair.name for pair in again.settings.recent()] == ["photo.dng + photo.jpg"]
    again.close()
    again.deleteLater()


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

    opened.panel.setCurrentWidget(opened.errors)
    opened.menus.actions["select_view"].trigger()
    for page in (opened.look, opened.errors):
        opened.panel.setCurrentWidget(page)
        QApplication.processEvents()
        assert page.minimumSizeHint().height() <= page.height()
        assert page.minimumSizeHint().width() <= page.width()
        texts: list[QLabel | QPushButton] = list(opened.findChildren(QLabel))
        for widget in texts + list(opened.findChildren(QPushButton)):
            if not widget.isVisible() or not widget.text():
                continue
            if isinstance(widget, QLabel) and widget.wordWrap():
                needed = widget.heightForWidth(widget.width())
                assert needed <= widget.height() + 1, widget.text()
            else:
                assert widget.sizeHint().width() <= widget.width() + 1, widget.text()


def test_late_results_do_not_overwrite_newer_ones(opened: MainWindow) -> None:
    space = opened.workspace
    drawn(opened)
    newest = space.pictures
    document = space.document
    assert document is not None
    late = replace(newest, generation=newest.generation - 1)
    space._show(document, late)
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

    monkeypatch.setattr(workspace, "render", slow)
    shown = space.pictures.generation
    opened.show_wanted({"development": Development(exposure=-1.0)})
    wait_until(lambda: space._draw._waiting is None)
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


def test_state_is_kept_while_sources_are_missing(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    window.workspace.state = ViewState(left="carrier", right="restored")
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: bool(window.workspace.pictures.sources))
    window.menus.actions["zoom_in"].trigger()
    wait_until(lambda: shows(window, "restored"))
    assert window.workspace.state.right == "restored"
