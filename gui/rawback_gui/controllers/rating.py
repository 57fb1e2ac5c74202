# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate people look at: chosen, measured on the curve, and coded once the slider rests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import rawback
from rawback_gui.controllers.workers import Job, Post, Worker
from rawback_gui.models.curves import reliable_point
from rawback_gui.models.gain import Gain, measure_gain
from rawback_gui.models.rates import (
    Figures,
    Tick,
    figures_of_point,
    figures_of_result,
    parse_rate,
    rate_text,
    ticks_of,
)
from rawback_gui.models.slider import LOSSLESS, Preset, RateScale, preset_rate
from rawback_gui.models.texts import bytes_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from rawback_gui.controllers.feedback import Change, Feedback

__all__ = ["KeepFile", "Maker", "RateControl"]

KeepFile: TypeAlias = bool | Literal["store"]

Maker: TypeAlias = (
    "Callable[[rawback.Session, rawback.Progress, threading.Event], rawback.Encoding]"
)
"""Makes a payload of a session."""

_REST = 0.6
"""Seconds without a change of the rate after which its payload is made."""

_ROUGH = 3
"""Points of the curve after which the payload is made, before the rest is measured."""

_KEY_STEP = 0.01
"""Part of the slider that a key moves."""


class RateControl:
    """One rate of a session, and what is known of it and of all others.

    Attributes:
        rate: What people have chosen.
        place: Where that is on the slider; None where that cannot be told yet.
        scale: Of the slider; None before the session is prepared.
        curve: What each rate buys, as far as it is measured.
        encoding: The payload that was made last.
        gain: What that gives back.
        metadata: What payloads tell of the raw; stays from one session to the next.
        keep_file: Whether the raw file itself is to be kept, which takes all samples, and whether
            it may be stored whole where it cannot be made from these.
        stopped: Whether people have stopped the measuring of the curve.
        worker: Makes and measures.
    """

    def __init__(
        self,
        post: Post,
        failed: Callable[[Exception], None],
        feedback: Feedback,
        changed: Callable[[Change], None],
    ) -> None:
        """Choose the usual rate of nothing.

        Args:
            post: Runs a call on the window's thread.
            failed: Called there with what went wrong.
            feedback: Shows progress and messages.
            changed: Called there with what has changed: the rate, the curve, or the figures.
        """
        self.worker = Worker("rawback-measure", post, failed)
        self._feedback = feedback
        self._changed = changed
        self.metadata: rawback.MetadataChoice = "auto"
        self._choose_usual()
        self.forget()

    def _choose_usual(self) -> None:
        self.rate = rawback.Rate.quality(rawback.DEFAULT_QUALITY)
        self.place: float | None = None
        self.keep_file: KeepFile = False
        self._by_place = False

    def forget(self, *, keep_rate: bool = False) -> None:
        """Leave the session.

        Args:
            keep_rate: Whether the next one begins with the same rate, not with the usual one.
        """
        self.worker.clear()
        self._feedback.ended("measure")
        if not keep_rate:
            self._choose_usual()
        self._session: rawback.Session | None = None
        self._base_ends: tuple[rawback.SectionEnd, ...] = ()
        self.scale: RateScale | None = None
        self.curve: rawback.Curve | None = None
        self.encoding: rawback.Encoding | None = None
        self.gain: Gain | None = None
        self.stopped = False

    def begin(self, session: rawback.Session, base_ends: tuple[rawback.SectionEnd, ...]) -> None:
        """Look at a prepared session, of which nothing is measured before `measure` is called.

        Args:
            session: The session.
            base_ends: Of its base.
        """
        self._session = session
        session.metadata = self.metadata
        self._base_ends = base_ends if self.metadata == "auto" else session.base_ends()
        self.scale = RateScale(self._base_ends[-1].payload_bytes)
        place = self.scale.place(self.rate, None)
        self.place = self.place if place is None else place
        self._changed("rate")

    # What is known.

    @property
    def made(self) -> rawback.Encoding | None:
        """The payload at the rate, if it was made."""
        encoding = self.encoding
        return encoding if encoding is not None and self._is_wanted(encoding) else None

    def _is_wanted(self, encoding: rawback.Encoding) -> bool:
        keeps = encoding.result.raw_file is not None
        same = encoding.rate == self.rate and encoding.metadata == self.metadata
        return same and keeps == bool(self.keep_file)

    def maker(self) -> Maker:
        """What makes the payload at the rate, on whatever thread."""
        rate, keep, metadata = self.rate, self.keep_file, self.metadata

        def make(
            session: rawback.Session, progress: rawback.Progress, cancel: threading.Event
        ) -> rawback.Encoding:
            return session.encode(
                rate,
                force=True,
                original=keep,
                metadata=metadata,
                progress=progress,
                cancel=cancel,
            )

        return make

    @property
    def preview_rate(self) -> rawback.Rate | None:
        """What a session shows parts of without making a payload, at the rate or next to it.

        None where nothing near enough is known: a session would look sizes up on the curve, and
        measure that to its end first.
        """
        known = self.curve is not None and self.curve.complete
        if known or self.rate.kind in ("quality", "lossless"):
            return self.rate
        point = self.point
        return None if point is None else point.rate

    @property
    def figures(self) -> Figures | None:
        """What the rate buys: of its payload if that was made, else from the curve."""
        session, made, point = self._session, self.made, self.point
        if session is None:
            return None
        if made is not None:
            return figures_of_result(made.result, session.raw_bytes)
        # What keeping the file takes is known only once it is made.
        if point is None or self.keep_file:
            return None
        return figures_of_point(point, session.raw_bytes)

    def size_at(self, rate: rawback.Rate) -> str:
        """What a payload at any rate takes, as far as that is known; else the rate, in words."""
        encoding = self.encoding
        if encoding is not None and encoding.rate == rate:
            return bytes_text(encoding.result.payload_bytes)
        point = reliable_point(self.curve, rate)
        return rate_text(rate) if point is None else f"\u2248 {bytes_text(point.payload_bytes)}"

    @property
    def gained(self) -> Gain | None:
        """What the payload at the rate gives back, once that is measured."""
        return None if self.made is None else self.gain

    @property
    def point(self) -> rawback.CurvePoint | None:
        """The rate's point on the curve, once enough of it is known."""
        return reliable_point(self.curve, self.rate)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Where sections of the payload end: of the one that was made, else of its base."""
        made = self.made
        return ticks_of(self._base_ends if made is None else made.ends)

    @property
    def tick_places(self) -> tuple[tuple[float, Tick], ...]:
        """The same with their places on the slider, as far as these are known."""
        scale = self.scale
        if scale is None:
            return ()
        placed = (
            (scale.place(rawback.Rate.size(tick.payload_bytes), self.curve), tick)
            for tick in self.ticks
        )
        return tuple((place, tick) for place, tick in placed if place is not None)

    @property
    def overlays(self) -> tuple[rawback.Overlay, ...]:
        """The overlays of the payload at the rate, once it is made."""
        return () if self.made is None else self.made.overlays

    # Choosing.

    def choose(self, rate: rawback.Rate) -> None:
        """Look at another rate."""
        if self.scale is not None:
            self._set(rate, self.scale.place(rate, self.curve))

    def choose_place(self, place: float) -> None:
        """Look at what is at a place of the slider.

        Args:
            place: 0 to 1, or `LOSSLESS`.
        """
        if self.scale is not None:
            place = place if place > 1 else max(place, self.scale.lowest(self.curve))
            self._set(self.scale.rate(place, self.curve), place, by_place=True)

    def choose_file(self, *, keep: KeepFile) -> None:
        """Keep the raw file itself, which takes all samples, or do not.

        Args:
            keep: "store" to store it whole where it cannot be made from its samples.
        """
        if self.scale is None or keep == self.keep_file:
            return
        self.keep_file = keep
        if keep and self.rate.kind != "lossless":
            self.rate, self.place = rawback.Rate.lossless(), LOSSLESS
        self._changed("rate")
        self.measure()

    def choose_metadata(self, choice: rawback.MetadataChoice) -> None:
        """Let payloads tell more or less of the raw; the slider stays where it is."""
        if choice == self.metadata:
            return
        self.metadata = choice
        session = self._session
        if session is None:
            return
        session.metadata = choice
        self.curve, self._base_ends = session.known_curve, session.base_ends()
        self.scale = RateScale(self._base_ends[-1].payload_bytes)
        if self._by_place and self.place is not None:
            # What was asked for is a place, of which the size is another now.
            self.rate = self.scale.rate(self.place, self.curve)
        else:
            self.place = self.scale.place(self.rate, self.curve)
        self._changed("rate")
        self.measure()

    def choose_preset(self, preset: Preset) -> None:
        """Look at a preset."""
        self.choose(preset_rate(preset, self.curve))

    def enter(self, text: str) -> bool:
        """Look at a rate that was typed; whether it was one."""
        if self.scale is None:
            return False
        rate = parse_rate(text)
        if rate is None:
            self._feedback.say(
                tr(
                    "\u201c{}\u201d is no rate; type a size, bpp, dB or \u201clossless\u201d."
                ).format(text),
                "refused",
            )
            return False
        if rate.kind == "size" and self.curve is not None and self.curve.complete:
            smallest = self.curve.smallest
            if rate.value < smallest.payload_bytes:
                self._feedback.say(
                    tr("The smallest payload of this picture takes {} bytes.").format(
                        smallest.payload_bytes
                    )
                )
                rate = smallest.rate
        self.choose(rate)
        return True

    def step(self, steps: int) -> None:
        """Make the payload larger or smaller by about a hundredth of the slider."""
        if self.scale is None:
            return
        place = self.place if self.place is not None else 0.5
        if place > 1:
            place = 1 + _KEY_STEP / 2
        following = place + _KEY_STEP * steps
        if following > 1:
            following = LOSSLESS if steps > 0 else 1.0
        self.choose_place(max(following, 0.0) if following <= 1 else following)

    def smallest(self) -> None:
        """Look at the smallest payload that is known."""
        self.choose_place(0.0)

    def _set(self, rate: rawback.Rate, place: float | None, *, by_place: bool = False) -> None:
        if self._session is None or (rate == self.rate and place == self.place):
            return
        differs = rate != self.rate
        if rate.kind != "lossless":
            self.keep_file = False
        self.rate, self.place, self._by_place = rate, place, by_place
        self._changed("rate")
        if differs:
            self.measure()

    # Measuring.

    def measure(self) -> None:
        """Make the payload at the rate, once the slider rests; then what the curve lacks."""
        session, make = self._session, self.maker()
        if session is None:
            return
        known = 0 if self.curve is None else len(self.curve.points)
        coded = self.made is not None or not (known >= _ROUGH or self.stopped)
        complete = self.stopped or (self.curve is not None and self.curve.complete)

        def work(job: Job) -> None:
            report = self._feedback.reporter(job, "measure")
            if not coded:
                if job.cancel.wait(_REST):
                    return
                made = make(session, report, job.cancel)
                job.report(lambda: self._encoded(made, None))
                gain = _gain(session, made)
                job.report(lambda: self._encoded(made, gain))
            if not complete:

                def grown(curve: rawback.Curve) -> None:
                    if len(curve.points) > known:
                        job.report(lambda: self._grown(curve))

                whole = session.curve(progress=report, cancel=job.cancel, found=grown)
                job.report(lambda: self._grown(whole))
            job.report(lambda: self._feedback.ended("measure"))

        self.worker.submit(work, cancel=True)

    def stop(self) -> None:
        """Measure no more of the curve; payloads are still made."""
        self.stopped = True
        self.worker.clear()
        self._feedback.ended("measure")
        if self.made is None:
            self.measure()

    def interrupt(self) -> None:
        """Let something else have the session."""
        self.worker.clear()
        self._feedback.ended("measure")

    def take(self, encoding: rawback.Encoding, gain: Gain | None) -> None:
        """Use a payload that was made elsewhere."""
        self._encoded(encoding, gain)

    def _grown(self, curve: rawback.Curve) -> None:
        before = 0 if self.curve is None else len(self.curve.points)
        self.curve = curve
        self._changed("curve")
        if before < _ROUGH <= len(curve.points):
            # The very figures of the rate now, the rest of the curve later.
            self.measure()

    def _encoded(self, encoding: rawback.Encoding, gain: Gain | None) -> None:
        if self._is_wanted(encoding):
            self.encoding, self.gain = encoding, gain
            self._changed("figures")


def _gain(session: rawback.Session, encoding: rawback.Encoding) -> Gain | None:
    guide, result = session.guide, encoding.result
    if guide is None:
        return None
    return measure_gain(
        session.original,
        encoding.restored.cfa,
        guide,
        highlight_psnr_db=result.highlight_psnr_db,
        exact=result.exact,
    )
