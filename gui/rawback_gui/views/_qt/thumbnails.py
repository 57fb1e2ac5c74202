# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of what was open lately, in the user's cache."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PyQt6.QtCore import QSaveFile, QStandardPaths
from PyQt6.QtGui import QImage

from rawback_gui.models.orientation import upright

if TYPE_CHECKING:
    from rawback_gui.controllers.document import Document
    from rawback_gui.models.pairing import Pair

__all__ = ["Thumbnails"]

_WIDTH, _HEIGHT = 304, 204
_MOST = 40
_GROUND = 38


class Thumbnails:
    """Small pictures by the files that they are of."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use a folder.

        Args:
            folder: Where they are; in the user's cache by default.
        """
        if folder is None:
            kind = QStandardPaths.StandardLocation.GenericCacheLocation
            folder = Path(QStandardPaths.writableLocation(kind)) / "rawback" / "thumbnails"
        self._folder = folder

    def path(self, pair: Pair) -> Path | None:
        """Where the picture of a pair is, if there is one."""
        path = self._path(pair)
        return path if path.exists() else None

    def keep(self, document: Document) -> None:
        """Keep a small picture of what is open; nothing where that cannot be written."""
        if document.guide is None:
            return
        image = _small(document)
        path = self._path(document.pair)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._tidy()
        except OSError:
            return
        file = QSaveFile(str(path))
        if file.open(QSaveFile.OpenModeFlag.WriteOnly) and image.save(file, "JPEG", 85):
            file.commit()

    def clear(self) -> None:
        """Forget all of them."""
        for path in self._folder.glob("*.jpg"):
            path.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Keep the latest."""
        paths = sorted(self._folder.glob("*.jpg"), key=lambda path: path.stat().st_mtime)
        for path in paths[:-_MOST]:
            path.unlink(missing_ok=True)

    def _path(self, pair: Pair) -> Path:
        names = "\n".join(str(file.absolute()) for file in pair.files)
        digest = hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / f"{digest[:32]}.jpg"


def _small(document: Document) -> QImage:
    guide = document.guide
    if guide is None:
        return QImage()
    every = max(min(document.size) // (2 * _HEIGHT), 1)
    picture = upright(guide.pixels[::every, ::every], document.frame.orientation)
    scale = min(_WIDTH / picture.shape[1], _HEIGHT / picture.shape[0])
    size = max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1)
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    card = np.full((_HEIGHT, _WIDTH, 3), _GROUND, np.uint8)
    left, top = (_WIDTH - size[0]) // 2, (_HEIGHT - size[1]) // 2
    card[top : top + size[1], left : left + size[0]] = small
    data = card.tobytes()
    return QImage(data, _WIDTH, _HEIGHT, 3 * _WIDTH, QImage.Format.Format_RGB888).copy()
