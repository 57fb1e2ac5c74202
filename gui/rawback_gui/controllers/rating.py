# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate people look at: chosen, measured on the curve, and coded once the slider rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rawback
from rawback_gui.controllers.lanes import Lane, Post, Task
from rawback_gui.models.rates import (
    Figures,
    Tick,
    figures_of_point,
    figures_of_result,
    parse_rate,
    ticks_of,
)
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback_gui.controllers.telling import Change, Voice

__all__ = ["RateChoice"]

_REST = 0.6
"""Seconds without a change of the rate after which its payload is made."""

_ROUGH = 3
"""Points of the curve that span the slider."""


class RateChoice:
    """One rate of a session, and what is known of it and of all others.

    Attributes:
        rate: What people have chosen.
        curve: What each rate buys, as far as it is measured.
        encoding: The payload that was made last.
        lane: Where both are made.
    """

    def __init__(
        self,
        post: Post,
        failed: Callable[[Exception], None],
        voice: Voice,
        told: Callable[[Change], None],
    ) -> None:
        """Choose the usual rate of nothing.

        Args:
            post: Runs a call on the window's thread.
            failed: Is told there what went wrong.
            voice: Says things.
            told: Is told there what has changed: the rate, the curve, or the figures.
        """
        self.lane = Lane("rawback-measure", post, failed)
        self._voice = voice
        self._told = told
        self.forget()

    def forget(self) -> None:
        """Leave the session."""
        self.lane.clear()
        self._session: rawback.Session | None = None
        self._base_ends: tuple[rawback.SectionEnd, ...] = ()
        self.rate = rawback.Rate.quality(rawback.DEFAULT_QUALITY)
        self.curve: rawback.Curve | None = None
        self.encoding: rawback.Encoding | None = None

    def begin(self, session: rawback.Session, base_ends: tuple[rawback.SectionEnd, ...]) -> None:
        """Look at a prepared session.

        Args:
            session: The session.
            base_ends: Of its base.
        """
        self._session = session
        self._base_ends = base_ends
        self._told("rate")
        self.measure()

    # What is known.

    @property
    def made(self) -> rawback.Encoding | None:
        """The payload at the rate, if it was made."""
        encoding = self.encoding
        return encoding if encoding is not None and encoding.rate == self.rate else None

    @property
    def figures(self) -> Figures | None:
        """What the rate buys: of its payload if that was made, else from the curve."""
        session, made, point = self._session, self.made, self.point
        if session is None:
            return None
        if made is not None:
            return figures_of_result(made.result, session.raw_bytes)
        return None if point is None else figures_of_point(point, session.raw_bytes)

    @property
    def point(self) -> rawback.CurvePoint | None:
        """The rate's point on the curve, once there is a curve."""
        if self.curve is None:
            return None
        if self.rate.kind == "lossless":
            return self.curve.largest
        lookup = {
            "quality": self.curve.at_quality,
            "size": self.curve.at_size,
            "bpp": self.curve.at_bpp,
            "psnr": self.curve.at_psnr,
        }
        return lookup[self.rate.kind](self.rate.value)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Where sections of the payload end: of the one that was made, else of its base."""
        made = self.made
        return ticks_of(self._base_ends if made is None else made.ends)

    @property
    def overlays(self) -> tuple[rawback.Overlay, ...]:
        """The overlays of the payload that was made last."""
        return () if self.encoding is None else self.encoding.overlays

    # Choosing.

    def set(self, rate: rawback.Rate) -> None:
        """Look at another rate."""
        if rate == self.rate or self._session is None:
            return
        self.rate = rate
        self._told("rate")
        self.measure()

    def set_size(self, size: float) -> None:
        """Look at the best payload of about so many bytes."""
        if self.curve is not None:
            self.set(self.curve.at_size(size).rate)

    def enter(self, text: str) -> bool:
        """Look at a rate that was typed; whether it was one."""
        if self.curve is None:
            return False
        rate = parse_rate(text)
        if rate is None:
            self._voice.say(
                tr(
                    "\u201c{}\u201d is no rate; type a size, bpp, dB or \u201clossless\u201d."
                ).format(text)
            )
            return False
        self._voice.say("")
        self.set(rate)
        return True

    def step(self, steps: int) -> None:
        """Make the payload larger or smaller by about 6 % a step, and at least a little."""
        point, curve = self.point, self.curve
        if point is None or curve is None:
            return
        size = float(point.payload_bytes)
        for _ in range(64):
            size *= 1.06**steps
            found = curve.at_size(size)
            if found.rate != self.rate or not 0 < size < 1e12:
                self.set(found.rate)
                return

    # Measuring.

    def measure(self) -> None:
        """Make the payload at the rate, once the slider rests; then what the curve lacks."""
        session, rate = self._session, self.rate
        if session is None:
            return
        rough = self.curve is not None and len(self.curve.points) >= _ROUGH
        coded = self.made is not None or not rough
        told = 0 if self.curve is None else len(self.curve.points)
        complete = self.curve is not None and self.curve.complete

        def work(task: Task) -> None:
            teller = self._voice.teller(task, blocking=False)
            if not coded:
                if task.cancel.wait(_REST):
                    return
                made = session.encode(rate, force=True, progress=teller, cancel=task.cancel)
                task.tell(lambda: self._encoded(made))
            if not complete:

                def grown(curve: rawback.Curve) -> None:
                    if len(curve.points) > told:
                        task.tell(lambda: self._grown(curve))

                whole = session.curve(progress=teller, cancel=task.cancel, found=grown)
                task.tell(lambda: self._grown(whole))
            task.tell(lambda: self._voice.show(None))

        self.lane.submit(work, cancel=True)

    def _grown(self, curve: rawback.Curve) -> None:
        before = 0 if self.curve is None else len(self.curve.points)
        self.curve = curve
        self._told("curve")
        if before < _ROUGH <= len(curve.points):
            # Both ends are known: the very figures of the rate now, the rest of the curve later.
            self.measure()

    def _encoded(self, encoding: rawback.Encoding) -> None:
        if encoding.rate == self.rate:
            self.encoding = encoding
            self._told("figures")
