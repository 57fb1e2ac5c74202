# SPDX-License-Identifier: GPL-3.0-or-later
"""The bar above the pictures: what is compared with what, how, and how large."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QStandardItemModel
from PyQt6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from rawback_gui.models.state import LAYOUTS, SOURCES, Layout, Source, ViewState
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.canvas import source_name

__all__ = ["TopBar", "layout_name"]


def layout_name(layout: Layout) -> str:
    """What to call a layout."""
    return {
        "side": tr("Side by side"),
        "split": tr("Split"),
        "swipe": tr("Swipe"),
        "flip": tr("Hold to flip"),
    }[layout]


class TopBar(QFrame):
    """Sides, layout, zoom.

    Signals:
        wanted: What people want to be different, by attribute of `ViewState`.
        zoom_wanted: A zoom in device pixels per raw pixel; 0 to fit.
    """

    wanted = pyqtSignal(dict)
    zoom_wanted = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ViewState()
        self.left = self._sources(tr("Left side"))
        self.right = self._sources(tr("Right side"))
        self.layouts: dict[Layout, QPushButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 10, 6)
        row.setSpacing(6)
        row.addWidget(self.left)
        for layout in LAYOUTS:
            button = QPushButton(layout_name(layout))
            button.setCheckable(True)
            group.addButton(button)
            button.clicked.connect(lambda _on, layout=layout: self._want(layout=layout))
            self.layouts[layout] = button
            row.addWidget(button)
        row.addWidget(self.right)
        row.addStretch()
        self.zoom = QLabel()
        self.zoom.setAccessibleName(tr("Zoom"))
        self.zoom.setToolTip(tr("Screen pixels for each pixel of the raw."))
        self.zoom.setMinimumWidth(self.fontMetrics().horizontalAdvance("3200.0 %"))
        fit, actual = QPushButton(tr("Fit")), QPushButton(tr("1:1"))
        fit.clicked.connect(lambda: self.zoom_wanted.emit(0.0))
        actual.clicked.connect(lambda: self.zoom_wanted.emit(1.0))
        row.addWidget(self.zoom)
        row.addWidget(fit)
        row.addWidget(actual)
        self.left.activated.connect(lambda _i: self._want(left=self.left.currentData()))
        self.right.activated.connect(lambda _i: self._want(right=self.right.currentData()))

    def show_state(self, state: ViewState, available: frozenset[Source]) -> None:
        """Show a state and which sources there are."""
        self._state = state
        for box, source in ((self.left, state.left), (self.right, state.right)):
            box.setCurrentIndex(SOURCES.index(source))
            for index, name in enumerate(SOURCES):
                model = box.model()
                item = model.item(index) if isinstance(model, QStandardItemModel) else None
                if item is not None:
                    item.setEnabled(name in available)
        self.layouts[state.layout].setChecked(True)
        zoom = 100 * state.viewport.zoom
        self.zoom.setText(f"{zoom:.0f} %" if zoom >= 10 else f"{zoom:.1f} %")

    def _sources(self, name: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        for source in SOURCES:
            box.addItem(source_name(source), source)
        return box

    def _want(self, **differences: object) -> None:
        self.wanted.emit(differences)
