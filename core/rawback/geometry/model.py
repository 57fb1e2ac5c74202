"""Where each raw pixel lies in the carrier: the values that say so, and their bytes.

Two kinds of placement cover what editors and cameras do::

    Aligned   one of the eight orientations and a whole-pixel shift      1 to 7 bytes
    Warped    a homography, and a spline of local shifts if need be      about 25 bytes, and more

All values are integers, so that encoder and decoder agree on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from rawback.geometry.varint import Reader, refuse, write_signed

__all__ = [
    "MAX_SHIFT",
    "MESH_SPACINGS",
    "PERSPECTIVE_ONE",
    "POSITION_ONE",
    "Aligned",
    "Geometry",
    "Mesh",
    "Placement",
    "Warped",
    "mesh_shape",
    "reference_side",
]

POSITION_ONE = 64
"""Positions and shifts are whole multiples of 1/64 carrier pixel."""
PERSPECTIVE_ONE = 1 << 20
"""Perspective weights are whole multiples of 2**-20."""
MAX_SHIFT = 4096 * POSITION_ONE
"""The largest shift a mesh node may have."""
MESH_SPACINGS = range(5, 13)
"""Binary logarithms of the allowed distances of mesh nodes, in raw pixels."""

_MAX_SIDE = 0xFFFF
_MAX_POSITION = (1 << 17) * POSITION_ONE
_MIN_WEIGHT = PERSPECTIVE_ONE // 4

_KIND_SHIFT = 3
_WHOLE, _SHIFTED, _PLANE, _MESHED = range(4)


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
        if not 1 <= self.orientation <= 8 or max(abs(self.dx), abs(self.dy)) > _MAX_SIDE:
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


Placement: TypeAlias = Aligned | Warped


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where each pixel of one raw lies in one carrier.

    Attributes:
        raw_size: Width and height of the mosaic.
        carrier_size: Width and height of the carrier as it decodes.
        placement: The map between them.
    """

    raw_size: tuple[int, int]
    carrier_size: tuple[int, int]
    placement: Placement = Aligned()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        if not all(1 <= side <= _MAX_SIDE for side in (*self.raw_size, *self.carrier_size)):
            message = f"no such sizes: raw {self.raw_size}, carrier {self.carrier_size}"
            raise ValueError(message)
        mesh = self.placement.mesh if isinstance(self.placement, Warped) else None
        if mesh is not None:
            rows, columns = mesh_shape(self.raw_size, mesh.spacing)
            if len(mesh.shifts) != 2 * rows * columns:
                message = f"{len(mesh.shifts)} shifts for {rows} x {columns} nodes"
                raise ValueError(message)

    def to_bytes(self) -> bytes:
        """Write the placement; the sizes are the header's business.

        Returns:
            One byte for a pure orientation, about 25 for a homography, else one to two more for
            each mesh node and axis.
        """
        return _write(self.placement, self.raw_size)

    @classmethod
    def from_bytes(
        cls, data: bytes, *, raw_size: tuple[int, int], carrier_size: tuple[int, int]
    ) -> Geometry:
        """Read what `to_bytes` wrote.

        Args:
            data: All of it, nothing behind it.
            raw_size: Width and height of the mosaic, 1 to 65535.
            carrier_size: Width and height of the carrier, 1 to 65535.

        Returns:
            The geometry.

        Raises:
            PayloadDamaged: The bytes are cut, too long, or give an impossible placement.
        """
        try:
            return cls(raw_size, carrier_size, _read(data, raw_size))
        except ValueError:
            refuse()


def reference_side(raw_size: tuple[int, int]) -> int:
    """The least power of two that no side of the raw exceeds: the ``S`` of `Warped`."""
    return 1 << (max(raw_size) - 1).bit_length()


def mesh_shape(raw_size: tuple[int, int], spacing: int) -> tuple[int, int]:
    """Rows and columns of a mesh over a raw of this width and height."""
    width, height = raw_size
    # Positions are evaluated up to the multiple of 16 that reaches past the last pixel.
    return (((height + 15) >> spacing) + 4), (((width + 15) >> spacing) + 4)


def _write(placement: Placement, raw_size: tuple[int, int]) -> bytes:
    if isinstance(placement, Aligned):
        moved = placement.dx or placement.dy
        kind = _SHIFTED if moved else _WHOLE
        head = bytes([placement.orientation - 1 | kind << _KIND_SHIFT])
        return head + (write_signed(placement.dx, placement.dy) if moved else b"")
    origin, mesh = placement.origin, placement.mesh
    kind = _PLANE if mesh is None else _MESHED
    plane = write_signed(
        *origin,
        placement.right[0] - origin[0],
        placement.right[1] - origin[1],
        placement.below[0] - origin[0],
        placement.below[1] - origin[1],
        *placement.perspective,
    )
    head = bytes([kind << _KIND_SHIFT]) + plane
    if mesh is None:
        return head
    shifts = np.array(mesh.shifts, dtype=np.int64).reshape(*mesh_shape(raw_size, mesh.spacing), 2)
    steps = np.diff(np.diff(shifts, axis=0, prepend=0), axis=1, prepend=0)
    return head + bytes([mesh.spacing]) + write_signed(*steps.ravel().tolist())


def _read(data: bytes, raw_size: tuple[int, int]) -> Placement:
    reader = Reader(data)
    head = reader.byte()
    kind, orientation = head >> _KIND_SHIFT, (head & 7) + 1
    if kind in (_WHOLE, _SHIFTED):
        dx, dy = reader.signed(2) if kind == _SHIFTED else (0, 0)
        reader.finish()
        return Aligned(orientation, dx, dy)
    if kind not in (_PLANE, _MESHED) or orientation != 1:
        refuse()
    x, y, right_x, right_y, below_x, below_y, g, h = reader.signed(8)
    mesh = None
    if kind == _MESHED:
        spacing = reader.byte()
        if spacing not in MESH_SPACINGS:
            refuse()
        rows, columns = mesh_shape(raw_size, spacing)
        steps = np.array(reader.signed(2 * rows * columns), dtype=np.int64)
        shifts = steps.reshape(rows, columns, 2).cumsum(axis=0).cumsum(axis=1)
        mesh = Mesh(spacing, tuple(shifts.ravel().tolist()))
    reader.finish()
    right, below = (x + right_x, y + right_y), (x + below_x, y + below_y)
    return Warped((x, y), right, below, (g, h), mesh)
