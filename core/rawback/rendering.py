"""One simple rendering that treats any two raws alike: for measures, and for pictures to compare.

White balance, interpolation of the missing colours or averaging of cells, the camera's matrix to
linear sRGB, exposure, the sRGB curve. No tone curve, no denoising, no sharpening: what differs
between two renderings is what differs between the raws.

The interpolation is gradient-corrected and linear (Malvar, He and Cutler, ICASSP 2004): each
missing colour is the mean of its neighbours, corrected by the Laplacian of the colour that is
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = [
    "D65",
    "HALO",
    "SRGB_TO_XYZ",
    "balanced_signal",
    "binned",
    "camera_to_srgb",
    "demosaic",
    "exposed",
    "from_srgb",
    "srgb_to_camera",
    "to_srgb",
]

SRGB_TO_XYZ: NDArray[np.float64] = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
"""Linear sRGB to CIE XYZ (IEC 61966-2-1)."""

D65: NDArray[np.float64] = SRGB_TO_XYZ.sum(axis=1)
"""XYZ of sRGB white."""

HALO = 2
"""Rows and columns of context that `demosaic` needs on each side of a part."""

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


def balanced_signal(
    frame: RawFrame,
    rows: slice = slice(None),
    columns: slice = slice(None),
    warmth: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> NDArray[np.float32]:
    """White-balanced signal of a part: 1 is where the first colour saturates on grey.

    Args:
        frame: The raw.
        rows: Which rows; the first one must be even.
        columns: Which columns; the first one must be even.
        warmth: Further factors on red, green and blue, to render a shifted white balance.

    Returns:
        float32 ``[rows, columns]``, clipped to what every colour can reach, so that highlights
        stay white instead of turning magenta.
    """
    gains = np.array(warmth, np.float64) / np.array(frame.shown_neutral)
    gains /= gains.min()
    signal = frame.cfa[rows, columns].astype(np.float32)
    for position, (colour, black) in enumerate(zip(frame.pattern, frame.black, strict=True)):
        plane = signal[position // 2 :: 2, position % 2 :: 2]
        plane -= np.float32(black)
        plane *= np.float32(gains["RGB".index(colour)] / (frame.white - black))
    return np.clip(signal, 0, 1, out=signal)


def demosaic(mosaic: NDArray[np.float32], pattern: str) -> NDArray[np.float32]:
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


def binned(mosaic: NDArray[np.float32], pattern: str, factor: int = 2) -> NDArray[np.float32]:
    """Average the samples of each colour over squares of the mosaic: a smaller picture.

    Args:
        mosaic: ``[H, W]``; rows and columns beyond the last whole square are left out.
        pattern: Colours of the top left 2x2 cell.
        factor: Side of a square in samples, even.

    Returns:
        float32 ``[H // factor, W // factor, 3]``.
    """
    height, width = (side // factor for side in mosaic.shape)
    whole = mosaic[: height * factor, : width * factor]
    colours = np.zeros((height, width, 3), np.float32)
    for position, colour in enumerate(pattern):
        plane = np.ascontiguousarray(whole[position // 2 :: 2, position % 2 :: 2])
        if factor > 2:
            mean = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
            plane = np.asarray(mean, np.float32)
        colours[..., "RGB".index(colour)] += plane * np.float32(0.5 if colour == "G" else 1)
    return colours


def exposed(
    camera: NDArray[np.float32], matrix: NDArray[np.float64], stops: float = 0.0
) -> NDArray[np.float32]:
    """What a display shows of white-balanced camera RGB.

    Args:
        camera: ``[H, W, 3]``.
        matrix: From `camera_to_srgb`.
        stops: Exposure compensation in EV.

    Returns:
        Linear sRGB, float32 ``[H, W, 3]`` in [0, 1].
    """
    light = np.asarray(cv2.transform(camera, matrix * 2.0**stops), np.float32)
    return np.clip(light, 0, 1, out=light)


def srgb_to_camera(color_matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB to white-balanced camera RGB: white stays (1, 1, 1), as raw converters assume."""
    matrix: NDArray[np.float64] = color_matrix @ SRGB_TO_XYZ
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float64)


def camera_to_srgb(frame: RawFrame) -> NDArray[np.float64]:
    """White-balanced camera RGB of `frame` to linear sRGB, ``[3, 3]``.

    The identity where the camera's matrix has no inverse.
    """
    matrix = np.array(frame.shown_matrix, np.float64).reshape(3, 3)
    if abs(np.linalg.det(matrix)) < 1e-6:
        return np.eye(3)
    return np.asarray(np.linalg.inv(srgb_to_camera(matrix)), np.float64)


def from_srgb(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Undo the sRGB transfer curve: codes, or floats in [0, 1], to linear float32 in [0, 1]."""
    if pixels.dtype == np.uint8:
        table = from_srgb(np.linspace(0, 1, 256, dtype=np.float32))
        return table[pixels]
    encoded = np.asarray(pixels, np.float32)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def to_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply the sRGB transfer curve to linear light, clipped to [0, 1]; float32 in [0, 1]."""
    light = np.clip(linear, 0, 1)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return encoded.astype(np.float32)


def _filtered(mosaic: NDArray[np.float32], kernel: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.filter2D(mosaic, cv2.CV_32F, kernel / 8, borderType=cv2.BORDER_REFLECT_101), np.float32
    )
