"""Wavelet coefficients of a window, by tile; and from them the planes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.tiles import MARGIN, Grid, Window
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.parallel import each_in_threads, threads
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

__all__ = [
    "add_residual",
    "band_slices",
    "restored_components",
    "restored_values",
    "strips",
    "tile_context",
]

_add_residual = Kernel(
    "add_residual",
    *(Read(np.int32, 2), Integer, Read(np.int32, 3), Read(np.int16, 3), Read(np.int32, 1)),
    Write(np.int16, 3),
)

_TILES_EACH = 3
"""Tiles of a strip for each thread, at least."""

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


def strips(tiles: Sequence[Window], each: int | None = None) -> list[list[Window]]:
    """Rows of tiles whose coefficients and values are in memory at a time.

    What is synthesised twice where strips meet takes time, and all of a large frame much memory.

    Args:
        tiles: In reading order; they make up a window.
        each: Tiles of a strip for each thread, at least; by default as values are restored.
    """
    least = (each or _TILES_EACH) * threads()
    found: list[list[Window]] = []
    for _, row in groupby(tiles, key=lambda tile: tile.top):
        if found and len(found[-1]) < least:
            found[-1] += row
        else:
            found.append(list(row))
    return found


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

    def restore(number: int) -> None:
        coefficients = {
            band: np.zeros(band_shape(band, window.shape), dtype=np.int32) for band in bands()
        }
        for tile, coded in tiles.items():
            if coded.layers and tile.overlaps(window):
                _place(coefficients, parameters, tile, coded, window, number)
        if window == core:
            synthesise(coefficients, components[number])
            return
        plane = np.empty(window.shape, np.int32)
        synthesise(coefficients, plane)
        components[number] = plane[core.within(window)]

    each_in_threads(restore, range(count))
    return components


def add_residual(
    components: NDArray[np.int32],
    transform: KLT,
    weights: ErrorWeights,
    base: NDArray[np.int16],
    out: NDArray[np.int16],
) -> None:
    """What is restored: the base and the residual.

    Args:
        components: int32 ``[planes, h, w]`` of the residual, in coefficient units.
        transform: Across planes.
        weights: Of errors.
        base: int16 ``[planes, h, w]`` in the noise-normalised domain.
        out: Where the values of the domain go: int16 ``[planes, h, w]``, magnitudes up to LIMIT.
    """
    matrix = transform.matrix.astype(np.int32)
    _add_residual(matrix, MATRIX_BITS + _TO_DOMAIN, components, base, weights.inverse, out)


def restored_values(
    predicted: Sequence[Prediction],
    tiles: Mapping[Window, TileCoefficients],
    parameters: ResidualParameters | None,
    weights: ErrorWeights,
    grid: Grid,
    core: Window,
) -> NDArray[np.int16]:
    """What base and layers restore, in the noise-normalised domain.

    Args:
        predicted: The base of the tiles of `core`, in reading order.
        tiles: Coefficients of those that reach `core`.
        parameters: Of the layers, if there are any.
        weights: Of errors.
        grid: The frame's.
        core: The part that is restored.

    Returns:
        int16 ``[planes, h, w]`` of `core`, magnitudes up to LIMIT; 0 where no tile is given.
    """
    values = np.zeros((len(predicted[0].planes), *core.shape), dtype=np.int16)
    if parameters is None:
        for prediction in predicted:
            values[(slice(None), *prediction.window.within(core))] = prediction.planes
        return values
    base = {prediction.window: prediction.planes for prediction in predicted}
    for row in strips(list(base)):
        strip = Window.union(row)
        around = grid.aligned(grid.grown(strip, MARGIN))
        components = restored_components(parameters, tiles, around, strip)

        def add(
            tile: Window, strip: Window = strip, source: NDArray[np.int32] = components
        ) -> None:
            part = source[(slice(None), *tile.within(strip))]
            out = values[(slice(None), *tile.within(core))]
            add_residual(part, parameters.transform, weights, base[tile], out)

        each_in_threads(add, row)
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
        if grain is None and not indices.any():
            continue
        part_of_target = target[band_slices(band, part, window)]
        quantiser.values(np.asarray(indices, np.int32), band, component, part_of_target)
        if grain is not None:
            part_of_target += grain[band][component][source]
