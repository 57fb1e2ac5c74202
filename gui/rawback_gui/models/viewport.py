# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of the picture is on the screen, and how large."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawback_gui.models.orientation import Region

__all__ = ["LARGEST_ZOOM", "Viewport"]

LARGEST_ZOOM = 32.0
_SMALLEST_ZOOM = 1 / 64


@dataclass(frozen=True, slots=True)
class Viewport:
    """A pane's window onto the picture.

    Zoom is screen pixels for each pixel of the raw: device pixels, not the points that a scaled
    display counts in, so that 100 % is one for one.

    Attributes:
        width: Of the pane, in device pixels.
        height: The same.
        picture_width: Of the upright picture, in raw pixels.
        picture_height: The same.
        x: The raw pixel in the middle of the pane, from the left of the upright picture.
        y: The same from the top.
        zoom: Device pixels per raw pixel.
        fitted: Whether the zoom follows the pane's size.
    """

    width: int = 1
    height: int = 1
    picture_width: int = 1
    picture_height: int = 1
    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0
    fitted: bool = True

    @property
    def fitting_zoom(self) -> float:
        """The zoom at which all of the picture just fits."""
        return min(self.width / self.picture_width, self.height / self.picture_height)

    def resized(self, width: int, height: int) -> Viewport:
        """The same in a pane of another size."""
        new = replace(self, width=max(width, 1), height=max(height, 1))
        return new.fit() if new.fitted else new._bounded()

    def of_picture(self, width: int, height: int) -> Viewport:
        """For another picture, all of it; or the same part, if it has the same size."""
        if (width, height) == (self.picture_width, self.picture_height):
            return self
        return replace(self, picture_width=width, picture_height=height).fit()

    def fit(self) -> Viewport:
        """All of the picture, never enlarged by more than the largest zoom."""
        return replace(
            self,
            x=self.picture_width / 2,
            y=self.picture_height / 2,
            zoom=min(self.fitting_zoom, LARGEST_ZOOM),
            fitted=True,
        )._bounded()

    def zoomed(self, zoom: float, at: tuple[float, float] | None = None) -> Viewport:
        """At another zoom; what is at a device pixel of the pane stays there.

        Args:
            zoom: Device pixels per raw pixel.
            at: The device pixel; the middle by default.
        """
        smallest = min(self.fitting_zoom, 1.0, max(_SMALLEST_ZOOM, self.fitting_zoom))
        zoom = min(max(zoom, smallest), LARGEST_ZOOM)
        column, row = at if at is not None else (self.width / 2, self.height / 2)
        x, y = self.to_picture(column, row)
        return replace(
            self,
            zoom=zoom,
            x=x - (column - self.width / 2) / zoom,
            y=y - (row - self.height / 2) / zoom,
            fitted=False,
        )._bounded()

    def panned(self, columns: float, rows: float) -> Viewport:
        """Moved by device pixels: the picture follows the hand."""
        moved = replace(self, x=self.x - columns / self.zoom, y=self.y - rows / self.zoom)
        return replace(moved, fitted=False)._bounded() if not self.fitted else moved._bounded()

    def to_picture(self, column: float, row: float) -> tuple[float, float]:
        """The place in the upright picture under a device pixel of the pane."""
        return (
            self.x + (column - self.width / 2) / self.zoom,
            self.y + (row - self.height / 2) / self.zoom,
        )

    def to_pane(self, x: float, y: float) -> tuple[float, float]:
        """The device pixel of the pane at a place in the upright picture."""
        return (
            (x - self.x) * self.zoom + self.width / 2,
            (y - self.y) * self.zoom + self.height / 2,
        )

    def visible(self, margin: int = 0) -> Region:
        """The part of the upright picture in the pane, whole 2x2 cells; empty parts are none."""
        left, top = self.to_picture(0, 0)
        right, bottom = self.to_picture(self.width, self.height)
        x0 = max(math.floor(left) - margin, 0) // 2 * 2
        y0 = max(math.floor(top) - margin, 0) // 2 * 2
        x1 = min(-(-(math.ceil(right) + margin) // 2) * 2, self.picture_width)
        y1 = min(-(-(math.ceil(bottom) + margin) // 2) * 2, self.picture_height)
        return x0, y0, max(x1 - x0, 0), max(y1 - y0, 0)

    def _bounded(self) -> Viewport:
        """With the picture's edge never inside the pane while the picture is larger.

        From 1:1 on the picture begins at a whole device pixel, so that what is painted and what
        is read out under the pointer are the same sample.
        """

        def bounded(middle: float, pane: int, picture: int) -> float:
            half = pane / 2 / self.zoom
            middle = picture / 2 if 2 * half >= picture else min(max(middle, half), picture - half)
            if self.zoom < 1:
                return middle
            start = round(pane / 2 - middle * self.zoom)
            return (pane / 2 - start) / self.zoom

        return replace(
            self,
            x=bounded(self.x, self.width, self.picture_width),
            y=bounded(self.y, self.height, self.picture_height),
        )
