# SPDX-License-Identifier: GPL-3.0-or-later
"""The bar above the pictures: how they are compared, how bright, and how large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from rawback_gui.models.rendering import DETENTS, EXPOSURES
from rawback_gui.models.state import LAYOUTS, Layout, ViewState
from rawback_gui.models.wording import tr
from rawback_gui.views._qt.buttons import FlatButton, Segmented
from rawback_gui.views._qt.detent_slider import DetentSlider
from rawback_gui.views._qt.theme import Caption

if TYPE_CHECKING:
    from rawback_gui.views._qt.icons import IconName

__all__ = ["TopBar", "layout_name"]

_WIDEST_SLIDER = 340


def layout_name(layout: Layout) -> str:
    """What to call a layout."""
    return {
        "side": tr("Side by side"),
        "split": tr("Split"),
        "swipe": tr("Swipe"),
        "flip": tr("Hold to flip"),
    }[layout]


class TopBar(QFrame):
    """Shots, layout, exposure, zoom, panel.

    Signals:
        action_wanted: The name of an action.
        exposure_wanted: Stops.
    """

    action_wanted = pyqtSignal(str)
    exposure_wanted = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.previous = self._button("previous", tr("Previous shot"), "previous")
        self.next = self._button("next", tr("Next shot"), "next")
        segments: tuple[tuple[Layout, str, IconName, str], ...] = tuple(
            (layout, layout_name(layout), layout, "") for layout in LAYOUTS
        )
        self.layouts: Segmented[Layout] = Segmented(
            segments, lambda layout: self.action_wanted.emit(f"layout_{layout}")
        )
        self.swap = self._button("swap", tr("Exchange sides"), "swap")
        self.exposure = DetentSlider(
            tr("Exposure of all pictures"), EXPOSURES, DETENTS, step=1 / 3, labelled=True
        )
        self.exposure.setMaximumWidth(_WIDEST_SLIDER)
        self.exposure.setToolTip(tr("Moves the JPEG and both raws alike. Double-click for 0."))
        self.exposure.chosen.connect(self.exposure_wanted)
        self.exposure_text = QLabel()
        self.exposure_text.setAccessibleName(tr("Exposure"))
        self.exposure_text.setMinimumWidth(self.fontMetrics().horizontalAdvance("+0.00 EV "))
        self.white = self._button("pick_white", tr("Pick white balance"), "picker")
        self.white.setCheckable(True)
        self.zoom = QLabel()
        self.zoom.setAccessibleName(tr("Zoom"))
        self.zoom.setToolTip(tr("Screen pixels for each pixel of the raw."))
        self.zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.zoom.setMinimumWidth(self.fontMetrics().horizontalAdvance("3200 %"))
        self.fit = self._button("fit", tr("Fit in window"), None, tr("Fit"))
        self.actual = self._button("actual", tr("Actual pixels"), None, tr("1:1"))
        self.panel = self._button("panel", tr("Side panel"), "panel")
        self.panel.setCheckable(True)
        self._arrange()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 5, 8, 5)
        row.setSpacing(4)
        for widget in (self.previous, self.next):
            row.addWidget(widget)
        row.addSpacing(8)
        row.addWidget(self.layouts)
        row.addWidget(self.swap)
        row.addSpacing(12)
        row.addWidget(Caption(tr("Exposure")))
        row.addWidget(self.exposure, 4)
        row.addWidget(self.exposure_text)
        row.addWidget(self.white)
        row.addStretch(1)
        for other in (self.zoom, self.fit, self.actual, self.panel):
            row.addWidget(other)

    def _button(self, action: str, name: str, icon: IconName | None, text: str = "") -> FlatButton:
        button = FlatButton(name, icon=icon, text=text)
        button.clicked.connect(lambda: self.action_wanted.emit(action))
        return button

    def show_state(self, state: ViewState, on: set[str], can: set[str]) -> None:
        """Show a state.

        Args:
            state: What is shown.
            on: Names of actions that are on.
            can: What is there of that which actions need.
        """
        self.layouts.show_value(state.layout)
        self.exposure.show_value(state.development.exposure)
        exposure = state.development.exposure
        self.exposure_text.setText(f"{exposure:+.2f} EV" if exposure else "0 EV")
        zoom = 100 * state.viewport.zoom
        self.zoom.setText(f"{zoom:.0f} %" if zoom >= 10 else f"{zoom:.1f} %")
        self.white.setChecked("pick_white" in on)
        self.panel.setChecked("panel" in on)
        self.previous.setEnabled("previous" in can)
        self.next.setEnabled("next" in can)
