# SPDX-License-Identifier: GPL-3.0-or-later
"""Perceptual colour maps, as tables of 256 colours.

Sequential: inferno and viridis; diverging: a blue and a red that meet in grey, Moreland's "cool to
warm" (2009). All come from the tables of OpenCV, which holds matplotlib's, but for the last, which
is computed here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DIVERGING", "SEQUENTIAL", "coloured", "map_title", "table"]

SEQUENTIAL = ("inferno", "viridis", "cividis", "magma")
DIVERGING = ("cool-warm", "purple-green")

_OF_OPENCV = {
    "inferno": cv2.COLORMAP_INFERNO,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "magma": cv2.COLORMAP_MAGMA,
}
# Ends and the middle of the diverging maps as lightness, chroma and hue in Lab; lightness and
# chroma run evenly from the middle to both ends.
_ENDS = {
    "cool-warm": ((35.0, 62.0, 285.0), (35.0, 72.0, 35.0)),
    "purple-green": ((35.0, 60.0, 315.0), (35.0, 52.0, 145.0)),
}
_MIDDLE_LIGHTNESS = 92.0


@cache
def table(name: str) -> NDArray[np.uint8]:
    """A map's colours.

    Args:
        name: One of `SEQUENTIAL` or `DIVERGING`.

    Returns:
        uint8 ``[256, 3]``, sRGB.
    """
    if name in _OF_OPENCV:
        ramp = np.arange(256, dtype=np.uint8).reshape(-1, 1)
        return np.ascontiguousarray(cv2.applyColorMap(ramp, _OF_OPENCV[name])[:, 0, ::-1])
    low, high = _ENDS[name]
    share = np.linspace(-1, 1, 256)
    lab = np.empty((256, 1, 3), np.float32)
    for (lightness, chroma, hue), side in ((low, share <= 0), (high, share > 0)):
        part = np.abs(share[side])
        lab[side, 0, 0] = _MIDDLE_LIGHTNESS + part * (lightness - _MIDDLE_LIGHTNESS)
        lab[side, 0, 1] = part * chroma * np.cos(np.deg2rad(hue))
        lab[side, 0, 2] = part * chroma * np.sin(np.deg2rad(hue))
    rgb = np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1)
    return np.rint(255 * rgb[:, 0]).astype(np.uint8)


def coloured(values: NDArray[np.float32], name: str) -> NDArray[np.uint8]:
    """Colours of values between 0 and 1; beyond them the end's.

    Args:
        values: float32 ``[h, w]``; nan is shown as the lowest.
        name: The map's.
    """
    index = np.nan_to_num(np.clip(values, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
    colours: NDArray[np.uint8] = table(name)[index]
    return colours


def map_title(name: str) -> str:
    """A map's name as it is written."""
    return name.capitalize()
