# SPDX-License-Identifier: GPL-3.0-or-later
"""The open picture: what people want, what there is, and what follows for the screen.

People change a :class:`ViewState` and a rate; the workspace resolves both against what there is,
asks its workers for what is missing and tells the window which part of it has changed.

==========  ==================================================================================
worker      work
==========  ==================================================================================
open        reads files and prepares the session (:mod:`.opener`)
draw        restores what is visible at the rate and renders it (:mod:`.drawing`)
measure     the curve, and the payload at the rate once the slider rests (:mod:`.rating`)
save        writes files (:mod:`.saving`)
browse      reads the folder of what is open (:mod:`.browsing`)
==========  ==================================================================================
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import rawback
from rawback_gui.controllers.browsing import Browsing
from rawback_gui.controllers.carriers import Carriers
from rawback_gui.controllers.drawing import Drawing, Request
from rawback_gui.controllers.feedback import Change, Feedback
from rawback_gui.controllers.grain import GrainSwitch
from rawback_gui.controllers.inspection import Readout, readout_of, white_at
from rawback_gui.controllers.opener import Opener
from rawback_gui.controllers.pictures import raw_region
from rawback_gui.controllers.rating import RateControl
from rawback_gui.controllers.restoring import Restored
from rawback_gui.controllers.saving import SaveRequest, Saving
from rawback_gui.models.notices import Remedy
from rawback_gui.models.planes import ALL, channels_of
from rawback_gui.models.state import ViewState, changed, resolved
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from rawback_gui.controllers.document import Document
    from rawback_gui.controllers.pictures import Pictures
    from rawback_gui.controllers.restoring import RestoredBuffer
    from rawback_gui.controllers.workers import Post
    from rawback_gui.models.errormap import Statistics
    from rawback_gui.models.pairing import Pair

__all__ = ["Workspace"]

_UNDRAWN = {"divider", "flipped", "overlays", "vertical"}
"""Parts of the state that the canvas paints itself."""


class Workspace:
    """What is open and how it is looked at. All methods are for the window's thread.

    Attributes:
        state: How people want to look at it.
        document: What is open; None for nothing.
        rates: Which payload they look at.
        feedback: What the window says.
        saving: Writes files.
        carriers: What can be done with a carrier.
        browsing: The shots beside it.
        grain: Whether a carrier alone is restored with grain.
    """

    def __init__(self, post: Post, notify: Callable[[Change], None]) -> None:
        """Make an empty one.

        Args:
            post: Runs a call on the window's thread.
            notify: Called there with what has changed.
        """
        self._notify = notify
        self.feedback = Feedback(notify)
        self.rates = RateControl(post, self._measuring_failed, self.feedback, self._rate_changed)
        self.saving = Saving(post, self.feedback, self.rates, lambda: notify("saved"))
        self.carriers = Carriers(self.saving)
        self.browsing = Browsing(post, self._failed, lambda: notify("shots"))
        self._drawing = Drawing(post, self._failed, self._shown)
        self._opener = Opener(post, self.feedback, self)
        self.grain = GrainSwitch(self._opener.worker, self.feedback, self._grain_changed)
        self._buffer: RestoredBuffer | None = None
        self._earlier: Restored | None = None
        self._previewed: rawback.Rate | None = None
        self._measuring = False
        self.state = ViewState()
        self.document: Document | None = None

    # What there is.

    @property
    def session(self) -> rawback.Session | None:
        """The session of what is open, once it is prepared."""
        document = self.document
        return document.session if document is not None and document.prepared else None

    @property
    def resolved(self) -> ViewState:
        """The state with sources that there are: what is really shown."""
        return self.state if self.document is None else resolved(self.state, self.document.sources)

    @property
    def whole(self) -> NDArray[np.uint16] | None:
        """The restored mosaic, if all of it is known at the rate."""
        document, made = self.document, self.rates.made
        if document is not None and document.opened is not None:
            grained = self.grain.cfa
            return document.opened.restored.cfa if grained is None else grained
        return None if made is None else made.restored.cfa

    @property
    def restored(self) -> Restored | None:
        """The restored raw at the rate; None where that can be shown only once its payload is made.

        For a rate that is looked up, it is of the nearest that can be previewed.
        """
        whole = self.whole
        if whole is not None:
            alone = self.document is not None and self.document.opened is not None
            return Restored(None if alone else self.rates.rate, whole)
        rate = self.rates.preview_rate
        return None if rate is None or self._buffer is None else Restored(rate)

    @property
    def opening(self) -> Pair | None:
        """What is being opened; None for nothing."""
        return self._opener.pair

    @property
    def tune(self) -> rawback.Tune:
        """What errors of payloads are to be small for."""
        return self._opener.tune

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

    @property
    def statistics(self) -> Statistics | None:
        """Errors of the selected region; None unless they are of just what is shown."""
        measured, document = self._drawing.measured, self.document
        if measured is None or document is None:
            return None
        view, shown = measured.view, self.state.errors
        exposure = self.state.development.exposure
        restored = self.restored
        same = (
            measured.opening == document.opening
            and restored is not None
            and measured.rate == restored.rate
            and measured.region == self.state.selection
            # Colours and range change no figure.
            and (view.kind, view.unit, view.channel) == (shown.kind, shown.unit, shown.channel)
            and (view.kind != "visible" or measured.exposure == exposure)
        )
        return measured.statistics if same else None

    # Opening and closing.

    def open(self, pair: Pair, *, unguided: bool = False, again: bool = False) -> None:
        """Open files, as :meth:`.opener.Opener.open` says."""
        self._opener.open(pair, unguided=unguided, again=again)

    def arrive(self, document: Document, *, again: bool) -> None:
        """Show files that are read; as others were before where they are opened `again`."""
        self._forget(keep_rate=again)
        self.document = document
        if self.state.errors.channel not in channels_of(document.frame.mosaic):
            self.state = replace(self.state, errors=replace(self.state.errors, channel=ALL))
        if not again:
            self.state = replace(
                self.state,
                viewport=self.state.viewport.of_picture(*document.size).fit(),
                development=replace(self.state.development, exposure=0.0, picked=None),
                selection=None,
            )
        if document.prepared:
            self.feedback.ended("open")
        self.browsing.arrive(document.pair)
        self._notify("document")
        self._notify("state")
        self.redraw()

    def register(self, document: Document) -> None:
        """Show the JPEG where it lies on the raw."""
        self.document = document
        self._notify("document")
        self.redraw()

    def prepare(
        self,
        session: rawback.Session,
        buffer: RestoredBuffer,
        ends: tuple[rawback.SectionEnd, ...],
    ) -> None:
        """Show what a session restores, which can encode now."""
        if self.document is None:
            return
        self._buffer = buffer
        self.document = replace(self.document, prepared=True)
        self.feedback.ended("open")
        self._notify("document")
        # People see the restored raw first: the curve takes time, and all cores.
        self._measuring = False
        self.rates.begin(session, ends)

    def close_document(self) -> None:
        """Close what is open."""
        self._opener.stop()
        self._forget()
        self.document = None
        self.state = replace(self.state, selection=None)
        for change in ("document", "state", "figures", "pictures", "statistics"):
            self._notify(change)

    def open_neighbour(self, step: int) -> bool:
        """Open the shot before (-1) or after (1) in the folder; whether there is one."""
        pair = self.browsing.neighbour(step)
        if pair is not None:
            self.open(pair)
        return pair is not None

    def use_tune(self, tune: rawback.Tune) -> None:
        """Let errors be small for something else; what is open is prepared anew for that."""
        self._opener.use_tune(tune, self.document)

    def _forget(self, *, keep_rate: bool = False) -> None:
        self._drawing.forget()
        self.grain.forget()
        self.rates.forget(keep_rate=keep_rate)
        self._buffer = self._earlier = self._previewed = None

    def cancel(self) -> None:
        """Stop whatever people wait for; what goes on behind their backs goes on."""
        progress = self.feedback.progress
        if progress is None or not progress.blocking:
            return
        if progress.work == "open":
            self._opener.stop()
            self.grain.give_up()
            if self.document is not None and not self.document.prepared:
                self.close_document()
        else:
            self.saving.cancel()
        self.feedback.say(tr("Cancelled."))

    def shut_down(self, timeout: float | None = None) -> bool:
        """Stop all work and wait for its threads.

        Args:
            timeout: Seconds to wait for each at most; without end by default.

        Returns:
            Whether all have ended.
        """
        workers = (
            self._opener.worker,
            self._drawing.worker,
            self.rates.worker,
            self.saving.worker,
            self.browsing.worker,
        )
        for worker in workers:
            worker.clear()
        ended = [worker.close(timeout) for worker in workers]
        return all(ended)

    # Looking.

    def update(self, state: ViewState) -> None:
        """Show something else, or differently."""
        differences = changed(self.state, state)
        self.state = state
        if not differences:
            return
        self._notify("state")
        if not differences <= _UNDRAWN:
            self.redraw()
        if differences & {"selection", "errors", "development"}:
            self._notify("statistics")

    def redraw(self) -> None:
        """Ask for the pictures of the state and the rate."""
        document = self.document
        if document is None:
            return
        restored = self.restored
        if restored is not None:
            self._earlier = restored
        # Until a payload is made that cannot be previewed, what was there before stays.
        shown = restored or self._earlier
        current = restored is not None or shown is None
        request = Request(document, self.resolved, shown, self._buffer, current)
        self._drawing.draw(request)

    def _shown(self, what: str) -> None:
        self._notify("pictures" if what == "pictures" else "statistics")
        shown = self.drawn or self.restored is None
        if not self._measuring and self.session is not None and shown:
            self._measuring = True
            self.rates.measure()

    def _rate_changed(self, change: Change) -> None:
        self._notify(change)
        restored = self.restored
        previewed = None if restored is None else restored.rate
        # As the curve grows, other rates may be the nearest that can be previewed.
        if change != "curve" or previewed != self._previewed:
            self._previewed = previewed
            self._notify("statistics")
            self.redraw()

    def _grain_changed(self) -> None:
        self._notify("state")
        self.redraw()

    def pick_white(self, x: float, y: float) -> None:
        """Take a place of the upright picture for white, or say why it cannot be."""
        if self.document is None:
            return
        neutral = white_at(self.document, x, y)
        if neutral is None:
            self.feedback.say(
                tr("That place is too bright or too dark to tell white; pick another one."),
                "refused",
            )
            return
        self.feedback.clear()
        development = replace(self.state.development, picked=neutral, warmth=0.0, tint=0.0)
        self.update(replace(self.state, development=development))

    def readout(self, x: float, y: float) -> Readout | None:
        """The sample at a place of the upright picture; None outside."""
        document, buffer, restored = self.document, self._buffer, self.restored
        if document is None:
            return None
        view = self.state.errors
        if restored is None or restored.whole is not None:
            return readout_of(document, None if restored is None else restored.whole, x, y, view)
        region = raw_region(document, (math.floor(x), math.floor(y), 1, 1))
        if buffer is not None and restored.rate is not None and buffer.has(restored.rate, region):
            found = readout_of(document, buffer.cfa, x, y, view)
            if buffer.has(restored.rate, region):
                return found
        # It is not there, or another rate has been begun while it was read.
        return readout_of(document, None, x, y, view)

    # Files.

    def save(self, request: SaveRequest) -> None:
        """Write a file of the payload at the rate."""
        session = self.session
        if session is not None:
            self.saving.save(session, request)

    # Going wrong.

    def _failed(self, error: Exception) -> None:
        self.feedback.say_failure(error)

    def _measuring_failed(self, error: Exception) -> None:
        self.feedback.ended("measure")
        remedies: tuple[Remedy, ...] = ()
        if isinstance(error, rawback.OriginalUnavailable):
            self.rates.choose_file(keep=False)
            remedies = (Remedy("store_whole", lambda: self.rates.choose_file(keep="store")),)
        self.feedback.say_failure(error, remedies)

    def abandon(self) -> None:
        """Show what was open before something failed to open, or the part of it that is read."""
        if self.document is not None and not self.document.prepared:
            self._notify("document")
