"""What is already known around a coefficient, as one of a few context classes.

Magnitudes of wavelet coefficients come in clusters, so the best guess of the next magnitude is a
weighted sum of the magnitudes around it (Wu, *High-order context modeling and embedded conditional
entropy coding of wavelet coefficients*, 1997). Around it are the eight neighbours in its band, the
coefficient above it in the next coarser level (its parent), those at its place in bands and planes
coded before, and what guide and base say of the spot: how much sensor noise there must be, weighed
as errors are there, and whether it lies in texture, at an edge or in clipped highlights.

The neighbours that are not coded yet in this layer still count with what the layer before told of
them. All is unsigned integer arithmetic; the weights are stored, trained offline.

A band is coded in four groups, the phases of its 2x2 cells, each vectorised::

    0 2 0 2        group 0 knows its neighbours from the layer before only,
    3 1 3 1        group 1 all its diagonal ones as well, groups 2 and 3
    0 2 0 2        (first 2, then 3) all eight or six of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from rawback.residual.quantiser import CODES_PER_LAYER
from rawback.residual.wavelet import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rawback.residual.wavelet import Band

__all__ = [
    "CLASSES",
    "FEATURES",
    "LARGEST_NOISE",
    "LARGEST_WEIGHT",
    "PHASES",
    "PLACES",
    "REGIMES",
    "SPOTS",
    "ContextWeights",
    "Field",
    "class_of",
    "expected_at",
    "features",
    "inside",
    "place_of",
    "regime_of",
]

_Scalar = TypeVar("_Scalar", bound=np.generic)

PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))
"""First row and column of each group."""

CLASSES = 40
"""Number of context classes: predicted magnitudes in steps of a third of an octave."""

REGIMES = 8
"""Weights are trained apart for each octave of the step: where steps are finer than the noise,
neighbours tell little, and where they are coarse, almost everything."""

SPOTS = 5
"""What the guide says of a spot: smooth, textured, edge, clipped, not covered."""

PLACES = 2 * LEVELS + 1
"""Kinds of bands that expect different magnitudes: the low one, and two for each level."""

FEATURES = ("beside", "above", "diagonal", "parent", "parent_around", "sibling", "plane", "around")
"""The magnitudes that are weighted, as :func:`features` stacks them."""


@dataclass(frozen=True, slots=True)
class ContextWeights:
    """Trained weights, in units of ``2 ** -8``.

    Attributes:
        magnitude: uint16 ``[2, REGIMES, 3, 4, len(FEATURES)]``: first or refining layer, regime,
            kind of band (low, one axis high-pass, both), group, feature. At most LARGEST_WEIGHT.
        noise: uint16 ``[2, REGIMES, PLACES, 4, SPOTS]``: weight of the noise expected at a spot; by
            place from :func:`place_of`. At most LARGEST_NOISE.
    """

    magnitude: NDArray[np.uint16]
    noise: NDArray[np.uint16]


LARGEST_WEIGHT, LARGEST_NOISE = 1023, 4095
"""With these the sums of :func:`class_of` stay below ``2 ** 24``, so that float32 holds them."""


def regime_of(step_code: int) -> int:
    """0 for steps below half the noise's deviation, then one an octave, the last from 32 on."""
    return min(max(step_code - _FINEST_REGIME, 0) // CODES_PER_LAYER, REGIMES - 1)


def place_of(band: Band) -> int:
    """Row of the noise weights: 0 for the low band, else by level and number of high-pass axes."""
    high = band.high_x + band.high_y
    return 2 * band.level + high - 2 if high else 0


@dataclass(frozen=True, slots=True)
class Field:
    """Numbers of a band, the phases of its 2x2 cells apart.

    All neighbours of a phase then lie in one piece of memory each, at a fixed distance, so that
    sums over them run through memory in order. They are float32 for speed: whole numbers that stay
    below ``2 ** 24``, hence exact in any order.

    Attributes:
        shape: Rows and columns of the band.
        values: float32 ``[4, planes, cells]``: phase ``2 y + x``, then the cells with a border of
            one zero cell on each side, row by row.
    """

    shape: tuple[int, int]
    values: NDArray[np.float32]

    @classmethod
    def blank(cls, planes: int, shape: tuple[int, int]) -> Field:
        """A field of zeros."""
        rows, pitch = _bordered(shape)
        return cls(shape, np.zeros((4, planes, rows * pitch), dtype=np.float32))

    @property
    def pitch(self) -> int:
        """Cells from one row to the next."""
        return _bordered(self.shape)[1]

    def of_planes(self, planes: list[int]) -> Field:
        """A copy of some planes."""
        return Field(self.shape, self.values[:, planes])

    def inside(self, phase: int) -> NDArray[np.float32]:
        """View of a phase as :func:`inside` gives it."""
        return inside(self.values[phase], self.shape, phase)

    def as_parent(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The field as the parent of a band of `shape`: ``[planes, cells]`` of that band.

        A cell's parent is the coefficient in the row and column of the cell.
        """
        rows, pitch = _bordered(shape)
        whole = np.zeros((self.values.shape[1], rows, pitch), dtype=np.float32)
        for phase in range(4):
            y, x = divmod(phase, 2)
            target = whole[:, y + 1 : -1 : 2, x + 1 : -1 : 2]
            part = self.inside(phase)[:, : target.shape[1], : target.shape[2]]
            target[:, : part.shape[1], : part.shape[2]] = part
        return whole.reshape(len(whole), -1)


def inside(cells: NDArray[_Scalar], shape: tuple[int, int], phase: int) -> NDArray[_Scalar]:
    """View of the cells ``[planes, cells]`` of a phase that a band of `shape` has.

    Returns:
        ``[planes, rows, columns]``, the coefficients of the phase.
    """
    y, x = divmod(phase, 2)
    rows, columns = (shape[0] - y + 1) // 2, (shape[1] - x + 1) // 2
    shaped = cells.reshape(len(cells), *_bordered(shape))
    return shaped[:, 1 : rows + 1, 1 : columns + 1]


def _bordered(shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of a band's cells, the border included."""
    return (shape[0] + 1) // 2 + 2, (shape[1] + 1) // 2 + 2


def features(
    known: Field,
    parent: NDArray[np.float32],
    sibling: NDArray[np.float32],
    before: Field,
    group: int,
) -> tuple[Callable[[], NDArray[np.float32]], ...]:
    """Magnitudes around each coefficient of a group, each summed up when it is asked for.

    Args:
        known: The band's magnitudes as known now, in half steps.
        parent: The same of the parent band, from :meth:`Field.as_parent`.
        sibling: ``[planes, cells]``: sum of the magnitudes in the bands of this level coded before.
        before: Magnitudes in the plane coded before; of one plane.
        group: Index into PHASES.

    Returns:
        A function for each of FEATURES; it gives float32 ``[planes, cells]`` less the first and
        last ``pitch + 1`` cells, which lack neighbours; in the border the sums mean nothing.
    """
    y, x = PHASES[group]
    pitch = known.pitch
    rim = pitch + 1
    stop = sibling.shape[-1] - rim

    def at(values: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
        step = down * pitch + right
        return values[..., rim + step : stop + step]

    def beside(field: Field) -> NDArray[np.float32]:
        values = field.values[2 * y + 1 - x]
        return at(values, 0, x - 1) + at(values, 0, x)

    def above(field: Field) -> NDArray[np.float32]:
        values = field.values[2 * (1 - y) + x]
        return at(values, y - 1, 0) + at(values, y, 0)

    def diagonal() -> NDArray[np.float32]:
        values = known.values[2 * (1 - y) + 1 - x]
        pairs = values[..., :-1] + values[..., 1:]
        return at(pairs, y - 1, x - 1) + at(pairs, y, x - 1)

    return (
        lambda: beside(known),
        lambda: above(known),
        diagonal,
        lambda: at(parent, 0, 0),
        lambda: at(parent, -1, 0) + at(parent, 1, 0) + at(parent, 0, -1) + at(parent, 0, 1),
        lambda: at(sibling, 0, 0),
        lambda: at(before.values[2 * y + x], 0, 0),
        lambda: beside(before) + above(before),
    )


def class_of(
    found: Sequence[Callable[[], NDArray[np.float32]]],
    planes: int,
    expected: NDArray[np.float32],
    weights: NDArray[np.uint16],
) -> NDArray[np.uint8]:
    """Context class of each coefficient of a group.

    Args:
        found: From :func:`features`.
        planes: How many.
        expected: float32 ``[cells]``, from :func:`expected_at`.
        weights: ``[len(FEATURES)]`` row of :class:`ContextWeights`.

    Returns:
        uint8 ``[planes, cells]`` below CLASSES; in the border they mean nothing.
    """
    whole = np.empty((planes, len(expected)), dtype=np.float32)
    whole[...] = expected
    for feature, weight in zip(found, weights.tolist(), strict=True):
        if weight:
            part = feature()
            rim = (len(expected) - part.shape[-1]) // 2
            inner = whole[:, rim:-rim]
            if len(part) == planes:
                cv2.scaleAdd(part, weight, inner, dst=inner)
            else:
                inner += part * np.float32(weight)
    octaves = whole.view(np.uint32)
    octaves >>= _MANTISSA
    classes: NDArray[np.uint8] = cv2.LUT(octaves.astype(np.uint8), _CLASS_OF_OCTAVE)  # type: ignore[assignment]
    return classes


def expected_at(
    spots: NDArray[np.uint8],
    noise: NDArray[np.uint16],
    weights: NDArray[np.uint16],
    noise_level: int,
    phase: int,
) -> NDArray[np.float32]:
    """Magnitudes that the spots of a phase let expect before anything around them is known.

    Args:
        spots: uint8 ``[h, w]`` of the band, below SPOTS.
        noise: uint16 ``[h, w]`` of the band: the noise's standard deviation there, in 1/256.
        weights: ``[SPOTS]`` row of :class:`ContextWeights`.
        noise_level: Magnitude of noise of standard deviation 1, in half steps / 256.
        phase: ``2 y + x``.

    Returns:
        float32 ``[cells]``, whole numbers, half steps / 256; 0 in the border.
    """
    y, x = divmod(phase, 2)
    rows, columns = _bordered(spots.shape)
    cells = np.zeros((1, rows * columns), dtype=np.float32)
    of_spot = (weights.astype(np.int32) * noise_level) >> 8
    inside(cells, spots.shape, phase)[0] = of_spot[spots[y::2, x::2]] * noise[y::2, x::2] >> 8
    found: NDArray[np.float32] = cells[0]
    return found


def class_of_sums(sums: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Class of weighted sums: a third of an octave each, from 1/64 of a half step on."""
    edges: list[int] = []
    # 10/8, 13/8, 16/8 stand for the thirds of an octave; integer edges need no rounding rule.
    step = 4
    while len(edges) < CLASSES - 1:
        edges += [step * 10 // 8, step * 13 // 8, step * 2]
        step *= 2
    return np.searchsorted(edges[: CLASSES - 1], sums, side="right").astype(np.uint8)


def _class_of_octave() -> NDArray[np.uint8]:
    """Class of each float32 sum by the lowest 8 bits of its octave and eighth of an octave.

    No edge of a class lies within an eighth: sums below 8 have one each, and from there on edges
    are multiples of eighths. 0 shares the place of 2, and the class.
    """
    sums = np.append(0, (1 << np.arange(24)[:, None]) * (8 + np.arange(8)) >> 3)
    table = np.zeros(256, dtype=np.uint8)
    octaves = sums.astype(np.float32).view(np.uint32) >> _MANTISSA
    table[octaves.astype(np.uint8)] = class_of_sums(sums)
    return table


_FINEST_REGIME = 96
"""Step codes of the first regime end an octave above this one."""

_MANTISSA = 20
"""Bits of a float32 below its exponent and the first three of its mantissa."""

_CLASS_OF_OCTAVE = _class_of_octave()
