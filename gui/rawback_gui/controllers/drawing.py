# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing what is looked at, off the window's thread, the latest request first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback_gui.controllers.inspection import Measured, statistics_in
from rawback_gui.controllers.pictures import (
    ErrorScale,
    Pictures,
    blanked,
    raw_region,
    render,
    render_errors,
    render_marks,
    render_outside,
)
from rawback_gui.controllers.workers import Job, Post, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    import rawback
    from rawback_gui.controllers.document import Document
    from rawback_gui.controllers.pictures import Picture
    from rawback_gui.controllers.restoring import Restored, RestoredBuffer
    from rawback_gui.models.errormap import ErrorView
    from rawback_gui.models.orientation import Region
    from rawback_gui.models.state import Source, ViewState

__all__ = ["Drawing", "Request"]

_MARGIN = 32
"""Raw pixels rendered beyond the pane's edge."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be drawn.

    Attributes:
        document: What is open.
        state: How it is looked at; its sources are there.
        shown: The restored raw to draw; None where nothing is restored yet.
        buffer: Where it is restored as far as it is visible; None before that can be done.
        current: Whether it is of the rate that people look at, not of an earlier one that stays on
            the screen until that is made.
    """

    document: Document
    state: ViewState
    shown: Restored | None
    buffer: RestoredBuffer | None
    current: bool = True

    @property
    def rate(self) -> rawback.Rate | None:
        """Which payload is drawn; None for a carrier alone, or without any."""
        return None if self.shown is None else self.shown.rate

    @property
    def restored(self) -> NDArray[np.uint16] | None:
        """The restored mosaic as far as it is known."""
        if self.shown is None:
            return None
        if self.shown.whole is not None or self.buffer is None:
            return self.shown.whole
        return self.buffer.cfa

    @property
    def previewed(self) -> RestoredBuffer | None:
        """The buffer, where the restored mosaic comes from it."""
        whole = self.shown is None or self.shown.whole is not None
        return None if whole else self.buffer

    @property
    def needs_restored(self) -> bool:
        """Whether the restored raw is looked at in any way."""
        shown = not {"restored", "error"}.isdisjoint(self.state.sources)
        return shown or self.measures

    @property
    def measures(self) -> bool:
        """Whether errors of a region are to be measured."""
        return self.document.has_original and self.state.selection is not None

    def fill(self, region: Region, go_on: Callable[[], bool]) -> bool:
        """Restore a region of the upright picture, where that is needed; whether it is there."""
        if not self.needs_restored:
            return True
        if self.shown is None:
            return False
        if self.shown.whole is not None:
            return True
        if self.buffer is None or self.shown.rate is None:
            return False
        return self.buffer.fill(self.shown.rate, raw_region(self.document, region), go_on)


class Drawing:
    """The pictures of the latest request that is drawn, and the worker that draws the next.

    Attributes:
        worker: Draws.
        pictures: What is drawn.
        measured: Errors of a region; None without any.
    """

    def __init__(
        self, post: Post, failed: Callable[[Exception], None], shown: Callable[[str], None]
    ) -> None:
        """Draw nothing yet.

        Args:
            post: Runs a call on the window's thread.
            failed: Called there with what went wrong.
            shown: Called there when there are newer "pictures" or "statistics".
        """
        self.worker = Worker("rawback-draw", post, failed)
        self.pictures = Pictures()
        self.measured: Measured | None = None
        self._shown = shown
        self._document: Document | None = None
        self._generation = 0
        self._auto = _AutoRange()

    @property
    def drawn(self) -> bool:
        """Whether the pictures are all that the latest request asks for.

        Complete pictures may still be those of an earlier request, with a later one on its way.
        """
        if self._document is None:
            return True
        return self.pictures.complete and self.pictures.generation == self.worker.newest

    def draw(self, request: Request) -> None:
        """Draw, what is visible first."""
        region = request.state.viewport.visible(_MARGIN)
        if min(region[2:]) < 2:
            return
        self._document = request.document

        def work(job: Job) -> None:
            def show(*, complete: bool) -> bool:
                # A map of two rates at once would show errors that no payload has: what was there
                # before stays until all of the next is.
                if complete or "error" not in request.state.sources:
                    self._render(job, request, region, complete=complete)
                return not job.superseded.is_set()

            # What cannot be previewed is drawn again once its payload is made.
            there = request.fill(region, lambda: show(complete=False))
            if job.superseded.is_set() and not there:
                return
            self._render(job, request, region, complete=there)
            self._measure(job, request)

        self.worker.submit(work)

    def forget(self) -> None:
        """Show nothing; what is being drawn is not shown either."""
        self.worker.clear()
        self._document = None
        self._auto = _AutoRange()
        self.pictures = Pictures(generation=self.pictures.generation)
        self.measured = None

    def _render(self, job: Job, request: Request, region: Region, *, complete: bool) -> None:
        document, state = request.document, request.state
        sources: dict[Source, Picture] = {}
        scale: ErrorScale | None = None
        for source in state.sources:
            if source == "error":
                if not complete or request.restored is None:
                    continue
                top = state.errors.top or self._auto.top(request)
                drawn = render_errors(document, request.restored, state, region, top)
                if drawn is not None:
                    sources["error"], scale = drawn
                    self._auto.remember(request, scale)
            else:
                picture = render(document, source, request.restored, state, region)
                if picture is not None and source == "restored" and request.previewed:
                    picture = blanked(document, picture, region, request.previewed)
                if picture is not None:
                    sources[source] = picture
        pictures = Pictures(
            generation=job.generation,
            opening=document.opening,
            rate=request.rate if {"restored", "error"} & set(state.sources) else None,
            sources=sources,
            marks=render_marks(document, state, region),
            outside=render_outside(document, state, region),
            error_scale=scale,
            complete=complete and request.current,
        )
        job.report(lambda: self._show(pictures))

    def _measure(self, job: Job, request: Request) -> None:
        """Errors of the selected region, once all of it is restored."""
        selection = request.state.selection
        if not request.measures or selection is None or request.rate is None:
            return
        if not request.current:
            return
        if not request.fill(selection, lambda: not job.superseded.is_set()):
            return
        restored = request.restored
        if restored is None:
            return
        document, view = request.document, request.state.errors
        exposure = request.state.development.exposure
        found = statistics_in(document, restored, selection, view, exposure)
        if found is not None:
            measured = Measured(document.opening, request.rate, selection, view, exposure, found)
            job.report(lambda: self._tell(measured))

    def _show(self, pictures: Pictures) -> None:
        document = self._document
        current = document is not None and pictures.opening == document.opening
        if current and pictures.generation >= self.pictures.generation:
            self.pictures = pictures
            self._shown("pictures")

    def _tell(self, measured: Measured) -> None:
        if self._document is not None and measured.opening == self._document.opening:
            self.measured = measured
            self._shown("statistics")


class _AutoRange:
    """The end of the error scale where people set none: it stays while the view moves.

    It is chosen anew at another rate, kind, unit or channel only.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._top: float | None = None

    def top(self, request: Request) -> float | None:
        """The end that was chosen before; None where it is to be chosen now."""
        return self._top if self._key == self._of(request) else None

    def remember(self, request: Request, scale: ErrorScale) -> None:
        """Keep an end."""
        if request.state.errors.top is None:
            self._key, self._top = self._of(request), scale.top

    @staticmethod
    def _of(request: Request) -> object:
        view: ErrorView = request.state.errors
        opening = request.document.opening
        exposure = request.state.development.exposure if view.kind == "visible" else 0.0
        return opening, request.rate, view.kind, view.unit, view.channel, exposure
