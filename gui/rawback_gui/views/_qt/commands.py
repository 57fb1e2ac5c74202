# SPDX-License-Identifier: GPL-3.0-or-later
"""What each action does; those that change what is looked at are here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rawback_gui.models.colormaps import DIVERGING, SEQUENTIAL
from rawback_gui.models.planes import channels_of
from rawback_gui.models.rendering import DETENTS, EXPOSURES
from rawback_gui.models.slider import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rawback_gui.controllers.workspace import Workspace
    from rawback_gui.models.clipping import Clipping
    from rawback_gui.models.state import ViewState

__all__ = ["Commands"]

_THIRD = 1 / 3
_PAN = 0.2
_DIVIDER = 0.05


class Commands:
    """Actions by name: ``run("fit")``."""

    def __init__(
        self,
        space: Workspace,
        show: Callable[[dict[str, Any]], None],
        calls: Mapping[str, Callable[[], None]],
    ) -> None:
        """Gather what all actions do.

        Args:
            space: What they are done to.
            show: Shows something else, by attribute of the workspace's state.
            calls: Actions of others, by their names.
        """
        self._space = space
        self._show_wanted = show
        self._calls: dict[str, Callable[[], None]] = {
            **calls,
            "close": self._space.close_document,
            "fit": lambda: self._zoom(0),
            "actual": lambda: self._zoom(1),
            "zoom_in": lambda: self._zoom(self._state.viewport.zoom * 1.5),
            "zoom_out": lambda: self._zoom(self._state.viewport.zoom / 1.5),
            "pan_left": lambda: self._pan(1, 0),
            "pan_right": lambda: self._pan(-1, 0),
            "pan_up": lambda: self._pan(0, 1),
            "pan_down": lambda: self._pan(0, -1),
            "bits": lambda: self._show(overlays=self._state.overlays ^ {"bits"}),
            "next_order": self._next_order,
            "flip": lambda: self._show(flipped=not self._state.flipped),
            "turn_divider": lambda: self._show(vertical=not self._state.vertical),
            "divider_less": lambda: self._divide(-_DIVIDER),
            "divider_more": lambda: self._divide(_DIVIDER),
            "swap": lambda: self._show(left=self._state.right, right=self._state.left),
            "brighter": lambda: self._expose(self._state.development.exposure + _THIRD),
            "darker": lambda: self._expose(self._state.development.exposure - _THIRD),
            "push": lambda: self._expose(self._detent(1)),
            "pull": lambda: self._expose(self._detent(-1)),
            "exposure_zero": lambda: self._expose(0.0),
            "camera_white": lambda: self._develop(picked=None, warmth=0.0, tint=0.0),
            "raw_clipping": lambda: self._mark("raw_highlights", "raw_shadows"),
            "jpeg_clipping": lambda: self._mark("jpeg_highlights", "jpeg_shadows"),
            "log": lambda: self._errors(log=not self._state.errors.log),
            "next_channel": self._next_channel,
            "next_colormap": self._next_colormap,
            "auto_range": lambda: self._errors(top=None),
            "lock_range": self._lock_range,
            "select_view": lambda: self._show(selection=self._state.viewport.visible()),
            "clear_selection": lambda: self._show(selection=None),
            "smaller": lambda: self._space.rates.step(-1),
            "larger": lambda: self._space.rates.step(1),
            "smallest": self._space.rates.smallest,
            "grain": lambda: self._space.grain.toggle(self._space.document),
            "stop_measuring": self._space.rates.stop,
        }
        for preset in PRESETS:
            self._calls[f"preset_{preset}"] = (
                lambda preset=preset: self._space.rates.choose_preset(preset)  # type: ignore[misc]
            )

    def run(self, name: str) -> None:
        """Do what an action does."""
        group, _, value = name.partition("_")
        if name in self._calls:
            self._calls[name]()
        elif group in ("layout", "left", "right"):
            self._show(**{group: value})
        elif group == "rendering":
            self._develop(rendering=value)
        else:
            self._errors(**{group: value})

    @property
    def _state(self) -> ViewState:
        return self._space.state

    def _show(self, **differences: object) -> None:
        self._show_wanted(differences)

    def _develop(self, **differences: object) -> None:
        self._show(development=replace(self._state.development, **differences))  # type: ignore[arg-type]

    def _errors(self, **differences: object) -> None:
        self._show(errors=replace(self._state.errors, **differences))  # type: ignore[arg-type]

    def _expose(self, stops: float) -> None:
        low, high = EXPOSURES
        self._develop(exposure=round(min(max(stops, low), high) * 3) / 3)

    def _detent(self, step: int) -> float:
        """The next mark of the exposure in a direction."""
        exposure = self._state.development.exposure
        marks = [mark for mark in DETENTS if (mark - exposure) * step > 1e-6]
        return (min if step > 0 else max)(marks, default=exposure)

    def _mark(self, *clippings: Clipping) -> None:
        """Show both ends where something clips, or neither."""
        shown = self._state.clipping
        both = frozenset(clippings)
        self._show(clipping=shown - both if both <= shown else shown | both)

    def _lock_range(self) -> None:
        scale = self._space.pictures.error_scale
        locked = self._state.errors.top is not None
        if locked or scale is not None:
            self._errors(top=None if locked or scale is None else scale.top)

    def _zoom(self, zoom: float) -> None:
        viewport = self._state.viewport
        self._show(viewport=viewport.zoomed(zoom) if zoom else viewport.fit())

    def _pan(self, columns: int, rows: int) -> None:
        viewport = self._state.viewport
        step = _PAN * min(viewport.width, viewport.height)
        self._show(viewport=viewport.panned(columns * step, rows * step))

    def _divide(self, share: float) -> None:
        self._show(divider=min(max(self._state.divider + share, 0.0), 1.0))

    def _next_order(self) -> None:
        """The next order mask in place of the one that is shown; after the last one, none."""
        masks = [overlay.name for overlay in self._space.overlays if overlay.mask]
        if not masks:
            return
        shown = [index for index, name in enumerate(masks) if name in self._state.overlays]
        following = masks[shown[-1] + 1 : shown[-1] + 2] if shown else masks[:1]
        self._show(overlays=self._state.overlays - set(masks) | set(following))

    def _next_channel(self) -> None:
        document = self._space.document
        if document is not None:
            channels = channels_of(document.frame.mosaic)
            index = channels.index(self._state.errors.channel)
            self._errors(channel=channels[(index + 1) % len(channels)])

    def _next_colormap(self) -> None:
        errors = self._state.errors
        maps = DIVERGING if errors.signed else SEQUENTIAL
        following = maps[(maps.index(errors.colormap) + 1) % len(maps)]
        self._errors(**{"diverging" if errors.signed else "sequential": following})
