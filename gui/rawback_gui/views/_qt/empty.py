# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window shows before anything is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QPainter, QPen
from PyQt6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import theme_of

if TYPE_CHECKING:
    from PyQt6.QtGui import QPaintEvent

    from rawback_gui.models.pairing import Pair

__all__ = ["EmptyPage"]

_RECENT = 5
_ICON = 72


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
        icon = QLabel()
        icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        icon.setPixmap(QGuiApplication.windowIcon().pixmap(_ICON, _ICON))
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
        layout.addWidget(icon)
        layout.addSpacing(12)
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

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme_of(self).track, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect().adjusted(24, 24, -24, -24)), 12, 12)
        painter.end()

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
