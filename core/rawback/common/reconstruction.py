"""Wavelet coefficients of a window, by tile; and from them the planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.parallel import in_threads
from rawback.residual import (
    Band,
    TileCoefficients,
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

__all__ = ["band_slices", "empty_tile", "restored_residual"]

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


def empty_tile(prediction: Prediction, weights: ErrorWeights) -> TileCoefficients:
    """The coefficients of a tile of which only the base and what the guide says are known."""
    light = mean_pyramid(prediction.planes.sum(axis=0, dtype=np.int32) >> 2)
    noise = {band: weights.noise(values) for band, values in light.items()}
    return TileCoefficients.blank(class_pyramid(prediction.classes), noise)


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
    for band, target in coefficients.items():
        source = band_slices(band, part, tile)
        magnitude = coded.magnitude[band][component][source]
        if magnitude.any():
            negative = coded.negative[band][component][source]
            target[band_slices(band, part, window)] = quantiser.values(magnitude, negative, band)
