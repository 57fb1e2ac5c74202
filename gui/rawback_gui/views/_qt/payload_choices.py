# SPDX-License-Identifier: GPL-3.0-or-later
"""Widgets for what people choose about payloads besides their rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rawback_gui.models.choices import (
    METADATA,
    TUNES,
    metadata_meaning,
    metadata_name,
    tune_meaning,
    tune_name,
)
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.panel_parts import choice
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtGui import QResizeEvent

    from rawback import MetadataChoice, Tune

__all__ = ["MeaningChooser", "metadata_chooser", "tune_chooser"]

_Choice = TypeVar("_Choice", bound=str)


class MeaningChooser(QWidget, Generic[_Choice]):
    """A list to choose from, and what the choice means in a line below.

    Signals:
        chosen: The value that people choose.
    """

    chosen = pyqtSignal(str)

    def __init__(
        self,
        name: str,
        values: tuple[_Choice, ...],
        text: Callable[[_Choice], str],
        meaning: Callable[[_Choice], str],
        *,
        narrow: bool = False,
    ) -> None:
        """Make a list.

        Args:
            name: What is chosen.
            values: To choose from.
            text: What to call a value.
            meaning: What it means, in a sentence.
            narrow: Whether the list is as wide as its items, rather than as there is room.
        """
        super().__init__()
        self._values, self._meaning_of = values, meaning
        self.box: QComboBox = choice(name, values, tuple(map(text, values)))
        self.box.activated.connect(lambda index: self.chosen.emit(values[index]))
        self.meaning = Caption()
        self.meaning.setWordWrap(True)
        self.meaning.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(QLabel(name))
        row.addWidget(self.box, 0 if narrow else 1)
        if narrow:
            row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self.meaning)
        self.show_value(values[0])

    @property
    def value(self) -> _Choice:
        """What is shown."""
        return self._values[self.box.currentIndex()]

    def show_value(self, value: _Choice) -> None:
        """Show a value, chosen here or elsewhere."""
        self.box.setCurrentIndex(self._values.index(value))
        self.meaning.setText(self._meaning_of(value))
        self.box.setAccessibleDescription(self.meaning.text())
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as the longest meaning, so that nothing moves when another is chosen."""
        flags, width = int(Qt.TextFlag.TextWordWrap), max(self.width(), 120)
        metrics = self.meaning.fontMetrics()
        heights = (
            metrics.boundingRect(0, 0, width, 10_000, flags, self._meaning_of(value)).height()
            for value in self._values
        )
        self.meaning.setFixedHeight(max(heights) + 2)


def metadata_chooser(*, narrow: bool = False) -> MeaningChooser[MetadataChoice]:
    """What payloads tell of the raw; for `narrow` see :class:`MeaningChooser`."""
    return MeaningChooser(tr("Metadata"), METADATA, metadata_name, metadata_meaning, narrow=narrow)


def tune_chooser(*, narrow: bool = False) -> MeaningChooser[Tune]:
    """What errors are made small for."""
    return MeaningChooser(tr("Tune for"), TUNES, tune_name, tune_meaning, narrow=narrow)
