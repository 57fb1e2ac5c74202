"""The simplest map that explains the blocks.

Every step up the ladder (affine, homography, lens correction, free spline) must predict blocks it
was not fitted to better than the step below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.geometry.registration.fit import (
    Space,
    cost,
    fit_lens,
    fit_plane,
    fit_shifts,
    polynomials,
    splines,
)
from rawback.geometry.registration.surface import Lens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration.blocks import Blocks
    from rawback.geometry.registration.surface import Surface

__all__ = ["ModelClass", "fit_model", "model_classes", "select_model"]

_GROUP = 3
"""Blocks along a side of those that are left out together: near ones err alike, as the windows that
they are normalised by overlap."""

_FEWEST_FOR_BENDS = 64
"""Blocks below which neither perspective nor bends are told from what blocks err by."""

_GAIN = 0.03
_LEAST_GAIN = 0.004
_LEAST_SHIFT = 0.12


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A kind of map.

    Attributes:
        perspective: Whether its plane part is a homography, else affine.
        lens: The radial distortion to start from, if there is to be one.
        space: The shifts on top, if any.
    """

    perspective: bool
    lens: Lens | None = None
    space: Space | None = None


def model_classes(raw_size: tuple[int, int], *, free: bool) -> list[ModelClass]:
    """Kinds of maps over a raw, from stiff to free.

    Args:
        raw_size: Width and height of the mosaic.
        free: Whether to end with a free spline.

    Returns:
        Affine, homography, homography of a radial distortion of one and of three coefficients, the
        latter with shifts: polynomials of degree three and five, a spline.
    """
    longest = max(raw_size)
    straight = Lens.over(raw_size)
    one, three = (replace(straight, coefficients=(0.0,) * count) for count in (1, 3))
    spaces = [
        polynomials(degree, longest // pieces, _nodes(raw_size, longest // pieces))
        for degree, pieces in ((3, 2), (5, 6))
    ]
    if free:
        spacing = longest // 8
        spaces.append(splines(spacing, _nodes(raw_size, spacing), bend=longest / 1000))
    return [
        ModelClass(False),
        ModelClass(True),
        ModelClass(True, one),
        ModelClass(True, three),
        *(ModelClass(True, three, space) for space in spaces),
    ]


def fit_model(
    blocks: Blocks, start: Surface, model: ModelClass, *, used: NDArray[np.bool_]
) -> Surface:
    """Fit one kind of map.

    Args:
        blocks: Where blocks lie.
        start: Where to start from.
        model: The kind.
        used: Which blocks to look at, bool ``[h, w]``.

    Returns:
        The map.
    """
    stiff = fit_plane(blocks, start, perspective=model.perspective, used=used)
    if model.lens is not None:
        stiff = fit_lens(blocks, stiff, model.lens, used=used)
    return stiff if model.space is None else fit_shifts(blocks, stiff, model.space, used=used)


def select_model(blocks: Blocks, start: Surface, classes: list[ModelClass]) -> Surface:
    """Climb as far as it pays.

    Args:
        blocks: Where blocks lie.
        start: Where to start from.
        classes: Kinds of maps, from stiff to free.

    Returns:
        The map of the kind that predicts left-out blocks best. A freer kind is taken only if it
        is clearly better, and its shifts can be seen at all.
    """
    rows, columns = np.indices(blocks.correlation.shape)
    even = (rows // _GROUP + columns // _GROUP) % 2 == 0
    seen = blocks.information[..., 0, 0] > 0
    best, lowest = start, np.inf
    if not ((seen & even).any() and (seen & ~even).any()):
        return best
    for model in classes:
        if model.perspective and seen.sum() < _FEWEST_FOR_BENDS:
            break
        held_out = sum(
            cost(blocks, fit_model(blocks, start, model, used=used), used=~used)
            for used in (even, ~even)
        )
        if held_out >= lowest * (1 - _GAIN) - _LEAST_GAIN:
            continue
        surface = fit_model(blocks, start, model, used=even | ~even)
        bends = model.lens is not None
        if not bends or _difference(blocks, surface, best) > _LEAST_SHIFT:
            best, lowest = surface, held_out
    return best


def _difference(blocks: Blocks, first: Surface, second: Surface) -> float:
    """Root mean square distance of two maps over the blocks, in carrier pixels."""
    moved = first.at(blocks.x, blocks.y) - second.at(blocks.x, blocks.y)
    return float(np.sqrt((moved[blocks.weight > 0] ** 2).sum(axis=-1).mean()))


def _nodes(raw_size: tuple[int, int], spacing: int) -> tuple[int, int]:
    return raw_size[1] // spacing + 4, raw_size[0] // spacing + 4
