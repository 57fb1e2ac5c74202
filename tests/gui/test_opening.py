# SPDX-License-Identifier: GPL-3.0-or-later
"""Dropping files on the window, and what becomes of them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PyQt6.QtWidgets import QApplication, QFileDialog

from rawback_gui.models.state import ViewState
from rawback_gui.views._qt.driving import drawn, grabbed, shows, wait_until
from rawback_gui.views._qt.window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path


Drop = Callable[..., None]


def pair_name(window: MainWindow) -> str:
    document = window.workspace.document
    return "" if document is None else document.pair.name


def test_dropping_a_pair_compares_it(opened: MainWindow) -> None:
    assert opened.pages.currentIndex() == 1
    assert opened.windowTitle().startswith("photo.dng + photo.jpg")
    assert opened.workspace.feedback.text == ""
    seen = grabbed(opened.canvas)
    middle = seen[100:-100, 300:-300]
    assert middle.std() > 10
    figures = opened.workspace.rates.figures
    assert figures is not None
    assert figures.measured
    assert "dB" in opened.rate.psnr.text()
    assert [t.label for t in opened.workspace.rates.ticks][:1] == ["base"]
    assert opened.widgets.sentence.sentence.whole.startswith("JPEG ")


@pytest.mark.parametrize("name", ["photo.dng", "photo.jpg"])
def test_one_file_finds_its_partner(
    window: MainWindow, drop: Drop, shot_folder: Path, name: str
) -> None:
    drop(window, shot_folder / name)
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert pair_name(window) == "photo.dng + photo.jpg"


def test_a_raw_alone_gets_its_own_jpeg(window: MainWindow, drop: Drop, shot_folder: Path) -> None:
    (shot_folder / "photo.jpg").unlink()
    drop(window, shot_folder / "photo.dng")
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert window.workspace.document is not None
    assert window.workspace.document.has_original


def test_a_jpeg_dropped_on_its_open_raw_is_taken(
    window: MainWindow, drop: Drop, shot_folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    edited = elsewhere / "final edit.jpg"
    shutil.move(shot_folder / "photo.jpg", edited)
    drop(window, shot_folder / "photo.dng")
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert pair_name(window) == "photo.dng"
    drop(window, edited)
    wait_until(lambda: pair_name(window) == "photo.dng + final edit.jpg")
    wait_until(lambda: shows(window, "carrier", "restored"))


def test_a_carrier_alone_opens_restored(
    window: MainWindow, drop: Drop, tmp_path: Path, lossless_carrier: bytes
) -> None:
    path = tmp_path / "carrier.jpg"
    path.write_bytes(lossless_carrier)
    # Whatever was wanted, two different pictures are shown.
    window.show_wanted({"left": "original", "right": "restored"})
    drop(window, path)
    wait_until(lambda: shows(window, "carrier", "restored"))
    state = window.workspace.resolved
    assert (state.left, state.right) == ("carrier", "restored")
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
        ("Lower_case.jpg", None, "Lower_case.jpg carries no raw yet"),
        ("gone.dng", b"", "gone.dng is not there any more"),
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
    if data != b"":
        path.write_bytes((shot_folder / "photo.jpg").read_bytes() if data is None else data)
    drop(window, path)
    wait_until(lambda: bool(window.workspace.feedback.text))
    assert sentence in window.workspace.feedback.text
    toasts = window.widgets.start_toasts
    assert toasts is not None
    assert toasts.toasts[-1].text.text() == window.workspace.feedback.text
    assert toasts.toasts[-1].isVisible()
    assert window.workspace.feedback.progress is None
    assert QApplication.activeModalWidget() is None
    # Escape takes the message away.
    window.menus.actions["cancel"].trigger()
    assert window.workspace.feedback.notices == ()


def test_names_of_files_stay_as_they_are(window: MainWindow, drop: Drop, shot_folder: Path) -> None:
    path = shot_folder / "gopro_hero7.jpg"
    path.write_bytes(b"\xff\xd8\xff no JPEG at all")
    drop(window, path)
    wait_until(lambda: bool(window.workspace.feedback.text))
    assert "Gopro" not in window.workspace.feedback.text


def test_a_refused_jpeg_finds_its_raw(
    window: MainWindow, drop: Drop, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = shot_folder / "other.jpg"
    shutil.move(shot_folder / "photo.jpg", other)
    drop(window, other)
    wait_until(lambda: "carries no raw yet" in window.workspace.feedback.text)
    raw = str(shot_folder / "photo.dng")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a: (raw, ""))
    toasts = window.widgets.start_toasts
    assert toasts is not None
    toasts.toasts[-1].remedies["find_raw"].click()
    wait_until(lambda: shows(window, "carrier", "restored"))
    assert pair_name(window) == "photo.dng + other.jpg"


def test_a_jpeg_of_another_shot_is_shown_beside_the_raw(
    window: MainWindow, drop: Drop, shot_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = np.zeros((120, 160, 3), np.uint8)
    plain[..., 0] = np.linspace(0, 255, 160)
    file = io.BytesIO()
    Image.fromarray(plain).save(file, "JPEG")
    wrong = shot_folder / "wrong.jpg"
    wrong.write_bytes(file.getvalue())
    window.show_wanted({"layout": "side", "left": "carrier", "right": "restored"})
    drop(window, shot_folder / "photo.dng", wrong)
    wait_until(lambda: bool(window.workspace.feedback.text))
    assert window.pages.currentIndex() == 1
    drawn(window)
    assert set(window.workspace.pictures.sources) == {"carrier", "original"}
    toast = window.widgets.toasts.toasts[-1]
    assert set(toast.remedies) == {"choose_jpeg", "unguided"}
    toast.remedies["unguided"].click()
    wait_until(lambda: shows(window, "restored"))
    right = str(shot_folder / "photo.jpg")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a: (right, ""))
    drop(window, shot_folder / "photo.dng", wrong)
    wait_until(lambda: bool(window.workspace.feedback.text))
    window.widgets.toasts.toasts[-1].remedies["choose_jpeg"].click()
    wait_until(lambda: pair_name(window) == "photo.dng + photo.jpg")
    wait_until(lambda: shows(window, "carrier", "restored"))


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


def test_the_shots_of_a_folder_are_gone_through(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    for ending in (".dng", ".jpg"):
        shutil.copy(shot_folder / f"photo{ending}", shot_folder / f"another{ending}")
    drop(window, shot_folder / "another.dng")
    wait_until(lambda: shows(window, "carrier", "restored"))
    wait_until(lambda: bool(window.workspace.browsing.shots))
    assert window.menus.actions["next"].isEnabled()
    assert not window.menus.actions["previous"].isEnabled()
    window.top.next.click()
    wait_until(lambda: pair_name(window) == "photo.dng + photo.jpg")
    window.menus.actions["previous"].trigger()
    wait_until(lambda: pair_name(window) == "another.dng + another.jpg")


def test_settings_and_recent_files_are_restored(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: shows(window, "restored"))
    window.show_wanted({"layout": "side", "left": "original"})
    window.menus.actions["theme_dark"].trigger()
    window.close()
    again = MainWindow()
    assert again.workspace.state.layout == "side"
    assert again.workspace.state.left == "original"
    assert again.menus.actions["theme_dark"].isChecked()
    recent = again.settings.recent()
    assert [pair.name for pair in recent] == ["photo.dng + photo.jpg"]
    assert again.thumbnails.path(recent[0]) is not None
    again.run("theme_system")
    again.close()
    again.deleteLater()


def test_state_is_kept_while_sources_are_missing(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    window.workspace.state = ViewState(left="carrier", right="restored")
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: bool(window.workspace.pictures.sources))
    window.menus.actions["zoom_in"].trigger()
    wait_until(lambda: shows(window, "restored"))
    assert window.workspace.state.right == "restored"
