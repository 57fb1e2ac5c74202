"""The smallest payload of at least a PSNR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.encoder.base_fits import BASE_LAMBDAS
from rawback.rate import COARSEST_STEP, FINEST_STEP

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawback.encoder.analysis import Analysis
    from rawback.encoder.candidates import Candidates
    from rawback.encoder.payload_builder import Encoded
    from rawback.types import Progress

__all__ = ["coarsest_reaching", "smallest_of_psnr"]


def smallest_of_psnr(candidates: Candidates, decibels: float) -> Encoded:
    """The smallest of the payloads that are tried whose raw PSNR is at least `decibels`."""
    analysis = candidates.session.analysis(0)
    bare = candidates.build(analysis, None).finished()
    if candidates.psnr(bare) >= decibels:
        return _cheapest_base(candidates, bare, decibels)

    def step_for(analysis: Analysis, finest: int) -> int | None:
        def psnr_at(step: int | None) -> float:
            return _psnr_at(candidates, analysis, step)

        return coarsest_reaching(decibels, psnr_at, candidates.report, finest)

    step = step_for(analysis, FINEST_STEP)
    if step is None:
        return candidates.lossless()
    plain = candidates.build(analysis, step).finished()
    refined = candidates.refined_beside(plain, analysis, step)
    if refined is None:
        return candidates.smaller(plain, step)
    step = step_for(refined, step)
    if step is None:
        return plain
    learned = candidates.build(refined, step).finished()
    return min(plain, learned, key=lambda encoded: len(encoded.payload))


def _cheapest_base(candidates: Candidates, bare: Encoded, decibels: float) -> Encoded:
    """The smallest base alone that reaches `decibels`, as the first one, `bare`, does."""
    for level in range(1, len(BASE_LAMBDAS)):
        cheaper = candidates.build(candidates.session.analysis(level), None).finished()
        if candidates.psnr(cheaper) < decibels:
            break
        bare = cheaper
    return bare


def _psnr_at(candidates: Candidates, analysis: Analysis, step: int | None) -> float:
    """Raw PSNR at a step, or of the base alone, without coding anything."""
    builder = candidates.session.builder(analysis)
    if step is not None:
        builder.quantise(step)
    return candidates.psnr(builder.finished())


def coarsest_reaching(
    decibels: float,
    psnr_at: Callable[[int | None], float],
    report: Progress,
    finest: int = FINEST_STEP,
) -> int | None:
    """The coarsest step whose raw PSNR is at least `decibels`, or None if no step's is.

    Args:
        decibels: What is to be reached.
        psnr_at: Raw PSNR at a step, and of the base alone at None.
        report: Is told how far the search is.
        finest: The finest step to look at.
    """
    reached, missed = finest, COARSEST_STEP + 1
    best, worst = psnr_at(finest), psnr_at(None)
    if best < decibels:
        return None
    while missed - reached > 1:
        # Between the two, decibels fall about evenly; the middle guards against slow progress.
        share = (best - decibels) / max(best - worst, 1e-9)
        guess = reached + (missed - reached) * (0.5 + min(max(share, 0.1), 0.9)) / 2
        step = min(max(round(guess), reached + 1), missed - 1)
        report("Searching the step", 0.5 * (1 - (missed - reached) / (COARSEST_STEP - FINEST_STEP)))
        psnr = psnr_at(step)
        if psnr >= decibels:
            reached, best = step, psnr
        else:
            missed, worst = step, psnr
    return reached
