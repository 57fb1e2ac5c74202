# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentence above everything, when there is one."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from rawback_gui.models.wording import tr
from rawback_gui.views._qt.theme import recolour, theme_of

__all__ = ["MessageBar"]


class MessageBar(QFrame):
    """What the window says, until it is dismissed.

    Signals:
        dismissed: It has been read.
    """

    dismissed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.text = QLabel()
        self.text.setObjectName("message")
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        dismiss = QToolButton()
        dismiss.setText("\u00d7")
        dismiss.setAutoRaise(True)
        dismiss.setAccessibleName(tr("Dismiss"))
        dismiss.clicked.connect(self.dismissed)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.addWidget(self.text, 1)
        row.addWidget(dismiss)
        self.show_message("")

    def show_message(self, text: str) -> None:
        """Show a sentence, or hide where there is none."""
        self.text.setText(text)
        self._follow_theme()
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._follow_theme()

    def _follow_theme(self) -> None:
        theme = theme_of(self.window() or self)
        recolour(
            self,
            {
                QPalette.ColorRole.Window: theme.warning,
                QPalette.ColorRole.WindowText: theme.warning_text,
            },
        )
