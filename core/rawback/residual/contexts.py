"""What is already known around a coefficient, as one of a few context classes.

Magnitudes of wavelet coefficients come in clusters, so the best guess of the next magnitude is a
weighted sum of the magnitudes around it (Wu, *High-order context modeling and embedded conditional
entropy coding of wavelet coefficients*, 1997). Around it are the eight neighbours in its band, the
coefficient above it in the next coarser level (its parent), those at its place in bands and planes
coded before, and what the guide says of the spot: how much sensor noise there must be and whether
it lies in texture, at an edge or in clipped highlights.

The neighbours that are not coded yet in this layer still count with what the layer before told of
them. All is unsigned integer arithmetic; the weights are stored, trained offline.

A band is coded in four groups, the phases of its 2x2 cells, each vectorised::

    0 2 0 2        group 0 knows its neighbours from the layer before only,
    3 1 3 1        group 1 all its diagonal ones as well, groups 2 and 3
    0 2 0 2        (first 2, then 3) all eight or six of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "CLASSES",
    "FEATURES",
    "PHASES",
    "REGIMES",
    "SPOTS",
    "ContextWeights",
    "class_of",
    "features",
    "regime_of",
]

PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))
"""First row and column of each group."""

CLASSES = 32
"""Number of context classes: predicted magnitudes in steps of a third of an octave."""

REGIMES = 3
"""What steers the codes is trained apart for fine, middling and coarse steps: where steps are finer
than the noise, neighbours tell little, and where they are coarse, almost everything."""

SPOTS = 5
"""What the guide says of a spot: smooth, textured, edge, clipped, not covered."""

FEATURES = ("beside", "above", "diagonal", "parent", "parent_around", "sibling", "plane", "around")
"""The magnitudes that are weighted, as :func:`features` stacks them."""

_CAP = 511
_FRACTION = 6


@dataclass(frozen=True, slots=True)
class ContextWeights:
    """Trained weights, in units of ``2 ** -6``.

    Attributes:
        magnitude: uint8 ``[2, REGIMES, 3, 4, len(FEATURES)]``: first or refining layer, regime,
            kind of band (low, one axis high-pass, both), group, feature.
        noise: uint8 ``[2, REGIMES, 3, 4, SPOTS]``: weight of the sensor noise expected at a spot.
    """

    magnitude: NDArray[np.uint8]
    noise: NDArray[np.uint8]


def regime_of(noise_level: int) -> int:
    """The regime of a band whose noise has this mean magnitude, in half steps / 16."""
    # With a step of one standard deviation the level is 26, with four it is 6.
    return 0 if noise_level >= 20 else 1 if noise_level >= 5 else 2


def features(
    known: NDArray[np.uint16],
    parent: NDArray[np.uint16],
    sibling: NDArray[np.uint16],
    before: NDArray[np.uint16],
    group: int,
) -> tuple[Callable[[], NDArray[np.uint16]], ...]:
    """Magnitudes around each coefficient of a group, each summed up when it is asked for.

    Args:
        known: uint16 ``[planes, h + 2, w + 2]``: the band's magnitudes as known now, in half
            steps, with a border of zeros.
        parent: The same of the parent band, bordered, or of this shape's half filled with zeros.
        sibling: ``[planes, h, w]``: sum of the magnitudes in the bands of this level coded before.
        before: ``[planes, h + 2, w + 2]``: magnitudes in the planes coded before, bordered.
        group: Index into PHASES.

    Returns:
        A function for each of FEATURES; it gives uint16 ``[planes, rows, columns]``.
    """
    y, x = PHASES[group]
    height, width = known.shape[1] - 2, known.shape[2] - 2
    rows, columns = (height - y + 1) // 2, (width - x + 1) // 2

    def at(dy: int, dx: int, source: NDArray[np.uint16] = known) -> NDArray[np.uint16]:
        top, left = y + dy + 1, x + dx + 1
        return source[:, top : top + 2 * rows - 1 : 2, left : left + 2 * columns - 1 : 2]

    def above(dy: int, dx: int) -> NDArray[np.uint16]:
        return parent[:, dy + 1 : dy + 1 + rows, dx + 1 : dx + 1 + columns]

    return (
        lambda: at(0, -1) + at(0, 1),
        lambda: at(-1, 0) + at(1, 0),
        lambda: at(-1, -1) + at(-1, 1) + at(1, -1) + at(1, 1),
        lambda: above(0, 0),
        lambda: above(-1, 0) + above(1, 0) + above(0, -1) + above(0, 1),
        lambda: sibling[:, y::2, x::2],
        lambda: at(0, 0, before),
        lambda: at(0, -1, before) + at(0, 1, before) + at(-1, 0, before) + at(1, 0, before),
    )


def class_of(
    found: Sequence[Callable[[], NDArray[np.uint16]]],
    planes: int,
    spots: NDArray[np.uint8],
    weights: NDArray[np.uint8],
    noise: NDArray[np.uint8],
    noise_level: int,
) -> NDArray[np.uint8]:
    """Context class of each coefficient of a group.

    Args:
        found: From :func:`features`.
        planes: How many.
        spots: uint8 ``[rows, columns]`` below SPOTS.
        weights: ``[len(FEATURES)]`` row of :class:`ContextWeights`.
        noise: ``[SPOTS]`` row of :class:`ContextWeights`.
        noise_level: Magnitude that the sensor's noise alone has here, in half steps / 16.

    Returns:
        uint8 ``[planes, rows, columns]`` below CLASSES.
    """
    total = (noise.astype(np.uint32) * np.uint32(noise_level) >> np.uint32(4))[spots]
    total = np.broadcast_to(total, (planes, *total.shape)).copy()
    for feature, weight in zip(found, weights, strict=True):
        if weight:
            total += np.multiply(feature(), np.uint32(weight), dtype=np.uint32)
    np.minimum(total, np.uint32(len(_CLASS_OF_SUM) - 1), out=total)
    found_classes: NDArray[np.uint8] = _CLASS_OF_SUM[total]
    return found_classes


def _class_table() -> NDArray[np.uint8]:
    """Class of each weighted sum: a third of an octave each, from a sixteenth of a half step."""
    edges = [0]
    # 10/8, 13/8, 16/8 stand for the thirds of an octave; integer edges need no rounding rule.
    step = 1 << (_FRACTION - 4)
    while len(edges) < CLASSES:
        edges += [step * 10 // 8, step * 13 // 8, step * 2]
        step *= 2
    table = np.zeros(1 << 16, dtype=np.uint8)
    for index, edge in enumerate(edges[1:CLASSES], start=1):
        table[edge:] = index
    return table


_CLASS_OF_SUM = _class_table()
