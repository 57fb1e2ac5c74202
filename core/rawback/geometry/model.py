"""A geometry, and its bytes.

::

    kind and orientation   1 byte: orientation - 1 in the lower three bits
      0 whole              nothing
      1 shifted            dx, dy
      2 plane              origin, right - origin, below - origin, perspective
      3 meshed             the same, then the spacing and each axis' shifts as differences of
                           differences along columns and rows

All numbers are variable-length (see `rawback.geometry.varint`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rawback.geometry.transform import (
    MAX_SIDE,
    MESH_SPACINGS,
    Aligned,
    Mesh,
    Transform,
    Warped,
    mesh_shape,
)
from rawback.geometry.varint import Reader, refuse, write_signed
from rawback.geometry.warp import is_steep, node_positions

__all__ = ["Geometry"]

_KIND_SHIFT = 3
_WHOLE, _SHIFTED, _PLANE, _MESHED = range(4)
_DISJOINT = Aligned(1, MAX_SIDE, 0)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where each pixel of one raw lies in one carrier.

    Attributes:
        raw_size: Width and height of the mosaic.
        carrier_size: Width and height of the carrier as it decodes.
        transform: The map between them.
    """

    raw_size: tuple[int, int]
    carrier_size: tuple[int, int]
    transform: Transform

    def __post_init__(self) -> None:
        if not all(1 <= side <= MAX_SIDE for side in (*self.raw_size, *self.carrier_size)):
            message = f"no such sizes: raw {self.raw_size}, carrier {self.carrier_size}"
            raise ValueError(message)
        if isinstance(self.transform, Warped) and is_steep(
            node_positions(self.transform, self.raw_size)
        ):
            message = "the map moves neighbouring raw pixels too far apart"
            raise ValueError(message)

    @classmethod
    def disjoint(cls, raw_size: tuple[int, int], carrier_size: tuple[int, int]) -> Geometry:
        """The geometry of a carrier that covers no pixel of the raw.

        Args:
            raw_size: Width and height of the mosaic, 1 to 65535.
            carrier_size: Width and height of the carrier, 1 to 65535.

        Returns:
            The raw moved past the right edge of every carrier there can be.
        """
        return cls(raw_size, carrier_size, _DISJOINT)

    @property
    def is_disjoint(self) -> bool:
        """Whether it is what `disjoint` gives: nothing then hangs on the carrier's pixels."""
        return self.transform == _DISJOINT

    def to_bytes(self) -> bytes:
        """Write the transform; the sizes are the header's business.

        Returns:
            One byte for a pure orientation, about 25 for a homography, else one to two more for
            each mesh node and axis.
        """
        return _write(self.transform, self.raw_size)

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
            PayloadDamaged: The bytes are cut, too long, or give an impossible transform.
        """
        try:
            return cls(raw_size, carrier_size, _read(data, raw_size))
        except ValueError:
            refuse()


def _write(transform: Transform, raw_size: tuple[int, int]) -> bytes:
    if isinstance(transform, Aligned):
        moved = transform.dx or transform.dy
        kind = _SHIFTED if moved else _WHOLE
        head = bytes([transform.orientation - 1 | kind << _KIND_SHIFT])
        return head + (write_signed(transform.dx, transform.dy) if moved else b"")
    origin, mesh = transform.origin, transform.mesh
    kind = _PLANE if mesh is None else _MESHED
    plane = write_signed(
        *origin,
        transform.right[0] - origin[0],
        transform.right[1] - origin[1],
        transform.below[0] - origin[0],
        transform.below[1] - origin[1],
        *transform.perspective,
    )
    head = bytes([kind << _KIND_SHIFT]) + plane
    if mesh is None:
        return head
    shifts = np.array(mesh.shifts, dtype=np.int64).reshape(*mesh_shape(raw_size, mesh.spacing), 2)
    steps = np.diff(np.diff(shifts, axis=0, prepend=0), axis=1, prepend=0)
    return head + bytes([mesh.spacing]) + write_signed(*steps.ravel().tolist())


def _read(data: bytes, raw_size: tuple[int, int]) -> Transform:
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
