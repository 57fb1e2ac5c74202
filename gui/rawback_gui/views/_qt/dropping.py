# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are dropped on a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PyQt6.QtGui import QDragEnterEvent, QDropEvent

__all__ = ["FileTarget"]


class FileTarget:
    """What a widget on which files are dropped is besides; the first of its bases."""

    def take_files(self, paths: list[Path]) -> None:
        """Do something with files that were dropped."""
        raise NotImplementedError

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and _files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        if event is not None:
            event.acceptProposedAction()
            self.take_files(_files(event))


def _files(event: QDropEvent) -> list[Path]:
    data = event.mimeData()
    urls = data.urls() if data is not None and data.hasUrls() else []
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
