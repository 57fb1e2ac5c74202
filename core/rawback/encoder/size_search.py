"""The best payload of at most a size: which base, and how fine the layers on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback.bitstream import Payload, section_offsets
from rawback.encoder.base_fits import BASE_LAMBDAS
from rawback.encoder.candidates import FINE_STEP
from rawback.encoder.rate_control import BEYOND, CLOSE, SECTION_BYTES, StepSearch
from rawback.rate import FINEST_STEP

if TYPE_CHECKING:
    from rawback.encoder.analysis import Analysis
    from rawback.encoder.candidates import Candidates
    from rawback.encoder.encoder import Session
    from rawback.encoder.payload_builder import Encoded, PayloadBuilder

__all__ = ["best_of_size"]

_ATTEMPTS, _SMALL_ATTEMPTS, _SMALL_TILES = 4, 8, 4
_AIM = 0.99
"""Part of a size that is aimed at."""

_LARGEST_SHARE, _SMALL_SHARE = 0.85, 0.15
"""Of what a header leaves, that a base may take, and below which no smaller base is tried."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """A payload of a size, and what suits it.

    Attributes:
        encoded: The payload.
        step: Step code, about; None without a residual.
        strength: How far steps follow the eye; None without a residual.
    """

    encoded: Encoded
    step: float | None = None
    strength: float | None = None


def best_of_size(candidates: Candidates, size: int) -> Encoded:
    """The best payload of at most `size` bytes, over the bases whose share may suit it.

    Raises:
        RateUnreachable: Not even the base fits.
    """
    session = candidates.session
    room = size - section_offsets(Payload(session.header, session.attached.leading))[-1]

    def share(level: int) -> float:
        return _leading_bytes(session, level) / max(room, 1)

    cheapest = len(BASE_LAMBDAS) - 1
    level = next((t for t in range(cheapest) if share(t) <= _LARGEST_SHARE), cheapest)
    base = session.analysis(level)
    best = _filled(candidates, base, size)
    while level < cheapest and share(level) >= _SMALL_SHARE:
        level += 1
        smaller = _filled(candidates, session.analysis(level), size, best.strength)
        if candidates.merit(smaller.encoded) <= candidates.merit(best.encoded):
            break
        base, best = session.analysis(level), smaller
    refined = None
    if best.step is not None:
        refined = candidates.refined(base, best.step, thorough=True)
    if refined is None:
        return best.encoded
    # What the layer saves was estimated; what comes of it is known only now.
    learned = _filled(candidates, refined, size, best.strength).encoded
    return max(best.encoded, learned, key=candidates.merit)


def _leading_bytes(session: Session, level: int) -> int:
    """What the sections of a base take, and those of latents where they are not left open."""
    open_ended = session.use in {"auto", "never"}
    sections = session.base(level).sections if open_ended else session.analysis(level).sections
    return sum(section.packed_size for section in sections)


def _filled(
    candidates: Candidates, analysis: Analysis, size: int, strength: float | None = None
) -> _Filled:
    """The finest payload of at most `size` bytes with a given base.

    Args:
        candidates: Makes payloads.
        analysis: Of the base.
        size: Bytes.
        strength: How far steps follow the eye; what suits the size by default.
    """
    bare = candidates.build(analysis, None)
    if size - bare.size < 2 * SECTION_BYTES:
        return _Filled(bare.cut_to(size))
    search = StepSearch(analysis if strength is None else analysis.following(strength))
    step = search.step_for(_aim(size, bare))
    if strength is None:
        strength = analysis.strength_at(step)
        if strength != 1:
            # How far the eye is followed changes which step the size allows.
            search = StepSearch(analysis.following(strength))
            step = search.step_for(_aim(size, bare))
    return _Filled(_approached(candidates, search, bare, step, size), step, strength)


def _approached(
    candidates: Candidates, search: StepSearch, bare: PayloadBuilder, step: float, size: int
) -> Encoded:
    """Payload after payload from a first step on, until one fills `size` but not more."""
    small = len(search.analysis.predicted) <= _SMALL_TILES
    over, under = FINEST_STEP - 1.0, BEYOND
    fits: PayloadBuilder | None = None
    exceeds: PayloadBuilder | None = None
    for _ in range(_SMALL_ATTEMPTS if small else _ATTEMPTS):
        built = candidates.build(search.analysis, step)
        if built.size > size:
            over, exceeds = step, built
        else:
            under, fits = step, built
            if built.size >= CLOSE * size:
                break
        search.learn(step, built.size - bare.size)
        step = search.step_for(_aim(size, bare), over, under)
        if not over < step < under:
            break
    if under < FINE_STEP or candidates.is_drawing:
        lossless = candidates.lossless()
        if len(lossless.payload) <= size:
            return lossless
    if fits is not None and fits.size >= CLOSE * size:
        return fits.finished()
    trimmed = None if exceeds is None else exceeds.cut_to(size)
    if fits is None or (trimmed is not None and len(trimmed.payload) > fits.size):
        return trimmed or bare.finished()
    return fits.finished()


def _aim(size: int, bare: PayloadBuilder) -> float:
    """Bytes that the quality layers are to take."""
    room = size - bare.size
    return max(room - (1 - _AIM) * size, room / 2)
