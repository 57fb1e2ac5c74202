# SPDX-License-Identifier: GPL-3.0-or-later
"""All that decides what the window shows, as one frozen value; views redraw what differs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

from rawback_gui.models.errormap import ErrorView
from rawback_gui.models.rendering import Development
from rawback_gui.models.viewport import Viewport

__all__ = ["LAYOUTS", "SOURCES", "Layout", "Source", "ViewState", "changed"]

Source: TypeAlias = Literal["carrier", "original", "restored", "error"]
Layout: TypeAlias = Literal["side", "split", "swipe", "flip"]
SOURCES: tuple[Source, ...] = ("carrier", "original", "restored", "error")
LAYOUTS: tuple[Layout, ...] = ("side", "split", "swipe", "flip")


@dataclass(frozen=True, slots=True)
class ViewState:
    """What the canvas shows.

    Attributes:
        layout: Side by side; split at a divider that is dragged; split where the mouse is; one
            picture, and the other while a key is held.
        left: The source on the left, on top, or shown.
        right: The other one.
        vertical: Whether the divider is vertical.
        divider: Where it is, 0 to 1.
        flipped: Whether the key is held.
        viewport: Of one pane.
        development: How raws are rendered.
        errors: How errors are shown.
        raw_clipping: Whether samples at the sensor's limit are marked.
        carrier_clipping: Whether pixels at the JPEG's limit are marked.
        overlays: Names of the session's overlays that are shown.
        selection: A region of the upright picture whose errors are told; None for none.
    """

    layout: Layout = "split"
    left: Source = "carrier"
    right: Source = "restored"
    vertical: bool = True
    divider: float = 0.5
    flipped: bool = False
    viewport: Viewport = field(default_factory=Viewport)
    development: Development = field(default_factory=Development)
    errors: ErrorView = field(default_factory=ErrorView)
    raw_clipping: bool = False
    carrier_clipping: bool = False
    overlays: frozenset[str] = frozenset()
    selection: tuple[int, int, int, int] | None = None

    @property
    def panes(self) -> int:
        """How many panes lie beside each other."""
        return 2 if self.layout == "side" else 1

    @property
    def sources(self) -> tuple[Source, ...]:
        """What has to be rendered, each once."""
        return tuple(dict.fromkeys((self.left, self.right)))


def changed(before: ViewState, after: ViewState) -> frozenset[str]:
    """Names of the attributes that differ."""
    return frozenset(
        item.name
        for item in fields(ViewState)
        if getattr(before, item.name) != getattr(after, item.name)
    )
