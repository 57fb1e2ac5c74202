"""Wavelet coefficients of a window, by tile; and from them the planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.parallel import in_threads
from rawback.residual import (
    Band,
    TileCoefficients,
    TileContext,
    band_shape,
    bands,
    class_pyramid,
    mean_pyramid,
    synthesise,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.common.error_weights import ErrorWeights
    from rawback.common.header_fields import ResidualParameters
    from rawback.common.prediction import Prediction
    from rawback.common.tiles import Window
    from rawback.residual import KLT

__all__ = ["band_slices", "restored_residual", "tile_context"]

_TO_DOMAIN = 1
"""A coefficient unit is half a unit of the noise-normalised domain: one bit less."""


def band_slices(band: Band, tile: Window, window: Window) -> tuple[slice, slice]:
    """Where a tile's part of a band lies in that band of a window.

    Args:
        band: Which.
        tile: The tile, or the part of one inside `window`; starts on a multiple of ``2 ** LEVELS``.
        window: Starts on such a multiple too.
    """
    rows, columns = band_shape(band, tile.shape)
    top = (tile.top - window.top) >> band.level
    left = (tile.left - window.left) >> band.level
    return slice(top, top + rows), slice(left, left + columns)


def tile_context(prediction: Prediction, weights: ErrorWeights, transform: KLT) -> TileContext:
    """What base and guide say of a tile's coefficients."""
    light = mean_pyramid(prediction.planes.sum(axis=0, dtype=np.int32) >> 2)
    noise = {band: weights.noise(values) for band, values in light.items()}
    classes = class_pyramid(prediction.classes)
    return TileContext.of(prediction.planes, classes, noise, transform)


def restored_residual(
    parameters: ResidualParameters, tiles: Mapping[Window, TileCoefficients], window: Window
) -> NDArray[np.int32]:
    """The residual of a window, in the noise-normalised domain.

    Args:
        parameters: Of the layers.
        tiles: Those that overlap `window`, each at its own precision.
        window: Starts and ends on multiples of ``2 ** LEVELS`` or with the frame.

    Returns:
        int32 ``[4, h, w]``.
    """
    components = np.empty((4, *window.shape), dtype=np.int32)

    def restore(number: int) -> None:
        coefficients = {
            band: np.zeros(band_shape(band, window.shape), dtype=np.int32) for band in bands()
        }
        for tile, coded in tiles.items():
            if coded.layers:
                _place(coefficients, parameters, tile, coded, window, number)
        synthesise(coefficients, components[number])

    for _ in in_threads(restore, range(4)):
        pass
    return parameters.transform.to_planes(components, _TO_DOMAIN)


def _place(
    coefficients: dict[Band, NDArray[np.int32]],
    parameters: ResidualParameters,
    tile: Window,
    coded: TileCoefficients,
    window: Window,
    component: int,
) -> None:
    """Restore a tile's coefficients of one component into the bands of a window."""
    part = tile.intersection(window)
    quantiser = parameters.quantisers[coded.layers - 1]
    indices_of = coded.bands()
    for band, target in coefficients.items():
        source = band_slices(band, part, tile)
        indices = indices_of[band][component][source]
        if indices.any():
            target[band_slices(band, part, window)] = quantiser.values(indices, band)
