"""What the networks see of guide and base (3.11, "Views" and "Linear pictures", of FORMAT.md).

All of this is in whole numbers, 1/64 of what the networks take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .frame import clipped_quads, uncovered_quads
from .networks import unshuffled

if TYPE_CHECKING:
    from .arrays import Array, Bools, Floats, Ints
    from .guide import Guide

CELLS = 16


@dataclass(frozen=True)
class Layout:
    """How quads make cells, and which planes and pixels are seen (3.11, Linear pictures)."""

    linear: bool

    @property
    def cell(self) -> int:
        """Quads along the side of a cell (3.11, Linear pictures)."""
        return 4 if self.linear else 2

    @property
    def planes(self) -> tuple[int, ...]:
        """The planes that are seen (3.11, Linear pictures)."""
        return (0, 1, 3) if self.linear else (0, 1, 2, 3)


@dataclass(frozen=True)
class Mirror:
    """How the frame is mirrored so that its pattern is RGGB (3.11, Views)."""

    across: bool
    down: bool

    @classmethod
    def of(cls, pattern: str) -> Mirror:
        """The mirror for a pattern (3.11, Views)."""
        red = pattern.index("R")
        return cls(across=red % 2 == 1, down=red // 2 == 1)

    def turn(self, x: Array, axis: int = 0) -> Array:
        """Mirror rows and columns, which are axes `axis` and `axis` + 1 (3.11, Views)."""
        if self.down:
            x = np.flip(x, axis)
        if self.across:
            x = np.flip(x, axis + 1)
        return x

    def turn_planes(self, planes: Ints) -> Ints:
        """Mirror a mosaic that is given as its planes (3.11, Views)."""
        swap = self.across + 2 * self.down
        return self.turn(planes[[p ^ swap for p in range(4)]], 1)


def _completed(x: Array, side: int, axis: int = 0) -> Array:
    """Rows and columns completed by the last one to multiples of `side` (3.11, Views)."""
    margins = [(0, 0)] * x.ndim
    for one in (axis, axis + 1):
        margins[one] = (0, -x.shape[one] % side)
    return np.pad(x, margins, mode="edge")


@dataclass(frozen=True)
class Views:
    """The cell view and the latent view, [channel, row, column] (3.11, Views)."""

    cells: Floats
    latents: Floats


def _clip(x: Ints) -> Ints:
    """The bounds of the cell view (3.11, Views)."""
    return np.clip(x, -255, 255)


def _marks(quads: Bools, layout: Layout) -> Ints:
    """Marks of clipped or uncovered quads, 2 x 2 for each cell (3.11, Views)."""
    marks = _completed(quads, CELLS * layout.cell)[None]
    if layout.linear:
        marks = np.logical_or.reduce(unshuffled(marks, 2))[None]
    return 64 * unshuffled(marks, 2).astype(np.int64)


def _cell_parts(guide: Guide, base: Ints, mirror: Mirror, layout: Layout) -> list[Ints]:
    """Light, red, blue, clipped, uncovered, plane means and plane details (3.11, Views)."""
    colours = mirror.turn(guide.colours)
    if layout.linear:
        colours = colours[::2, ::2]
    colours = _completed(colours, 4 * CELLS)
    red, green, blue = np.moveaxis(colours, -1, 0)
    light = unshuffled(((red + 2 * green + blue) // 4 - 128)[None], 4)
    differences = [
        unshuffled(unshuffled((colour - green)[None], 2).sum(axis=0, keepdims=True) // 4, 2)
        for colour in (red, blue)
    ]
    marks = [
        _marks(mirror.turn(quads), layout)
        for quads in (clipped_quads(guide), uncovered_quads(guide))
    ]
    planes = _completed(mirror.turn_planes(base)[list(layout.planes)], CELLS * layout.cell, 1)
    samples = unshuffled(planes, layout.cell).reshape(len(planes), layout.cell**2, *light.shape[1:])
    means = samples.sum(axis=1) // layout.cell**2
    details = (samples - means[:, None]) // 8
    return [light, *differences, *marks, means >> 6, details.reshape(-1, *light.shape[1:])]


def views_of(guide: Guide, base: Ints, mirror: Mirror, layout: Layout) -> Views:
    """Both views of a frame (3.11, Views)."""
    parts = [_clip(part) for part in _cell_parts(guide, base, mirror, layout)]
    light, red, blue, clipped, uncovered, means, _details = parts
    mean = light.sum(axis=0) // 16
    summaries = np.stack(
        [
            mean,
            np.minimum(np.abs(light - mean).sum(axis=0) // 4, 255),
            *(part.sum(axis=0) // 4 for part in (red, blue, means, clipped, uncovered)),
        ]
    )
    cells = np.concatenate(parts).astype(np.float64)
    return Views(cells, unshuffled(summaries, 4).astype(np.float64))
