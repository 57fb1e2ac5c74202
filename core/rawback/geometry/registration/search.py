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
from typing import TYPE_CHECKING

import numpy as np

from rawback.errors import NothingToRegister, ShotMismatch
from rawback.geometry.model import Geometry
from rawback.geometry.registration.blocks import measure, reference
from rawback.geometry.registration.fit import cost
from rawback.geometry.registration.initial_guess import (
    Guess,
    aligned_guesses,
    aligned_matrix,
    crop_guess,
    feature_guess,
    stretched_guess,
)
from rawback.geometry.registration.mixture import mixed_level
from rawback.geometry.registration.model_selection import model_classes, select_model
from rawback.geometry.registration.pyramid import (
    carrier_level,
    colour_levels,
    raw_level,
    structured_share,
)
from rawback.geometry.registration.quantisation import quantise, snap
from rawback.geometry.registration.same_shot import LEAST_STRUCTURE
from rawback.geometry.registration.surface import Surface
from rawback.geometry.transform import Aligned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.geometry.registration.blocks import Blocks
    from rawback.geometry.registration.pyramid import PyramidLevel
    from rawback.geometry.transform import Transform
    from rawback.types import RawFrame

__all__ = ["MATCH", "MAX_DISAGREEMENT", "Registration", "register"]

MATCH = 0.3
"""The least correlation of a raw and a JPEG of the same shot."""

MAX_DISAGREEMENT = 0.12
"""The largest part of the structure in which they may show different things: renderings of the same
shot stay below 0.05 (0.08, where they are clipped to black and white), neighbours in a series of
shots are above 0.2 once the camera has moved."""

_SURE = 0.7
_PROMISING = 0.2
_FAINT = 0.12
_LOST = 0.2
_DISAGREES, _AGREED, _DOUBTFUL = 0.35, 0.02, 0.05
_COARSEST_SIDE, _FINEST_SIDE = 420, 2000
_QUICK_SIDE = 1200
# Raw side, carrier side, features: quickly for most, thoroughly for small crops and poor texture.
_FEATURE_TRIES = ((800, 800, 2000), (1800, 400, 3000), (1800, 1200, 5000))
_MIN_BLOCKS = 5
_PROBES = 32
_COARSEST_ROUNDS, _ROUNDS = 12, 6
_STIFF_CLASSES, _STIFF_ROUNDS = 3, 3
_SETTLED = 0.1
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


@dataclass(frozen=True, slots=True)
class _Estimate:
    """A map, the blocks it was fitted to, and what it gives.

    Attributes:
        surface: The map.
        blocks: Where blocks lie.
        correlation: Of the pictures.
        disagreement: The part of the structure that disagrees.
    """

    surface: Surface
    blocks: Blocks
    correlation: float
    disagreement: float

    def is_sure(self, allowed: float = _AGREED) -> bool:
        """Whether both agree but for so much of the structure."""
        return self.correlation > _SURE and self.disagreement < allowed


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
        self._frame = frame
        self._raw = raw_level(frame)
        self._colours: list[PyramidLevel] | None = None
        self._pixels = pixels
        self._is_grey = bool((np.ptp(pixels[::_SPARSE, ::_SPARSE], axis=2) <= _GREY).all())
        self.raw_size = frame.width, frame.height
        self.carrier_size = (pixels.shape[1], pixels.shape[0])
        self._aligned = aligned_guesses(self._raw, pixels, self.raw_size)

    def transform(self) -> tuple[Transform, float, float]:
        """The transform, the correlation that it gives, and the disagreement that it leaves."""
        guess = self._best_aligned()
        if guess is not None:
            quick = self._whole_pixels(guess)
            if quick is not None:
                return quick
        estimate = self._estimate()
        if estimate is not None and estimate.correlation >= MATCH:
            aligned = self._as_simple(estimate)
            if estimate.disagreement > MAX_DISAGREEMENT:
                message = (
                    "The JPEG shows much of what the raw shows, but not the same: it is another "
                    "shot of the scene, or was retouched. Give the raw that the JPEG was rendered "
                    "from, or embed it lossless or unguided."
                )
                raise ShotMismatch(message)
            transform = aligned or quantise(estimate.surface, self.raw_size)
            return transform, estimate.correlation, estimate.disagreement
        faint = self._in_noise() or self._faint()
        if faint is None:
            raise self._mismatch()
        return faint

    def _mismatch(self) -> ShotMismatch:
        """Why the raw was not found: nothing to go by, or something else."""
        carrier = carrier_level(self._pixels, max(self.carrier_size) / _COARSEST_SIDE)
        for name, level in (("raw", self._raw), ("JPEG", carrier)):
            if structured_share(level) < LEAST_STRUCTURE:
                message = (
                    f"The {name} shows too little to find the raw on the JPEG by: it is dark, even "
                    "or mere noise. Embed it lossless, or unguided, which needs no likeness."
                )
                return NothingToRegister(message)
        message = (
            "The raw and the JPEG do not show the same shot. Give the raw that the JPEG was "
            "rendered from."
        )
        return ShotMismatch(message)

    def _best_aligned(self) -> Guess | None:
        best = max(self._aligned.values(), key=lambda guess: guess.score, default=None)
        return best if best is not None and best.score > _PROMISING else None

    def _as_simple(self, estimate: _Estimate) -> Aligned | None:
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

    def _whole_pixels(
        self, guess: Guess, *, mixed_only: bool = False
    ) -> tuple[Transform, float, float] | None:
        """The whole-pixel alignment near a guess, if that is surely the one."""
        step = max(self.raw_size) / _QUICK_SIDE
        quick = None if mixed_only else self._level(guess, step, rounds=1)
        if mixed_only or (quick is not None and quick.correlation <= _SURE):
            mixed = self._mixed(guess, step)
            if mixed is not None:
                quick = self._level(guess, step, rounds=1, raw=mixed)
        if quick is None or quick.correlation <= _SURE:
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

    def _guesses(self) -> Iterator[Guess]:
        """First guesses, the likeliest first, each computed when it is asked for."""
        promising = self._best_aligned()
        if promising is not None:
            yield promising
        first, *thorough = _FEATURE_TRIES
        yield from self._feature_guesses(first)
        for search in (stretched_guess, crop_guess):
            guess = search(self._raw, self._pixels, self.raw_size)
            if guess is not None:
                yield guess
        yield from self._feature_guesses(*thorough)

    def _feature_guesses(self, *tries: tuple[int, int, int]) -> Iterator[Guess]:
        for raw_side, carrier_side, count in tries:
            guess = feature_guess(
                self._raw,
                self._pixels,
                self.raw_size,
                raw_side=raw_side,
                carrier_side=carrier_side,
                count=count,
            )
            if guess is not None:
                yield guess

    def _estimate(self) -> _Estimate | None:
        best: _Estimate | None = None
        for guess in self._guesses():
            estimate = self._refined(guess)
            if estimate is None or (best and estimate.correlation <= best.correlation):
                continue
            best = estimate
            # Where green tells enough, it tells more precisely: lenses shift the other colours. But
            # a grey carrier may show anything of them.
            if self._is_grey or not best.is_sure(_DOUBTFUL):
                guess = replace(guess, surface=best.surface)
                mixed = self._mixed(guess, self._finest_step(best.surface))
                estimate = None if mixed is None else self._refined(guess, mixed)
                if estimate is not None and estimate.correlation > best.correlation:
                    best = estimate
            if best.is_sure():
                break
        return best

    def _mixed(self, guess: Guess, step: float) -> PyramidLevel | None:
        """The raw in the carrier's own mix of colours, as a guess lays the one on the other."""
        if self._colours is None:
            self._colours = colour_levels(self._frame)
        step = max(step, self._colours[0].pixel)
        pixel = step * self._scale(guess.surface)
        carrier = carrier_level(self._pixels, pixel, negative=guess.negative)
        return mixed_level(self._colours, carrier, guess.surface, step)

    def _finest_step(self, surface: Surface) -> float:
        """Raw pixels to a pixel at which to compare the two at last."""
        side = self._covered_side(surface)
        return max(self._raw.pixel, 1 / self._scale(surface), side / _FINEST_SIDE)

    def _refined(self, guess: Guess, raw: PyramidLevel | None = None) -> _Estimate | None:
        """Go from coarse to fine; None if the raw is lost on the way."""
        side = self._covered_side(guess.surface)
        finest = self._finest_step(guess.surface)
        steps = [finest]
        while steps[-1] < side / _COARSEST_SIDE:
            steps.append(steps[-1] * 2)
        estimate: _Estimate | None = None
        for step in reversed(steps):
            rounds = _COARSEST_ROUNDS if step == steps[-1] else _ROUNDS
            estimate = self._level(
                guess, step, rounds=rounds, raw=raw, stiff=step == steps[-1], free=step == finest
            )
            if estimate is None or estimate.correlation < _LOST:
                return None
            guess = replace(guess, surface=estimate.surface)
        return estimate

    def _level(
        self,
        guess: Guess,
        step: float,
        *,
        rounds: int,
        raw: PyramidLevel | None = None,
        stiff: bool = False,
        free: bool = False,
    ) -> _Estimate | None:
        """Measure and fit at one resolution until nothing moves.

        Args:
            guess: Where to start.
            step: Raw pixels to a pixel.
            rounds: At most how often.
            raw: The raw's picture, if it is to be another than its green.
            stiff: Whether to begin with the stiffest kinds of maps: freer ones, drawn to places
                that are still far off, lose the corners.
            free: Whether to end with the freest.
        """
        mine = (raw or self._raw).reduced(step)
        side = _block_side(mine)
        if min(mine.image.shape) < 2 * side:
            return None
        ref = reference(mine, side)
        surface = guess.surface
        pixel = mine.pixel * self._scale(surface)
        carrier = carrier_level(self._pixels, pixel, negative=guess.negative)
        classes = model_classes(self.raw_size, free=free)
        usual = len(classes) - free
        blocks: Blocks | None = None
        last = False
        for index in range(rounds):
            blocks = measure(surface, carrier, ref)
            if (blocks.weight > 0).sum() < _MIN_BLOCKS:
                return None
            last = last or index == rounds - 1
            allowed = _STIFF_CLASSES if stiff and index < _STIFF_ROUNDS else usual
            moved = select_model(blocks, surface, classes if free and last else classes[:allowed])
            settled = _movement(blocks, surface, moved) < _SETTLED * pixel
            surface = moved
            if last and settled:
                break
            last = settled and not (stiff and index < _STIFF_ROUNDS)
        if blocks is None:
            return None
        correlation = float(np.average(blocks.correlation, weights=blocks.weight))
        return _Estimate(surface, blocks, correlation, _disagreement(blocks, correlation))

    def _covered_side(self, surface: Surface) -> float:
        """Longer side of the part of the raw that the carrier shows, if it is of its shape."""
        x, y = (np.linspace(0, side - 1, _PROBES) for side in self.raw_size)
        at = surface.at(x, y)
        inside = ((at >= 0) & (at <= np.array(self.carrier_size) - 1)).all(axis=-1)
        return max(self.raw_size) * max(float(np.sqrt(inside.mean())), 1 / _PROBES)

    def _scale(self, surface: Surface) -> float:
        """Carrier pixels to a raw pixel, in the middle of the raw."""
        x, y = (side / 2 for side in self.raw_size)
        at = surface.at(np.array([x, x + 1]), np.array([y, y + 1]))
        across, down = at[0, 1] - at[0, 0], at[1, 0] - at[0, 0]
        area = abs(float(across[0] * down[1] - across[1] * down[0]))
        return float(np.clip(np.sqrt(area), 0.02, 50))


def _disagreement(blocks: Blocks, correlation: float) -> float:
    """Part of the structure in blocks that correlate far less than others: noise is in all."""
    differs = blocks.correlation < _DISAGREES * correlation
    return float(blocks.weight[differs].sum() / blocks.weight.sum())


def _movement(blocks: Blocks, before: Surface, after: Surface) -> float:
    """How far blocks moved at most, carrier pixels."""
    moved = after.at(blocks.x, blocks.y) - before.at(blocks.x, blocks.y)
    return float(np.linalg.norm(moved[blocks.weight > 0], axis=-1).max(initial=0))


def _block_side(level: PyramidLevel) -> int:
    """Side of a block in the level's pixels: a few hundred blocks at least, where there is room."""
    longer, shorter = max(level.image.shape), min(level.image.shape)
    if longer > _QUICK_SIDE:
        return 32
    return 16 if shorter >= 64 else 8
