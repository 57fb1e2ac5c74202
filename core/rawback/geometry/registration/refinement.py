"""From a guess to a map: coarse to fine, until nothing moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.geometry.registration.blocks import measure, reference
from rawback.geometry.registration.mixture import mixed_level
from rawback.geometry.registration.model_selection import model_classes, select_model
from rawback.geometry.registration.pyramid import carrier_level, colour_levels, raw_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration.blocks import Blocks
    from rawback.geometry.registration.initial_guess import Guess
    from rawback.geometry.registration.pyramid import PyramidLevel
    from rawback.geometry.registration.surface import Surface
    from rawback.types import RawFrame

__all__ = ["COARSEST_SIDE", "MATCH", "QUICK_SIDE", "SURE", "Estimate", "Refinement"]

MATCH = 0.3
"""The least correlation of a raw and a JPEG of the same shot."""

SURE = 0.7
"""The correlation from which on a map is right for certain."""

COARSEST_SIDE, QUICK_SIDE = 420, 1200
"""Longer side of the coarsest pictures that are compared, and of those for a quick answer."""

_FINEST_SIDE = 2000
_LOST = 0.2
_DISAGREES, _AGREED = 0.35, 0.02
_MIN_BLOCKS, _ENOUGH_BLOCKS = 5, 20
_SURE_OF_FEW, _ALIKE = 0.85, 0.999
_PROBES = 32
_COARSEST_ROUNDS, _ROUNDS = 12, 6
_STIFF_CLASSES, _STIFF_ROUNDS = 3, 3
_SETTLED = 0.1


@dataclass(frozen=True, slots=True)
class Estimate:
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

    @property
    def evidence(self) -> float:
        """How far from chance the correlation is: it grows with the number of blocks as well."""
        return float(np.arctanh(min(self.correlation, _ALIKE)) * np.sqrt(self._count))

    @property
    def is_match(self) -> bool:
        """Whether both show one thing: of few blocks, some correlate by chance."""
        enough = self._count >= _ENOUGH_BLOCKS
        return self.correlation >= (MATCH if enough else _SURE_OF_FEW)

    def is_sure(self, allowed: float = _AGREED) -> bool:
        """Whether both agree, but for less than this part of the structure."""
        return self.is_match and self.correlation > SURE and self.disagreement < allowed

    @property
    def _count(self) -> int:
        return int((self.blocks.weight > 0).sum())


class Refinement:
    """Refines guesses where a raw lies in its carrier.

    Args:
        frame: The raw.
        pixels: The carrier, uint8 ``[H, W, 3]``.

    Attributes:
        raw: The raw's green.
        raw_size: Width and height of the mosaic.
        carrier_size: Those of the carrier.
    """

    def __init__(self, frame: RawFrame, pixels: NDArray[np.uint8]) -> None:
        self.raw = raw_level(frame)
        self.raw_size = frame.width, frame.height
        self.carrier_size = (pixels.shape[1], pixels.shape[0])
        self._frame = frame
        self._pixels = pixels
        self._colours: list[PyramidLevel] | None = None

    @property
    def colours(self) -> list[PyramidLevel]:
        """The raw's colours, each on its own."""
        if self._colours is None:
            self._colours = colour_levels(self._frame)
        return self._colours

    def mixed(self, guess: Guess, step: float | None = None) -> PyramidLevel | None:
        """The raw in the carrier's own mix of colours, as a guess lays the one on the other.

        Args:
            guess: The guess, right within two pixels of `step`.
            step: Raw pixels to a pixel at which they are compared; the finest by default.

        Returns:
            The raw's picture; None where there is but one colour.
        """
        if step is None:
            step = self._finest_step(guess.surface)
        step = max(step, self.colours[0].pixel)
        pixel = step * self._scale(guess.surface)
        carrier = carrier_level(self._pixels, pixel, negative=guess.negative)
        return mixed_level(self.colours, carrier, guess.surface, step)

    def _finest_step(self, surface: Surface) -> float:
        """Raw pixels to a pixel at which to compare the two at last."""
        side = self._covered_side(surface)
        return max(self.raw.pixel, 1 / self._scale(surface), side / _FINEST_SIDE)

    def refined(self, guess: Guess, raw: PyramidLevel | None = None) -> Estimate | None:
        """Go from coarse to fine.

        Args:
            guess: Where to start.
            raw: The raw's picture, if it is to be another than its green.

        Returns:
            The map; None if the raw is lost on the way.
        """
        side = self._covered_side(guess.surface)
        finest = self._finest_step(guess.surface)
        steps = [finest]
        while steps[-1] < side / COARSEST_SIDE:
            steps.append(steps[-1] * 2)
        estimate: Estimate | None = None
        for step in reversed(steps):
            rounds = _COARSEST_ROUNDS if step == steps[-1] else _ROUNDS
            estimate = self.level(
                guess, step, rounds=rounds, raw=raw, stiff=step == steps[-1], free=step == finest
            )
            if estimate is None or estimate.correlation < _LOST:
                return None
            guess = replace(guess, surface=estimate.surface)
        return estimate

    def level(
        self,
        guess: Guess,
        step: float,
        *,
        rounds: int,
        raw: PyramidLevel | None = None,
        stiff: bool = False,
        free: bool = False,
    ) -> Estimate | None:
        """Measure and fit at one resolution until nothing moves.

        Args:
            guess: Where to start.
            step: Raw pixels to a pixel.
            rounds: At most how often.
            raw: The raw's picture, if it is to be another than its green.
            stiff: Whether to begin with the stiffest kinds of maps: freer ones, drawn to places
                that are still far off, lose the corners.
            free: Whether to end with the freest.

        Returns:
            The map; None where there is too little to measure.
        """
        mine = (raw or self.raw).reduced(step)
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
        return Estimate(surface, blocks, correlation, _disagreement(blocks, correlation))

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
    if longer > QUICK_SIDE:
        return 32
    return 16 if shorter >= 64 else 8
