# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written, and the clipboard."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtGui import QGuiApplication, QImage
from PyQt6.QtWidgets import QFileDialog

import rawback
from rawback import rawio
from rawback_gui.views._qt.driving import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from rawback_gui.views._qt.window import MainWindow


def written(window: MainWindow, name: str) -> None:
    """Wait until the window says that a file was written."""
    wait_until(lambda: name in window.workspace.voice.message)


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
    encoding = opened.workspace.rates.encoding
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
    wait_until(lambda: "input" in opened.workspace.voice.message)
    assert (shot_folder / "photo.jpg").read_bytes() == before
    opened.menus.actions["save_in_place"].trigger()
    wait_until(lambda: "now carries its raw" in opened.workspace.voice.message)
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
