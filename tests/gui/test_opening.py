# SPDX-License-Identifier: GPL-3.0-or-later
"""Dropping files on the window, and what becomes of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PyQt6.QtWidgets import QApplication

from rawback_gui.models.state import ViewState
from rawback_gui.views._qt.driving import grabbed, shows, wait_until
from rawback_gui.views._qt.window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path


Drop = Callable[..., None]


def test_dropping_a_pair_compares_it(opened: MainWindow) -> None:
    assert opened.pages.currentIndex() == 1
    assert opened.windowTitle().startswith("photo.dng + photo.jpg")
    assert opened.workspace.voice.message == ""
    seen = grabbed(opened.canvas)
    middle = seen[100:-100, 300:-300]
    assert middle.std() > 10
    figures = opened.workspace.rates.figures
    assert figures is not None
    assert figures.measured
    assert "dB" in opened.rate._values["psnr"].text()
    assert [t.label for t in opened.workspace.rates.ticks][:1] == ["base"]


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
    wait_until(lambda: bool(window.workspace.voice.message))
    assert sentence in window.message.text.text()
    assert window.message.isVisible()
    assert window.workspace.voice.progress is None
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


def test_state_is_kept_while_sources_are_missing(
    window: MainWindow, drop: Drop, shot_folder: Path
) -> None:
    window.workspace.state = ViewState(left="carrier", right="restored")
    drop(window, shot_folder / "photo.dng", shot_folder / "photo.jpg")
    wait_until(lambda: bool(window.workspace.pictures.sources))
    window.menus.actions["zoom_in"].trigger()
    wait_until(lambda: shows(window, "restored"))
    assert window.workspace.state.right == "restored"
