"""Levels, colour and noise, as DNG tags give them (DNG 1.7.1 specification, chapter 4).

LibRaw folds and rounds some of them, so where the file is a DNG they are read from the tags. Every
function returns None where the tags are absent or senseless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from rawback.rawio.tags import Tag
from rawback.types import BlackOffsets, NoiseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.metadata import Metadata

__all__ = [
    "as_matrix",
    "as_neutral",
    "as_shot_neutral",
    "black_levels",
    "black_offsets",
    "color_matrix",
    "noise_profile",
    "white_level",
]

Black: TypeAlias = tuple[float, float, float, float]
Neutral: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[float, float, float, float, float, float, float, float, float]

# Correlated colour temperature of Exif light sources, in kelvin.
_TEMPERATURES = {
    1: 5500, 2: 4150, 3: 2856, 4: 5500, 9: 5500, 10: 6500, 11: 7500, 12: 6400, 13: 5050, 14: 4150,
    15: 3450, 17: 2856, 18: 4874, 19: 6774, 20: 5503, 21: 6504, 22: 7504, 23: 5003, 24: 3200,
}  # fmt: skip
_D65 = 6504

_LARGEST_OFFSET, _LARGEST_PATTERN = 0x7FFF, 4096


def black_levels(metadata: Metadata) -> Black | None:
    """BlackLevel with its row and column deltas, per position of the 2x2 cell, in DN."""
    pattern, down, across = _black(metadata)
    if pattern is None:
        return None
    # Repeated to an even number of rows and columns, any pattern has its mean at each position.
    grid = np.tile(pattern, (2, 2))
    black = [
        float(grid[r::2, c::2].mean() + _mean(down[r::2]) + _mean(across[c::2]))
        for r in (0, 1)
        for c in (0, 1)
    ]
    return cast("Black", tuple(max(level, 0.0) for level in black))


def black_offsets(metadata: Metadata, height: int, width: int) -> BlackOffsets | None:
    """What `black_levels` leaves of black, in whole DN; None where it leaves nothing.

    Args:
        metadata: The tags.
        height: Rows of the visible area.
        width: Columns of the visible area.
    """
    pattern, down, across = _black(metadata)
    if pattern is None:
        return None
    rows, columns = pattern.shape
    # A pattern of odd sides meets each position of the cell in turn.
    grid = np.tile(pattern, (1 + rows % 2, 1 + columns % 2))
    for r in (0, 1):
        for c in (0, 1):
            if grid[r::2, c::2].size:
                grid[r::2, c::2] -= np.tile(pattern, (2, 2))[r::2, c::2].mean()
    parts = [np.rint(grid), *(_around(part) for part in (down, across))]
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


def _around(deltas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deltas of even and of odd rows, each less their mean, rounded."""
    left = deltas.copy()
    for parity in (0, 1):
        left[parity::2] -= _mean(deltas[parity::2])
    return np.rint(left)


def _black(
    metadata: Metadata,
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64], NDArray[np.float64]]:
    """The repeated pattern of BlackLevel, and the deltas of rows and of columns."""
    across = np.array(metadata.numbers(Tag.BLACK_LEVEL_DELTA_H), dtype=np.float64)
    down = np.array(metadata.numbers(Tag.BLACK_LEVEL_DELTA_V), dtype=np.float64)
    levels = metadata.numbers(Tag.BLACK_LEVEL)
    if not levels and (across.size or down.size):
        levels = (0.0,)
    rows, columns = (*metadata.integers(Tag.BLACK_LEVEL_REPEAT_DIM), 1, 1)[:2]
    if not levels or not 0 < rows * columns <= min(len(levels), _LARGEST_PATTERN):
        return None, down, across
    pattern = np.array(levels[: rows * columns], dtype=np.float64)
    return pattern.reshape(rows, columns), down, across


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
    return as_matrix(best)


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
    neutral = as_neutral(metadata.numbers(Tag.AS_SHOT_NEUTRAL))
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
