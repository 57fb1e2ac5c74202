"""The mix of a sensor's colours that a carrier shows.

Green stands for the light almost everywhere. In a black-and-white rendering through a red filter it
does not: there even the noise is red's, and where little but noise is to be seen two pictures of
one shot look like two shots. Three numbers, fitted to the whole picture, tell them apart: with the
right mix the very noise agrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.geometry.registration.blocks import warped_image
from rawback.geometry.registration.pyramid import PyramidLevel, local_contrast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.geometry.registration.surface import Surface

__all__ = ["least_squares", "mixed_level"]

_CELL = 8


def mixed_level(
    colours: Sequence[PyramidLevel], carrier: PyramidLevel, surface: Surface, step: float
) -> PyramidLevel | None:
    """Mix the colours of a raw as the carrier does, by least squares of their local contrast.

    Args:
        colours: The raw's colours, as `colour_levels` gives them.
        carrier: The carrier's picture, with about as much detail as the raw has at `step`.
        surface: Raw to carrier positions.
        step: Raw pixels to a pixel at which to compare them.

    Returns:
        The raw's picture at the size of `colours`, with the carrier's contrast; None where there
        is one colour only, or nothing to compare.
    """
    if len(colours) < 2:
        return None
    small = [_whole_cells(colour.reduced(step)) for colour in colours]
    if min(small[0].image.shape) < _CELL:
        return None
    warped, covered = warped_image(surface, carrier, small[0])
    theirs, spread = local_contrast(warped)
    trust = covered.astype(np.float32) / spread
    shown = np.stack([(local_contrast(colour.image)[0] * trust).ravel() for colour in small])
    weights = least_squares(shown, (theirs * trust).ravel())
    if weights is None:
        return None
    image = sum(
        (
            colour.image * np.float32(weight)
            for colour, weight in zip(colours, weights, strict=True)
        ),
        np.zeros_like(colours[0].image),
    )
    return PyramidLevel(image, colours[0].step)


def least_squares(
    shown: NDArray[np.float32], theirs: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """Weights of the rows of `shown` whose sum is nearest to `theirs`; None if they tell none."""
    powers = (shown @ shown.T).astype(np.float64)
    trace = float(np.trace(powers))
    if trace <= 0:
        return None
    ridge = 1e-6 * trace * np.eye(len(powers))
    return np.asarray(np.linalg.solve(powers + ridge, shown @ theirs), np.float64)


def _whole_cells(level: PyramidLevel) -> PyramidLevel:
    height, width = (side // _CELL * _CELL for side in level.image.shape)
    return PyramidLevel(np.ascontiguousarray(level.image[:height, :width]), level.step)
