# SPDX-License-Identifier: GPL-3.0-or-later
"""The line below everything: the sample under the pointer, and how far work is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from rawback_gui.models.wording import tr
from rawback_gui.views._qt.colorbar import number_text

if TYPE_CHECKING:
    from rawback_gui.controllers.inspection import Readout
    from rawback_gui.controllers.telling import Progress

__all__ = ["StatusBar"]


class StatusBar(QStatusBar):
    """Readout and progress.

    Signals:
        stopped: Work is to be cancelled.
    """

    stopped = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.readout = QLabel()
        self.readout.setAccessibleName(tr("Sample under the pointer"))
        self.stage = QLabel()
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setFixedWidth(160)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self.stop = QPushButton(tr("Cancel"))
        self.stop.clicked.connect(self.stopped)
        self.setSizeGripEnabled(False)
        self.addWidget(self.readout, 1)
        for widget in (self.stage, self.bar, self.stop):
            self.addPermanentWidget(widget)
        self.setMinimumHeight(self.stop.sizeHint().height() + 4)
        self.show_progress(None)

    def show_progress(self, progress: Progress | None) -> None:
        """Show how far work is, or that there is none."""
        for widget in (self.stage, self.bar, self.stop):
            widget.setVisible(progress is not None)
        if progress is not None:
            self.stage.setText(progress.stage)
            self.bar.setValue(round(1000 * progress.fraction))

    def show_readout(self, found: Readout | None) -> None:
        """Show a sample, or none."""
        self.readout.setText("" if found is None else _words(found))


def _words(found: Readout) -> str:
    parts = [f"x {found.column}, y {found.row}", found.colour]
    if found.original is not None:
        parts.append(tr("original {} DN").format(found.original))
    if found.restored is not None:
        parts.append(tr("restored {} DN").format(found.restored))
    if found.error is not None:
        parts.append(tr("error {} {}").format(number_text(found.error), found.unit))
    return "   ".join(parts)
