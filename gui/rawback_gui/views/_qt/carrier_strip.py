# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip below a carrier that is alone: what is inside, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from rawback_gui.models.contents import summary_of
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.buttons import FlatButton, PrimaryButton
from rawback_gui.views._qt.rate_strip import STRIP_HEIGHT
from rawback_gui.views._qt.theme import Elided

if TYPE_CHECKING:
    from rawback import CarrierInfo

__all__ = ["CarrierStrip"]


class CarrierStrip(QFrame):
    """A line about the carrier and buttons for its verbs.

    Signals:
        action_wanted: The name of an action.
    """

    action_wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(STRIP_HEIGHT)
        self.summary = Elided(prominent=True)
        font = self.summary.font()
        font.setBold(True)
        self.summary.setFont(font)
        self.name = Elided()
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addStretch()
        texts.addWidget(self.summary)
        texts.addWidget(self.name)
        texts.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 14, 4)
        row.setSpacing(6)
        row.addLayout(texts, 1)
        self.buttons: dict[str, FlatButton] = {}
        for name, text in (
            ("grain", tr("Grain")),
            ("verify", tr("Verify")),
            ("shrink", tr("Shrink\u2026")),
            ("strip", tr("Strip\u2026")),
            ("compare_raw", tr("Compare\u2026")),
        ):
            self._add(row, FlatButton(text, text=text), name)
        self.buttons["grain"].setCheckable(True)
        self.buttons["grain"].setToolTip(
            tr("Add noise, not the sensor\u2019s own, where the payload is too coarse for it")
        )
        self._add(
            row,
            FlatButton(tr("Export original"), text=tr("Export original\u2026")),
            "export_original",
        )
        self._add(row, PrimaryButton(tr("Export DNG"), text=tr("Export DNG\u2026")), "export_dng")

    def _add(self, row: QHBoxLayout, button: FlatButton, name: str) -> None:
        button.clicked.connect(lambda: self.action_wanted.emit(name))
        row.addWidget(button)
        self.buttons[name] = button

    def show_carrier(self, info: CarrierInfo, name: str) -> None:
        """Show what is inside."""
        self.summary.set_text(summary_of(info))
        self.name.set_text(name)
        # Nothing is offered that the carrier does not hold.
        self.buttons["export_original"].setVisible(info.raw_file is not None)
