"""Flat patches of a frame, where nothing is seen but its noise.

A patch is flat if the means of blocks in it, slopes left out, vary hardly more than those of white
noise would, as the raw itself tells. What belongs to the patches is put together from all over the
frame to a plane of its own, a window around each beside the next, so that all of them are restored
at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.prediction import Prediction
from rawback.common.reconstruction import band_slices
from rawback.common.tiles import Window
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual import RegionClass, TileCoefficients
from rawback.tone import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["PATCH", "FlatPatches"]

PATCH = 32
"""Cells along the sides of a patch."""

_FLAT, _FEWEST, _MOST = 3.0, 16, 64
"""By how much means of blocks may vary, beside those of white noise; how many patches are taken in
any case, the flattest, and how many at most."""

_CLIPPED, _CLEAR = 0.02, 0.9
"""Part of the samples of a patch that may lie at either end of the scale; and of its cells that the
guide must show without clipping, as others get no grain."""

_WINDOW = 3 * PATCH
_BLOCK, _STRIDE = 8, PATCH // 2
_ACROSS, _STEP = PATCH // _BLOCK, _STRIDE // _BLOCK

_LEAST_NOISE = (UNIT / 8) ** 2
"""Raws that were stored with loss have patches without any noise, which have no spectrum."""

_flatness = Kernel("flatness", Read(np.int16, 3), Integer, Integer, Write(np.float64, 3))


@dataclass(frozen=True, slots=True)
class FlatPatches:
    """Flat patches of a frame.

    Attributes:
        windows: Around each, 96 cells a side, from a multiple of 32 on.
        offsets: Rows and columns of each patch within its window.
        are_noise: Whether all are flat, not just the flattest of a frame that hardly is anywhere.
    """

    windows: tuple[Window, ...]
    offsets: tuple[tuple[int, int], ...]
    are_noise: bool

    @classmethod
    def of(
        cls, planes: NDArray[np.int16], predicted: Sequence[Prediction], white: int
    ) -> FlatPatches:
        """Choose them.

        Args:
            planes: int16 ``[n, h, w]`` of a frame in the noise-normalised domain.
            predicted: The base of its tiles.
            white: The value in that domain from which on samples are clipped.
        """
        if min(planes.shape[1:]) < _WINDOW:
            return cls((), (), False)
        down, across = (side // _BLOCK for side in planes.shape[1:])
        sums = np.empty((len(planes), down * across, 3))
        _flatness(planes, _BLOCK, white, sums)
        blocks = sums.reshape(len(planes), down, across, 3).transpose(3, 0, 1, 2)
        cut = np.lib.stride_tricks.sliding_window_view(blocks, (_ACROSS, _ACROSS), (2, 3))
        totals, fine, clipped = cut[:, :, ::_STEP, ::_STEP]
        noise = fine.sum(axis=(3, 4)) / PATCH**2
        structure = (_structure(totals) / np.maximum(noise, _LEAST_NOISE)).max(axis=0)
        usable = (noise > _LEAST_NOISE).all(axis=0)
        usable &= clipped.sum(axis=(3, 4)).max(axis=0) < _CLIPPED * PATCH**2
        rows, columns = usable.shape
        places = _window_starts(rows, planes.shape[1]), _window_starts(columns, planes.shape[2])
        usable &= _clear(predicted, (down, across)) > _CLEAR * PATCH**2
        usable &= (places[0] >= 0)[:, None] & (places[1] >= 0)
        flattest = np.flatnonzero(usable)
        flattest = flattest[np.argsort(structure.ravel()[flattest], kind="stable")]
        flat = int(np.count_nonzero(structure[usable] < _FLAT))
        taken = np.sort(flattest[: max(flat, _FEWEST)])
        taken = taken[:: -(-len(taken) // _MOST) or 1]
        numbers = np.stack(np.divmod(taken, columns), axis=1)
        starts = np.stack([place[numbers[:, at]] for at, place in enumerate(places)], axis=1)
        return cls(
            tuple(
                Window(top, left, top + _WINDOW, left + _WINDOW) for top, left in starts.tolist()
            ),
            tuple(map(tuple, (_STRIDE * numbers - starts).tolist())),
            flat >= _FEWEST,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells of all windows put together."""
        across = math.isqrt(max(len(self.windows) - 1, 0)) + 1
        return -(-len(self.windows) // across) * _WINDOW, across * _WINDOW

    def cut(self, planes: NDArray[np.generic]) -> NDArray[np.generic]:
        """The patches ``[patches, n, 32, 32]`` of planes ``[n, h, w]`` that were put together."""
        corners = (
            (target.top + row, target.left + column)
            for target, (row, column) in zip(self._targets(), self.offsets, strict=True)
        )
        return np.stack(
            [planes[:, top : top + PATCH, left : left + PATCH] for top, left in corners]
        )

    def samples(self, planes: NDArray[np.int16]) -> NDArray[np.int16]:
        """Put a frame's planes together."""
        found = np.empty((len(planes), *self.shape), np.int16)
        for window, target in zip(self.windows, self._targets(), strict=True):
            found[(slice(None), *target.slices)] = planes[(slice(None), *window.slices)]
        return found

    def predicted(self, predicted: Sequence[Prediction]) -> Prediction:
        """Put the base of a frame's tiles together."""
        whole = Window(0, 0, *self.shape)
        planes = np.zeros((len(predicted[0].planes), *whole.shape), np.int16)
        classes = np.zeros(whole.shape, np.uint8)
        for tile in predicted:
            for part, target in self._parts(tile.window):
                source = part.within(tile.window)
                planes[(slice(None), *target.slices)] = tile.planes[(slice(None), *source)]
                classes[target.slices] = tile.classes[source]
        return Prediction(whole, planes, classes)

    def coefficients(self, tiles: Mapping[Window, TileCoefficients]) -> TileCoefficients:
        """Put the indices of a frame's tiles together."""
        whole = Window(0, 0, *self.shape)
        found = TileCoefficients.zeros(whole.shape, next(iter(tiles.values())).planes)
        bands = found.bands()
        for tile, coded in tiles.items():
            own = coded.bands()
            for part, target in self._parts(tile):
                for band, values in bands.items():
                    there = (slice(None), *band_slices(band, target, whole))
                    values[there] = own[band][(slice(None), *band_slices(band, part, tile))]
        return found

    def within(self) -> NDArray[np.bool_]:
        """Which cells of what was put together belong to patches themselves."""
        found = np.zeros(self.shape, np.bool_)
        for target, (row, column) in zip(self._targets(), self.offsets, strict=True):
            top, left = target.top + row, target.left + column
            found[top : top + PATCH, left : left + PATCH] = True
        return found

    def _targets(self) -> list[Window]:
        """Where each window is put."""
        across = self.shape[1] // _WINDOW
        corners = (
            (_WINDOW * (number // across), _WINDOW * (number % across))
            for number in range(len(self.windows))
        )
        return [Window(top, left, top + _WINDOW, left + _WINDOW) for top, left in corners]

    def _parts(self, tile: Window) -> Iterator[tuple[Window, Window]]:
        """Parts of windows that lie within a tile, and where they are put."""
        for window, target in zip(self.windows, self._targets(), strict=True):
            part = window.intersection(tile)
            if min(part.shape) > 0:
                down, right = target.top - window.top, target.left - window.left
                yield (
                    part,
                    Window(
                        part.top + down, part.left + right, part.bottom + down, part.right + right
                    ),
                )


def _structure(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much the means of blocks vary, the slopes of patches left out.

    Args:
        totals: Sums of the blocks of patches, ``[..., 4, 4]``.

    Returns:
        Variance ``[...]``, of white noise that of the samples.
    """
    ramp = np.arange(_ACROSS) - (_ACROSS - 1) / 2
    even = np.ones(_ACROSS)
    slopes = [np.outer(*pair).ravel() for pair in ((even, even), (ramp, even), (even, ramp))]
    # An orthonormal basis of all that is neither mean nor slope.
    others = np.linalg.qr(np.array(slopes).T, "complete")[0][:, len(slopes) :]
    left = totals.reshape(*totals.shape[:-2], -1) @ others
    return np.asarray(np.square(left).mean(axis=-1) / _BLOCK**2, np.float64)


def _window_starts(count: int, side: int) -> NDArray[np.intp]:
    """Where the windows around so many patches along a side begin; -1 where they do not fit."""
    places = np.arange(count) * _STRIDE
    starts = ((places - _STRIDE) // PATCH * PATCH).clip(0, (side - _WINDOW) // PATCH * PATCH)
    return np.where(places + PATCH <= starts + _WINDOW, starts, -1)


def _clear(predicted: Sequence[Prediction], shape: tuple[int, int]) -> NDArray[np.int64]:
    """How many cells of each patch the guide shows without clipping; `shape` is that of blocks."""
    found = np.zeros(shape, np.int64)
    for tile in predicted:
        rows, columns = (side // _BLOCK for side in tile.window.shape)
        clear = tile.classes[: rows * _BLOCK, : columns * _BLOCK] < RegionClass.CLIPPED
        counts = clear.reshape(rows, _BLOCK, columns, _BLOCK).sum(axis=(1, 3))
        top, left = tile.window.top // _BLOCK, tile.window.left // _BLOCK
        found[top : top + rows, left : left + columns] = counts
    cut = np.lib.stride_tricks.sliding_window_view(found, (_ACROSS, _ACROSS))
    return np.asarray(cut[::_STEP, ::_STEP].sum(axis=(2, 3)))
