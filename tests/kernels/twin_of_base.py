"""Planes, classes and filters of the base in NumPy and in 64 bits, for any mosaic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.mosaic import turned
from rawback.tone.linear_filter import MOST_PHASES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.tone.linear_filter import LinearFilter
    from rawback.types import Guide

__all__ = ["channels_of", "classes_by_twin", "filtered_by_twin", "gathered", "spread"]


def channels_of(mosaic: Mosaic, rows: int, columns: int) -> NDArray[np.int64]:
    """The channel of each sample of a frame of so many cells, row by row of its pixels."""
    if not mosaic.pattern:
        return np.tile(np.arange(mosaic.samples), (rows, columns))
    pattern = np.array(mosaic.pattern)
    y, x = np.ogrid[: mosaic.cell * rows, : mosaic.cell * columns]
    return np.asarray(pattern[y % pattern.shape[0], x % pattern.shape[1]], np.int64)


def gathered(mosaic: Mosaic, samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """The planes of a frame's samples: of rows of pixels, the samples of a pixel side by side."""
    shape = (samples.shape[0] // mosaic.cell, samples.shape[1] // mosaic.across)
    planes = []
    for plane in range(mosaic.planes):
        rows, columns = mosaic.pixels_of(plane, shape)
        planes.append(samples[rows, columns * mosaic.samples + (plane % mosaic.samples)])
    return np.stack(planes)


def spread(mosaic: Mosaic, planes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Undo `gathered`."""
    count, height, width = planes.shape
    samples = np.full((mosaic.cell * height, mosaic.across * width), -1, np.int64)
    for plane in range(count):
        rows, columns = mosaic.pixels_of(plane, (height, width))
        samples[rows, columns * mosaic.samples + (plane % mosaic.samples)] = planes[plane]
    return samples


def classes_by_twin(light: NDArray[np.int32], guide: Guide, cell: int) -> NDArray[np.int64]:
    """The class of each cell."""
    shape = light.shape[0] // cell, light.shape[1] // cell

    def cells(array: NDArray[np.integer]) -> NDArray[np.int64]:
        whole = array.reshape(shape[0], cell, shape[1], cell, -1).transpose(0, 2, 1, 3, 4)
        return whole.reshape(*shape, -1).astype(np.int64)

    sums = cells(light).sum(axis=2)
    level = np.sign(sums) * (np.abs(sums) // 9) if cell == 3 else sums // cell**2
    padded = np.pad(level, 1, mode="edge")
    beside = (padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1])
    change = np.max([np.abs(level - other) for other in beside], axis=0)
    classes = (change >= 32).astype(np.int64) + (change >= 128)
    clipped = np.pad(cells(guide.pixels).max(axis=2) >= 254, 1)
    for down, right in np.ndindex(3, 3):
        classes[clipped[down : down + shape[0], right : right + shape[1]]] = 3
    classes[cells(guide.mask).min(axis=2) == 0] = 4
    return np.asarray(classes, np.int64)


def filtered_by_twin(
    filters: list[LinearFilter],
    colours: NDArray[np.int32],
    classes: NDArray[np.uint8],
    mosaic: Mosaic,
    origin: tuple[int, int],
    place: tuple[int, int],
) -> NDArray[np.int64]:
    """The planes of a window, see :func:`rawback.tone.linear_filter.apply_filters`."""
    height, width = classes.shape
    down, right = place
    clipped = np.clip(colours, 0, 1 << 14).astype(np.int64)
    rows, columns = (
        np.arange(start - 2, start + mosaic.cell * size + 2).clip(0, end - 1)
        for start, size, end in zip(origin, classes.shape, colours.shape[1:], strict=True)
    )
    around = clipped[:, rows[:, None], columns]
    windows = np.lib.stride_tricks.sliding_window_view(around, (5, 5), axis=(1, 2))
    centre = windows[..., 2, 2]
    found = np.empty((mosaic.planes, height, width), np.int64)
    phases = gathered(mosaic, _phases(mosaic, down + height, right + width))[:, down:, right:]
    for number, linear in enumerate(filters):
        for phase, channel in enumerate(mosaic.phases):
            colour, row = mosaic.colours[channel], phase if linear.is_by_phase(mosaic) else channel
            # Taps act on differences to the central pixel.
            taps = np.empty((len(mosaic.palette), 5, 5), np.int64)
            turn = mosaic.turns[phase] if len(mosaic.phases) <= MOST_PHASES else 0
            for v, u in np.ndindex(5, 5):
                y, x = turned(v - 2, u - 2, turn)
                taps[:, 2 + y, 2 + x] = linear.taps[row, :, v, u]
            moved = np.einsum("ayx,ahwyx->hw", taps, windows)
            moved -= np.einsum("a,ahw->hw", taps.sum(axis=(1, 2)), centre)
            own = centre[mosaic.palette.index(colour)] + (moved + 128 >> 8)
            values = np.clip(own + linear.bias[row], -32767, 32767)
            everywhere = np.zeros((mosaic.cell * (down + height), mosaic.cell * (right + width)))
            everywhere[mosaic.cell * down :, mosaic.cell * right :] = values
            planes = gathered(mosaic, everywhere.repeat(mosaic.samples, axis=1).astype(np.int64))
            chosen = (phases == phase) & (np.minimum(classes, len(filters) - 1) == number)
            found[chosen] = planes[:, down:, right:][chosen]
    return found


def _phases(mosaic: Mosaic, rows: int, columns: int) -> NDArray[np.int64]:
    """The phase of each sample of so many rows and columns of cells."""
    if not mosaic.pattern:
        return channels_of(mosaic, rows, columns)
    pattern = np.array(mosaic.pattern)
    seen = [np.roll(pattern, (-y, -x), (0, 1)).tobytes() for y, x in np.ndindex(pattern.shape)]
    order = list(dict.fromkeys(seen))
    phases = np.array([order.index(around) for around in seen], np.int64).reshape(pattern.shape)
    y, x = np.ogrid[: mosaic.cell * rows, : mosaic.cell * columns]
    return np.asarray(phases[y % mosaic.period[0], x % mosaic.period[1]], np.int64)
