"""Which base serves a size best, told without coding any payload.

A base and what is left of the size for layers name a step. What that step restores is known as soon
as the coefficients are quantised, and with it what the payload would be worth.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from rawback.bitstream import Payload, section_offsets
from rawback.encoder.base_fits import BASE_LAMBDAS
from rawback.encoder.excerpt import Excerpt
from rawback.encoder.rate_control import SECTION_BYTES, StepSearch, aim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawback.encoder.analysis import Analysis
    from rawback.encoder.candidates import Candidates
    from rawback.encoder.payload_builder import PayloadBuilder

__all__ = ["BasesAtSize", "Trial", "best_trial", "better_of", "choose_base"]

_LAST = len(BASE_LAMBDAS) - 1

_LARGEST_SHARE, _SMALL_SHARE, _SMALLEST_SHARE = 0.85, 0.15, 0.04
"""Of what a header leaves, that a base may take, and below which no smaller base is tried; the last
one of small frames, where that takes no time and commonly saves some percents."""

_USUAL_LEVEL, _USUAL_SHARE = 2, 0.2
"""Where a base's share matters at all, on training frames of 4 to 24 megapixels the best one is
none larger than this, and mostly the first whose table takes no more than this."""

_SMALL_TILES = 4
"""Of frames of no more tiles than these, which are small, it may be any."""

_TINY = 0.012
"""Bits per pixel below which so few coefficients are coded that samples hardly tell how many: there
all are coded once, which takes little time as most are 0."""


class Trial:
    """A base at a size.

    Args:
        candidates: Of the shot.
        analysis: The base.
        size: Bytes of the payload.
        strength: How far steps follow the eye.
        near: A step to begin the search with.
        share: The part of the frame that `analysis` is of, where it is one of an excerpt.

    Attributes:
        analysis: The base.
        size: As given.
        strength: As given.
        search: Of steps; None where there is no room for a residual.
        step: About the step that suits the size.
    """

    def __init__(
        self,
        candidates: Candidates,
        analysis: Analysis,
        size: int,
        strength: float = 1.0,
        near: float | None = None,
        share: float = 1.0,
    ) -> None:
        self._candidates = candidates
        self._share = share
        self._excess = False
        self.analysis = analysis
        self.size = size
        self.strength = strength
        self.search: StepSearch | None = None
        self.step: float | None = None
        bare = candidates.session.builder(analysis).size
        if size - bare >= 2 * SECTION_BYTES:
            self.search = StepSearch(analysis.following(strength), near)
            self.step = self.search.step_for(aim(size, bare) * share)
            if share == 1 and 8 * size < _TINY * analysis.source.frame.cfa.size:
                built = self._builder(self.search.analysis)
                built.add_layers(self.step, candidates.report)
                self.search.learn(self.step, built.size - bare)
                self.step = self.search.step_for(aim(size, bare))
            self._excess = self.search.expected(self.step) > (size - bare) * share

    @property
    def has_room(self) -> bool:
        """Whether there is room for layers of the whole frame, be they ever so coarse."""
        return self.search is not None and not self._excess

    def like(self, analysis: Analysis, share: float | None = None) -> Trial:
        """Another base at the same size, its steps following the eye as far."""
        share = self._share if share is None else share
        return Trial(self._candidates, analysis, self.size, self.strength, self.step, share)

    def followed(self) -> Trial:
        """The same with steps that follow the eye as far as is foretold to pay."""
        if self.step is None:
            return self
        strength = self.analysis.strength_at(self.step)
        if strength == self.strength:
            return self
        return Trial(self._candidates, self.analysis, self.size, strength, self.step, self._share)

    @cached_property
    def merit(self) -> float:
        """What the payload would restore is worth, in decibels.

        Raises:
            RateUnreachable: Not even the base fits.
        """
        if self.search is None or self.step is None:
            return self._candidates.merit(self._builder(self.analysis).cut_to(self.size))
        builder = self._builder(self.search.analysis)
        if not self._excess:
            builder.quantise(self.step)
            return self._candidates.merit(builder.finished(), self.analysis.source)
        # Even the coarsest layers take too much, and what is left of them shows only now.
        builder.add_layers(self.step, self._candidates.report)
        return self._candidates.merit(builder.cut_to(self.size))

    def _builder(self, analysis: Analysis) -> PayloadBuilder:
        return self._candidates.session.builder(analysis)


def better_of(best: Trial, refined: Analysis) -> Trial:
    """A base as it is, or with the learned layer or other weights: what is worth more."""
    excerpt = Excerpt.of(best.analysis.source)
    if excerpt is not None and best.has_room:
        plain, learned = (
            best.like(excerpt.of_analysis(analysis), excerpt.share)
            for analysis in (best.analysis, refined)
        )
        if plain.has_room and learned.has_room:
            return best if plain.merit >= learned.merit else best.like(refined)
    return max(best, best.like(refined), key=lambda trial: trial.merit)


def choose_base(candidates: Candidates, size: int) -> Trial:
    """The base of the best payload of so many bytes, of those whose share may suit it.

    Trials begin where the best one commonly is, and go on to smaller bases, or else to larger ones,
    for as long as that pays. Of a large frame they are made on an excerpt, unless the size has
    hardly any room.

    Raises:
        RateUnreachable: Not even the smallest base fits.
    """
    bases = BasesAtSize(candidates, size)
    if bases.share(0) < bases.small_share:
        return bases.trial(0).followed()
    session = candidates.session
    excerpt = Excerpt.of(session.source) if session.use in {"auto", "never"} else None
    if excerpt is not None:
        with suppress(_NoRoom):
            level, trial = best_trial(BasesAtSize(candidates, size, excerpt))
            return trial.like(session.analysis(level), 1.0)
    return best_trial(bases)[1]


def best_trial(bases: BasesAtSize) -> tuple[int, Trial]:
    """The level of the base that serves best, and its trial."""
    start = bases.usual()
    first = bases.trial(start)
    followed = first.followed()
    # Where bases leave much, what is foretold is less sure.
    if followed is not first:
        first = max(first, followed, key=lambda trial: trial.merit)
    best = start, first
    for levels, may_be_same in ((bases.smaller(start), False), (bases.larger(start), True)):
        for level in levels:
            trial = bases.trial(level, best[1])
            # Several of the smallest may be one and the same.
            if trial.merit < best[1].merit or (trial.merit == best[1].merit and not may_be_same):
                break
            best = level, trial
        if best[1] is not first and not bases.is_small:
            break
    return best


class _NoRoom(Exception):
    """An excerpt does not tell what a size has room for."""


class BasesAtSize:
    """The bases of a shot beside what a payload of a size has room for."""

    def __init__(self, candidates: Candidates, size: int, excerpt: Excerpt | None = None) -> None:
        self._candidates = candidates
        self._session = candidates.session
        self._size = size
        self._excerpt = excerpt
        empty = Payload(self._session.header, self._session.attached.leading)
        self._room = max(size - section_offsets(empty)[-1], 1)

    @property
    def is_small(self) -> bool:
        """Whether any base may be the best, and trying one takes little."""
        return len(self._session.source.grid.tiles()) <= _SMALL_TILES

    @property
    def small_share(self) -> float:
        """Below which no smaller base is tried."""
        return _SMALLEST_SHARE if self.is_small else _SMALL_SHARE

    def trial(self, level: int, like: Trial | None = None) -> Trial:
        """A trial of one of them, its steps following the eye as far as those of another.

        Raises:
            _NoRoom: An excerpt does not tell what there is room for.
        """
        if self._excerpt is None:
            analysis, share = self._session.analysis(level), 1.0
        else:
            analysis = self._excerpt.of_base(self._session.bases.at(level))
            share = self._excerpt.share
        if like is not None:
            trial = like.like(analysis)
        else:
            trial = Trial(self._candidates, analysis, self._size, share=share)
        if self._excerpt is not None and not trial.has_room:
            raise _NoRoom
        return trial

    def share(self, level: int) -> float:
        """What one takes of the room, and latents with it where they are not left open."""
        session = self._session
        left_open = session.use in {"auto", "never"}
        sections = (
            session.bases.at(level).sections if left_open else session.analysis(level).sections
        )
        return sum(section.packed_size for section in sections) / self._room

    def usual(self) -> int:
        """Which to begin with."""
        level = _USUAL_LEVEL
        while level < _LAST and self._least_share(level) > _USUAL_SHARE:
            level += 1
        while level < _LAST and self.share(level) > _LARGEST_SHARE:
            level += 1
        return level

    def smaller(self, level: int) -> Iterator[int]:
        """Those below one that are worth a trial if the one before was."""
        while level < _LAST and self.share(level) >= self.small_share and self._fits(level + 1):
            level += 1
            yield level

    def larger(self, level: int) -> Iterator[int]:
        """Those above one that are worth a trial if the one before was."""
        largest = 0 if self.is_small else _USUAL_LEVEL
        while level > largest and self._fits(level - 1):
            level -= 1
            yield level

    def _fits(self, level: int) -> bool:
        return self._least_share(level) <= _LARGEST_SHARE and self.share(level) <= _LARGEST_SHARE

    def _least_share(self, level: int) -> float:
        return self._session.bases.least_size(level) / self._room
