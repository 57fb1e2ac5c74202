"""A linear demosaic that is quick, differentiates nothing, and treats any two raws alike.

Gradient-corrected interpolation (Malvar, He and Cutler, ICASSP 2004): each missing colour is the
mean of its neighbours, corrected by the Laplacian of the colour that is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import BayerPattern, RawFrame

__all__ = ["HALO", "balanced_signal", "demosaic"]

HALO = 2
"""Rows of context that `demosaic` needs on either side of a strip."""

_AT_OTHER_COLOURS = np.array(
    [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
)
"""Green at red or blue."""

_ALONG_ROWS = np.array(
    [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
)
"""Red or blue at a green whose row holds that colour; transposed, whose column does."""

_ACROSS = np.array(
    [
        [0, 0, -1.5, 0, 0],
        [0, 2, 0, 2, 0],
        [-1.5, 0, 6, 0, -1.5],
        [0, 2, 0, 2, 0],
        [0, 0, -1.5, 0, 0],
    ]
)
"""Red at blue, blue at red."""


def demosaic(mosaic: NDArray[np.float32], pattern: BayerPattern) -> NDArray[np.float32]:
    """Interpolate all three colours at every pixel.

    Args:
        mosaic: ``[H, W]``, white-balanced, so that the three colours agree on grey.
        pattern: Colours of the top left 2x2 cell.

    Returns:
        float32 ``[H, W, 3]``; overshoots may leave the range of `mosaic`.
    """
    green_here, rows, columns, across = (
        _filtered(mosaic, kernel)
        for kernel in (_AT_OTHER_COLOURS, _ALONG_ROWS, _ALONG_ROWS.T, _ACROSS)
    )
    colours = np.empty((*mosaic.shape, 3), np.float32)
    for position, colour in enumerate(pattern):
        at = slice(position // 2, None, 2), slice(position % 2, None, 2)
        if colour == "G":
            red_in_row = pattern[position ^ 1] == "R"
            colours[(*at, 0)] = (rows if red_in_row else columns)[at]
            colours[(*at, 1)] = mosaic[at]
            colours[(*at, 2)] = (columns if red_in_row else rows)[at]
        else:
            own, other = (0, 2) if colour == "R" else (2, 0)
            colours[(*at, own)] = mosaic[at]
            colours[(*at, 1)] = green_here[at]
            colours[(*at, other)] = across[at]
    return colours


def balanced_signal(
    frame: RawFrame, rows: slice, warmth: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> NDArray[np.float32]:
    """White-balanced signal of some rows: 1 is where the first colour saturates on grey.

    Args:
        frame: The raw.
        rows: Which rows; the first one must be even.
        warmth: Further factors on red, green and blue, to render a shifted white balance.

    Returns:
        float32 ``[rows, W]``, clipped to what every colour can reach, so that highlights stay
        white instead of turning magenta.
    """
    gains = np.array(warmth, np.float64) / np.array(frame.neutral)
    gains /= gains.min()
    signal = frame.cfa[rows].astype(np.float32)
    for position, (colour, black) in enumerate(zip(frame.pattern, frame.black, strict=True)):
        plane = signal[position // 2 :: 2, position % 2 :: 2]
        plane -= np.float32(black)
        plane *= np.float32(gains["RGB".index(colour)] / (frame.white - black))
    return np.clip(signal, 0, 1, out=signal)


def _filtered(mosaic: NDArray[np.float32], kernel: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.filter2D(mosaic, cv2.CV_32F, kernel / 8, borderType=cv2.BORDER_REFLECT_101), np.float32
    )
