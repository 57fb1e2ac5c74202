"""Colours of real sensors, for simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["CAMERA_MATRICES", "neutral_at"]

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
