# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of a picture: a colour matrix and one tone curve for each of red, green and blue.

::

    white-balanced camera RGB --matrix--> linear RGB --x 2^exposure--> tone curve --> sRGB codes
                                              ^                                           |
                                              +------------- inverse tone curve <---------+
                                                                (JPEG pushed)

The look of a JPEG is fitted to the raw that it was made from, so that the raw is rendered as the
JPEG is, and the JPEG is taken back to linear light by the inverse of the same curves: pushed by
any exposure, both show the same colours wherever the JPEG still holds them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from rawback_gui.models.demosaic import camera_light
from rawback_gui.models.planes import cell_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import Guide, RawFrame

__all__ = ["Look", "fit_look", "linear_look", "neutral_look"]

_Scalar = TypeVar("_Scalar", bound=np.generic)

_D65_WHITE = np.array([0.9504559, 1.0, 1.0890578])
_XYZ_TO_SRGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
_NODES = 65
_REACH = 1.1
_AXIS = np.linspace(0, _REACH, _NODES)
"""Nodes of tone curves, as square roots of linear values."""

_CODES = 1 << 14

# Of the fit.
_SAMPLES = 25_000
_FINEST, _SQUARE = 4, 8
"""Least distance of the squares that are compared, and their largest side, in raw pixels."""

_FEWEST_SAMPLES = 500
_ROUNDS = 8
_SMOOTHNESS, _TOWARDS_PRIOR = 3.0, 2e-3
_MATRIX_RIDGE = 2e-3
_NEARLY_WHITE = 253.0
_BEND = 12.0
"""Residual, in codes, from which a sample counts less."""


@dataclass(frozen=True)
class Look:
    """A rendering of camera light.

    Attributes:
        matrix: float64 ``[3, 3]``: white-balanced camera RGB to linear RGB; rows sum to 1.
        tones: float64 ``[3, n]``: sRGB codes, 0 to 255, at the squares of `axis`, rising.
        axis: float64 ``[n]``.
    """

    matrix: NDArray[np.float64]
    tones: NDArray[np.float64]
    axis: NDArray[np.float64]

    def develop(self, light: NDArray[np.float32], exposure: float) -> NDArray[np.uint8]:
        """Render camera light.

        Args:
            light: float32 ``[h, w, 3]``, white-balanced, 1 where white clips.
            exposure: Stops.

        Returns:
            uint8 ``[h, w, 3]``: sRGB codes.
        """
        # Beyond white, colours would turn: sensors clip one colour after the other.
        light = np.minimum(light, np.float32(1))
        matrix = (self.matrix * 2.0**exposure).astype(np.float32)
        return self._coded(np.asarray(cv2.transform(light, matrix), np.float32))

    def push(
        self,
        pixels: NDArray[np.uint8],
        exposure: float,
        gains: tuple[float, float, float],
        made_with: Look,
    ) -> NDArray[np.uint8]:
        """Render a finished JPEG again, as if it were the raw.

        Args:
            pixels: uint8 ``[h, w, 3]``: sRGB codes.
            exposure: Stops.
            gains: Of camera red, green and blue: how the white balance differs from the JPEG's.
            made_with: The look that the pixels have.

        Returns:
            uint8 ``[h, w, 3]``: sRGB codes; `pixels` itself where nothing is to change.
        """
        if made_with is self and exposure == 0 and gains == (1.0, 1.0, 1.0):
            return pixels
        tables = made_with._linear_of_codes
        linear = np.stack([tables[c][pixels[..., c]] for c in range(3)], axis=-1)
        balance = self.matrix @ np.diag(gains) @ np.linalg.inv(self.matrix)
        matrix = (balance * 2.0**exposure).astype(np.float32)
        return self._coded(np.asarray(cv2.transform(linear, matrix), np.float32))

    @cached_property
    def white_point(self) -> float:
        """Where green first reaches the highest code, in linear RGB: what a JPEG clips at."""
        return float(self._linear_of_codes[1][-1])

    def _coded(self, linear: NDArray[np.float32]) -> NDArray[np.uint8]:
        # Codes are looked up at even steps of the square root, as fine in shadows as eyes are.
        steps = np.sqrt(np.clip(linear, 0, _REACH * _REACH)) * np.float32((_CODES - 1) / _REACH)
        index = steps.astype(np.uint16)
        tables = self._codes_of_steps
        coded = [tables[channel][index[..., channel]] for channel in range(3)]
        return np.stack(coded, axis=-1)

    @cached_property
    def _codes_of_steps(self) -> list[NDArray[np.uint8]]:
        steps = np.linspace(0, _REACH, _CODES)
        return [
            np.rint(np.clip(np.interp(steps, self.axis, tone), 0, 255)).astype(np.uint8)
            for tone in self.tones
        ]

    @cached_property
    def _linear_of_codes(self) -> list[NDArray[np.float32]]:
        codes = np.arange(256)
        # A curve may be flat at its ends; there the least light that gives the code counts.
        return [
            (np.interp(codes, tone + 1e-6 * np.arange(tone.size), self.axis) ** 2).astype(
                np.float32
            )
            for tone in self.tones
        ]


def neutral_look(frame: RawFrame) -> Look:
    """The camera's own colours with the curve of sRGB and nothing else."""
    return Look(_camera_matrix(frame), np.tile(255 * _srgb(_FINE**2), (3, 1)), _FINE)


def linear_look(frame: RawFrame) -> Look:
    """The same with codes proportional to light."""
    return Look(_camera_matrix(frame), np.tile(255 * np.minimum(_FINE**2, 1), (3, 1)), _FINE)


def fit_look(frame: RawFrame, guide: Guide) -> Look | None:
    """The look of a JPEG.

    Alternates between the curves, given the matrix, and the matrix, given the curves: both are
    linear least squares, kept close to the neutral look where the picture does not tell.

    Args:
        frame: The raw.
        guide: The JPEG on the raw's grid.

    Returns:
        None where too little of the raw is in the JPEG to tell.
    """
    light, codes = _samples(frame, guide)
    if len(light) < _FEWEST_SAMPLES:
        return None
    matrix = prior_matrix = _camera_matrix(frame)
    inner = (codes.max(axis=1) < 245) & (codes.min(axis=1) > 5)
    if inner.sum() < _FEWEST_SAMPLES // 2:
        return None
    green = np.maximum(light[inner] @ matrix[1], 1e-4)
    gain = float(np.median(_linear(codes[inner, 1] / 255) / green))
    prior = 255 * _srgb(gain * _AXIS**2)
    for _ in range(_ROUNDS):
        linear = light @ matrix.T
        tones = [_fit_tone(linear[:, c], codes[:, c], prior) for c in range(3)]
        matrix = np.array(
            [
                _fit_row(light[inner], linear[inner, c], codes[inner, c], tones[c], prior_matrix[c])
                for c in range(3)
            ]
        )
    linear = light @ matrix.T
    curves = np.array([_fit_tone(linear[:, c], codes[:, c], prior) for c in range(3)])
    # Averages of what nearly clips end just below the highest code, which is where it clips.
    return Look(matrix, np.where(curves > _NEARLY_WHITE, 255.0, curves), _AXIS)


def _samples(frame: RawFrame, guide: Guide) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Light and codes of small squares, spread over the frame, that are smooth."""
    # Squares of whole patterns, which fit together to a mosaic like the frame's.
    cell = math.lcm(*cell_of(frame.mosaic))
    pixels_each = frame.width * frame.height / _SAMPLES
    spacing = max(int(math.sqrt(pixels_each)) // cell * cell, -(-_FINEST // cell) * cell)
    side = min(spacing, max(_SQUARE // cell * cell, cell))
    light = camera_light(
        _squares(frame.cfa, spacing, side, cell), frame, frame.shown_neutral, halved=True
    )
    # As it is rendered: what the sensor clips is white, and tells where the JPEG has its white.
    light = np.minimum(light, np.float32(1))
    pixels = _squares(guide.pixels, spacing, side, cell).astype(np.float32)
    mask = _squares(guide.mask, spacing, side, cell).astype(np.float32)
    size = pixels.shape[1] // side, pixels.shape[0] // side

    def averaged(array: NDArray[np.float32]) -> NDArray[np.float64]:
        small = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float64).reshape(size[0] * size[1], -1)

    codes = averaged(pixels)
    # Curves bend: the code of an average is the average of codes only where little varies.
    spread = np.sqrt(np.maximum(averaged(pixels**2) - codes**2, 0)).max(axis=1)
    covered = averaged(mask)[:, 0] > 0.999
    kept = covered
    if kept.any():
        kept = kept & (spread <= max(float(np.quantile(spread[kept], 0.7)), 4.0))
    return averaged(light)[kept], codes[kept]


def _squares(array: NDArray[_Scalar], spacing: int, side: int, cell: int) -> NDArray[_Scalar]:
    """Squares at even distances, put together: ``[rows * side, columns * side, ...]``."""
    rows, columns = (max(length // spacing, 1) for length in array.shape[:2])
    high, wide = (min(spacing, length // cell * cell) for length in array.shape[:2])
    whole = array[: rows * high, : columns * wide]
    parts = whole.reshape(rows, high, columns, wide, *array.shape[2:])[:, :side, :, :side]
    shape = (rows * parts.shape[1], columns * parts.shape[3], *array.shape[2:])
    return np.ascontiguousarray(parts).reshape(shape)


def _fit_tone(
    linear: NDArray[np.float64], codes: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A rising curve through samples: smooth, and near another where there are none."""
    place = np.sqrt(np.maximum(linear, 0))
    index = np.clip(np.searchsorted(_AXIS, place) - 1, 0, _NODES - 2)
    share = np.clip((place - _AXIS[index]) / (_AXIS[1] - _AXIS[0]), 0, 1)
    residual = codes - np.interp(place, _AXIS, prior)
    gram, moment = np.zeros((_NODES, _NODES)), np.zeros(_NODES)
    for row, weight in ((index, 1 - share), (index + 1, share)):
        np.add.at(moment, row, weight * residual)
        for column, other in ((index, 1 - share), (index + 1, share)):
            np.add.at(gram, (row, column), weight * other)
    bends = np.diff(np.eye(_NODES), 2, axis=0)
    each = len(linear) / _NODES
    gram += each * (_SMOOTHNESS * bends.T @ bends + _TOWARDS_PRIOR * np.eye(_NODES))
    curve = np.maximum.accumulate(prior + np.linalg.solve(gram, moment))
    return np.asarray(np.clip(curve, 0, 255))


def _fit_row(
    light: NDArray[np.float64],
    linear: NDArray[np.float64],
    codes: NDArray[np.float64],
    tone: NDArray[np.float64],
    prior: NDArray[np.float64],
) -> NDArray[np.float64]:
    """A row of the matrix, summing to 1, that brings light to where the curve has the codes."""
    wanted = np.interp(codes, tone + 1e-4 * np.arange(_NODES), _AXIS) ** 2
    slope = np.gradient(tone, _AXIS**2)
    weight = np.clip(np.interp(np.sqrt(np.maximum(linear, 0)), _AXIS, slope), 1, 3000)
    weight /= np.sqrt(np.maximum(1, np.abs(wanted - linear) * weight / _BEND))
    weighed = light * weight[:, None]
    # Within rows that sum to 1, a row differs from the prior along these two.
    along = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    part = weighed @ along.T
    ridge = _MATRIX_RIDGE * (weighed**2).sum() / 3
    gram = part.T @ part + ridge * np.eye(2)
    moved = np.linalg.solve(gram, part.T @ (wanted * weight - weighed @ prior))
    return np.asarray(prior + moved @ along)


def _camera_matrix(frame: RawFrame) -> NDArray[np.float64]:
    """White-balanced camera RGB to linear sRGB, white to white."""
    to_camera = np.array(frame.shown_matrix).reshape(3, 3)
    if abs(np.linalg.det(to_camera)) < 1e-6:
        return np.eye(3)
    # Rows are scaled so that what was balanced to grey stays grey.
    to_srgb = np.linalg.inv(to_camera @ np.linalg.inv(_XYZ_TO_SRGB))
    as_shot = to_srgb @ np.diag(to_camera @ _D65_WHITE)
    return np.asarray(as_shot / as_shot.sum(axis=1, keepdims=True))


def _srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.clip(linear, 0, 1)
    power = 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, power)


def _linear(code: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


_FINE = np.linspace(0, _REACH, 1025)
"""Nodes of curves that are known everywhere."""
