"""The bases of a shot: one for each price of bits, fitted when it is first asked for."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from rawback.encoder.base_fits import BASE_LAMBDAS, FittedBase, filter_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback.encoder.encoder_input import EncoderInput
    from rawback.tone import Base
    from rawback.tone.fitting import FilterFits

__all__ = ["Bases"]


class Bases:
    """The bases of a shot, by level; from any thread.

    Args:
        source: The shot.
    """

    def __init__(self, source: EncoderInput) -> None:
        self._source = source
        self._pointwise: dict[int, Base] = {}
        self._fitted: dict[int, FittedBase] = {}
        self._filters: FilterFits | None = None
        self._lock = RLock()

    def at(self, level: int, report: Callable[[float], None] = lambda _done: None) -> FittedBase:
        """A base and its sections.

        Args:
            level: Which of BASE_LAMBDAS.
            report: Is told which part is done.
        """
        with self._lock:
            if level not in self._fitted:
                base = self._without_filters(level)
                report(0.6)
                base = self._filter_fits().choose(base, BASE_LAMBDAS[level], self._offsets(level))
                self._fitted[level] = FittedBase.of(self._source, base)
            return self._fitted[level]

    def least_size(self, level: int) -> int:
        """Packed bytes of a base but for its filters."""
        with self._lock:
            return self._source.fits.section_of(self._without_filters(level)).packed_size

    def _without_filters(self, level: int) -> Base:
        if level not in self._pointwise:
            self._pointwise[level] = self._source.fits.choose(BASE_LAMBDAS[level])
        return self._pointwise[level]

    def _filter_fits(self) -> FilterFits:
        """Fitted behind the largest base once, which takes longer than all else of a base.

        Behind smaller ones, taps that were fitted so leave as little as their own, or less.
        """
        if self._filters is None:
            self._filters = filter_fits(self._source, self._without_filters(0))
        return self._filters

    def _offsets(self, level: int) -> list[float] | None:
        """By how much samples lie above a base more than above the largest, by colour."""
        if not level:
            return None
        own, largest = (
            self._source.fits.mean_errors(self._without_filters(at)) for at in (level, 0)
        )
        return [a - b for a, b in zip(own, largest, strict=True)]
