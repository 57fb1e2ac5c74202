"""The two ways a raw lies in a carrier, in integers.

::

    Aligned   one of the eight orientations and a whole-pixel shift
    Warped    a homography, and a spline of local shifts if need be
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "MAX_SHIFT",
    "MAX_SIDE",
    "MESH_SPACINGS",
    "PERSPECTIVE_ONE",
    "POSITION_ONE",
    "STEP",
    "Aligned",
    "Mesh",
    "Transform",
    "Warped",
    "mesh_shape",
    "reference_side",
]

MAX_SIDE = 0xFFFF
"""The most rows or columns a raw or a carrier may have."""
STEP = 16
"""Raw pixels between the rows and columns at which warps are evaluated exactly."""
POSITION_ONE = 64
"""Positions and shifts are whole multiples of 1/64 carrier pixel."""
PERSPECTIVE_ONE = 1 << 20
"""Perspective weights are whole multiples of 2**-20."""
MAX_SHIFT = 4096 * POSITION_ONE
"""The largest shift a mesh node may have."""
MESH_SPACINGS = range(5, 13)
"""Binary logarithms of the allowed distances of mesh nodes, in raw pixels."""

_MAX_POSITION = (1 << 17) * POSITION_ONE
_MIN_WEIGHT = PERSPECTIVE_ONE // 16


@dataclass(frozen=True, slots=True)
class Aligned:
    """The raw, turned and moved by whole pixels.

    Raw pixel ``(x, y)`` lies at carrier pixel ``turned(x, y) + (dx, dy)``.

    Attributes:
        orientation: EXIF orientation, 1 to 8, that turns the raw's rows and columns into the
            carrier's.
        dx: Columns to add; negative where the carrier is cropped on the left.
        dy: Rows to add.
    """

    orientation: int = 1
    dx: int = 0
    dy: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.orientation <= 8 or max(abs(self.dx), abs(self.dy)) > MAX_SIDE:
            message = f"no such alignment: {self}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Mesh:
    """Local shifts, a uniform cubic B-spline surface over the raw frame.

    A spline of degree three holds the usual lens correction ``r * (1 + k * r**2)`` exactly,
    however far its nodes are apart: a barrel costs a few dozen nodes.

    Attributes:
        spacing: Binary logarithm of the nodes' distance in raw pixels.
        shifts: For each node in reading order its shift in x and in y, carrier pixels in
            multiples of 1/64. `mesh_shape` nodes, the first one step above and left of the frame.
    """

    spacing: int
    shifts: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.spacing not in MESH_SPACINGS or max(map(abs, self.shifts)) > MAX_SHIFT:
            message = "no such mesh"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Warped:
    """The raw seen through a homography, then shifted locally.

    With ``S = reference_side(raw size)``, ``s = x / S`` and ``t = y / S``, raw pixel ``(x, y)``
    lies at::

        origin * (1 - s - t) + right * (1 + g) * s + below * (1 + h) * t
        ----------------------------------------------------------------  + mesh(x, y)
                             1 + g * s + h * t

    Attributes:
        origin: Carrier position ``(x, y)`` of raw pixel ``(0, 0)``, in multiples of 1/64 pixel.
        right: That of raw position ``(S, 0)``.
        below: That of raw position ``(0, S)``.
        perspective: ``(g, h)`` in multiples of 2**-20.
        mesh: What the homography leaves.
    """

    origin: tuple[int, int]
    right: tuple[int, int]
    below: tuple[int, int]
    perspective: tuple[int, int] = (0, 0)
    mesh: Mesh | None = None

    def __post_init__(self) -> None:
        positions = (*self.origin, *self.right, *self.below)
        g, h = self.perspective
        # The weight is linear, so its extremes over the reference square are at the corners;
        # the upper bound keeps every product below 2**63.
        weights = [PERSPECTIVE_ONE + w for w in (0, g, h, g + h)]
        if (
            max(map(abs, positions)) > _MAX_POSITION
            or min(weights) < _MIN_WEIGHT
            or max(weights) > 2 * PERSPECTIVE_ONE
        ):
            message = "no such homography"
            raise ValueError(message)


Transform: TypeAlias = Aligned | Warped


def reference_side(raw_size: tuple[int, int]) -> int:
    """The least power of two that reaches past every row and column that is evaluated."""
    return 1 << (max(raw_size) + STEP - 1).bit_length()


def mesh_shape(raw_size: tuple[int, int], spacing: int) -> tuple[int, int]:
    """Rows and columns of a mesh over a raw of this width and height."""
    width, height = raw_size
    return ((height + STEP - 1) >> spacing) + 4, ((width + STEP - 1) >> spacing) + 4
