# SPDX-License-Identifier: GPL-3.0-or-later
"""The open picture: what people want, what there is, and what follows for the screen.

People change a :class:`ViewState` and a rate; the workspace resolves both against what there is,
asks its lanes for what is missing and tells the window which part of it has changed.

==========  ==================================================================================
lane        work
==========  ==================================================================================
open        reads files and prepares the session
draw        restores what is visible at the rate and renders it (:mod:`.drawing`)
measure     the curve, and the payload at the rate once the slider rests (:mod:`.rating`)
save        writes files
==========  ==================================================================================
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from rawback_gui.controllers.document import Document, RestoredBuffer, open_document
from rawback_gui.controllers.drawing import Drawing, Wish
from rawback_gui.controllers.inspection import Readout, readout_of, statistics_in, white_at
from rawback_gui.controllers.lanes import Lane, Post, Task
from rawback_gui.controllers.pictures import raw_region
from rawback_gui.controllers.rating import RateChoice
from rawback_gui.controllers.telling import Change, Progress, Voice
from rawback_gui.models.state import Source, ViewState, changed
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    import rawback
    from rawback_gui.controllers.pictures import Pictures
    from rawback_gui.models.errormap import Statistics
    from rawback_gui.models.pairing import Pair

__all__ = ["Workspace"]

_UNDRAWN = {"divider", "flipped", "overlays", "selection", "vertical"}
"""Parts of the state that the canvas paints itself."""


class Workspace:
    """What is open and how it is looked at. All methods are for the window's thread.

    Attributes:
        state: How people want to look at it.
        document: What is open; None for nothing.
        rates: Which payload they look at.
        voice: What the window says.
        statistics: Errors of the selected region; None without one.
    """

    def __init__(self, post: Post, told: Callable[[Change], None]) -> None:
        """Make an empty one.

        Args:
            post: Runs a call on the window's thread.
            told: Is told there what has changed.
        """
        self._told = told
        self.voice = Voice(told)
        self.rates = RateChoice(post, self._failed, self.voice, self._rate_changed)
        self._drawing = Drawing(post, self._failed, self._shown)
        self._open = Lane("rawback-open", post, self._failed)
        self._save = Lane("rawback-save", post, self._save_failed)
        self._buffer: RestoredBuffer | None = None
        self.state = ViewState()
        self.document: Document | None = None
        self.statistics: Statistics | None = None

    # What there is.

    @property
    def session(self) -> rawback.Session | None:
        """The session of what is open, once it is prepared."""
        document = self.document
        return document.session if document is not None and document.ready else None

    @property
    def resolved(self) -> ViewState:
        """The state with sources that there are: what is really shown."""
        left, right = self._available(self.state.left), self._available(self.state.right)
        return replace(self.state, left=left, right=right)

    def _available(self, wanted: Source) -> Source:
        document = self.document
        if document is None:
            return wanted
        if document.opened is not None:
            return wanted if wanted in ("carrier", "restored") else "restored"
        if wanted in ("restored", "error") and not document.ready:
            return "original"
        if wanted == "carrier" and document.guide is None:
            return "original"
        return wanted

    @property
    def whole(self) -> NDArray[np.uint16] | None:
        """The restored mosaic, if all of it is known at the rate."""
        document, made = self.document, self.rates.made
        if document is not None and document.opened is not None:
            return document.opened.restored.cfa
        return None if made is None else made.restored.cfa

    @property
    def restored(self) -> NDArray[np.uint16] | None:
        """The restored mosaic, as far as it is there at any rate."""
        whole = self.whole
        if whole is not None or self._buffer is None:
            return whole
        return self._buffer.cfa

    @property
    def overlays(self) -> tuple[rawback.Overlay, ...]:
        """What can be laid over the picture."""
        if self.document is not None and self.document.opened is not None:
            return self.document.opened.overlays
        return self.rates.overlays

    @property
    def pictures(self) -> Pictures:
        """What is drawn."""
        return self._drawing.pictures

    @property
    def drawn(self) -> bool:
        """Whether the pictures are all that the state and the rate, as they are now, ask for."""
        return self._drawing.drawn

    # Opening and closing.

    def open(self, pair: Pair) -> None:
        """Open files; what is open stays until the new is there."""
        self.voice.say("")
        self.voice.show(Progress(tr("Opening {}").format(pair.name), 0.0, blocking=True))

        def work(task: Task) -> None:
            teller = self.voice.teller(task, blocking=True)
            document = open_document(pair, teller, task.cancel)
            task.tell(lambda: self._opened(document))
            session = document.session
            if session is not None:

                def registered(guide: rawback.Guide) -> None:
                    task.tell(lambda: self._registered(document, guide))

                session.prepare(progress=teller, cancel=task.cancel, registered=registered)
                ends = session.base_ends()
                buffer = RestoredBuffer(session)
                task.tell(lambda: self._prepared(session, buffer, ends))

        self._open.submit(work, cancel=True)

    def _opened(self, document: Document) -> None:
        self._forget()
        self.document = document
        self.state = replace(
            self.state,
            viewport=self.state.viewport.of_picture(*document.size).fit(),
            development=replace(self.state.development, neutral=None),
            selection=None,
        )
        if document.ready:
            self.voice.show(None)
        self._told("document")
        self._told("state")
        self.redraw()

    def _registered(self, document: Document, guide: rawback.Guide) -> None:
        document.guide = guide
        self._told("document")
        self.redraw()

    def _prepared(
        self,
        session: rawback.Session,
        buffer: RestoredBuffer,
        ends: tuple[rawback.SectionEnd, ...],
    ) -> None:
        self._buffer = buffer
        self.voice.show(None)
        self._told("document")
        self.rates.begin(session, ends)

    def close_document(self) -> None:
        """Close what is open."""
        self._open.clear()
        self._forget()
        self.document = None
        self.state = replace(self.state, selection=None)
        self.voice.show(None)
        for change in ("document", "state", "figures", "pictures"):
            self._told(change)

    def _forget(self) -> None:
        self._drawing.forget()
        self.rates.forget()
        self._buffer = None
        self.statistics = None

    def cancel(self) -> None:
        """Stop whatever people wait for; if that is nothing, what goes on behind their backs."""
        if self.voice.progress is None:
            return
        if self._open.busy:
            self._open.clear()
            if self.document is not None and not self.document.ready:
                self.close_document()
        elif self._save.busy:
            self._save.clear()
        else:
            self.rates.lane.clear()
        self.voice.show(None)
        self.voice.say(tr("Cancelled."))

    def shut_down(self, timeout: float | None = None) -> bool:
        """Stop all work and wait for its threads.

        Args:
            timeout: Seconds to wait for each at most; without end by default.

        Returns:
            Whether all have ended.
        """
        lanes = (self._open, self._drawing.lane, self.rates.lane, self._save)
        for lane in lanes:
            lane.clear()
        ended = [lane.close(timeout) for lane in lanes]
        return all(ended)

    # Looking.

    def update(self, state: ViewState) -> None:
        """Show something else, or differently."""
        differences = changed(self.state, state)
        self.state = state
        if not differences:
            return
        self._told("state")
        if not differences <= _UNDRAWN:
            self.redraw()
        if differences & {"selection", "errors"}:
            self._measure_selection()

    def redraw(self) -> None:
        """Ask for the pictures of the state and the rate."""
        if self.document is not None:
            rate = self.rates.rate
            wish = Wish(self.document, self.resolved, rate, self.whole, self._buffer)
            self._drawing.draw(wish)

    def _shown(self) -> None:
        self._told("pictures")
        if self.pictures.complete and self.statistics is not None:
            self._measure_selection()

    def _rate_changed(self, change: Change) -> None:
        self._told(change)
        if change != "curve":
            self.redraw()

    def pick_white(self, x: float, y: float) -> None:
        """Take a place of the upright picture for white, or say why it cannot be."""
        if self.document is None:
            return
        neutral = white_at(self.document, x, y)
        if neutral is None:
            self.voice.say(
                tr("That place is too bright or too dark to tell white; pick another one.")
            )
            return
        self.voice.say("")
        self.update(
            replace(self.state, development=replace(self.state.development, neutral=neutral))
        )

    def readout(self, x: float, y: float) -> Readout | None:
        """The sample at a place of the upright picture; None outside."""
        document, buffer, restored = self.document, self._buffer, self.restored
        if document is None:
            return None
        if buffer is not None and restored is buffer.cfa:
            region = raw_region(document, (math.floor(x) // 2 * 2, math.floor(y) // 2 * 2, 2, 2))
            if not buffer.has(self.rates.rate, region):
                restored = None
        return readout_of(document, restored, x, y, self.state.errors)

    def _measure_selection(self) -> None:
        """Statistics of the selected region, on what is restored of it now."""
        document, selection, restored = self.document, self.state.selection, self.restored
        before = self.statistics
        if document is None or not document.has_original or selection is None:
            self.statistics = None
        elif restored is not None:
            found = statistics_in(document, restored, selection, self.state.errors)
            self.statistics = before if found is None else found
        if self.statistics is not before:
            self._told("statistics")

    # Files.

    def save(self, what: Callable[[rawback.Session, rawback.Encoding], str]) -> None:
        """Make the payload of the rate, if that is not done yet, and write something of it.

        Args:
            what: Writes it, and says where.
        """
        session, rate, made = self.session, self.rates.rate, self.rates.made
        if session is None:
            return
        if made is None:
            # Both would wait for the same session; what is saved comes first.
            self.rates.lane.clear()

        def work(task: Task) -> None:
            teller = self.voice.teller(task, blocking=True)
            encoding = made or session.encode(rate, force=True, progress=teller, cancel=task.cancel)
            teller("Writing the file", 0.98)
            sentence = what(session, encoding)
            if session.signed:
                sentence += " " + tr(
                    "The JPEG\u2019s C2PA signature no longer holds; sign it again."
                )
            task.tell(lambda: self._saved(sentence))

        self.voice.show(Progress(tr("Coding"), 0.0, blocking=True))
        self._save.submit(work)

    def run(self, work: Callable[[], str]) -> None:
        """Do something on the lane that writes files, and say what came of it."""

        def told(task: Task) -> None:
            sentence = work()
            task.tell(lambda: self._saved(sentence))

        self._save.submit(told)

    def _saved(self, sentence: str) -> None:
        self.voice.show(None)
        self.voice.say(sentence)
        self._told("saved")
        self.rates.measure()

    # Going wrong.

    def _save_failed(self, error: Exception) -> None:
        self._failed(error)
        self.rates.measure()

    def _failed(self, error: Exception) -> None:
        self.voice.say_failure(error)
        if self.document is not None and not self.document.ready and not self._open.busy:
            self._told("document")
