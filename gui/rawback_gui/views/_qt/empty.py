# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window shows before anything is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from rawback_gui.views._qt.bridge import tr

if TYPE_CHECKING:
    from rawback_gui.models.pairing import Pair

__all__ = ["EmptyPage"]

_RECENT = 5


class EmptyPage(QWidget):
    """An invitation, and what was open lately.

    Signals:
        open_wanted: Files are to be chosen.
        recent_wanted: A `Pair` is to be opened again.
    """

    open_wanted = pyqtSignal()
    recent_wanted = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel(tr("Drop a raw and its JPEG here"))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.9)
        title.setFont(font)
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text = QLabel(
            tr(
                "Then move one slider and see what the JPEG will carry.\n"
                "A raw alone works too, and so does a JPEG that carries its raw."
            )
        )
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        button = QPushButton(tr("Open\u2026"))
        button.setObjectName("open")
        button.setDefault(True)
        button.clicked.connect(self.open_wanted)
        self._recent = QVBoxLayout()
        self._buttons: list[QPushButton] = []
        self._heading = QLabel(tr("Recent"))
        self._heading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.addStretch(3)
        layout.addWidget(title)
        layout.addSpacing(8)
        layout.addWidget(text)
        layout.addSpacing(16)
        layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(24)
        layout.addWidget(self._heading)
        layout.addLayout(self._recent)
        layout.addStretch(4)
        self.show_recent(())

    def show_recent(self, pairs: tuple[Pair, ...]) -> None:
        """List what was open lately, as far as it is still there."""
        for old in self._buttons:
            self._recent.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._buttons = []
        for pair in pairs[:_RECENT]:
            button = QPushButton(pair.name)
            button.setFlat(True)
            button.setToolTip("\n".join(str(Path(path)) for path in pair.files))
            button.clicked.connect(lambda _on, pair=pair: self.recent_wanted.emit(pair))
            self._recent.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
            self._buttons.append(button)
        self._heading.setVisible(bool(self._buttons))
