"""Find the geometry of a raw and the JPEG rendered from it.

::

    guess      the raw's own size in eight orientations, else matched features
    refine     from 1/16 of the raw's size up: measure blocks, fit the simplest map, again
    place      a whole-pixel alignment where the map means one, else the map in integers

Renderings differ in tone, so only locally normalised pictures are ever compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.errors import ShotMismatch
from rawback.geometry.blocks import measure, reference
from rawback.geometry.choosing import best_fit, ladder
from rawback.geometry.finding import aligned_guesses, feature_guess
from rawback.geometry.model import Geometry
from rawback.geometry.placement import Aligned
from rawback.geometry.placing import quantised, snapped
from rawback.geometry.views import carrier_view, raw_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.geometry.blocks import Blocks
    from rawback.geometry.finding import Guess
    from rawback.geometry.placement import Placement
    from rawback.geometry.surface import Surface
    from rawback.geometry.views import View
    from rawback.types import RawFrame

__all__ = ["MATCH", "Registration", "register"]

MATCH = 0.3
"""The least likeness of a raw and a JPEG of the same shot."""

_SURE = 0.7
_PROMISING = 0.2
_FAINT = 0.12
_LOST = 0.2
_COARSEST_SIDE, _FINEST_SIDE = 420, 2000
_QUICK_SIDE = 1200
# Raw side, carrier side, features: quickly for most, thoroughly for small crops and poor texture.
_FEATURE_TRIES = ((800, 800, 2000), (1800, 1200, 5000))
_MIN_BLOCKS = 5
_COARSEST_ROUNDS, _ROUNDS = 5, 2


@dataclass(frozen=True, slots=True)
class Registration:
    """What registering found.

    Attributes:
        geometry: Where raw pixels lie in the carrier.
        likeness: Correlation of the two pictures, locally normalised, over what both show: near
            1 for the same shot, at most `MATCH` for two different ones.
    """

    geometry: Geometry
    likeness: float


@dataclass(frozen=True, slots=True)
class _Found:
    surface: Surface
    likeness: float


def register(frame: RawFrame, pixels: NDArray[np.uint8]) -> Registration:
    """Find where each raw pixel lies in the carrier.

    Args:
        frame: The raw.
        pixels: The carrier's pixels, uint8 ``[H, W, 3]``.

    Returns:
        The geometry, and how alike the two are.

    Raises:
        ShotMismatch: The two do not show the same shot, or the perspective is too steep.
    """
    search = _Search(raw_view(frame), pixels, (frame.width, frame.height))
    try:
        placement, likeness = search.placed()
        geometry = Geometry(search.raw_size, search.carrier_size, placement)
    except ValueError as error:
        message = "the JPEG shows the raw too steeply; export it with less perspective correction"
        raise ShotMismatch(message) from error
    return Registration(geometry, likeness)


class _Search:
    def __init__(self, raw: View, pixels: NDArray[np.uint8], raw_size: tuple[int, int]) -> None:
        self._raw = raw
        self._pixels = pixels
        self._aligned = aligned_guesses(raw, pixels, raw_size)
        self.raw_size = raw_size
        self.carrier_size = (pixels.shape[1], pixels.shape[0])

    def placed(self) -> tuple[Placement, float]:
        """The placement and how alike it makes the two."""
        guess = self._best_aligned()
        if guess is not None:
            quick = self._level(guess.surface, self._step_of(_QUICK_SIDE), rounds=1)
            aligned = quick and snapped(quick.surface, self.raw_size, self.carrier_size)
            if quick and aligned and quick.likeness > _SURE:
                return aligned, quick.likeness
        found = self._found()
        if found is not None and found.likeness >= MATCH:
            aligned = snapped(found.surface, self.raw_size, self.carrier_size)
            return aligned or quantised(found.surface, self.raw_size), found.likeness
        faint = self._faint()
        if faint is None:
            message = (
                "the raw and the JPEG do not show the same shot; give the raw that the JPEG "
                "was rendered from"
            )
            raise ShotMismatch(message)
        return faint

    def _best_aligned(self) -> Guess | None:
        best = max(self._aligned.values(), key=lambda guess: guess.score, default=None)
        return best if best is not None and best.score > _PROMISING else None

    def _faint(self) -> tuple[Placement, float] | None:
        """The whole frame in one orientation, where noise leaves little else to go by."""
        ranked = sorted(((g.score, o) for o, g in self._aligned.items()), reverse=True)
        scores = [score for score, _ in ranked]
        if not ranked or scores[0] < max(_FAINT, 2 * (scores[1] if len(scores) > 1 else 0)):
            return None
        score, orientation = ranked[0]
        aligned = Aligned(orientation)
        shift = snapped(self._aligned[orientation].surface, self.raw_size, self.carrier_size)
        return (aligned, score) if shift == aligned else None

    def _guesses(self) -> Iterator[Surface]:
        """First guesses, the likeliest first, each computed when it is asked for."""
        promising = self._best_aligned()
        if promising is not None:
            yield promising.surface
        for raw_side, carrier_side, count in _FEATURE_TRIES:
            guess = feature_guess(
                self._raw, self._pixels, raw_side=raw_side, carrier_side=carrier_side, count=count
            )
            if guess is not None:
                yield guess.surface

    def _found(self) -> _Found | None:
        best: _Found | None = None
        for surface in self._guesses():
            found = self._refined(surface)
            if found is not None and (best is None or found.likeness > best.likeness):
                best = found
            if best is not None and best.likeness > _SURE:
                break
        return best

    def _refined(self, surface: Surface) -> _Found | None:
        """Go from coarse to fine; None if the raw is lost on the way."""
        finest = max(self._raw.pixel, 1 / self._scale(surface), self._step_of(_FINEST_SIDE))
        steps = [finest]
        while steps[-1] < self._step_of(_COARSEST_SIDE):
            steps.append(steps[-1] * 2)
        found: _Found | None = None
        for step in reversed(steps):
            rounds = _COARSEST_ROUNDS if step == steps[-1] else _ROUNDS
            found = self._level(surface, step, rounds=rounds, free=step == finest)
            if found is None or found.likeness < _LOST:
                return None
            surface = found.surface
        return found

    def _level(
        self, surface: Surface, step: float, *, rounds: int, free: bool = False
    ) -> _Found | None:
        """Measure and fit at one resolution."""
        mine = self._raw.reduced(step)
        side = _block_side(mine)
        if min(mine.image.shape) < 2 * side:
            return None
        ref = reference(mine, side)
        carrier = carrier_view(self._pixels, mine.pixel * self._scale(surface))
        rungs = ladder(self.raw_size, free=False)
        blocks: Blocks | None = None
        for left in reversed(range(rounds)):
            blocks = measure(surface, carrier, ref)
            if (blocks.weight > 0).sum() < _MIN_BLOCKS:
                return None
            if free and not left:
                rungs = ladder(self.raw_size, free=True)
            surface = best_fit(blocks, surface, rungs)
        if blocks is None:
            return None
        return _Found(surface, float(np.average(blocks.likeness, weights=blocks.weight)))

    def _step_of(self, side: int) -> float:
        return max(self.raw_size) / side

    def _scale(self, surface: Surface) -> float:
        """Carrier pixels to a raw pixel, in the middle of the raw."""
        x, y = (side / 2 for side in self.raw_size)
        at = surface.at(np.array([x, x + 1]), np.array([y, y + 1]))
        across, down = at[0, 1] - at[0, 0], at[1, 0] - at[0, 0]
        area = abs(float(across[0] * down[1] - across[1] * down[0]))
        return float(np.clip(np.sqrt(area), 0.02, 50))


def _block_side(view: View) -> int:
    """Side of a block in view pixels: a few hundred blocks at least, where there is room."""
    longer, shorter = max(view.image.shape), min(view.image.shape)
    if longer > _QUICK_SIDE:
        return 32
    return 16 if shorter >= 64 else 8
