"""What the networks see of guide and base (3.11, "Views", of FORMAT.md).

All of this is in whole numbers, 1/64 of what the networks take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .frame import CLIPPED, UNCOVERED
from .networks import unshuffled

if TYPE_CHECKING:
    from .arrays import Array, Bools, Floats, Ints
    from .guide import Guide
    from .mosaics import Pattern

PIXELS = 64


@dataclass(frozen=True)
class Mirror:
    """How the frame is mirrored so that its pattern is RGGB, and its sites (3.11, Views)."""

    across: bool
    down: bool
    side: int

    @classmethod
    def of(cls, pattern: Pattern) -> Mirror:
        """The mirror for a pattern; none for a linear frame (3.11, Views)."""
        red = pattern.text.index("R")
        return cls(across=red % 2 == 1, down=red // 2 == 1, side=pattern.side)

    @property
    def cell(self) -> int:
        """c: sites along the side of a cell (3.11, Views)."""
        return 4 // self.side

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
        return self.turn(planes[[p ^ swap for p in range(len(planes))]], 1)


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


def _marks(sites: Bools, mirror: Mirror) -> Ints:
    """Marks of clipped or uncovered sites, 2 x 2 for each cell (3.11, Views)."""
    marks = _completed(mirror.turn(sites), PIXELS // mirror.side)[None]
    marks = np.logical_or.reduce(unshuffled(marks, 2 // mirror.side))[None]
    return 64 * unshuffled(marks, 2).astype(np.int64)


def _cell_parts(guide: Guide, spots: Ints, base: Ints, mirror: Mirror) -> list[Ints]:
    """Light, red, blue, clipped, uncovered, plane means and plane details (3.11, Views)."""
    red, green, blue = np.moveaxis(_completed(mirror.turn(guide.colours), PIXELS), -1, 0)
    light = unshuffled(((red + 2 * green + blue) // 4 - 128)[None], 4)
    differences = [
        unshuffled(unshuffled((colour - green)[None], 2).sum(axis=0, keepdims=True) // 4, 2)
        for colour in (red, blue)
    ]
    marks = [_marks(spots == spot, mirror) for spot in (CLIPPED, UNCOVERED)]
    planes = _completed(mirror.turn_planes(base), PIXELS // mirror.side, 1)
    size = mirror.cell**2
    samples = unshuffled(planes, mirror.cell).reshape(len(planes), size, *light.shape[1:])
    means = samples.sum(axis=1) // size
    details = (samples - means[:, None]) // 8
    return [light, *differences, *marks, means >> 6, details.reshape(-1, *light.shape[1:])]


def views_of(guide: Guide, spots: Ints, base: Ints, mirror: Mirror) -> Views:
    """Both views of a frame (3.11, Views)."""
    parts = [_clip(part) for part in _cell_parts(guide, spots, base, mirror)]
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
