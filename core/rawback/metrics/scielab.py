"""S-CIELAB: colour difference of two pictures as the eye resolves them at a viewing distance.

Zhang and Wandell, "A spatial extension of CIELAB for digital color-image reproduction" (Journal of
the Society for Information Display 5, 1997): each picture is taken apart into one channel of light
and dark and two of colour; each channel is blurred as far as the eye blurs it, colour far more than
light; and what is left is compared as CIE L*a*b* colours are, here by CIEDE2000.

Each blur is a sum of Gaussians, cut at half a degree as in the authors' program. The narrow
Gaussian of each channel works on pixels, the wide ones on means of `CELL` x `CELL` of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from rawback.metrics.colour import delta_e_2000_of_planes, lab_from_relative
from rawback.rendering import D65, SRGB_TO_XYZ

__all__ = ["CELL", "PIXELS_PER_DEGREE", "Observer", "Opponent"]

PIXELS_PER_DEGREE = 67.0
"""Of a display 3840 pixels and 0.7 m wide seen from 0.7 m: 3840 x 0.7 / 0.7 x tan(1 degree)."""

CELL = 4
"""Side in pixels of the squares whose means the wide Gaussians work on."""

OPPONENT: NDArray[np.float64] = np.array(
    [[0.279, 0.72, -0.107], [-0.449, 0.29, -0.077], [0.086, -0.59, 0.501]]
)
"""CIE XYZ to light-dark, red-green and blue-yellow (Poirson and Wandell, 1993)."""

GAUSSIANS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.921, 0.0283), (0.105, 0.133), (-0.108, 4.336)),
    ((0.531, 0.0392), (0.330, 0.494)),
    ((0.488, 0.0536), (0.371, 0.386)),
)
"""Of each channel: weights, and spreads s in degrees of ``exp(-(x**2 + y**2) / s**2)``."""

REACH = 0.5
"""Degrees at which the Gaussians are cut."""

_STEPS_VARIANCE = (CELL**2 - 1) / 12 + (CELL**2 - 1) / 6
"""Variance in pixels squared that means of cells and linear interpolation between them add."""

_CHUNK = 1 << 14
"""Pixels compared at a time: what they need stays in the processor's cache."""


Opponent: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Channel:
    """The blur of one channel: one-dimensional kernels, each of sum 1, and their weights."""

    narrow: NDArray[np.float32]
    wide: tuple[NDArray[np.float32], ...]
    weights: tuple[float, ...]


class Observer:
    """An eye at some distance from a display.

    Attributes:
        halo: Pixels of context that a part needs on each side; a multiple of `CELL`.
    """

    def __init__(self, pixels_per_degree: float = PIXELS_PER_DEGREE) -> None:
        reach = REACH * pixels_per_degree
        self._channels = tuple(_channel(terms, pixels_per_degree, reach) for terms in GAUSSIANS)
        self._opponent = OPPONENT @ SRGB_TO_XYZ
        self._relative = np.linalg.inv(OPPONENT) / D65[:, None]
        self.halo = CELL * (math.ceil(reach / CELL) + 1)

    def resolved(
        self, linear: NDArray[np.float32], part: tuple[slice, slice] = (slice(None), slice(None))
    ) -> Opponent:
        """What the eye resolves of a picture.

        Args:
            linear: Linear sRGB, ``[h, w, 3]`` in [0, 1]. Beyond its edges it is mirrored. Parts of
                one picture agree where each begins at multiples of `CELL`.
            part: Rows and columns that are wanted; the rest is context.

        Returns:
            Light-dark, red-green and blue-yellow of the part, float32 ``[rows, columns]`` each.
        """
        planes = cv2.split(np.asarray(cv2.transform(linear, self._opponent), np.float32))
        light, red_green, blue_yellow = (
            _blurred(channel, np.asarray(plane, np.float32))[part]
            for channel, plane in zip(self._channels, planes, strict=True)
        )
        return light, red_green, blue_yellow

    def differences(self, one: Opponent, other: Opponent) -> NDArray[np.float32]:
        """CIEDE2000 of what was `resolved` of two pictures, float32 ``[h, w]``."""
        height, width = one[0].shape
        result = np.empty((height, width), np.float32)
        step = max(1, _CHUNK // width)
        for top in range(0, height, step):
            rows = slice(top, top + step)
            first, second = (
                lab_from_relative(*self._over_white([plane[rows] for plane in planes]))
                for planes in (one, other)
            )
            result[rows] = delta_e_2000_of_planes(first, second)
        return result

    def _over_white(self, opponent: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """CIE X, Y and Z over the white's."""
        return [
            np.asarray(
                sum(np.float32(share) * plane for share, plane in zip(row, opponent, strict=True))
            )
            for row in self._relative
        ]


def _channel(
    terms: tuple[tuple[float, float], ...], pixels_per_degree: float, reach: float
) -> _Channel:
    total = sum(weight for weight, _ in terms)
    variances = [(spread * pixels_per_degree) ** 2 / 2 for _, spread in terms]
    wide = tuple(
        _kernel(max(variance - _STEPS_VARIANCE, 0) / CELL**2, reach / CELL)
        for variance in variances[1:]
    )
    return _Channel(
        _kernel(variances[0], min(reach, 4 * math.sqrt(variances[0]))),
        wide,
        tuple(weight / total for weight, _ in terms),
    )


def _kernel(variance: float, reach: float) -> NDArray[np.float32]:
    places = np.arange(-math.floor(reach), math.floor(reach) + 1)
    values = np.exp(-np.square(places) / (2 * max(variance, 1e-6)))
    return np.asarray(values / values.sum(), np.float32)


def _blurred(channel: _Channel, plane: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    below, right = -height % CELL, -width % CELL
    padded = np.asarray(cv2.copyMakeBorder(plane, 0, below, 0, right, cv2.BORDER_REFLECT))
    size = padded.shape[1] // CELL, padded.shape[0] // CELL
    coarse = np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.float32)
    total = np.zeros_like(coarse)
    for kernel, weight in zip(channel.wide, channel.weights[1:], strict=True):
        total += np.float32(weight) * _convolved(coarse, kernel)
    size = padded.shape[1], padded.shape[0]
    enlarged = np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_LINEAR), np.float32)
    narrow = _convolved(plane, channel.narrow)
    narrow *= np.float32(channel.weights[0])
    narrow += enlarged[:height, :width]
    return narrow


def _convolved(plane: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    blurred = cv2.sepFilter2D(plane, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)
