# SPDX-License-Identifier: GPL-3.0-or-later
"""All that decides what the canvas shows, as one frozen value; views redraw what differs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from rawback_gui.models.errormap import ErrorView
from rawback_gui.models.rendering import Development
from rawback_gui.models.viewport import Viewport

if TYPE_CHECKING:
    from rawback_gui.models.clipping import Clipping

__all__ = ["LAYOUTS", "SOURCES", "Layout", "Source", "ViewState", "changed", "resolved"]

Source: TypeAlias = Literal["carrier", "restored", "original", "error"]
Layout: TypeAlias = Literal["side", "split", "swipe", "flip"]
SOURCES: tuple[Source, ...] = ("carrier", "restored", "original", "error")
LAYOUTS: tuple[Layout, ...] = ("side", "split", "swipe", "flip")

_INSTEAD: dict[Source, tuple[Source, ...]] = {
    "carrier": ("original", "restored"),
    "restored": ("original", "carrier"),
    "original": ("restored", "carrier"),
    "error": ("restored", "original", "carrier"),
}
"""What to show where a source is not there, the nearest first."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """What the canvas shows.

    Attributes:
        layout: Side by side; split at a divider that is dragged; split where the mouse is; one
            picture, and the other while a key is pressed.
        left: The source on the left, on top, or shown.
        right: The other one.
        vertical: Whether the divider is vertical.
        divider: Where it is, 0 to 1.
        flipped: Whether the key is pressed.
        viewport: Of one pane.
        development: How pictures are rendered.
        errors: How errors are shown.
        clipping: What is marked where it clips.
        overlays: Names of the session's overlays that are shown.
        selection: A region of the upright picture whose errors are measured; None for none.
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
    clipping: frozenset[Clipping] = frozenset()
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


def resolved(state: ViewState, available: frozenset[Source]) -> ViewState:
    """The state with sources that there are; two different ones where there are two.

    Args:
        state: What people want.
        available: Sources that can be shown.
    """
    if not available:
        return state
    right = _nearest(state.right, available)
    others = available - {right}
    # People may well want the same picture twice; what stands in for another must not be it.
    wanted_twice = state.left == state.right
    left = _nearest(state.left, others if others and not wanted_twice else available)
    return replace(state, left=left, right=right)


def _nearest(wanted: Source, available: frozenset[Source]) -> Source:
    if wanted in available:
        return wanted
    candidates = (*_INSTEAD[wanted], *SOURCES)
    return next(source for source in candidates if source in available)


def changed(before: ViewState, after: ViewState) -> frozenset[str]:
    """Names of the attributes that differ."""
    return frozenset(
        item.name
        for item in fields(ViewState)
        if getattr(before, item.name) != getattr(after, item.name)
    )
