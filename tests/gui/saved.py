# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving files as people do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from rawback_gui.views._qt.driving import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from rawback_gui.views._qt.window import MainWindow


def written(window: MainWindow, name: str) -> None:
    """Wait until the window says that a file was written."""
    wait_until(lambda: name in window.workspace.feedback.text)


def answering(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let the dialog for saving return a name."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(path), ""))
