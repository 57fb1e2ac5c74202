# SPDX-License-Identifier: GPL-3.0-or-later
"""The label of a pane, in which people choose what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPalette
from PyQt6.QtWidgets import QBoxLayout, QLabel, QWidget

from rawback_gui.models.state import SOURCES, Source
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.buttons import Segmented
from rawback_gui.views._qt.theme import PILL, PILL_TEXT, recolour

if TYPE_CHECKING:
    from PyQt6.QtGui import QPaintEvent

__all__ = ["PaneLabel", "Pill", "source_name"]


def source_name(source: Source, *, pushed: bool = False) -> str:
    """What to call a source on the screen.

    Args:
        source: Which one.
        pushed: Whether exposure or white balance differ from the JPEG's.
    """
    return {
        "carrier": tr("JPEG pushed") if pushed else tr("JPEG"),
        "restored": tr("Restored"),
        "original": tr("Original"),
        "error": tr("Errors"),
    }[source]


class Pill(QLabel):
    """A few words on the canvas."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setContentsMargins(10, 0, 10, 0)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedHeight(28)
        recolour(self, {QPalette.ColorRole.WindowText: PILL_TEXT})

    def set_text(self, text: str) -> None:
        """Show a text, or hide where there is none."""
        if text != self.text():
            self.setText(text)
            self.adjustSize()
        self.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PILL)
        painter.drawRoundedRect(QRectF(self.rect()), 5, 5)
        painter.end()
        super().paintEvent(event)


class PaneLabel(QWidget):
    """Chooser and details of one pane.

    Signals:
        chosen: The `Source` that people choose.
    """

    chosen = pyqtSignal(str)

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        """Make a label.

        Args:
            side: What to call the pane.
            parent: The canvas.
        """
        super().__init__(parent)
        self._side = side
        segments = tuple((source, "", None, source_name(source)) for source in SOURCES)
        self.sources: Segmented[Source] = Segmented(segments, self.chosen.emit, on_canvas=True)
        self.details = Pill()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self.sources)
        self._row.addWidget(self.details)

    def show_source(
        self,
        source: Source,
        *,
        pushed: bool,
        there: frozenset[Source],
        enabled: frozenset[Source],
        details: str,
    ) -> None:
        """Show what the pane shows.

        Args:
            source: Its source.
            pushed: Whether exposure or white balance differ from the JPEG's.
            there: Sources that the picture has, or will have.
            enabled: Those that can be shown now.
            details: A few words more.
        """
        for value, button in self.sources.buttons.items():
            name = source_name(value, pushed=pushed)
            button.setText(name)
            button.setAccessibleName(f"{self._side}: {name}")
        self.sources.show_available(there, enabled)
        self.sources.show_value(source)
        self.details.set_text(details)

    def fit(self, room: int, *, mirrored: bool) -> None:
        """Take the size that is needed, with the details below where a line is too short.

        Args:
            room: Width of the pane.
            mirrored: Whether the details are on the left of the chooser.
        """
        width = self.sources.sizeHint().width() + self._row.spacing()
        stacked = width + self.details.sizeHint().width() > room
        direction = QBoxLayout.Direction
        side = direction.RightToLeft if mirrored else direction.LeftToRight
        self._row.setDirection(direction.TopToBottom if stacked else side)
        end = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        for widget in (self.sources, self.details):
            self._row.setAlignment(widget, end)
        self._row.activate()
        self.resize(self._row.sizeHint())
