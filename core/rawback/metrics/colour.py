"""CIE colour: L*a*b* and the CIEDE2000 difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rawback.rendering import D65, SRGB_TO_XYZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["delta_e_2000", "delta_e_2000_of_planes", "lab_from_linear", "lab_from_relative"]

_Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.floating]]


def lab_from_linear(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE 1976 L*a*b* (white D65) of linear sRGB; float32 ``[..., 3]``."""
    relative = linear @ (SRGB_TO_XYZ / D65[:, None]).T.astype(np.float32)
    return np.stack(lab_from_relative(*np.moveaxis(relative, -1, 0)), axis=-1)


def lab_from_relative(x: _Array, y: _Array, z: _Array) -> tuple[_Array, _Array, _Array]:
    """CIE 1976 L*, a* and b* of CIE X, Y and Z, each divided by the white's."""
    x, y, z = _compressed(x), _compressed(y), _compressed(z)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _compressed(value: _Array) -> _Array:
    line = value * ((29 / 6) ** 2 / 3) + 4 / 29
    return np.where(value > (6 / 29) ** 3, np.cbrt(value), line)


def delta_e_2000(one: _Array, other: _Array) -> _Array:
    """CIEDE2000 colour difference (ISO/CIE 11664-6) of L*a*b* colours.

    Args:
        one: ``[..., 3]``.
        other: ``[..., 3]``.

    Returns:
        ``[...]`` of the inputs' type, at least 0; about 1 is just noticeable.
    """
    return delta_e_2000_of_planes(
        (one[..., 0], one[..., 1], one[..., 2]), (other[..., 0], other[..., 1], other[..., 2])
    )


_Lab: TypeAlias = tuple[_Array, _Array, _Array]


def delta_e_2000_of_planes(one: _Lab, other: _Lab) -> _Array:
    """`delta_e_2000` where L*, a* and b* are arrays of their own.

    Hue angles are worked with as unit vectors wherever the formula takes their cosines, which
    spares most of its trigonometry.
    """
    light_1, a_1, b_1 = one
    light_2, a_2, b_2 = other
    mean_chroma = (np.sqrt(a_1 * a_1 + b_1 * b_1) + np.sqrt(a_2 * a_2 + b_2 * b_2)) / 2
    stretch = 1.5 - 0.5 * _chroma_weight(mean_chroma)
    a_1 = a_1 * stretch
    a_2 = a_2 * stretch
    chroma_1, chroma_2 = np.sqrt(a_1 * a_1 + b_1 * b_1), np.sqrt(a_2 * a_2 + b_2 * b_2)
    cosine, sine = _mean_hue((a_1, b_1, chroma_1), (a_2, b_2, chroma_2))

    offset = (light_1 + light_2) / 2 - 50
    offset *= offset
    chroma = (chroma_1 + chroma_2) / 2
    l_term = (light_2 - light_1) / (1 + 0.015 * offset / np.sqrt(20 + offset))
    c_term = (chroma_2 - chroma_1) / (1 + 0.045 * chroma)
    h_term = _hue_step((a_1, b_1, chroma_1), (a_2, b_2, chroma_2))
    h_term /= 1 + 0.015 * chroma * _hue_weight(cosine, sine)
    # The rotation of blues, centred on a hue of 275 degrees.
    from_blue = np.arctan2(
        sine * _cos(275) - cosine * _sin(275), cosine * _cos(275) + sine * _sin(275)
    )
    blue = np.exp(-np.square(from_blue * (180 / np.pi / 25)))
    rotation = np.sin(blue * (np.pi / 3)) * (-2 * _chroma_weight(chroma))
    square = l_term * l_term + c_term * c_term + h_term * h_term + rotation * c_term * h_term
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def _sin(degrees: float) -> float:
    return float(np.sin(np.radians(degrees)))


def _chroma_weight(chroma: _Array) -> _Array:
    square = chroma * chroma
    seventh = square * square * square * chroma
    return np.asarray(np.sqrt(seventh / (seventh + 25.0**7)))


_Polar: TypeAlias = tuple[_Array, _Array, _Array]
"""A colour's a* (stretched) and b*, and the chroma of both."""


def _hue_step(one: _Polar, other: _Polar) -> _Array:
    """Twice the root of the chromas' product, times the sine of half the angle between the hues.

    By the cross product of steps, which is exact for small ones.
    """
    a_1, b_1, chroma_1 = one
    a_2, b_2, chroma_2 = other
    product = chroma_1 * chroma_2
    cross = a_1 * (b_2 - b_1) - b_1 * (a_2 - a_1)
    cosine = np.maximum((product + a_1 * a_2 + b_1 * b_2) / 2, 1e-12)
    return np.clip(cross / np.sqrt(cosine), -2 * np.sqrt(product), 2 * np.sqrt(product))


def _mean_hue(one: _Polar, other: _Polar) -> tuple[_Array, _Array]:
    """Cosine and sine of the hue halfway along the shorter turn; of a grey, the other's hue."""
    a_1, b_1, chroma_1 = one
    a_2, b_2, chroma_2 = other
    share_1, share_2 = 1 / np.maximum(chroma_1, 1e-9), 1 / np.maximum(chroma_2, 1e-9)
    cosine = a_1 * share_1 + a_2 * share_2
    sine = b_1 * share_1 + b_2 * share_2
    length = np.sqrt(cosine * cosine + sine * sine)
    opposite = (length < 1e-9) & (chroma_1 > 0) & (chroma_2 > 0)
    if opposite.any():
        # Neither turn is shorter: the standard takes the mean of both angles in [0, 360).
        first = (b_1 > 0) | ((b_1 == 0) & (a_1 > 0))
        cosine = np.where(opposite, np.where(first, -b_1 * share_1, -b_2 * share_2), cosine)
        sine = np.where(opposite, np.where(first, a_1 * share_1, a_2 * share_2), sine)
        length = np.where(opposite, 1, length)
    length = np.maximum(length, 1e-9)
    grey = (chroma_1 <= 0) & (chroma_2 <= 0)
    return np.where(grey, 1, cosine / length), sine / length


def _hue_weight(cosine: _Array, sine: _Array) -> _Array:
    """T of the standard, from cosine and sine of the mean hue."""
    cosine_2, sine_2 = 2 * cosine * cosine - 1, 2 * sine * cosine
    cosine_3, sine_3 = cosine * cosine_2 - sine * sine_2, sine * cosine_2 + cosine * sine_2
    cosine_4, sine_4 = 2 * cosine_2 * cosine_2 - 1, 2 * sine_2 * cosine_2
    weight = 1 - 0.17 * (_cos(30) * cosine + _sin(30) * sine)
    weight += 0.24 * cosine_2
    weight += 0.32 * (_cos(6) * cosine_3 - _sin(6) * sine_3)
    weight -= 0.20 * (_cos(63) * cosine_4 + _sin(63) * sine_4)
    return np.asarray(weight)
