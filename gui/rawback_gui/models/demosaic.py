# SPDX-License-Identifier: GPL-3.0-or-later
"""From samples to colours: the same way for every raw, so that differences are real.

==============  ==================================================================================
mosaic          every pixel's colours
==============  ==================================================================================
Bayer           interpolated along edges, by OpenCV
linear          as they are
monochrome      grey
all others      as `rawback.rendering` interpolates them: by differences from the commonest colour
==============  ==================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback import rendering
from rawback_gui.models.planes import planes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import RawFrame
    from rawback.mosaic import Mosaic

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
    """White-balanced camera RGB of a part of a raw.

    Args:
        cfa: uint16 ``[h, w]``, or ``[h, w, n]`` where pixels have several samples; beginning at a
            whole pattern of the frame.
        frame: Whose levels and mosaic these are.
        neutral: Camera RGB of white.
        halved: One pixel for each 2x2 cell of a mosaic, by averaging, instead of four.

    Returns:
        float32 ``[h, w, 3]``, or, of mosaics, half of each side, rounded up; 1 is where the first
        colour of a white clips.
    """
    gains = 1 / np.array(neutral)
    gains = (gains / gains.min()).astype(np.float32)
    mosaic = frame.mosaic
    if mosaic.samples > 1:
        return _mixed(_signal(cfa, frame, gains), mosaic.colours, gains)
    even = ((0, cfa.shape[0] % 2), (0, cfa.shape[1] % 2))
    if mosaic.is_bayer:
        signal = np.pad(_signal(cfa, frame, gains), even, mode="edge")
        return _binned(signal, mosaic) if halved else _bayer(signal, str(mosaic))
    signal = _signal(cfa, frame, gains)
    if mosaic.is_monochrome:
        if halved:
            signal = _halved(np.pad(signal, even, mode="edge"))
        return np.repeat(signal[..., None], 3, axis=-1)
    if halved:
        light = rendering.binned(np.pad(signal, even, mode="edge"), str(mosaic))
    else:
        light = rendering.demosaic(signal, str(mosaic))
    return light if _is_rgb(mosaic.palette) else light * gains


def _signal(
    cfa: NDArray[np.uint16], frame: RawFrame, gains: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Samples less black, 1 at saturation, balanced where each is of red, green or blue."""
    signal = np.empty(cfa.shape, np.float32)
    plain, (levels, white) = _is_rgb(frame.mosaic.palette), frame.light_levels
    for plane in planes_of(frame.mosaic):
        black = np.float32(levels[plane.channel])
        factor = (gains["RGB".index(plane.colour)] if plain else 1) / (np.float32(white) - black)
        at = plane.index()
        signal[at] = (frame.light(cfa[at]) - black) * np.float32(factor)
    return signal


def _is_rgb(palette: str) -> bool:
    return set(palette) == set("RGB")


def _mixed(
    colours: NDArray[np.float32], letters: str, gains: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Red, green and blue from the colours of any filters, ``[h, w, n]``."""
    if letters == "RGB":
        return colours
    if _is_rgb(letters):
        return np.ascontiguousarray(colours[..., ["RGB".index(letter) for letter in letters]])
    if len(letters) == 1:
        return np.repeat(colours, 3, axis=-1)
    through = np.array([rendering.FILTERS[letter] for letter in letters])
    back = np.linalg.pinv(through) * gains[:, None]
    return np.asarray(colours @ back.T.astype(np.float32), np.float32)


def _binned(signal: NDArray[np.float32], mosaic: Mosaic) -> NDArray[np.float32]:
    """A pixel for each cell of a Bayer mosaic."""
    light = np.zeros((signal.shape[0] // 2, signal.shape[1] // 2, 3), np.float32)
    for plane in planes_of(mosaic):
        share = np.float32(0.5 if plane.colour == "G" else 1)
        light[..., "RGB".index(plane.colour)] += share * signal[plane.index()]
    return light


def _bayer(signal: NDArray[np.float32], pattern: str) -> NDArray[np.float32]:
    # An offset of 1/16 leaves room for noise below black.
    codes = np.clip(signal * (_FULL / 4) + _FULL / 16, 0, 65535).astype(np.uint16)
    colours = np.asarray(cv2.cvtColor(codes, _BAYER[pattern]), np.float32)
    return (colours - np.float32(_FULL / 16)) * np.float32(4 / _FULL)


def _halved(array: NDArray[np.float32]) -> NDArray[np.float32]:
    size = array.shape[1] // 2, array.shape[0] // 2
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32)


def resized(light: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Averaged down to a size; never up."""
    if light.shape[0] <= height and light.shape[1] <= width:
        return light
    size = min(width, light.shape[1]), min(height, light.shape[0])
    return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
