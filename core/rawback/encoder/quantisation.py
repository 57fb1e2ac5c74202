"""Indices at coarser layers, and the points that decoded coefficients are restored to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.parallel import in_threads
from rawback.tone import UNIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.residual import Band, Quantiser

__all__ = ["coarse_layer", "coarsened", "lost_variance", "restoring_points"]

_coarsen_indices = Kernel(
    "coarsen_indices",
    *(Read(np.float32, 3), Read(np.float32, 1), Read(np.int32, 3), Integer),
    *(Write(np.int32, 3), Write(np.float64, 2)),
)


_ROWS = 4
"""One of so many rows tells what is lost."""

_LARGEST = 2.0
"""In standard deviations: errors that are larger are no noise, and count as this."""


def lost_variance(planes: NDArray[np.int16], values: NDArray[np.int16]) -> int:
    """How much of the noise's variance a payload does not restore, for the header.

    Args:
        planes: ``[planes, h, w]`` in the noise-normalised domain.
        values: What is restored of them.

    Returns:
        In 1/16 of it, 1 to 16.
    """

    def power(plane: int) -> float:
        error = np.subtract(planes[plane, ::_ROWS], values[plane, ::_ROWS], dtype=np.float32)
        error *= 1 / UNIT
        np.clip(error, -_LARGEST, _LARGEST, out=error)
        return float(np.square(error).mean(dtype=np.float64))

    powers = list(in_threads(power, range(len(planes))))
    return int(np.clip(round(16 * sum(powers) / len(powers)), 1, 16))


def coarsened(indices: NDArray[np.int32], octaves: int) -> NDArray[np.int32]:
    """Indices at a step that is ``2 ** octaves`` times as large."""
    # What is added to those below 0 has them rounded towards it as well.
    return (indices + (indices >> 31 & (1 << octaves) - 1)) >> octaves if octaves else indices


def coarse_layer(
    coefficients: Mapping[Band, NDArray[np.float32]],
    finest: Mapping[Band, NDArray[np.int32]],
    quantiser: Quantiser,
    octaves: int = 0,
) -> tuple[dict[Band, NDArray[np.int32]], NDArray[np.float64]]:
    """The indices of a layer, and how far into their intervals coefficients lie.

    Args:
        coefficients: Of a tile.
        finest: Their indices in the last layer.
        quantiser: Of the layer.
        octaves: By how many its steps are larger than the last layer's.

    Returns:
        The indices; and ``[2, 2]`` for :func:`restoring_points`: for indices of magnitude 1 and
        for larger ones, how many there are, and the sum of their places from 0, the near end of
        the interval, to 1. Sums of tiles add up.
    """
    sums = np.zeros((2, 2))
    indices = {}
    for band, values in finest.items():
        steps = [quantiser.step(band, component) for component in range(len(values))]
        factors = np.array([16 / step for step in steps], np.float32)
        indices[band] = np.empty(values.shape, np.int32)
        _coarsen_indices(coefficients[band], factors, values, octaves, indices[band], sums)
    return indices, sums


def restoring_points(sums: NDArray[np.float64]) -> tuple[int, int]:
    """Sixteenths of a step below the middle at which the mean coefficient lies: 0 to 7 each."""
    means = sums[:, 1] / np.maximum(sums[:, 0], 1)
    near, far = (int(np.clip(round(16 * (0.5 - mean)), 0, 7)) for mean in means)
    return near, far
