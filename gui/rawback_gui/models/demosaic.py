# SPDX-License-Identifier: GPL-3.0-or-later
"""From samples to colours: the same way for every raw, so that differences are real.

==============  ==================================================================================
mosaic          every pixel's colours
==============  ==================================================================================
Bayer           interpolated along edges, by OpenCV
linear          as they are
monochrome      grey
all others      its own colour as it is, the others averaged over the nearest samples of each
==============  ==================================================================================
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback_gui.models.planes import cell_of, planes_of

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

_MIXES = {
    "R": (1.0, 0.0, 0.0),
    "G": (0.0, 1.0, 0.0),
    "B": (0.0, 0.0, 1.0),
    "C": (0.0, 0.5, 0.5),
    "M": (0.5, 0.0, 0.5),
    "Y": (0.5, 0.5, 0.0),
    "E": (0.0, 0.6, 0.4),
    "W": (1 / 3, 1 / 3, 1 / 3),
}
"""Red, green and blue in what filters let through, about; grey is grey behind all."""

_LARGEST_WINDOW = 33


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
    colours = [_spread(signal, mosaic, colour, halved=halved) for colour in mosaic.palette]
    return _mixed(np.stack(colours, axis=-1), mosaic.palette, gains)


def _signal(
    cfa: NDArray[np.uint16], frame: RawFrame, gains: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Samples less black, 1 at saturation, balanced where each is of red, green or blue."""
    signal = np.empty(cfa.shape, np.float32)
    plain = _is_rgb(frame.mosaic.palette)
    for plane in planes_of(frame.mosaic):
        black = np.float32(frame.black[plane.channel])
        factor = (gains["RGB".index(plane.colour)] if plain else 1) / (frame.white - black)
        at = plane.index()
        signal[at] = (cfa[at].astype(np.float32) - black) * np.float32(factor)
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
    through = np.array([_MIXES[letter] for letter in letters])
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


def _spread(
    signal: NDArray[np.float32], mosaic: Mosaic, colour: str, *, halved: bool
) -> NDArray[np.float32]:
    """A colour at every pixel, averaged over the nearest samples of it."""
    there = mosaic.mask(colour, *signal.shape).astype(np.float32)
    light = signal * there
    if halved:
        even = ((0, signal.shape[0] % 2), (0, signal.shape[1] % 2))
        there, light = (_halved(np.pad(part, even)) for part in (there, light))
    # Twice as near, where pixels are twice as large; one more, so that none is left out.
    side = _window(mosaic, colour)
    side = side // 4 * 2 + 3 if halved else side
    reach = cv2.getGaussianKernel(side, side / 5)

    def around(part: NDArray[np.float32]) -> NDArray[np.float32]:
        found = cv2.sepFilter2D(part, cv2.CV_32F, reach, reach, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(found, np.float32)

    mean = around(light) / np.maximum(around(there), np.float32(1e-6))
    own = light / np.maximum(there, np.float32(1e-6))
    return np.where(there > 0, own, mean).astype(np.float32)


@lru_cache(maxsize=64)
def _window(mosaic: Mosaic, colour: str) -> int:
    """The side of the smallest square around a pixel, wherever it is, that has a colour in it."""
    down, across = cell_of(mosaic)
    there = mosaic.mask(colour, 3 * down, 3 * across).astype(np.uint8)
    for side in range(3, _LARGEST_WINDOW + 1, 2):
        wide = cv2.dilate(there, np.ones((side, side), np.uint8))
        if wide[down : 2 * down, across : 2 * across].all():
            return side
    return _LARGEST_WINDOW


def _halved(array: NDArray[np.float32]) -> NDArray[np.float32]:
    size = array.shape[1] // 2, array.shape[0] // 2
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32)


def resized(light: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Averaged down to a size; never up."""
    if light.shape[0] <= height and light.shape[1] <= width:
        return light
    size = min(width, light.shape[1]), min(height, light.shape[0])
    return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
