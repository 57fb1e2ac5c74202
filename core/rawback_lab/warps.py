"""Carriers that show a raw turned, cropped, scaled and bent, by maps known to the last digit.

A `Warp` says where each raw pixel lies in the carrier, and makes that carrier from an upright,
uncropped rendering; `WARPS` lists what cameras, raw developers and editors do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from rawback.geometry import Aligned, Geometry
from rawback.geometry.registration.initial_guess import aligned_matrix
from rawback.geometry.registration.quantisation import quantise
from rawback.geometry.registration.surface import Lens, Surface
from rawback.geometry.transform import STEP
from rawback.geometry.warp import FINE_ONE, node_positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["WARPS", "Warp", "WarpMaker"]

_INVERSIONS = 25
_PROBES = 48


@dataclass(frozen=True)
class Warp:
    """How a carrier shows a raw: bent about the raw's centre first, then by a homography.

    Attributes:
        raw_size: Width and height of the raw.
        carrier_size: Those of the carrier.
        matrix: Straightened raw positions to carrier positions, float64 ``[3, 3]``.
        bend: Coefficients ``(a, b)``: a point at radius r, 1 in the corners, moves to
            ``r * (1 + a * r**2 + b * r**4)``.
    """

    raw_size: tuple[int, int]
    carrier_size: tuple[int, int]
    matrix: NDArray[np.float64]
    bend: tuple[float, float] = (0.0, 0.0)

    @property
    def scale(self) -> float:
        """Carrier pixels to a raw pixel, in the middle of the raw."""
        x, y = (np.array(self.raw_size) - 1) / 2
        at = self.carrier_of(np.array([[x, y], [x + 1, y], [x, y + 1]]))
        across, down = at[1] - at[0], at[2] - at[0]
        return float(np.sqrt(abs(across[0] * down[1] - across[1] * down[0])))

    def carrier_of(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carrier positions ``[n, 2]`` of raw positions ``[n, 2]``."""
        centre, reach = self._middle()
        away = raw - centre
        square = (away**2).sum(axis=1, keepdims=True) / reach**2
        straight = raw + away * (self.bend[0] * square + self.bend[1] * square**2)
        image = np.column_stack([straight, np.ones(len(raw))]) @ self.matrix.T
        return np.asarray(image[:, :2] / image[:, 2:], np.float64)

    def raw_of(self, carrier: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse: raw positions ``[n, 2]`` of carrier positions, by Newton's method."""
        image = np.column_stack([carrier, np.ones(len(carrier))]) @ np.linalg.inv(self.matrix).T
        straight = image[:, :2] / image[:, 2:]
        if not any(self.bend):
            return np.asarray(straight, np.float64)
        centre, reach = self._middle()
        away = straight - centre
        target = np.sqrt((away**2).sum(axis=1)) / reach
        radius = target.copy()
        a, b = self.bend
        for _ in range(_INVERSIONS):
            value = radius * (1 + a * radius**2 + b * radius**4) - target
            slope = np.maximum(1 + 3 * a * radius**2 + 5 * b * radius**4, 0.05)
            radius = np.clip(radius - value / slope, 0, 3)
        ratio = radius / np.maximum(target, 1e-12)
        return np.asarray(centre + away * ratio[:, None], np.float64)

    def shown(self, rendering: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The carrier, from a rendering of the raw's own size: Lanczos, after averaging if it
        shrinks."""
        height, width = rendering.shape[:2]
        source, step = rendering, np.ones(2)
        scale = self.scale
        if scale < 1:
            size = (max(round(width * scale), 1), max(round(height * scale), 1))
            source = np.asarray(cv2.resize(rendering, size, interpolation=cv2.INTER_AREA))
            step = np.array([width, height]) / size
        columns, rows = self.carrier_size
        out = np.empty((rows, columns, 3), np.uint8)
        x = np.arange(columns, dtype=np.float64)
        for top in range(0, rows, 256):
            y = np.arange(top, min(top + 256, rows), dtype=np.float64)
            at = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
            source_at = (self.raw_of(at) + 0.5) / step - 0.5
            places = source_at.reshape(len(y), columns, 2).astype(np.float32)
            out[top : top + len(y)] = cv2.remap(
                source,
                np.ascontiguousarray(places[..., 0]),
                np.ascontiguousarray(places[..., 1]),
                cv2.INTER_LANCZOS4,
                borderMode=cv2.BORDER_CONSTANT,
            )
        return out

    def geometry(self) -> Geometry:
        """The map as the format holds it, as near as it can."""
        surface = Surface(self.matrix / self.matrix[2, 2])
        if any(self.bend):
            surface = replace(surface, lens=Lens(*self._middle(), self.bend))
        shift = np.round(surface.matrix[:2, 2])
        moved = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]])
        if surface.lens is None and np.allclose(surface.matrix, moved, atol=1e-9):
            whole = Aligned(1, int(shift[0]), int(shift[1]))
            return Geometry(self.raw_size, self.carrier_size, whole)
        return Geometry(self.raw_size, self.carrier_size, quantise(surface, self.raw_size))

    def errors(self, geometry: Geometry) -> NDArray[np.float64]:
        """How far a geometry is off, in raw pixels, at 48 x 48 places that the carrier covers."""
        x, y = (np.linspace(0, side - 1, _PROBES).round() for side in self.raw_size)
        raw = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        truth = self.carrier_of(raw)
        covered = ((truth >= 0) & (truth <= np.array(self.carrier_size) - 1)).all(axis=1)
        away = _positions(geometry, raw[covered]) - truth[covered]
        return np.asarray(np.linalg.norm(away, axis=1) / self.scale, np.float64)

    def _middle(self) -> tuple[NDArray[np.float64], float]:
        centre = (np.array(self.raw_size) - 1) / 2
        return centre, float(np.hypot(*centre))


def _positions(geometry: Geometry, raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Carrier positions ``[n, 2]`` of whole raw positions."""
    transform = geometry.transform
    if isinstance(transform, Aligned):
        matrix = aligned_matrix(transform.orientation, geometry.raw_size)
        shift = np.array([transform.dx, transform.dy])
        return np.asarray(raw @ matrix[:2, :2].T + matrix[:2, 2] + shift, np.float64)
    nodes = node_positions(transform, geometry.raw_size) / FINE_ONE
    column, row = (raw // STEP).astype(int).T
    right, below = (raw % STEP / STEP).T[..., None]
    above = nodes[row, column] * (1 - right) + nodes[row, column + 1] * right
    under = nodes[row + 1, column] * (1 - right) + nodes[row + 1, column + 1] * right
    return np.asarray(above * (1 - below) + under * below, np.float64)


WarpMaker: TypeAlias = Callable[[tuple[int, int]], Warp]
"""From a raw's width and height to a warp of it."""


def _maker(
    *,
    degrees: float = 0,
    scale: float = 1,
    kept: float | tuple[float, float] = 1,
    move: tuple[float, float] = (0, 0),
    keystone: tuple[float, float] = (0, 0),
    bend: tuple[float, float] = (0.0, 0.0),
    mirrored: bool = False,
) -> WarpMaker:
    """A warp that keeps a part of the raw.

    Args:
        degrees: Turned clockwise.
        scale: Carrier pixels per raw pixel.
        kept: Part of the raw's width and height that the carrier shows.
        move: Of what is kept, raw pixels as parts of the raw's size, from the middle.
        keystone: How much more one side is enlarged than the other, in x and y.
        bend: Radial distortion, see `Warp`.
        mirrored: Left to right.
    """
    across, down = kept if isinstance(kept, tuple) else (kept, kept)

    def warp(raw_size: tuple[int, int]) -> Warp:
        width, height = raw_size
        size = (max(round(width * scale * across), 1), max(round(height * scale * down), 1))
        cosine, sine = (f(np.deg2rad(degrees)) * scale for f in (np.cos, np.sin))
        flip = -1.0 if mirrored else 1.0
        matrix = np.array(
            [
                [cosine * flip, -sine, 0],
                [sine * flip, cosine, 0],
                [keystone[0] / width, keystone[1] / height, 1],
            ]
        )
        middle = (np.array(raw_size) - 1) / 2 + np.array(move) * raw_size
        image = matrix @ np.array([*middle, 1])
        shift = np.eye(3)
        shift[:2, 2] = (np.array(size) - 1) / 2 - image[:2] / image[2]
        if scale == 1 and not (degrees or mirrored or any(keystone)):
            # Who only crops moves no pixel by a fraction.
            shift[:2, 2] = np.round(shift[:2, 2])
        return Warp(raw_size, size, shift @ matrix, bend)

    return warp


WARPS: Mapping[str, WarpMaker] = MappingProxyType(
    {
        "plain": _maker(),
        "turn 0.3": _maker(degrees=0.3),
        "turn 1": _maker(degrees=-1, kept=0.97),
        "turn 3": _maker(degrees=3, kept=0.9),
        "turn 10": _maker(degrees=-10, kept=0.75),
        "crop 70 %": _maker(kept=0.7, move=(0.051, -0.043)),
        "crop 50 %": _maker(kept=0.5, move=(-0.2003, 0.1502)),
        "crop 30 %": _maker(kept=0.3, move=(0.2511, 0.2204)),
        "crop 25 %": _maker(kept=0.25, move=(-0.1207, 0.1113)),
        "crop 16:9": _maker(kept=(1.0, 0.75)),
        "crop square": _maker(kept=(0.6667, 1.0), move=(0.0303, 0)),
        "scale 2": _maker(scale=2),
        "scale 0.5": _maker(scale=0.5),
        "scale 0.25": _maker(scale=0.25),
        "scale 0.1": _maker(scale=0.1),
        "zoom 2": _maker(scale=2, kept=0.5, move=(0.0101, -0.0052)),
        "zoom 4": _maker(scale=4, kept=0.25, move=(-0.0502, 0.0301)),
        "barrel": _maker(bend=(-0.04, 0.01), scale=1.03),
        "pincushion": _maker(bend=(0.05, -0.01)),
        "fisheye": _maker(bend=(-0.2, 0.03), scale=1.25),
        "keystone": _maker(keystone=(0.06, 0.2), kept=0.9),
        "mirrored": _maker(mirrored=True, degrees=0.7),
        "all at once": _maker(
            degrees=2, scale=0.6, kept=(0.8, 0.7), keystone=(0.02, -0.05), bend=(-0.03, 0.0)
        ),
    }
)
