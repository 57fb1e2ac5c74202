# SPDX-License-Identifier: GPL-3.0-or-later
"""From a mosaic to a picture on the screen: the same way for every raw, so differences are real.

White balance, interpolation of the missing colours, the camera's matrix, exposure, tone curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import RawFrame

__all__ = ["EXPOSURES", "Development", "develop", "light_of", "neutral_at", "scaled"]

EXPOSURES = (-4.0, 6.0)
"""Stops that can be asked for."""

_D65_WHITE = np.array([0.9504559, 1.0, 1.0890578])
_XYZ_TO_SRGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
# OpenCV names a Bayer pattern by the four samples that begin at its second row and column.
_BAYER = {
    "RGGB": cv2.COLOR_BayerBG2RGB_EA,
    "BGGR": cv2.COLOR_BayerRG2RGB_EA,
    "GRBG": cv2.COLOR_BayerGB2RGB_EA,
    "GBRG": cv2.COLOR_BayerGR2RGB_EA,
}
_FULL = 32768
_CODES = 1 << 14


@dataclass(frozen=True, slots=True)
class Development:
    """How raws are rendered.

    Attributes:
        exposure: Stops, -4 to 6.
        neutral: Camera RGB of what is to be white, green = 1; None for what the camera says.
        linear: No tone curve: codes proportional to light.
    """

    exposure: float = 0.0
    neutral: tuple[float, float, float] | None = None
    linear: bool = False


def light_of(
    cfa: NDArray[np.uint16],
    frame: RawFrame,
    neutral: tuple[float, float, float],
    *,
    halved: bool,
) -> NDArray[np.float32]:
    """Balanced camera light of a part of the mosaic, whites at 1.

    Args:
        cfa: uint16 ``[h, w]``, beginning at an even row and column of the frame.
        frame: Whose levels and pattern these are.
        neutral: Camera RGB of white.
        halved: One pixel for each 2x2 cell, by averaging, instead of four by interpolation.

    Returns:
        float32 ``[h, w, 3]``, or half of each side, rounded up.
    """
    gains = 1 / np.array(neutral)
    gains = gains / gains.min()
    cfa = np.pad(cfa, ((0, cfa.shape[0] % 2), (0, cfa.shape[1] % 2)), mode="edge")
    signal = np.empty(cfa.shape, np.float32)
    for position, colour in enumerate(frame.pattern):
        black = frame.black[position]
        factor = gains["RGB".index(colour)] / (frame.white - black)
        part = cfa[position // 2 :: 2, position % 2 :: 2].astype(np.float32)
        signal[position // 2 :: 2, position % 2 :: 2] = (part - black) * np.float32(factor)
    if halved:
        light = np.zeros((cfa.shape[0] // 2, cfa.shape[1] // 2, 3), np.float32)
        for position, colour in enumerate(frame.pattern):
            share = np.float32(0.5 if colour == "G" else 1)
            light[..., "RGB".index(colour)] += share * signal[position // 2 :: 2, position % 2 :: 2]
        return light
    # An offset of 1/16 leaves room for noise below black.
    codes = np.clip(signal * (_FULL / 4) + _FULL / 16, 0, 65535).astype(np.uint16)
    colours = np.asarray(cv2.cvtColor(codes, _BAYER[frame.pattern]), np.float32)
    return (colours - np.float32(_FULL / 16)) * np.float32(4 / _FULL)


def scaled(light: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Averaged down to a size; never up."""
    if light.shape[0] <= height and light.shape[1] <= width:
        return light
    size = min(width, light.shape[1]), min(height, light.shape[0])
    return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)


def develop(
    light: NDArray[np.float32], frame: RawFrame, development: Development
) -> NDArray[np.uint8]:
    """SRGB codes of balanced camera light.

    Args:
        light: From :func:`light_of`.
        frame: Whose colours these are.
        development: How to render.

    Returns:
        uint8 ``[h, w, 3]``.
    """
    # Beyond white, colours would turn: sensors clip one colour after the other.
    light = np.minimum(light, np.float32(1))
    matrix = _matrix(frame.color_matrix) * 2.0**development.exposure
    picture = cv2.transform(light, matrix.astype(np.float32))
    index = np.clip(picture * (_CODES - 1), 0, _CODES - 1).astype(np.uint16)
    return _curve(development.linear)[index]


@lru_cache(maxsize=8)
def _matrix(color_matrix: tuple[float, ...]) -> NDArray[np.float64]:
    """Balanced camera RGB to sRGB, white to white."""
    to_camera = np.array(color_matrix).reshape(3, 3)
    if abs(np.linalg.det(to_camera)) < 1e-6:
        return np.eye(3)
    # Rows are scaled so that what was balanced to grey stays grey.
    to_srgb = np.linalg.inv(to_camera @ np.linalg.inv(_XYZ_TO_SRGB))
    as_shot = to_srgb @ np.diag(to_camera @ _D65_WHITE)
    return np.asarray(as_shot / as_shot.sum(axis=1, keepdims=True))


@lru_cache(maxsize=2)
def _curve(linear: bool) -> NDArray[np.uint8]:
    light = np.arange(_CODES) / (_CODES - 1)
    code = (
        light
        if linear
        else np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    )
    return np.rint(255 * code).astype(np.uint8)


def neutral_at(cfa: NDArray[np.uint16], frame: RawFrame) -> tuple[float, float, float] | None:
    """Camera RGB of a patch that is to be white or grey, green = 1.

    Args:
        cfa: uint16 ``[h, w]``, beginning at an even row and column.
        frame: Whose levels and pattern these are.

    Returns:
        None where the patch is clipped or too dark to tell.
    """
    sums = np.zeros(3)
    counts = np.zeros(3)
    for position, colour in enumerate(frame.pattern):
        part = cfa[position // 2 :: 2, position % 2 :: 2].astype(np.float64)
        if not part.size or part.max() >= 0.98 * frame.white:
            return None
        black = frame.black[position]
        sums["RGB".index(colour)] += ((part - black) / (frame.white - black)).mean()
        counts["RGB".index(colour)] += 1
    means = sums / np.maximum(counts, 1)
    if means.min() < 1e-3:
        return None
    red, green, blue = (float(value) for value in means / means[1])
    return red, green, blue
