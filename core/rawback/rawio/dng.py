"""Levels, colour and noise, as a DNG's tags give them (DNG 1.4 specification, chapter 4).

LibRaw folds and rounds some of them, so where the file is a DNG they are read from the tags. Every
function returns None where the tags are absent or senseless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from rawback.rawio.tags import Tag
from rawback.types import NoiseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.rawio.tiff import Ifd

__all__ = ["as_shot_neutral", "black_levels", "color_matrix", "noise_profile", "white_level"]

Black: TypeAlias = tuple[float, float, float, float]
Neutral: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[float, float, float, float, float, float, float, float, float]

# Correlated colour temperature of Exif light sources, in kelvin.
_TEMPERATURES = {
    1: 5500, 2: 4150, 3: 2856, 4: 5500, 9: 5500, 10: 6500, 11: 7500, 12: 6400, 13: 5050, 14: 4150,
    15: 3450, 17: 2856, 18: 4874, 19: 6774, 20: 5503, 21: 6504, 22: 7504, 23: 5003, 24: 3200,
}  # fmt: skip
_D65 = 6504


def numbers(ifds: Sequence[Ifd], tag: int) -> tuple[float, ...]:
    """Values of `tag` in the first directory that has it."""
    return next((ifd.numbers(tag) for ifd in ifds if tag in ifd), ())


def black_levels(main: Ifd) -> Black | None:
    """BlackLevel with its row and column deltas, per position of the 2x2 cell, in DN."""
    levels = main.numbers(Tag.BLACK_LEVEL)
    rows, columns = (*main.integers(Tag.BLACK_LEVEL_REPEAT_DIM), 1, 1)[:2]
    if not levels or not 0 < rows * columns <= len(levels):
        return None
    grid = np.array(levels[: rows * columns]).reshape(rows, columns)
    # Repeated to an even number of rows and columns, any pattern has its mean at each position.
    grid = np.tile(grid, (2, 2))
    across = np.array(main.numbers(Tag.BLACK_LEVEL_DELTA_H))
    down = np.array(main.numbers(Tag.BLACK_LEVEL_DELTA_V))
    black = [
        float(grid[r::2, c::2].mean() + _mean(down[r::2]) + _mean(across[c::2]))
        for r in (0, 1)
        for c in (0, 1)
    ]
    return cast("Black", tuple(max(level, 0.0) for level in black))


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def white_level(main: Ifd) -> int | None:
    """The lowest WhiteLevel, in DN."""
    levels = main.integers(Tag.WHITE_LEVEL)
    return min(*levels, 0xFFFF) if levels else None


def color_matrix(ifds: Sequence[Ifd]) -> Matrix | None:
    """XYZ to camera for the illuminant nearest to D65, with calibration and analog balance."""
    found: list[tuple[float, NDArray[np.float64]]] = []
    for matrix_tag, calibration_tag, illuminant_tag in (
        (Tag.COLOR_MATRIX_1, Tag.CAMERA_CALIBRATION_1, Tag.CALIBRATION_ILLUMINANT_1),
        (Tag.COLOR_MATRIX_2, Tag.CAMERA_CALIBRATION_2, Tag.CALIBRATION_ILLUMINANT_2),
    ):
        matrix = numbers(ifds, matrix_tag)
        if len(matrix) != 9:
            continue
        illuminant = int((*numbers(ifds, illuminant_tag), 0)[0])
        # Nearness counts in reciprocal temperature, as DNG interpolates.
        far = abs(1 / _TEMPERATURES.get(illuminant, 1000) - 1 / _D65)
        found.append((far, _calibration(ifds, calibration_tag) @ np.reshape(matrix, (3, 3))))
    if not found:
        return None
    best = min(found, key=lambda pair: pair[0])[1]
    balance = numbers(ifds, Tag.ANALOG_BALANCE)
    if len(balance) == 3 and min(balance) > 0:
        best = np.diag(balance) @ best
    return as_matrix(best)


def _calibration(ifds: Sequence[Ifd], tag: int) -> NDArray[np.float64]:
    """CameraCalibration, where it was made for the profile in the file; else identity."""
    first = ifds[0]
    camera = first.text(Tag.CAMERA_CALIBRATION_SIGNATURE)
    matrix = numbers(ifds, tag)
    if camera != first.text(Tag.PROFILE_CALIBRATION_SIGNATURE) or len(matrix) != 9:
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


def as_shot_neutral(ifds: Sequence[Ifd], matrix: Matrix | None) -> Neutral | None:
    """AsShotNeutral, or what `matrix` makes of AsShotWhiteXY."""
    neutral = as_neutral(numbers(ifds, Tag.AS_SHOT_NEUTRAL))
    if neutral is not None:
        return neutral
    xy = numbers(ifds, Tag.AS_SHOT_WHITE_XY)
    if matrix is None or len(xy) != 2 or min(xy) <= 0 or sum(xy) >= 1:
        return None
    x, y = xy
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    return as_neutral([float(value) for value in np.reshape(matrix, (3, 3)) @ white])


def noise_profile(ifds: Sequence[Ifd]) -> NoiseModel | None:
    """NoiseProfile, averaged over its planes."""
    profile = numbers(ifds, Tag.NOISE_PROFILE)
    if not profile or len(profile) % 2:
        return None
    scale, offset = (float(np.mean(profile[k::2])) for k in (0, 1))
    offset = max(offset, 0.0)
    return NoiseModel(scale, offset) if 0 < scale < 1 and offset < 1 else None
