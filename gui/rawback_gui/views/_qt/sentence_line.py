# SPDX-License-Identifier: GPL-3.0-or-later
"""The line below the pictures: what the payload gives back, and how far work is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from rawback_gui.models.wording import tr
from rawback_gui.views._qt.buttons import FlatButton
from rawback_gui.views._qt.theme import Elided, theme_of

if TYPE_CHECKING:
    from PyQt6.QtGui import QPaintEvent, QResizeEvent

    from rawback_gui.controllers.feedback import Progress

__all__ = ["ProgressLine", "SentenceLine"]

_THICK = 3


class ProgressLine(QWidget):
    """A thin line that fills as work goes on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_THICK)
        self.setAccessibleName(tr("Progress"))
        self._fraction: float | None = None

    def show_fraction(self, fraction: float | None) -> None:
        """Show how far work is, 0 to 1; None for no work."""
        self._fraction = fraction
        percent = "" if fraction is None else f"{round(100 * fraction)} %"
        self.setAccessibleDescription(percent)
        self.update()

    @property
    def fraction(self) -> float | None:
        """What is shown."""
        return self._fraction

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002 -- Qt's
        painter = QPainter(self)
        theme = theme_of(self)
        painter.fillRect(self.rect(), theme.window)
        if self._fraction is not None:
            painter.fillRect(self.rect(), theme.track)
            # Work that has begun is to be seen.
            share = max(self._fraction, 0.02)
            painter.fillRect(QRectF(0, 0, share * self.width(), self.height()), theme.accent_line)
        painter.end()


class SentenceLine(QFrame):
    """What is gained, in words, and what is being done.

    Signals:
        cancel_wanted: Work that people wait for is to be stopped.
    """

    cancel_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted = 0
        self.sentence = Elided(prominent=True)
        self.sentence.setObjectName("sentence")
        self.sentence.setAccessibleName(tr("What is gained"))
        self.stage = Elided()
        self.stage.setObjectName("stage")
        self.stage.setAccessibleName(tr("Work"))
        self.stage.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.cancel = FlatButton(tr("Cancel"), text=tr("Cancel"))
        self.cancel.clicked.connect(self.cancel_wanted)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.stage.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 10, 0)
        row.setSpacing(12)
        row.addWidget(self.sentence, 1)
        row.addWidget(self.stage)
        row.addWidget(self.cancel)
        self.setFixedHeight(self.cancel.sizeHint().height() + 2)
        self.show_progress(None)

    def show_sentence(self, text: str) -> None:
        """Show what is gained."""
        self.sentence.set_text(text)

    def show_progress(self, progress: Progress | None, subject: str = "") -> None:
        """Show what is being done, and how to stop it where people wait for it.

        Args:
            progress: How far it is; None for no work.
            subject: What it is about, where that is not what is on the screen.
        """
        self.stage.setVisible(progress is not None)
        self.cancel.setVisible(progress is not None and progress.blocking)
        if progress is not None:
            percent = f"{round(100 * progress.fraction)} %"
            about = f"{subject}: {progress.stage}" if subject else progress.stage
            self.stage.set_text(f"{about} \u00b7 {percent}")
            self._wanted = self.stage.fontMetrics().horizontalAdvance(f"{about} \u00b7 100 %") + 4
            self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The stage has the room that it needs, of half the line at most."""
        self.stage.setFixedWidth(min(self._wanted, self.width() // 2))
        layout = self.layout()
        if layout is not None:
            layout.activate()
