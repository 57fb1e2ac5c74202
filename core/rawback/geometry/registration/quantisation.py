"""From an estimated map to a transform in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.geometry.model import Geometry
from rawback.geometry.registration.initial_guess import aligned_matrix
from rawback.geometry.registration.surface import Surface, spline_basis
from rawback.geometry.transform import (
    MAX_SHIFT,
    MESH_SPACINGS,
    PERSPECTIVE_ONE,
    POSITION_ONE,
    Aligned,
    Mesh,
    Warped,
    mesh_shape,
    reference_side,
)
from rawback.orientation import oriented_size

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["quantise", "snap"]

_SNAP = 0.2
_SNAP_WHOLE = 0.5
_NEAR_TURN = 0.05
_MESH_ERROR, _WORST_MESH_ERROR = 0.02, 0.2
_SAMPLES = 48
_UNSEEN = 1e-3
"""Of the strongest influence on the frame, below which nodes are left where they are: those past
its edges would go anywhere."""


def snap(
    surface: Surface,
    raw_size: tuple[int, int],
    carrier_size: tuple[int, int],
    allowed: float = _SNAP,
) -> Aligned | None:
    """The whole-pixel alignment that a map means, if it means one.

    Args:
        surface: Raw to carrier positions.
        raw_size: Width and height of the mosaic.
        carrier_size: Those of the carrier.
        allowed: By how many carrier pixels positions may differ, root mean square over the covered
            raw.

    Returns:
        The alignment, or None. For the whole frame, neither cropped nor moved, at least 0.5 pixel
        is allowed: nobody warps by so little, but in a black-and-white rendering the lens's colour
        fringes look like that.
    """
    x, y = _grid(raw_size)
    at = surface.at(x, y)
    covered = ((at >= 0) & (at <= np.array(carrier_size) - 1)).all(axis=-1)
    if not covered.any():
        return None
    for orientation in range(1, 9):
        turned = Surface(aligned_matrix(orientation, raw_size))
        if np.abs(turned.matrix[:2, :2] - surface.matrix[:2, :2]).max() > _NEAR_TURN:
            continue
        moved = (at - turned.at(x, y))[covered]
        shift = np.round(moved.mean(axis=0))
        whole = not shift.any() and oriented_size(orientation, *raw_size) == carrier_size
        limit = max(_SNAP_WHOLE, allowed) if whole else allowed
        if np.sqrt(((moved - shift) ** 2).sum(axis=-1).mean()) <= limit:
            return Aligned(orientation, int(shift[0]), int(shift[1]))
    return None


def quantise(surface: Surface, raw_size: tuple[int, int]) -> Warped:
    """Round a map to integers, with the mesh that takes the fewest bytes.

    Args:
        surface: Raw to carrier positions.
        raw_size: Width and height of the mosaic.

    Returns:
        The warp; the rounded mesh follows the surface's shifts within about 0.02 pixel, or as
        nearly as any mesh does where a strong lens correction bends more than that.

    Raises:
        ValueError: The map is too steep to be written.
    """
    side = reference_side(raw_size)
    origin, right, below = (
        _units(surface.plane().at(np.array([x]), np.array([y]))[0, 0])
        for x, y in ((0.0, 0.0), (float(side), 0.0), (0.0, float(side)))
    )
    g, h = (round(float(slope) * side * PERSPECTIVE_ONE) for slope in surface.matrix[2, :2])
    plane = Warped(origin, right, below, (g, h))
    if surface.spline is None and surface.lens is None:
        return plane
    x, y = _grid(raw_size)
    shifts = surface.at(x, y) - surface.plane().at(x, y)
    meshes = [
        mesh for spacing in MESH_SPACINGS if (mesh := _mesh(shifts, raw_size, spacing)) is not None
    ]
    least = min((error for error, _ in meshes), default=_WORST_MESH_ERROR)
    if least >= _WORST_MESH_ERROR:
        message = "the shifts are too steep"
        raise ValueError(message)
    return min(
        (
            Warped(origin, right, below, (g, h), mesh)
            for error, mesh in meshes
            if error <= max(least, _MESH_ERROR)
        ),
        key=lambda warp: len(Geometry(raw_size, (1, 1), warp).to_bytes()),
    )


def _grid(raw_size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = (np.linspace(0, side - 1, _SAMPLES) for side in raw_size)
    return x, y


def _units(position: NDArray[np.float64]) -> tuple[int, int]:
    x, y = (round(float(value) * POSITION_ONE) for value in position)
    return x, y


def _mesh(
    shifts: NDArray[np.float64], raw_size: tuple[int, int], spacing: int
) -> tuple[float, Mesh] | None:
    """The mesh of this spacing nearest to shifts, and by how many pixels it errs at most."""
    x, y = _grid(raw_size)
    rows, columns = mesh_shape(raw_size, spacing)
    if max(rows, columns) > _SAMPLES // 2:
        return None
    tall, wide = (spline_basis(at, 1 << spacing, nodes) for at, nodes in ((y, rows), (x, columns)))
    upward, inward = (
        np.linalg.pinv(basis, rcond=_UNSEEN).astype(np.float64) for basis in (tall, wide)
    )
    nodes = _spread(upward, shifts, inward)
    units = np.round(nodes * POSITION_ONE).astype(np.int64)
    if np.abs(units).max() > MAX_SHIFT:
        return None
    error = float(np.abs(_spread(tall, units / POSITION_ONE, wide) - shifts).max())
    return error, Mesh(spacing, tuple(units.ravel().tolist()))


def _spread(
    tall: NDArray[np.float64], values: NDArray[np.float64], wide: NDArray[np.float64]
) -> NDArray[np.float64]:
    across = np.tensordot(wide, values, axes=(1, 1)).swapaxes(0, 1)
    spread: NDArray[np.float64] = np.tensordot(tall, across, axes=(1, 0))
    return spread
