"""A few samples of the raw kept as they are, and interpolation between them along the guide.

The idea is that of Punnappurath and Brown, "Spatially aware metadata for raw reconstruction" (WACV
2021): samples on a uniform grid; where they were not taken, radial basis functions of place *and*
guide colour, fitted tile by tile, say what they would have been::

    value(x, y, r, g, b) = sum over samples i of w_i |p - p_i|  +  an affine function of p

What is added here: the samples are rounded to 10 bits in the domain they come in and coded as a
small image, where the paper counts 16 bits for each, and a ridge keeps their noise from being
interpolated too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from rawback_lab.plane_codecs import PlaneCodec, fill, jpegxl_lossless

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Samples", "interpolate", "sample"]

_BITS = 10
_TOP = (1 << _BITS) - 1

_TILE, _MARGIN = 10, 2
"""Samples along a tile's side, and around it, that its function is fitted to."""

_COLOUR_SCALE = 60.0
"""Distances between samples that a step from black to white counts as."""

_RIDGE = 4.0
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples on a uniform grid.

    Attributes:
        size: Bytes of the stream that holds them.
        values: float32 ``[C, m, n]``, as they come out of it.
        shape: Height and width of the planes they were taken from.
    """

    size: int
    values: NDArray[np.float32]
    shape: tuple[int, int]


def sample(planes: NDArray[np.float32], budget: int, tries: dict[float, int]) -> Samples | None:
    """Keep as many samples as fit.

    Args:
        planes: ``[C, h, w]``, from 0 to a little above 1.
        budget: Bytes.
        tries: Sizes by the logarithm of the number of places, as :func:`fill` keeps them.

    Returns:
        The samples; None where not even four places fit.
    """
    codes = np.clip(np.rint(planes * _TOP), 0, _TOP).astype(np.uint16)
    _, height, width = planes.shape
    codec = PlaneCodec("sam", _encode, _decode, 2.0, math.log2(height * width))
    stream = fill(codec, codes, budget, tries)
    if stream is None:
        return None
    decoded = _decode(stream, (len(planes), height, width))
    return Samples(len(stream), decoded.astype(np.float32) / np.float32(_TOP), (height, width))


def interpolate(samples: Samples, colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the samples and the guide say of all the planes.

    Args:
        samples: The samples.
        colours: The guide where each value of the planes is, ``[C, h, w, 3]``.

    Returns:
        float32 ``[C, h, w]``.
    """
    # Where all planes see the same colours, one system serves them all.
    shared = colours.strides[0] == 0
    groups = [slice(None)] if shared else [slice(c, c + 1) for c in range(len(colours))]
    result = np.empty((len(colours), *samples.shape), np.float32)
    starts = [range(0, count, _TILE) for count in samples.values.shape[1:]]
    for group, corner in product(groups, product(*starts)):
        rows, columns = map(partial(_tile, samples), (0, 1), corner)
        fitted = _Function.through(samples, colours[group.start or 0], group, rows, columns)
        inside = _pixels(samples, 0, corner[0]), _pixels(samples, 1, corner[1])
        result[(group, *inside)] = fitted.at(colours[group.start or 0][inside], inside)
    return result


def _encode(codes: NDArray[np.uint16], quality: float) -> bytes:
    """Code about ``2 ** quality`` places of all planes, one plane below the other."""
    _, height, width = codes.shape
    spacing = math.sqrt(height * width / 2**quality)
    sides = (min(max(2, round(side / spacing)), side) for side in (height, width))
    rows, columns = (_places(side, n) for side, n in zip((height, width), sides, strict=True))
    kept = codes[:, rows][:, :, columns]
    return jpegxl_lossless(np.ascontiguousarray(kept.reshape(-1, kept.shape[2])), _BITS)


def _decode(stream: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    image = np.asarray(imagecodecs.jpegxl_decode(stream), np.uint16)
    return image.reshape(shape[0], -1, image.shape[1])


def _places(side: int, count: int) -> NDArray[np.int64]:
    """The middles of `count` equal parts of a side."""
    return (2 * np.arange(count) + 1) * side // (2 * count)


def _tile(samples: Samples, axis: int, first: int) -> slice:
    """Samples of a tile and around it, along an axis."""
    return slice(
        max(first - _MARGIN, 0), min(first + _TILE + _MARGIN, samples.values.shape[axis + 1])
    )


def _pixels(samples: Samples, axis: int, first: int) -> slice:
    """What a tile covers along an axis."""
    side, count = samples.shape[axis], samples.values.shape[axis + 1]
    return slice(first * side // count, min(first + _TILE, count) * side // count)


@dataclass(frozen=True, slots=True)
class _Function:
    """The radial basis functions of a tile.

    Attributes:
        centres: float32 ``[n, 5]``: places of its samples in row, column and colour.
        weights: float32 ``[n + 6, planes]``: of the distances to them, of a constant, of each axis.
        spacing: Pixels between samples along both axes.
        middle: What counts as place 0 of all five axes.
    """

    centres: NDArray[np.float32]
    weights: NDArray[np.float32]
    spacing: tuple[float, float]
    middle: NDArray[np.float32]

    @classmethod
    def through(
        cls,
        samples: Samples,
        colours: NDArray[np.uint8],
        planes: slice,
        rows: slice,
        columns: slice,
    ) -> _Function:
        _, m, n = samples.values.shape
        spacing = samples.shape[0] / m, samples.shape[1] / n
        places = _places(samples.shape[0], m)[rows], _places(samples.shape[1], n)[columns]
        seen = colours[np.ix_(*places)]
        centres = _features(seen, places, spacing)
        middle = centres.mean(axis=0)
        centres = centres - middle
        values = samples.values[planes, rows, columns]
        wanted = values.reshape(len(values), -1).T.astype(np.float64)
        count = len(centres)
        affine = np.concatenate([np.ones((count, 1)), centres], axis=1)
        # The distance is conditionally negative definite, so its negative takes the ridge. The
        # tail's own small one decides where all samples have one colour.
        tail = np.diag([0.0, *(-1e-3,) * 5])
        matrix = np.block([[_RIDGE * np.eye(count) - _distances(centres, centres), affine],
                           [affine.T, tail]])  # fmt: skip
        right = np.concatenate([wanted, np.zeros((6, wanted.shape[1]))])
        return cls(centres, np.linalg.solve(matrix, right).astype(np.float32), spacing, middle)

    def at(self, colours: NDArray[np.uint8], inside: tuple[slice, slice]) -> NDArray[np.float32]:
        """Values ``[planes, rows, columns]`` of the pixels that have these colours."""
        rows, columns = (np.arange(part.start, part.stop) for part in inside)
        planes = self.weights.shape[1]
        result = np.empty((planes, len(rows), len(columns)), np.float32)
        step = max(1, _CHUNK // max(len(columns), 1))
        for first in range(0, len(rows), step):
            part = slice(first, first + step)
            places = _features(colours[part], (rows[part], columns), self.spacing) - self.middle
            values = self.weights[-6] - _distances(places, self.centres) @ self.weights[:-6]
            values += places @ self.weights[-5:]
            result[:, part] = values.T.reshape(planes, -1, len(columns))
        return result


def _features(
    colours: NDArray[np.uint8],
    places: tuple[NDArray[np.int64], NDArray[np.int64]],
    spacing: tuple[float, float],
) -> NDArray[np.float32]:
    """Row and column in samples, and colour, ``[rows * columns, 5]``."""
    grid = np.meshgrid(*(p / s for p, s in zip(places, spacing, strict=True)), indexing="ij")
    seen = colours.reshape(-1, 3) * (_COLOUR_SCALE / 255)
    return np.column_stack([*(axis.ravel() for axis in grid), seen]).astype(np.float32)


def _distances(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1) - 2 * (one @ other.T)
    return np.asarray(np.sqrt(np.maximum(squares, 0, out=squares)), np.float32)
