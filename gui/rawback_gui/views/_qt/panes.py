# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the panes of the comparison are, and where in them the picture is, in device pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint, QPointF, QRect, QRectF

if TYPE_CHECKING:
    from rawback_gui.models.orientation import Region
    from rawback_gui.models.state import ViewState

__all__ = ["Panes"]

_GAP = 2


@dataclass(frozen=True, slots=True)
class Panes:
    """One pane, or two side by side or one above the other.

    Attributes:
        state: What is shown, and how.
        width: Of the canvas.
        height: Of the canvas.
    """

    state: ViewState
    width: int
    height: int

    @property
    def rects(self) -> list[QRect]:
        """The panes, the left or upper one first."""
        if self.state.panes == 1:
            return [QRect(0, 0, self.width, self.height)]
        if self.state.vertical:
            half = (self.width - _GAP) // 2
            return [QRect(0, 0, half, self.height), QRect(half + _GAP, 0, half, self.height)]
        half = (self.height - _GAP) // 2
        return [QRect(0, 0, self.width, half), QRect(0, half + _GAP, self.width, half)]

    def at(self, place: QPointF) -> QRect:
        """The pane at a place; the first one between them."""
        panes = self.rects
        point = QPoint(round(place.x()), round(place.y()))
        return next((pane for pane in panes if pane.contains(point)), panes[0])

    def within(self, place: QPointF) -> tuple[float, float]:
        """A place from the corner of its pane on."""
        pane = self.at(place)
        return place.x() - pane.x(), place.y() - pane.y()

    def target(self, pane: QRect, region: Region) -> QRectF:
        """Where a region of the upright picture is in a pane."""
        left, top, width, height = region
        x, y = self.state.viewport.to_pane(left, top)
        zoom = self.state.viewport.zoom
        return QRectF(pane.x() + x, pane.y() + y, width * zoom, height * zoom)

    @property
    def divider(self) -> int:
        """Columns or rows of the first pane before the divider."""
        pane = self.rects[0]
        side = pane.width() if self.state.vertical else pane.height()
        return round(self.state.divider * side)

    @property
    def before_divider(self) -> QRect:
        """The part of the first pane on the left of the divider, or above it."""
        pane = self.rects[0]
        if self.state.vertical:
            return QRect(pane.x(), pane.y(), self.divider, pane.height())
        return QRect(pane.x(), pane.y(), pane.width(), self.divider)

    @property
    def beyond_divider(self) -> QRect:
        """The rest of it."""
        pane = self.rects[0]
        if self.state.vertical:
            return pane.adjusted(self.divider, 0, 0, 0)
        return pane.adjusted(0, self.divider, 0, 0)
