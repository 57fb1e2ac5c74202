"""Levels, colours and noise, as DNG tags give them (DNG 1.7.1 specification, chapter 4).

LibRaw folds and rounds some of them, so where the file is a DNG they are read from the tags. Every
function returns None where the tags are absent or senseless.
"""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from rawback.rawio.tags import Tag
from rawback.types import BlackOffsets, Mosaic, NoiseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.metadata import Metadata

__all__ = [
    "COLOUR_CODES",
    "as_matrix",
    "as_neutral",
    "as_shot_neutral",
    "black_levels",
    "black_offsets",
    "color_matrix",
    "noise_profile",
    "plane_colours",
    "white_level",
]

Black: TypeAlias = tuple[float, ...]
Neutral: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[float, float, float, float, float, float, float, float, float]

COLOUR_CODES = "RGBCMYW"
"""What the numbers in CFAPattern and CFAPlaneColor mean, by letter."""

# Correlated colour temperature of Exif light sources, in kelvin.
_TEMPERATURES = {
    1: 5500, 2: 4150, 3: 2856, 4: 5500, 9: 5500, 10: 6500, 11: 7500, 12: 6400, 13: 5050, 14: 4150,
    15: 3450, 17: 2856, 18: 4874, 19: 6774, 20: 5503, 21: 6504, 22: 7504, 23: 5003, 24: 3200,
}  # fmt: skip
_D65 = 6504

_LARGEST_OFFSET, _LARGEST_PATTERN = 0x7FFF, 4096


def black_levels(metadata: Metadata, mosaic: Mosaic) -> Black | None:
    """BlackLevel with its row and column deltas, for each channel of a mosaic, in DN."""
    pattern, down, across = _black(metadata, mosaic.samples)
    if pattern is None:
        return None
    levels = _levels_by_channel(_levels_by_place(pattern, down, across, mosaic), mosaic)
    return tuple(max(level, 0.0) for level in levels)


def black_offsets(
    metadata: Metadata, mosaic: Mosaic, height: int, width: int
) -> BlackOffsets | None:
    """What `black_levels` leaves of black, in whole DN; None where it leaves nothing.

    Args:
        metadata: The tags.
        mosaic: The mosaic. Of frames with several samples to a pixel only the levels are read.
        height: Rows of the visible area.
        width: Columns of the visible area.
    """
    pattern, down, across = _black(metadata, mosaic.samples)
    if pattern is None or mosaic.samples > 1:
        return None
    rows, columns = mosaic.period
    by_place = _levels_by_place(pattern, down, across, mosaic)
    by_channel = np.array(_levels_by_channel(by_place, mosaic))
    grid = pattern[..., 0]
    # Repeated until the pattern of black meets each place of the mosaic in the same way again.
    grid = np.tile(grid, (lcm(len(grid), rows) // len(grid), 1))
    grid = np.tile(grid, (1, lcm(grid.shape[1], columns) // grid.shape[1]))
    means = _tiled_mean(pattern, rows, columns)
    for r, c in np.ndindex(rows, columns):
        beside = by_place[r, c, 0] - by_channel[mosaic.pattern[r][c]]
        grid[r::rows, c::columns] += beside - means[r, c, 0]
    parts = [np.rint(grid), _around(down, rows), _around(across, columns)]
    parts = [np.clip(part, -_LARGEST_OFFSET, _LARGEST_OFFSET) for part in parts]
    sizes = (height, width)
    for k, size in enumerate(sizes, 1):
        # Lists of another length do not say which row they mean.
        if len(parts[k]) != size:
            parts[k] = np.zeros(size)
    if not any(part.any() for part in parts):
        return None
    whole = [part.astype(np.int32) for part in parts]
    return BlackOffsets(whole[0], whole[1], whole[2])


def _tiled_mean(pattern: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Mean of a repeated pattern at each place of a period of so many rows and columns."""
    # Repeated as often as the period is long, any pattern has its mean at each place.
    grid = np.tile(pattern, (rows, columns, 1))
    means = [grid[r::rows, c::columns].mean(axis=(0, 1)) for r, c in np.ndindex(rows, columns)]
    return np.reshape(means, (rows, columns, pattern.shape[2]))


def _levels_by_place(
    pattern: NDArray[np.float64],
    down: NDArray[np.float64],
    across: NDArray[np.float64],
    mosaic: Mosaic,
) -> NDArray[np.float64]:
    """Black at each place of a mosaic's period, ``[p, q, samples]``."""
    rows, columns = mosaic.period
    levels = _tiled_mean(pattern, rows, columns)
    for r, c in np.ndindex(rows, columns):
        levels[r, c] += _mean(down[r::rows])
        levels[r, c] += _mean(across[c::columns])
    return levels


def _levels_by_channel(levels: NDArray[np.float64], mosaic: Mosaic) -> list[float]:
    if not mosaic.pattern:
        return [float(level) for level in levels[0, 0]]
    channels = np.array(mosaic.pattern)
    count = len(mosaic.colours)
    return [float(levels[channels == channel, 0].mean()) for channel in range(count)]


def _around(deltas: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Deltas of the rows, or columns, of each phase of a period, each less their mean, rounded."""
    left = deltas.copy()
    for phase in range(period):
        left[phase::period] -= _mean(deltas[phase::period])
    return np.rint(left)


def _black(
    metadata: Metadata, samples: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64], NDArray[np.float64]]:
    """The repeated pattern of BlackLevel, ``[p, q, samples]``, and deltas of rows and columns."""
    across = np.array(metadata.numbers(Tag.BLACK_LEVEL_DELTA_H), dtype=np.float64)
    down = np.array(metadata.numbers(Tag.BLACK_LEVEL_DELTA_V), dtype=np.float64)
    levels = metadata.numbers(Tag.BLACK_LEVEL)
    if not levels and (across.size or down.size):
        levels = (0.0,)
    rows, columns = (*metadata.integers(Tag.BLACK_LEVEL_REPEAT_DIM), 1, 1)[:2]
    if len(levels) == 1:
        levels *= samples  # some writers of linear DNG give one level for all
    if not levels or not 0 < rows * columns * samples <= min(len(levels), _LARGEST_PATTERN):
        return None, down, across
    pattern = np.array(levels[: rows * columns * samples], dtype=np.float64)
    return pattern.reshape(rows, columns, samples), down, across


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def white_level(metadata: Metadata) -> int | None:
    """The lowest WhiteLevel, in DN."""
    levels = metadata.integers(Tag.WHITE_LEVEL)
    return min(*levels, 0xFFFF) if levels else None


def color_matrix(metadata: Metadata) -> Matrix | None:
    """XYZ to camera for the illuminant nearest to D65, with calibration and analog balance."""
    matrices: list[tuple[float, NDArray[np.float64]]] = []
    for matrix_tag, calibration_tag, illuminant_tag in (
        (Tag.COLOR_MATRIX_1, Tag.CAMERA_CALIBRATION_1, Tag.CALIBRATION_ILLUMINANT_1),
        (Tag.COLOR_MATRIX_2, Tag.CAMERA_CALIBRATION_2, Tag.CALIBRATION_ILLUMINANT_2),
        (Tag.COLOR_MATRIX_3, Tag.CAMERA_CALIBRATION_3, Tag.CALIBRATION_ILLUMINANT_3),
    ):
        matrix = metadata.numbers(matrix_tag)
        if len(matrix) != 9:
            continue
        illuminant = int((*metadata.numbers(illuminant_tag), 0)[0])
        # Nearness counts in reciprocal temperature, as DNG interpolates.
        far = abs(1 / _TEMPERATURES.get(illuminant, 1000) - 1 / _D65)
        matrices.append((far, _calibration(metadata, calibration_tag) @ np.reshape(matrix, (3, 3))))
    if not matrices:
        return None
    best = min(matrices, key=lambda pair: pair[0])[1]
    balance = metadata.numbers(Tag.ANALOG_BALANCE)
    if len(balance) == 3 and min(balance) > 0:
        best = np.diag(balance) @ best
    return as_matrix(best[_rgb_of_planes(metadata)])


def plane_colours(metadata: Metadata, colours: str) -> str | None:
    """The order of colours in which tags give values for each, from CFAPlaneColor.

    Args:
        metadata: The tags.
        colours: The colours of the mosaic, each once.

    Returns:
        The same letters in the file's order; None where it tells none for these colours.
    """
    codes = metadata.integers(Tag.CFA_PLANE_COLOR)
    if not all(0 <= code < len(COLOUR_CODES) for code in codes):
        return None
    order = "".join(COLOUR_CODES[code] for code in codes)
    return order if sorted(order) == sorted(colours) else None


def _rgb_of_planes(metadata: Metadata) -> list[int]:
    """Where tags have the values of red, green and blue."""
    order = plane_colours(metadata, "RGB") or "RGB"
    return [order.index(colour) for colour in "RGB"]


def _calibration(metadata: Metadata, tag: int) -> NDArray[np.float64]:
    """CameraCalibration, where it was made for the profile in the file; else identity."""
    camera = metadata.text(Tag.CAMERA_CALIBRATION_SIGNATURE)
    matrix = metadata.numbers(tag)
    if camera != metadata.text(Tag.PROFILE_CALIBRATION_SIGNATURE) or len(matrix) != 9:
        return np.eye(3)
    return np.reshape(matrix, (3, 3))


def as_matrix(matrix: NDArray[np.float64]) -> Matrix | None:
    """The nine values, if they can be a colour matrix: finite, of full rank, no wild values."""
    if not np.isfinite(matrix).all() or not 1e-3 < np.abs(matrix).max() < 100:
        return None
    if np.linalg.cond(matrix) > 1e6:
        return None
    return cast("Matrix", tuple(float(value) for value in matrix.ravel()))


def as_neutral(camera: Sequence[float]) -> Neutral | None:
    """Camera RGB of white scaled to green 1, if it can be one."""
    if len(camera) != 3 or not all(np.isfinite(camera)) or min(camera) <= 0:
        return None
    red, blue = camera[0] / camera[1], camera[2] / camera[1]
    return (red, 1.0, blue) if min(red, blue) > 1e-2 and max(red, blue) < 1e2 else None


def as_shot_neutral(metadata: Metadata, matrix: Matrix | None) -> Neutral | None:
    """AsShotNeutral, or what `matrix` makes of AsShotWhiteXY."""
    camera = metadata.numbers(Tag.AS_SHOT_NEUTRAL)
    if len(camera) == 3:
        camera = tuple(camera[plane] for plane in _rgb_of_planes(metadata))
    neutral = as_neutral(camera)
    if neutral is not None:
        return neutral
    xy = metadata.numbers(Tag.AS_SHOT_WHITE_XY)
    if matrix is None or len(xy) != 2 or min(xy) <= 0 or sum(xy) >= 1:
        return None
    x, y = xy
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    return as_neutral([float(value) for value in np.reshape(matrix, (3, 3)) @ white])


def noise_profile(metadata: Metadata) -> NoiseModel | None:
    """NoiseProfile, averaged over its planes."""
    profile = metadata.numbers(Tag.NOISE_PROFILE)
    if not profile or len(profile) % 2:
        return None
    scale, offset = (float(np.mean(profile[k::2])) for k in (0, 1))
    offset = max(offset, 0.0)
    return NoiseModel(scale, offset) if 0 < scale < 1 and offset < 1 else None
