"""The smallest lossless payload: of which base, and with quality layers below the exact one or not.

Of a large frame that is concluded from some of its tiles, so that it is coded once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rawback.encoder.base_fits import BASE_LAMBDAS
from rawback.encoder.code_lists import are_codes_coarse
from rawback.encoder.excerpt import Excerpt
from rawback.rate import LOSSLESS_STEP

if TYPE_CHECKING:
    from rawback.encoder.analysis import Analysis
    from rawback.encoder.candidates import Candidates
    from rawback.encoder.payload_builder import Encoded, PayloadBuilder

__all__ = ["smallest_lossless"]

_SMALLER_BASE, _LARGE_BASE = 2, 0.003
"""The base level tried second, where the base takes more than this part of the payload: that of
small frames, and of drawings, which take little themselves."""

_TILES = 8
"""Of a large frame, on which ways to code it are tried."""

_HOPELESS = 1.5
"""How many times a limit an estimate may be at most for the frame to be coded all the same."""


def smallest_lossless(candidates: Candidates, limit: int | None = None) -> Encoded | None:
    """The smallest lossless payload of those that are tried.

    Args:
        candidates: Of the shot.
        limit: Bytes of which more are of no use.

    Returns:
        The payload; None where it takes more than `limit`, or surely would.
    """
    search = _Search(candidates)
    best = search.best_of_level(0)
    # Hardly anything of a lossless payload hangs on its base, but that of a tiny frame.
    if limit is not None and search.is_hopeless(best, limit):
        return None
    for level in range(_SMALLER_BASE, len(BASE_LAMBDAS)):
        if not search.is_base_large(level - 1 if level > _SMALLER_BASE else 0, best):
            break
        smaller = search.best_of_level(level)
        if search.size(smaller) >= search.size(best):
            break
        best = smaller
    encoded = search.encoded(best)
    return encoded if limit is None or len(encoded.payload) <= limit else None


class _Way(NamedTuple):
    """A way to code a frame without loss."""

    level: int
    layered: bool


class _Search:
    """Sizes of lossless payloads: known, or of a large frame estimated."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._session = candidates.session
        source = self._session.source
        # What layers restore between coarse codes says little of which code it is.
        self._may_be_bare = are_codes_coarse(source.frame, source.domain)
        self._excerpt = Excerpt.of(replace(source, tune="psnr"), _TILES)
        self._sizes: dict[_Way, float] = {}
        self._encoded: dict[_Way, Encoded] = {}

    def best_of_level(self, level: int) -> _Way:
        """The better way with a base."""
        layered, bare = _Way(level, True), _Way(level, False)
        return min((layered, bare), key=self.size) if self._may_be_bare else layered

    def size(self, way: _Way) -> float:
        """Bytes of a payload, about."""
        if way not in self._sizes:
            self._sizes[way] = (
                len(self.encoded(way).payload)
                if self._excerpt is None
                else self._estimated(way, self._excerpt)
            )
        return self._sizes[way]

    def encoded(self, way: _Way) -> Encoded:
        """The payload of a way; the smallest so far is kept."""
        if way not in self._encoded:
            analysis = self._session.analysis(way.level).tuned("psnr")
            encoded = self._layered(analysis, way).with_lossless(self._candidates.report)
            kept = [*self._encoded.items(), (way, encoded)]
            self._encoded = dict([min(kept, key=lambda item: len(item[1].payload))])
            return encoded
        return self._encoded[way]

    def is_hopeless(self, way: _Way, limit: int) -> bool:
        """Whether a frame is not worth to be coded, as it would take more than a limit."""
        return self._excerpt is not None and self.size(way) > _HOPELESS * limit

    def is_base_large(self, level: int, way: _Way) -> bool:
        """Whether a smaller base than the one of this level is to be tried."""
        if self._session.use not in {"auto", "never"}:
            return False
        size = sum(section.packed_size for section in self._session.bases.at(level).sections)
        return size > _LARGE_BASE * self.size(way)

    def _layered(self, analysis: Analysis, way: _Way) -> PayloadBuilder:
        builder = self._session.builder(analysis)
        if way.layered:
            builder.add_layers(LOSSLESS_STEP, self._candidates.report, plain=True)
        return builder

    def _estimated(self, way: _Way, excerpt: Excerpt) -> float:
        analysis = excerpt.of_base(self._session.bases.at(way.level))
        bare = self._session.builder(analysis).size
        builder = self._layered(analysis, way)
        builder.with_lossless(self._candidates.report)
        trailing = sum(section.packed_size for section in self._session.attached.trailing)
        return bare + (builder.size - bare - trailing) / excerpt.share + trailing
