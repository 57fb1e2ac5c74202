# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing what is looked at, off the window's thread, the latest wish first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback_gui.controllers.lanes import Lane, Post, Task
from rawback_gui.controllers.pictures import Pictures, raw_region, render, render_marks

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    import rawback
    from rawback_gui.controllers.document import Document, RestoredBuffer
    from rawback_gui.models.orientation import Region
    from rawback_gui.models.state import ViewState

__all__ = ["Drawing", "Wish"]

_MARGIN = 32
"""Raw pixels rendered beyond the pane's edge."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drawn.

    Attributes:
        document: What is open.
        state: How it is looked at; its sources are there.
        rate: Which payload is looked at.
        whole: The restored mosaic at that rate, if all of it is known already.
        buffer: Where it is restored as far as it is visible; None before the shot is prepared.
    """

    document: Document
    state: ViewState
    rate: rawback.Rate
    whole: NDArray[np.uint16] | None
    buffer: RestoredBuffer | None

    @property
    def restored(self) -> NDArray[np.uint16] | None:
        """The restored mosaic as far as it is known."""
        if self.whole is not None or self.buffer is None:
            return self.whole
        return self.buffer.cfa

    @property
    def unrestored(self) -> RestoredBuffer | None:
        """The buffer, if what is wanted of it has to be restored first."""
        needed = not {"restored", "error"}.isdisjoint(self.state.sources)
        return self.buffer if needed and self.whole is None else None


class Drawing:
    """The pictures of the latest wish that is drawn, and the lane that draws the next."""

    def __init__(
        self, post: Post, failed: Callable[[Exception], None], shown: Callable[[], None]
    ) -> None:
        """Draw nothing yet.

        Args:
            post: Runs a call on the window's thread.
            failed: Is told there what went wrong.
            shown: Is told there that there are newer pictures.
        """
        self.lane = Lane("rawback-draw", post, failed)
        self.pictures = Pictures(0, {})
        self._shown = shown
        self._document: Document | None = None

    @property
    def drawn(self) -> bool:
        """Whether the pictures are all that the latest wish asks for.

        Complete pictures may still be those of an earlier wish, with a later one on its way.
        """
        if self._document is None:
            return True
        return self.pictures.complete and self.pictures.generation == self.lane.newest

    def draw(self, wish: Wish) -> None:
        """Draw, what is visible first."""
        region = wish.state.viewport.visible(_MARGIN)
        if min(region[2:]) < 2:
            return
        self._document = wish.document

        def work(task: Task) -> None:
            def show(*, complete: bool) -> bool:
                self._render(task, wish, region, complete=complete)
                return not task.superseded.is_set()

            buffer = wish.unrestored
            if buffer is not None:
                raw = raw_region(wish.document, region)
                if not buffer.fill(wish.rate, raw, lambda: show(complete=False)):
                    return
            show(complete=True)

        self.lane.submit(work)

    def forget(self) -> None:
        """Show nothing; what is being drawn is not shown either."""
        self.lane.clear()
        self._document = None
        self.pictures = Pictures(self.pictures.generation, {})

    def _render(self, task: Task, wish: Wish, region: Region, *, complete: bool) -> None:
        document, state = wish.document, wish.state
        sources = {}
        top = None
        for source in state.sources:
            found = render(document, source, wish.restored, state, region)
            if found is not None:
                sources[source] = found[0]
                top = found[1] if found[1] is not None else top
        raw, carrier = render_marks(document, state, region)
        pictures = Pictures(task.generation, sources, raw, carrier, top, complete)
        task.tell(lambda: self._show(document, pictures))

    def _show(self, document: Document, pictures: Pictures) -> None:
        if document is self._document and pictures.generation >= self.pictures.generation:
            self.pictures = pictures
            self._shown()
