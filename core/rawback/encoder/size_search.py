"""The best payload of at most a size: which base, and how fine the layers on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.encoder.base_choice import better_of, choose_base
from rawback.encoder.candidates import FINE_STEP
from rawback.encoder.rate_control import BEYOND, CLOSE, aim
from rawback.rate import FINEST_STEP

if TYPE_CHECKING:
    from rawback.encoder.base_choice import Trial
    from rawback.encoder.candidates import Candidates
    from rawback.encoder.payload_builder import Encoded, PayloadBuilder
    from rawback.encoder.rate_control import StepSearch

__all__ = ["best_of_size"]

_LARGEST_POWER = 4
"""Of the weights of errors, in quarters: at that they are as raw PSNR counts them."""

_ATTEMPTS, _SMALL_ATTEMPTS, _SMALL_TILES = 4, 8, 4

_LARGE, _LARGE_CLOSE, _CAUTION, _LITTLE = 1 << 24, 0.96, 0.99, 1.015
"""Samples of frames that take long to code, so that a payload is close enough which fills this part
of its size, and that a little less than of others is aimed at. One that exceeds it by no more than
this loses a little of a few tiles rather than being coded anew."""


def best_of_size(candidates: Candidates, size: int) -> Encoded:
    """The best payload of at most `size` bytes: of the base that seems best, the finest.

    Raises:
        RateUnreachable: Not even the smallest base fits.
    """
    if candidates.is_drawing:
        lossless = candidates.lossless_within(size)
        if lossless is not None:
            return lossless
    best = _weighed(choose_base(candidates, size))
    refined = candidates.refined(best, thorough=True)
    if refined is not None:
        best = better_of(best, refined)
    return _filled(candidates, best, size)


def _weighed(best: Trial) -> Trial:
    """A base whose errors weigh what serves raw PSNR best, where that is what they are tuned for.

    Of linear frames; how mosaics weigh them also keeps what shadows can be lifted to.
    """
    source = best.analysis.source
    if source.tune != "psnr" or source.frame.mosaic.samples != 3 or best.step is None:
        return best
    for power in range(best.analysis.weight_power + 1, _LARGEST_POWER + 1):
        heavier = better_of(best, best.analysis.weighed(power))
        if heavier is best:
            break
        best = heavier
    return best


def _filled(candidates: Candidates, trial: Trial, size: int) -> Encoded:
    """The finest payload of at most `size` bytes with a given base."""
    bare = candidates.build(trial.analysis, None)
    if trial.search is None or trial.step is None:
        return bare.cut_to(size)
    return _approached(candidates, trial.search, bare, trial.step, size)


def _approached(
    candidates: Candidates, search: StepSearch, bare: PayloadBuilder, step: float, size: int
) -> Encoded:
    """Payload after payload from a first step on, until one fills `size` but not more."""
    samples = search.analysis.source.planes.size
    small, large = len(search.analysis.predicted) <= _SMALL_TILES, samples >= _LARGE
    close = _LARGE_CLOSE if large else CLOSE
    target = aim(size, bare.size) * (_CAUTION if large else 1)
    if large:
        step = search.step_for(target)
    over, under = FINEST_STEP - 1.0, BEYOND
    fits: PayloadBuilder | None = None
    exceeds: PayloadBuilder | None = None
    for _ in range(_SMALL_ATTEMPTS if small else _ATTEMPTS):
        built = candidates.build(search.analysis, step)
        search.learn(step, built.size - bare.size)
        if large:
            _thin(built, step, size)
        if built.size > size:
            over, exceeds = step, built
        else:
            under, fits = step, built
            if built.size >= close * size:
                break
        step = search.step_for(target, over, under)
        if not over < step < under:
            break
    if under < FINE_STEP and not candidates.is_drawing:
        lossless = candidates.lossless_within(size)
        if lossless is not None:
            return lossless
    if fits is not None and fits.size >= close * size:
        return fits.finished()
    return _fuller(fits or bare, exceeds, size)


def _fuller(fits: PayloadBuilder, exceeds: PayloadBuilder | None, size: int) -> Encoded:
    """A payload that fits, or a larger one's part that does: whichever is larger."""
    trimmed = None if exceeds is None else exceeds.cut_to(size)
    if trimmed is not None and len(trimmed.payload) > fits.size:
        return trimmed
    return fits.finished()


def _thin(built: PayloadBuilder, step: float, size: int) -> None:
    """Let a payload that is a little too large lose that little."""
    if size < built.size < _LITTLE * size:
        built.thin(step, size)
