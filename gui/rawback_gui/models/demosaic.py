# SPDX-License-Identifier: GPL-3.0-or-later
"""From mosaic samples to colours: the same way for every raw, so that differences are real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import RawFrame

__all__ = ["camera_light", "resized"]

# OpenCV names a Bayer pattern by the four samples that begin at its second row and column.
_BAYER = {
    "RGGB": cv2.COLOR_BayerBG2RGB_EA,
    "BGGR": cv2.COLOR_BayerRG2RGB_EA,
    "GRBG": cv2.COLOR_BayerGB2RGB_EA,
    "GBRG": cv2.COLOR_BayerGR2RGB_EA,
}
_FULL = 32768


def camera_light(
    cfa: NDArray[np.uint16],
    frame: RawFrame,
    neutral: tuple[float, float, float],
    *,
    halved: bool,
) -> NDArray[np.float32]:
    """White-balanced camera RGB of a part of the mosaic.

    Args:
        cfa: uint16 ``[h, w]``, beginning at an even row and column of the frame.
        frame: Whose levels and pattern these are.
        neutral: Camera RGB of white.
        halved: One pixel for each 2x2 cell, by averaging, instead of four by interpolation.

    Returns:
        float32 ``[h, w, 3]``, or half of each side, rounded up; 1 is where the first colour of a
        white clips.
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


def resized(light: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Averaged down to a size; never up."""
    if light.shape[0] <= height and light.shape[1] <= width:
        return light
    size = min(width, light.shape[1]), min(height, light.shape[0])
    return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
