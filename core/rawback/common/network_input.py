"""A frame as the networks see it: flipped to RGGB, completed to whole positions, tile by tile.

Theirs are cells of 4x4 pixels: 2x2 quads of the four planes of Bayer mosaics, which the member
``bayer`` of the networks sees, 4x4 pixels of the three planes of linear RGB, which ``linear`` does.
What a frame's own cells are, quads or pixels, is called its sites here.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from rawback.common.tiles import Window
from rawback.models import (
    CELL,
    LATENT,
    LATENT_VIEW,
    cell_view,
    flipped_pixels,
    flipped_planes,
    latent_view,
)
from rawback.parallel import in_threads
from rawback.residual import RegionClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from rawback.common.prediction import GuideSource, Prediction
    from rawback.mosaic import Mosaic

__all__ = ["NetworkInput", "Tile", "in_torch_threads", "single_threaded"]

_TILE = 16
"""Auxiliary positions along each side of a tile."""

_HALO = 2
"""Main positions around a tile that reach into it: five cells, and one position of latents."""

_Scalar = TypeVar("_Scalar", bound=np.generic)
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


_starting = Lock()


def _one_torch_thread() -> None:
    """Let torch compute in one thread in the calling thread, and nowhere else.

    The number that is set counts for the thread that sets it, and for those whose first use of
    torch comes later. So the usual number is set again, by a thread that ends at once.
    """
    with _starting:
        usual = torch.get_num_threads()
        torch.set_num_threads(1)
        restoring = Thread(target=torch.set_num_threads, args=(usual,))
        restoring.start()
        restoring.join()


def in_torch_threads(
    work: Callable[[_Item], _Result], items: Iterable[_Item], count: int | None = None
) -> Iterator[_Result]:
    """As :func:`in_threads`, for work that calls torch: in one thread for each item."""
    return in_threads(work, items, count, initialise=_one_torch_thread)


def single_threaded(work: Callable[[], _Result]) -> _Result:
    """What `work` returns, computed where torch takes one thread.

    Sums of floats come out the same on any machine then, however many processors it has.
    """
    (result,) = in_torch_threads(lambda _: work(), (None,), 1)
    return result


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile and what surrounds it, in sites of the flipped frame.

    Attributes:
        core: The tile.
        around: It and its halo, as far as the frame goes.
        position: Sites along each side of a position of the main latents.
    """

    core: Window
    around: Window
    position: int

    @property
    def inner(self) -> tuple[slice, slice]:
        """Where the core lies in an array of what surrounds it."""
        return self.core.within(self.around)

    @property
    def positions(self) -> tuple[slice, slice]:
        """Where it lies, halo included, among the positions of the main latents."""
        rows, columns = self.around.slices
        return (
            slice(rows.start // self.position, rows.stop // self.position),
            slice(columns.start // self.position, columns.stop // self.position),
        )


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """What both sides know of a frame before latents are decoded.

    Attributes:
        pattern: The frame's.
        shape: Height and width of the frame in sites.
        cell_side: Sites along each side of a cell: 2 of Bayer mosaics, 4 of linear RGB.
        guide: uint8 ``[4 h / cell_side, 4 w / cell_side, 3]``, flipped; h and w are the
            frame's, completed.
        classes: uint8 ``[h, w]``.
        base: int16 ``[planes, h, w]`` in domain units.
    """

    pattern: str
    shape: tuple[int, int]
    cell_side: int
    guide: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    base: NDArray[np.int16]

    @classmethod
    def of(
        cls,
        mosaic: Mosaic,
        source: GuideSource,
        predicted: Sequence[Prediction],
    ) -> NetworkInput:
        """Of the base over all tiles of a frame, Bayer or linear."""
        shape, side = (source.grid.height, source.grid.width), mosaic.cell
        guide = np.empty((side * shape[0], side * shape[1], 3), np.uint8)
        base = np.empty((mosaic.planes, *shape), np.int16)
        classes = np.empty(shape, np.uint8)

        def place(prediction: Prediction) -> None:
            rows, columns = prediction.window.slices
            base[:, rows, columns] = prediction.planes
            classes[rows, columns] = prediction.classes
            pixels = source.guide(prediction.window).pixels
            at = slice(side * rows.start, side * rows.stop)
            guide[at, side * columns.start : side * columns.stop] = pixels

        list(in_threads(place, predicted))
        cell_side, pattern = CELL // side, str(mosaic)
        unit = cell_side * LATENT * LATENT
        return cls(
            pattern,
            shape,
            cell_side,
            _completed(flipped_pixels(guide, pattern), side * unit, (0, 1)),
            _completed(flipped_pixels(classes, pattern), unit, (0, 1)),
            _completed(flipped_planes(base, pattern), unit, (1, 2)),
        )

    @property
    def position(self) -> int:
        """Sites along each side of what one position of the main latents covers."""
        return self.cell_side * LATENT

    @property
    def whole(self) -> Window:
        """All of it, in sites."""
        height, width = self.classes.shape
        return Window(0, 0, height, width)

    def flipped_planes(self, planes: NDArray[np.int16]) -> NDArray[np.int16]:
        """Planes of the frame ``[planes, h, w]``, flipped and completed as the base is."""
        return _completed(flipped_planes(planes, self.pattern), self.position * LATENT, (1, 2))

    def unflipped_planes(self, planes: NDArray[np.int16]) -> NDArray[np.int16]:
        """Undo :meth:`flipped_planes`."""
        height, width = self.shape
        return flipped_planes(planes[:, :height, :width], self.pattern)

    def flipped(self, window: Window) -> Window:
        """A window of the frame, in sites of the flipped frame."""
        red = self.pattern.index("R")
        (height, width), w = self.shape, window
        rows = (height - w.bottom, height - w.top) if red // 2 else (w.top, w.bottom)
        columns = (width - w.right, width - w.left) if red % 2 else (w.left, w.right)
        return Window(rows[0], columns[0], rows[1], columns[1])

    def tiles(self, wanted: Window | None = None) -> list[Tile]:
        """All tiles, or those that overlap a window of the flipped frame."""
        whole = self.whole
        side = _TILE * self.position * LATENT
        tiles = []
        for top in range(0, whole.bottom, side):
            for left in range(0, whole.right, side):
                core = Window(top, left, top + side, left + side).intersection(whole)
                if wanted is None or core.overlaps(wanted):
                    tiles.append(self.tile(core))
        return tiles

    def tile(self, core: Window) -> Tile:
        """A tile of any size, of whole positions of the auxiliary latents."""
        around = core.grown(_HALO * self.position).intersection(self.whole)
        return Tile(core, around, self.position)

    def flags(self, window: Window) -> torch.Tensor:
        """Where the guide clips and where there is none, ``[1, 2, h, w]``."""
        classes = self.classes[window.slices]
        return _tensor(np.stack([classes == RegionClass.CLIPPED, classes == RegionClass.UNCOVERED]))

    def cells(self, window: Window) -> torch.Tensor:
        """The cell view of a window, ``[1, inputs, h / cell_side, w / cell_side]``."""
        rows, columns = window.slices
        each = CELL // self.cell_side
        pixels = self.guide[
            each * rows.start : each * rows.stop, each * columns.start : each * columns.stop
        ]
        guide = _tensor(pixels.transpose(2, 0, 1))
        base = _tensor(self.base[:, rows, columns])
        cells = cell_view(guide, self.flags(window), base, self.cell_side)
        return cells.contiguous(memory_format=torch.channels_last)

    def latent_view(self) -> torch.Tensor:
        """The latent view of all of it."""
        rows, columns = self.classes.shape
        tiles = self.tiles()
        planes = len(self.base)
        parts = in_torch_threads(lambda tile: latent_view(self.cells(tile.core), planes), tiles)
        view = torch.empty(1, LATENT_VIEW, rows // self.position, columns // self.position)
        for tile, part in zip(tiles, parts, strict=True):
            top, left = tile.core.top // self.position, tile.core.left // self.position
            view[..., top : top + part.shape[2], left : left + part.shape[3]] = part
        return view.contiguous(memory_format=torch.channels_last)


def _completed(array: NDArray[_Scalar], unit: int, axes: tuple[int, int]) -> NDArray[_Scalar]:
    """Repeat the last row and column until both sides are multiples of `unit`."""
    missing = [(0, -array.shape[a] % unit if a in axes else 0) for a in range(array.ndim)]
    return np.ascontiguousarray(np.pad(array, missing, mode="edge"))


def _tensor(array: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))[None]
