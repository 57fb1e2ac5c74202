"""The pointwise base at every pixel, in integers; the kernel is in ``kernels/base.c``.

Trilinear interpolation between the nodes of the table (see :mod:`.lut`), times a gain that is
bilinear between those of a coarse grid (see :mod:`.gain`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.types import Guide

__all__ = ["NO_GAINS", "base_colours"]

NO_GAINS = np.zeros((0, 0), dtype=np.int32)

_colours = Kernel(
    "base_colours",
    *(Read(np.int32, 2), Read(np.int32, 2), Integer, Integer, Integer, Read(np.int32, 1)),
    *(Read(np.uint8, 3), Read(np.uint8, 2), Write(np.int32, 3)),
)


def base_colours(
    nodes: NDArray[np.int32],
    guide: Guide,
    gains: NDArray[np.int32] = NO_GAINS,
    spacing: int = 0,
    origin: tuple[int, int] = (0, 0),
    uncovered: Sequence[int] = (0, 0, 0),
) -> NDArray[np.int32]:
    """Evaluate the table and the gains at every pixel of a window.

    Args:
        nodes: int32 ``[colours, 17, 17, 17]``: output colour, one to four, then guide R, G, B;
            magnitudes below 2**18.
        guide: The window's, ``[h, w]``.
        gains: int32 ``[rows, columns]`` in 1/256, magnitudes at most 255, that cover the window.
        spacing: Raw pixels between gains, a power of two; 0 for none.
        origin: Row and column of the window's first pixel in the frame.
        uncovered: Value of each colour where the mask is 0.

    Returns:
        int32 ``[colours, h, w]``.
    """
    count = len(nodes)
    found = np.empty((count, *guide.mask.shape), dtype=np.int32)
    # Up to a fourth value that nobody reads lets all of a node be loaded at once.
    table = np.zeros((nodes[0].size, 4), dtype=np.int32)
    table[:, :count] = nodes.reshape(count, -1).T
    bits = max(spacing.bit_length() - 1, 0)
    levels = np.array(uncovered, dtype=np.int32)
    _colours(table, gains, bits, *origin, levels, guide.pixels, guide.mask, found)
    return found
