"""The few colour facts that simulation, rendering and edit metrics share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = [
    "CAMERA_MATRICES",
    "D65",
    "SRGB_TO_XYZ",
    "camera_to_srgb",
    "from_srgb",
    "neutral_at",
    "srgb_to_camera",
    "to_srgb",
]

SRGB_TO_XYZ: NDArray[np.float64] = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
"""Linear sRGB to CIE XYZ (IEC 61966-2-1)."""

D65: NDArray[np.float64] = SRGB_TO_XYZ.sum(axis=1)
"""XYZ of sRGB white."""

CAMERA_MATRICES: dict[str, NDArray[np.float64]] = {
    name: np.array(values, np.float64).reshape(3, 3) / 10_000
    for name, values in {
        "Canon EOS 5D Mark II": (4716, 603, -830, -7798, 15474, 2480, -1496, 1937, 6651),
        "Canon EOS 550D": (6941, -1164, -857, -3825, 11597, 2534, -416, 1540, 6039),
        "Nikon D700": (8139, -2171, -663, -8747, 16541, 2295, -1925, 2008, 8093),
        "Nikon D90": (7309, -1403, -519, -8474, 16008, 2622, -2434, 2826, 8064),
        "Sony ILCE-7": (5271, -712, -347, -6153, 13653, 2763, -1601, 2366, 7242),
        "Olympus E-M5": (8380, -2630, -639, -2887, 10725, 2496, -627, 1427, 5438),
        "Pentax K-5": (8713, -2833, -743, -4342, 11900, 2772, -722, 1543, 6247),
    }.items()
}
"""XYZ (D65) to camera RGB of real sensors, as their DNG ColorMatrix gives it."""


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


def srgb_to_camera(color_matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB to white-balanced camera RGB: white stays (1, 1, 1), as raw converters assume."""
    matrix: NDArray[np.float64] = color_matrix @ SRGB_TO_XYZ
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float64)


def camera_to_srgb(frame: RawFrame) -> NDArray[np.float64]:
    """White-balanced camera RGB of `frame` to linear sRGB."""
    matrix = np.array(frame.color_matrix, np.float64).reshape(3, 3)
    return np.asarray(np.linalg.inv(srgb_to_camera(matrix)), np.float64)


def neutral_at(color_matrix: NDArray[np.float64], kelvin: float) -> tuple[float, float, float]:
    """Camera RGB, green = 1, of a white under a black body of 1667 to 25000 K.

    The chromaticity follows the cubic spline fit of Kim et al. (US patent 7024034).
    """
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
    else:
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390
    if kelvin <= 2222:
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
    elif kelvin <= 4000:
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
    else:
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483
    red, green, blue = color_matrix @ np.array([x / y, 1, (1 - x - y) / y])
    return float(red / green), 1.0, float(blue / green)
