"""Find the geometry of a raw and the JPEG rendered from it.

::

    guess       the raw's own size in eight orientations, else matched features
    refine      from 1/16 of the raw's size up: measure blocks, fit the simplest map, again;
                where that leaves doubt, once more with the carrier's own mix of colours
    quantise    a whole-pixel alignment where the map means one, else the map in integers

Renderings differ in tone, so only locally normalised pictures are ever compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rawback.errors import NothingToRegister, ShotMismatch
from rawback.geometry.model import Geometry
from rawback.geometry.registration.fit import cost
from rawback.geometry.registration.initial_guess import (
    Guess,
    aligned_guesses,
    aligned_matrix,
    crop_guess,
    feature_guess,
    stretched_guess,
)
from rawback.geometry.registration.model_selection import model_classes, select_model
from rawback.geometry.registration.pyramid import carrier_level, structured_share
from rawback.geometry.registration.quantisation import quantise, snap
from rawback.geometry.registration.refinement import (
    COARSEST_SIDE,
    MATCH,
    QUICK_SIDE,
    SURE,
    Refinement,
)
from rawback.geometry.registration.same_shot import LEAST_STRUCTURE
from rawback.geometry.registration.surface import Surface
from rawback.geometry.transform import Aligned, Warped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.geometry.registration.pyramid import PyramidLevel
    from rawback.geometry.registration.refinement import Estimate
    from rawback.geometry.transform import Transform
    from rawback.types import RawFrame

__all__ = ["MATCH", "MAX_DISAGREEMENT", "Registration", "register"]

MAX_DISAGREEMENT = 0.14
"""The largest part of the structure in which they may show different things: renderings of the same
shot stay below 0.05 (below 0.14, where they are clipped to black and white), neighbours in a series
of shots are above 0.2 once the camera has moved."""

_OTHER_SHOT = (
    "The raw and the JPEG do not show the same shot. Give the raw that the JPEG was rendered from."
)
_NEIGHBOUR = (
    "The JPEG shows much of what the raw shows, but not the same: it is another shot of the scene, "
    "or was retouched. Give the raw that the JPEG was rendered from, or embed it lossless or "
    "unguided."
)
_PROMISING = 0.2
_FAINT = 0.12
_DOUBTFUL = 0.05
# Raw side, carrier side, features: quickly for most, thoroughly for small crops and poor texture.
_FEATURE_TRIES = ((800, 800, 2000), (1800, 400, 3000), (1800, 1200, 5000))
_SPARSE, _GREY = 8, 2
_NEARLY, _AS_GOOD, _LEAST_COST = 1.0, 1.1, 0.01
"""How far, in carrier pixels, a map may be from a simpler one that explains blocks as well but for
a tenth and this."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The result of a registration.

    Attributes:
        geometry: Where raw pixels lie in the carrier.
        correlation: Of the two pictures, locally normalised, over what both show: near 1 for the
            same shot, at most `MATCH` for two different ones.
        disagreement: Part of the structure that both show, 0 to 1, in blocks that do not correlate:
            about 0 for the same shot, above `MAX_DISAGREEMENT` where things have moved since.
    """

    geometry: Geometry
    correlation: float
    disagreement: float


def register(frame: RawFrame, pixels: NDArray[np.uint8]) -> Registration:
    """Find where each raw pixel lies in the carrier.

    Args:
        frame: The raw.
        pixels: The carrier's pixels, uint8 ``[H, W, 3]``.

    Returns:
        The geometry, and how alike the two are.

    Raises:
        NothingToRegister: One of the two shows too little structure to tell.
        ShotMismatch: The two do not show the same shot, or the perspective is too steep.
    """
    search = _Search(frame, pixels)
    try:
        transform, correlation, disagreement = search.transform()
        geometry = Geometry(search.raw_size, search.carrier_size, transform)
    except ValueError as error:
        message = "The JPEG shows the raw too steeply. Export it with less perspective correction."
        raise ShotMismatch(message) from error
    return Registration(geometry, correlation, disagreement)


class _Search:
    def __init__(self, frame: RawFrame, pixels: NDArray[np.uint8]) -> None:
        self._refinement = Refinement(frame, pixels)
        self._raw = self._refinement.raw
        self._pixels = pixels
        self.raw_size = self._refinement.raw_size
        self.carrier_size = self._refinement.carrier_size
        self._aligned = aligned_guesses(self._raw, pixels, self.raw_size)

    @cached_property
    def _is_grey(self) -> bool:
        """Whether the carrier has no colours."""
        return bool((np.ptp(self._pixels[::_SPARSE, ::_SPARSE], axis=2) <= _GREY).all())

    def transform(self) -> tuple[Transform, float, float]:
        """The transform, the correlation that it gives, and the disagreement that it leaves."""
        guess = self._best_aligned()
        if guess is not None:
            quick = self._whole_pixels(guess)
            if quick is not None:
                return quick
        estimate = self._estimate()
        if estimate is not None and estimate.is_match:
            aligned = self._as_simple(estimate)
            if estimate.disagreement > MAX_DISAGREEMENT:
                raise self._mismatch(_NEIGHBOUR)
            transform = aligned or self._quantised(estimate)
            return transform, estimate.correlation, estimate.disagreement
        faint = self._in_noise() or self._faint()
        if faint is None:
            raise self._mismatch(_OTHER_SHOT)
        return faint

    def _mismatch(self, otherwise: str) -> ShotMismatch:
        """Why the raw was not found: there is nothing to go by, or `otherwise`."""
        carrier = carrier_level(self._pixels, max(self.carrier_size) / COARSEST_SIDE)
        for name, level in (("raw", self._raw), ("JPEG", carrier)):
            if structured_share(level) < LEAST_STRUCTURE:
                message = (
                    f"The {name} shows too little to find the raw on the JPEG by: it is dark, even "
                    "or mere noise. Embed it lossless, or unguided, which needs no likeness."
                )
                return NothingToRegister(message)
        return ShotMismatch(otherwise)

    def _best_aligned(self) -> Guess | None:
        best = max(self._aligned.values(), key=lambda guess: guess.score, default=None)
        return best if best is not None and best.score > _PROMISING else None

    def _as_simple(self, estimate: Estimate) -> Aligned | None:
        """The whole-pixel alignment that explains the blocks about as well as a map does, if any.

        Of small crops, blocks tell too little for a map to come out as simple as it is.
        """
        sizes = self.raw_size, self.carrier_size
        aligned = snap(estimate.surface, *sizes)
        if aligned is not None:
            return aligned
        near = snap(estimate.surface, *sizes, allowed=_NEARLY)
        if near is None:
            return None
        matrix = aligned_matrix(near.orientation, self.raw_size)
        matrix[:2, 2] += (near.dx, near.dy)
        blocks, used = estimate.blocks, estimate.blocks.weight > 0
        simple, free = (
            cost(blocks, surface, used=used) for surface in (Surface(matrix), estimate.surface)
        )
        return near if simple <= free * _AS_GOOD + _LEAST_COST else None

    def _quantised(self, estimate: Estimate) -> Warped:
        """The map in integers.

        Raises:
            ValueError: It is too steep.
        """
        try:
            return quantise(estimate.surface, self.raw_size)
        except ValueError:
            # What bends in the part that a carrier shows may go anywhere in the rest of the raw.
            stiff = [kind for kind in model_classes(self.raw_size, free=False) if not kind.lens]
            plane = select_model(estimate.blocks, estimate.surface.plane(), stiff)
            return quantise(plane, self.raw_size)

    def _whole_pixels(
        self, guess: Guess, *, mixed_only: bool = False
    ) -> tuple[Transform, float, float] | None:
        """The whole-pixel alignment near a guess, if that is surely the one."""
        step = max(self.raw_size) / QUICK_SIDE
        quick = None if mixed_only else self._refinement.level(guess, step, rounds=1)
        if mixed_only or (quick is not None and quick.correlation <= SURE):
            mixed = self._refinement.mixed(guess, step)
            if mixed is not None:
                quick = self._refinement.level(guess, step, rounds=1, raw=mixed)
        if quick is None or quick.correlation <= SURE:
            return None
        aligned = snap(quick.surface, self.raw_size, self.carrier_size)
        return None if aligned is None else (aligned, quick.correlation, quick.disagreement)

    def _in_noise(self) -> tuple[Transform, float, float] | None:
        """The whole frame in one orientation, by noise that the carrier shows as the raw has it."""
        for orientation in self._aligned:
            guess = Guess(Surface(aligned_matrix(orientation, self.raw_size)), 0.0)
            exact = self._whole_pixels(guess, mixed_only=True)
            if exact is not None:
                return exact
        return None

    def _faint(self) -> tuple[Transform, float, float] | None:
        """The whole frame in one orientation, where noise leaves little else to go by."""
        ranked = sorted(((g.score, o) for o, g in self._aligned.items()), reverse=True)
        scores = [score for score, _ in ranked]
        if not ranked or scores[0] < max(_FAINT, 2 * (scores[1] if len(scores) > 1 else 0)):
            return None
        score, orientation = ranked[0]
        aligned = Aligned(orientation)
        shift = snap(self._aligned[orientation].surface, self.raw_size, self.carrier_size)
        return (aligned, score, 0.0) if shift == aligned else None

    def _guesses(self, raw: PyramidLevel) -> Iterator[Guess]:
        """First guesses, the likeliest first, each computed when it is asked for."""
        promising = self._best_aligned()
        if promising is not None:
            yield promising
        first, *thorough = _FEATURE_TRIES
        yield from self._feature_guesses(raw, first)
        for search in (stretched_guess, crop_guess):
            guess = search(raw, self._pixels, self.raw_size)
            if guess is not None:
                yield guess
        yield from self._feature_guesses(raw, *thorough)

    def _feature_guesses(self, raw: PyramidLevel, *tries: tuple[int, int, int]) -> Iterator[Guess]:
        for raw_side, carrier_side, count in tries:
            guess = feature_guess(
                raw,
                self._pixels,
                self.raw_size,
                raw_side=raw_side,
                carrier_side=carrier_side,
                count=count,
            )
            if guess is not None:
                yield guess

    def _estimate(self) -> Estimate | None:
        best = self._best_of(self._raw)
        if self._is_grey and (best is None or not best.is_match):
            # Through a red filter, green things are as dark as their shadows.
            for colour in self._refinement.colours:
                if best is None or not best.is_match:
                    best = self._best_of(colour)
        return best

    def _best_of(self, raw: PyramidLevel) -> Estimate | None:
        """The best map of the raw's picture in green, or in another colour."""
        best: Estimate | None = None
        for guess in self._guesses(raw):
            estimate = self._refinement.refined(guess, raw)
            if estimate is None:
                continue
            if best is not None and estimate.evidence <= best.evidence and not self._is_grey:
                continue
            # Where green tells enough, it tells more precisely: lenses shift the other colours. But
            # a grey carrier may show anything of them.
            if self._is_grey or not estimate.is_sure(_DOUBTFUL):
                seen = replace(guess, surface=estimate.surface)
                mixed = self._refinement.mixed(seen)
                other = None if mixed is None else self._refinement.refined(seen, mixed)
                if other is not None and other.evidence > estimate.evidence:
                    estimate = other
            if best is None or estimate.evidence > best.evidence:
                best = estimate
            if best.is_sure() and not (guess.straight and best.surface.lens is not None):
                break
        return best
