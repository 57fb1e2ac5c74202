"""Wavelet coefficients of a window, by tile; and from them the planes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.tiles import MARGIN, Window
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.parallel import each_in_threads
from rawback.residual import (
    MATRIX_BITS,
    Band,
    TileCoefficients,
    TileContext,
    band_arrays,
    band_shape,
    bands,
    class_pyramid,
    mean_pyramid,
    synthesise,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rawback.common.error_weights import ErrorWeights
    from rawback.common.header_fields import ResidualParameters
    from rawback.common.prediction import Prediction
    from rawback.residual import KLT

__all__ = ["add_residual", "band_slices", "restored_components", "restored_values", "tile_context"]

_add_residual = Kernel(
    "add_residual",
    *(Read(np.int32, 2), Integer, Read(np.int16, 3), Read(np.int32, 1), Write(np.int32, 3)),
)

_LARGE, _STRIP = 1 << 23, 1024
"""Cells of a window that is restored strip by strip, and rows of a strip. What is synthesised twice
where strips meet takes a third longer, and bands of all of it would take much memory."""

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
    light = mean_pyramid(prediction.planes.sum(axis=0, dtype=np.int32) // len(prediction.planes))
    noise = {band: weights.noise(values) for band, values in light.items()}
    classes = class_pyramid(prediction.classes)
    return TileContext.of(prediction.planes, classes, noise, transform)


def restored_components(
    parameters: ResidualParameters,
    tiles: Mapping[Window, TileCoefficients],
    window: Window,
    core: Window,
) -> NDArray[np.int32]:
    """The components of the residual of a window.

    Args:
        parameters: Of the layers.
        tiles: Those that overlap `window`, each at its own precision.
        window: What coefficients of `core` reach; starts and ends on multiples of ``2 ** LEVELS``
            or with the frame.
        core: The part of it that is wanted; starts on such a multiple.

    Returns:
        int32 ``[planes, h, w]`` of `core` in coefficient units.
    """
    count = len(parameters.transform.matrix)
    components = np.empty((count, *core.shape), dtype=np.int32)

    def restore(job: tuple[Window, int]) -> None:
        strip, number = job
        around = strip.grown(MARGIN).intersection(window)
        coefficients = {
            band: np.zeros(band_shape(band, around.shape), dtype=np.int32) for band in bands()
        }
        for tile, coded in tiles.items():
            if coded.layers and tile.overlaps(around):
                _place(coefficients, parameters, tile, coded, around, number)
        target = components[(number, *strip.within(core))]
        if around == strip:
            synthesise(coefficients, target)
            return
        plane = np.empty(around.shape, np.int32)
        synthesise(coefficients, plane)
        target[...] = plane[strip.within(around)]

    each_in_threads(restore, [(strip, n) for strip in _strips(core, window) for n in range(count)])
    return components


def _strips(core: Window, window: Window) -> list[Window]:
    """Parts of `core` whose bands are in memory at a time: of a large one, some rows."""
    if window.area < _LARGE:
        return [core]
    ends = [*range(core.top, core.bottom, _STRIP), core.bottom]
    return [Window(top, core.left, bottom, core.right) for top, bottom in pairwise(ends)]


def add_residual(
    components: NDArray[np.int32], transform: KLT, weights: ErrorWeights, base: NDArray[np.int16]
) -> None:
    """Turn components of a residual into what is restored: the base and the residual.

    Args:
        components: int32 ``[planes, h, w]`` in coefficient units; become values of the domain.
        transform: Across planes.
        weights: Of errors.
        base: int16 ``[planes, h, w]`` in the noise-normalised domain.
    """
    matrix = transform.matrix.astype(np.int32)
    _add_residual(matrix, MATRIX_BITS + _TO_DOMAIN, base, weights.inverse, components)


def restored_values(
    predicted: Sequence[Prediction],
    tiles: Mapping[Window, TileCoefficients],
    parameters: ResidualParameters | None,
    weights: ErrorWeights,
    window: Window,
    core: Window,
) -> NDArray[np.int32]:
    """What base and layers restore, in the noise-normalised domain.

    Args:
        predicted: The base of the tiles that make up `core`.
        tiles: Coefficients of those that overlap `window`.
        parameters: Of the layers, if there are any.
        weights: Of errors.
        window: What coefficients of `core` reach; see :func:`restored_components`.
        core: The part that is restored, of whole tiles.

    Returns:
        int32 ``[planes, h, w]`` of `core`.
    """
    if parameters is None:
        values = np.empty((len(predicted[0].planes), *core.shape), dtype=np.int32)
        for prediction in predicted:
            values[(slice(None), *prediction.window.within(core))] = prediction.planes
        return values
    values = restored_components(parameters, tiles, window, core)

    def add(prediction: Prediction) -> None:
        part = values[(slice(None), *prediction.window.within(core))]
        add_residual(part, parameters.transform, weights, prediction.planes)

    each_in_threads(add, predicted)
    return values


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
    grain = None if coded.grain is None else band_arrays(coded.grain, coded.shape)
    for band, target in coefficients.items():
        source = band_slices(band, part, tile)
        indices = indices_of[band][component][source]
        part_of_target = target[band_slices(band, part, window)]
        quantiser.values(indices, band, component, part_of_target)
        if grain is not None:
            part_of_target += grain[band][component][source]
