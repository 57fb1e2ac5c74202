# SPDX-License-Identifier: GPL-3.0-or-later
"""The open picture: what people want, what is known of it, and what follows for the screen.

People change a :class:`ViewState` and a rate; the workspace resolves both against what there is,
asks its lanes for what is missing and tells the window which part of it has changed.

==========  ==================================================================================
lane        work
==========  ==================================================================================
open        reads files and prepares the session
draw        restores what is visible at the rate and renders it
measure     the curve, and the payload at the rate once the slider rests
save        writes files
==========  ==================================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import rawback
from rawback_gui.controllers.document import Document, RestoredBuffer, open_document
from rawback_gui.controllers.inspection import Readout, readout_of
from rawback_gui.controllers.lanes import Lane, Post, Task
from rawback_gui.controllers.pictures import Pictures, raw_region, render, render_marks
from rawback_gui.models.errormap import Statistics, statistics_of
from rawback_gui.models.rates import (
    Figures,
    Tick,
    figures_of_point,
    figures_of_result,
    parse_rate,
    ticks_of,
)
from rawback_gui.models.rendering import neutral_at
from rawback_gui.models.state import Source, ViewState, changed

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from rawback_gui.models.orientation import Region
    from rawback_gui.models.pairing import Pair

__all__ = ["Progress", "Workspace"]

Change: TypeAlias = str
"""One of: document, state, progress, message, curve, rate, figures, pictures, statistics, saved."""

_REST = 0.6
"""Seconds without a change of the rate after which its payload is made."""

_ROUGH = 3
"""Points of the curve that span the slider."""

_MARGIN = 32
"""Raw pixels rendered beyond the pane's edge."""

_PATCH = 8
"""Raw pixels along each side of what a white is picked from."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work is.

    Attributes:
        stage: What is being done, for people.
        fraction: 0 to 1.
        blocking: Whether people wait for it, rather than it going on behind their backs.
    """

    stage: str
    fraction: float
    blocking: bool


class Workspace:
    """What is open and how it is looked at. All methods are for the window's thread."""

    def __init__(self, post: Post, changed: Callable[[Change], None]) -> None:
        """Make an empty one.

        Args:
            post: Runs a call on the window's thread.
            changed: Is told there what has changed.
        """
        self._told = changed
        self._open = Lane("rawback-open", post, self._failed)
        self._draw = Lane("rawback-draw", post, self._failed)
        self._measure = Lane("rawback-measure", post, self._failed)
        self._save = Lane("rawback-save", post, self._save_failed)
        self._buffer: RestoredBuffer | None = None
        self._shown = 0
        self.state = ViewState()
        self.document: Document | None = None
        self.rate = rawback.Rate.quality(rawback.DEFAULT_QUALITY)
        self.curve: rawback.Curve | None = None
        self.encoding: rawback.Encoding | None = None
        self.base_ends: tuple[rawback.SectionEnd, ...] = ()
        self.pictures = Pictures(0, {})
        self.progress: Progress | None = None
        self.statistics: Statistics | None = None
        self.message = ""

    # What there is.

    @property
    def session(self) -> rawback.Session | None:
        """The session of what is open, once it is prepared."""
        document = self.document
        return document.session if document is not None and document.ready else None

    @property
    def resolved(self) -> ViewState:
        """The state with sources that there are: what is really shown."""
        return replace(
            self.state,
            left=self._available(self.state.left),
            right=self._available(self.state.right),
        )

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
    def figures(self) -> Figures | None:
        """What the rate buys: of its payload if that was made, else from the curve."""
        document = self.document
        if document is None or document.session is None:
            return None
        if self.encoding is not None and self.encoding.rate == self.rate:
            return figures_of_result(self.encoding.result, document.session.raw_bytes)
        point = self.point
        return None if point is None else figures_of_point(point, document.session.raw_bytes)

    @property
    def point(self) -> rawback.CurvePoint | None:
        """The rate's point on the curve, once there is a curve."""
        if self.curve is None:
            return None
        if self.rate.kind == "lossless":
            return self.curve.largest
        if self.rate.kind == "quality":
            return self.curve.at_quality(self.rate.value)
        return self.curve.at_size(self.rate.value)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Where sections of the payload end: of the one that was made, else of its base."""
        if self.encoding is not None and self.encoding.rate == self.rate:
            return ticks_of(self.encoding.ends)
        return ticks_of(self.base_ends)

    @property
    def overlays(self) -> tuple[rawback.Overlay, ...]:
        """The overlays of the payload that was made last."""
        return () if self.encoding is None else self.encoding.overlays

    @property
    def restored(self) -> NDArray[np.uint16] | None:
        """The restored mosaic, as far as it is there at any rate."""
        document = self.document
        if document is None:
            return None
        if document.opened is not None:
            return document.opened.restored.cfa
        if self.encoding is not None and self.encoding.rate == self.rate:
            return self.encoding.restored.cfa
        return None if self._buffer is None else self._buffer.cfa

    @property
    def drawn(self) -> bool:
        """Whether the pictures are all that the state and the rate, as they are now, ask for.

        Complete pictures may still be those of an earlier wish, with a later one on its way.
        """
        if self.document is None:
            return True
        return self.pictures.complete and self.pictures.generation == self._draw.newest

    # Opening and closing.

    def open(self, pair: Pair) -> None:
        """Open files; what is open stays until the new is there."""
        self.say("")
        self._set_progress(Progress("Opening " + pair.name, 0.0, blocking=True))

        def work(task: Task) -> None:
            document = open_document(pair, self._teller(task, blocking=True), task.cancel)
            task.tell(lambda: self._opened(document))
            if document.session is not None:
                session = document.session

                def registered(guide: rawback.Guide) -> None:
                    task.tell(lambda: self._registered(document, guide))

                session.prepare(
                    progress=self._teller(task, blocking=True),
                    cancel=task.cancel,
                    registered=registered,
                )
                ends = session.base_ends()
                buffer = RestoredBuffer(session)
                task.tell(lambda: self._prepared(document, buffer, ends))

        self._open.submit(work, cancel=True)

    def _opened(self, document: Document) -> None:
        for lane in (self._draw, self._measure):
            lane.clear()
        self._forget()
        self.document = document
        self.state = replace(
            self.state,
            viewport=self.state.viewport.of_picture(*document.size).fit(),
            development=replace(self.state.development, neutral=None),
            selection=None,
        )
        if document.ready:
            self._set_progress(None)
        self._told("document")
        self._told("state")
        self.redraw()

    def _registered(self, document: Document, guide: rawback.Guide) -> None:
        document.guide = guide
        self._told("document")
        self.redraw()

    def _prepared(
        self, document: Document, buffer: RestoredBuffer, ends: tuple[rawback.SectionEnd, ...]
    ) -> None:
        if document is not self.document:
            return
        self._buffer = buffer
        self.base_ends = ends
        self._set_progress(None)
        self._told("document")
        self._told("rate")
        self.redraw()
        self._measure_next()

    def close_document(self) -> None:
        """Close what is open."""
        for lane in (self._open, self._draw, self._measure):
            lane.clear()
        self._forget()
        self.document = None
        self.state = replace(self.state, selection=None)
        self._set_progress(None)
        for change in ("document", "state", "figures", "pictures"):
            self._told(change)

    def _forget(self) -> None:
        self._buffer = None
        self.curve = None
        self.encoding = None
        self.statistics = None
        self.base_ends = ()
        self.pictures = Pictures(self._shown, {})
        self.rate = rawback.Rate.quality(rawback.DEFAULT_QUALITY)

    def cancel(self) -> None:
        """Stop whatever people wait for; if that is nothing, what goes on behind their backs."""
        if self.progress is None:
            return
        if self._open.busy:
            self._open.clear()
            if self.document is not None and not self.document.ready:
                self.close_document()
        elif self._save.busy:
            self._save.clear()
        else:
            self._measure.clear()
        self._set_progress(None)
        self.say("Cancelled.")

    def shut_down(self, timeout: float | None = None) -> bool:
        """Stop all work and wait for its threads.

        Args:
            timeout: Seconds to wait for each at most; without end by default.

        Returns:
            Whether all have ended.
        """
        lanes = (self._open, self._draw, self._measure, self._save)
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
        if not differences <= {"divider", "flipped", "overlays", "selection", "vertical"}:
            self.redraw()
        if differences & {"selection", "errors"}:
            self._measure_selection()

    def redraw(self) -> None:
        """Ask for the pictures of the state and the rate."""
        document = self.document
        if document is None:
            return
        state, rate, buffer = self.resolved, self.rate, self._buffer
        fixed = None
        if document.opened is not None:
            fixed = document.opened.restored.cfa
        elif self.encoding is not None and self.encoding.rate == rate:
            fixed = self.encoding.restored.cfa
        region = state.viewport.visible(_MARGIN)
        if min(region[2:]) < 2:
            return

        def work(task: Task) -> None:
            def show(*, complete: bool) -> bool:
                restored = fixed if fixed is not None or buffer is None else buffer.cfa
                self._render(task, document, restored, state, region, complete=complete)
                return not task.superseded.is_set()

            needed = not {"restored", "error"}.isdisjoint(state.sources)
            if needed and fixed is None and buffer is not None:
                raw = raw_region(document, region)
                if not buffer.fill(rate, raw, lambda: show(complete=False)):
                    return
            show(complete=True)

        self._draw.submit(work)

    def _render(
        self,
        task: Task,
        document: Document,
        restored: NDArray[np.uint16] | None,
        state: ViewState,
        region: Region,
        *,
        complete: bool,
    ) -> None:
        sources = {}
        top = None
        for source in state.sources:
            found = render(document, source, restored, state, region)
            if found is not None:
                sources[source] = found[0]
                top = found[1] if found[1] is not None else top
        raw, carrier = render_marks(document, state, region)
        pictures = Pictures(task.generation, sources, raw, carrier, top, complete)
        task.tell(lambda: self._show(document, pictures))

    def _show(self, document: Document, pictures: Pictures) -> None:
        if document is not self.document or pictures.generation < self._shown:
            return
        self._shown = pictures.generation
        self.pictures = pictures
        self._told("pictures")
        if pictures.complete and self.statistics is not None:
            self._measure_selection()

    def pick_white(self, x: float, y: float) -> None:
        """Take a place of the upright picture for white, or say why it cannot be."""
        document = self.document
        if document is None:
            return
        left, top = math.floor(x) // 2 * 2 - _PATCH // 2, math.floor(y) // 2 * 2 - _PATCH // 2
        left, top, width, height = raw_region(document, (left, top, _PATCH, _PATCH))
        patch = document.frame.cfa[top : top + height, left : left + width]
        neutral = neutral_at(patch, document.frame) if patch.size else None
        if neutral is None:
            self.say("That place is too bright or too dark to tell white; pick another one.")
            return
        self.say("")
        development = replace(self.state.development, neutral=neutral)
        self.update(replace(self.state, development=development))

    def readout(self, x: float, y: float) -> Readout | None:
        """The sample at a place of the upright picture; None outside."""
        document = self.document
        if document is None:
            return None
        buffer = self._buffer
        restored = self.restored
        if buffer is not None and restored is buffer.cfa:
            region = raw_region(document, (math.floor(x) // 2 * 2, math.floor(y) // 2 * 2, 2, 2))
            if not buffer.has(self.rate, region):
                restored = None
        return readout_of(document, restored, x, y, self.state.errors)

    def _measure_selection(self) -> None:
        """Statistics of the selected region, on what is restored of it now."""
        document, session, selection = self.document, self.session, self.state.selection
        if document is None or session is None or selection is None:
            if self.statistics is not None:
                self.statistics = None
                self._told("statistics")
            return
        restored = self.restored
        left, top, width, height = raw_region(document, selection)
        if restored is None or min(width, height) < 2:
            return
        part = (slice(top, top + height), slice(left, left + width))
        self.statistics = statistics_of(
            document.frame.cfa[part], restored[part], document.frame, self.state.errors
        )
        self._told("statistics")

    # The rate.

    def set_rate(self, rate: rawback.Rate) -> None:
        """Look at another rate."""
        if rate == self.rate or self.session is None:
            return
        self.rate = rate
        self._told("rate")
        self.redraw()
        self._measure_next()

    def set_size(self, size: float) -> None:
        """Look at the best payload of about so many bytes."""
        if self.curve is not None:
            self.set_rate(self.curve.at_size(size).rate)

    def enter_rate(self, text: str) -> bool:
        """Look at a rate that was typed; whether it was one."""
        if self.curve is None:
            return False
        point = parse_rate(text, self.curve)
        if point is None:
            self.say(
                f"\u201c{text}\u201d is no rate; type a size, bpp, dB or \u201clossless\u201d."
            )
            return False
        self.say("")
        self.set_rate(point.rate)
        return True

    def step_rate(self, steps: int) -> None:
        """Make the payload larger or smaller by about 6 % a step, and at least a little."""
        point, curve = self.point, self.curve
        if point is None or curve is None:
            return
        size = float(point.payload_bytes)
        for _ in range(64):
            size *= 1.06**steps
            found = curve.at_size(size)
            if found.rate != self.rate or not 0 < size < 1e12:
                self.set_rate(found.rate)
                return

    def _measure_next(self) -> None:
        """The payload at the rate, once the slider rests; then what the curve lacks."""
        document, session, rate = self.document, self.session, self.rate
        if document is None or session is None:
            return
        rough = self.curve is not None and len(self.curve.points) >= _ROUGH
        known = self.encoding is not None and self.encoding.rate == rate
        wanted = self.curve is None or not self.curve.complete

        def work(task: Task) -> None:
            teller = self._teller(task, blocking=False)
            if not known and rough:
                if task.cancel.wait(_REST):
                    return
                found = session.encode(rate, force=True, progress=teller, cancel=task.cancel)
                task.tell(lambda: self._encoded(document, found))
            if wanted:
                told = len(self.curve.points) if self.curve is not None else 0

                def grown(curve: rawback.Curve) -> None:
                    nonlocal told
                    if len(curve.points) > told:
                        told = len(curve.points)
                        task.tell(lambda: self._curve_found(document, curve))

                curve = session.curve(progress=teller, cancel=task.cancel, found=grown)
                task.tell(lambda: self._curve_found(document, curve))
            task.tell(lambda: self._set_progress(None))

        self._measure.submit(work, cancel=True)

    def _curve_found(self, document: Document, curve: rawback.Curve) -> None:
        if document is not self.document:
            return
        before = 0 if self.curve is None else len(self.curve.points)
        self.curve = curve
        self._told("curve")
        self._told("figures")
        if before < _ROUGH <= len(curve.points):
            # Both ends are known: the very figures of the rate now, the rest of the curve later.
            self._measure_next()

    def _encoded(self, document: Document, encoding: rawback.Encoding) -> None:
        if document is not self.document or encoding.rate != self.rate:
            return
        self.encoding = encoding
        self._told("figures")
        self._told("document")
        self.redraw()

    # Files.

    def save(self, what: Callable[[rawback.Session, rawback.Encoding], str]) -> None:
        """Make the payload of the rate, if that is not done yet, and write something of it.

        Args:
            what: Writes it, and says where.
        """
        session, rate = self.session, self.rate
        if session is None:
            return
        made = self.encoding if self.encoding is not None and self.encoding.rate == rate else None
        if made is None:
            # Both would wait for the same session; what is saved comes first.
            self._measure.clear()

        def work(task: Task) -> None:
            teller = self._teller(task, blocking=True)
            encoding = made or session.encode(rate, force=True, progress=teller, cancel=task.cancel)
            teller("Writing the file", 0.98)
            sentence = what(session, encoding)
            if session.signed:
                sentence += " The JPEG\u2019s C2PA signature no longer holds; sign it again."
            task.tell(lambda: self._saved(sentence))

        self._set_progress(Progress("Coding", 0.0, blocking=True))
        self._save.submit(work)

    def run(self, work: Callable[[], str]) -> None:
        """Do something on the lane that writes files, and say what came of it."""

        def told(task: Task) -> None:
            sentence = work()
            task.tell(lambda: self._saved(sentence))

        self._save.submit(told)

    def _save_failed(self, error: Exception) -> None:
        self._failed(error)
        self._measure_next()

    def _saved(self, sentence: str) -> None:
        self._set_progress(None)
        self.say(sentence)
        self._told("saved")
        self._measure_next()

    # Telling.

    def say(self, message: str) -> None:
        """Show a sentence in the window, or none."""
        if message != self.message:
            self.message = message
            self._told("message")

    def _set_progress(self, progress: Progress | None) -> None:
        if progress != self.progress:
            self.progress = progress
            self._told("progress")

    def _teller(self, task: Task, *, blocking: bool) -> rawback.Progress:
        def tell(stage: str, fraction: float) -> None:
            task.tell(lambda: self._set_progress(Progress(stage, fraction, blocking)))

        return tell

    def _failed(self, error: Exception) -> None:
        self._set_progress(None)
        if isinstance(error, rawback.Cancelled):
            return
        if isinstance(error, rawback.RawbackError):
            text = str(error)
            self.say(text[:1].upper() + text[1:])
        elif isinstance(error, MemoryError):
            self.say("There is not enough memory for this picture; close other programs.")
        else:
            self.say(
                f"This should not have happened ({type(error).__name__}: {error}); "
                "please report what you did."
            )
        if self.document is not None and not self.document.ready and not self._open.busy:
            self._told("document")
