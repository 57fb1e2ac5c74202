"""What a base leaves of a shot, weighed, turned into components, and split into bands.

Of a large frame that is done strip by strip, and the coefficients may be let go of and made again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.reconstruction import band_slices, strips
from rawback.common.tiles import MARGIN, Window
from rawback.encoder.rd_quantisation import FittedQuantisers
from rawback.encoder.sampling import sample_coefficients
from rawback.encoder.visibility import visible_axes
from rawback.parallel import each_in_threads, row_bands
from rawback.residual import (
    COEFFICIENT_UNIT,
    EVEN,
    KLT,
    Band,
    analyse,
    band_shape,
    bands,
)
from rawback.tone import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.common.error_weights import ErrorWeights
    from rawback.common.prediction import Prediction
    from rawback.encoder.encoder_input import EncoderInput
    from rawback.types import RawFrame

    Bands = dict[Band, NDArray[np.float32]]

__all__ = ["Decomposed", "Decomposition"]

_CAP = 64 * UNIT

_LARGE, _TILES_EACH = 1 << 25, 12
"""Samples of frames that are decomposed strip by strip, and tiles of a strip for each thread, at
least."""


@dataclass(frozen=True, slots=True)
class Decomposition:
    """What a base leaves, as it is coded.

    Attributes:
        transform: Across planes.
        quantisers: Of the coefficients.
    """

    transform: KLT
    quantisers: FittedQuantisers = field(repr=False)
    _bands: _Coefficients = field(repr=False)

    @classmethod
    def of(
        cls, source: EncoderInput, predicted: list[Prediction], weights: ErrorWeights
    ) -> Decomposition:
        """Decompose what the base of all tiles leaves, errors weighed."""
        residual = _Residual(source, predicted, weights)
        whole = None if residual.is_large else residual.over(source.grid.whole)
        covariance = KLT.covariance(residual.sampled() if whole is None else whole, _CAP)
        transform, slopes = KLT.fit(covariance), EVEN[: len(source.planes)]
        if source.tune == "visual":
            transform, slopes = visible_axes(source, weights, covariance)
        made = None if whole is None else _split(whole, transform)
        coefficients = _Coefficients(residual, transform, made)
        quantisers = FittedQuantisers(
            lambda: sample_coefficients(coefficients.value, source.grid), slopes
        )
        return cls(transform, quantisers, coefficients)

    @property
    def coefficients(self) -> Bands:
        """Wavelet coefficients, float32 ``[planes, h, w]`` of each band of the whole frame."""
        return self._bands.value

    def let_go(self) -> None:
        """Keep no coefficients of a large frame; they are made again if they are asked for."""
        self._bands.let_go()


class Decomposed:
    """A decomposition, made when it is first asked for; from any thread.

    A payload without layers needs none.
    """

    def __init__(self, make: Callable[[], Decomposition]) -> None:
        self._make = make
        self._made: Decomposition | None = None
        self._lock = Lock()

    @property
    def value(self) -> Decomposition:
        """The decomposition."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def let_go(self) -> None:
        """Keep no coefficients of a large frame, if they were made."""
        if self._made is not None:
            self._made.let_go()


class _Coefficients:
    """Coefficients of a frame; those of a large one are made when they are asked for."""

    def __init__(self, residual: _Residual, transform: KLT, made: Bands | None) -> None:
        self._residual = residual
        self._transform = transform
        self._made = made
        self._lock = Lock()

    @property
    def value(self) -> Bands:
        with self._lock:
            if self._made is None:
                self._made = self._by_strips()
            return self._made

    def let_go(self) -> None:
        if self._residual.is_large:
            with self._lock:
                self._made = None

    def _by_strips(self) -> Bands:
        grid, count = self._residual.source.grid, len(self._residual.source.planes)
        found = _empty(count, grid.whole)
        for row in strips(grid.tiles(), _TILES_EACH):
            strip = Window.union(row)
            around = grid.aligned(grid.grown(strip, MARGIN))
            own = _split(self._residual.over(around), self._transform)
            for band, values in found.items():
                there = (slice(None), *band_slices(band, strip, grid.whole))
                values[there] = own[band][(slice(None), *band_slices(band, strip, around))]
        return found


@dataclass(frozen=True, slots=True)
class _Residual:
    """What a base leaves of a shot, errors weighed."""

    source: EncoderInput
    predicted: list[Prediction]
    weights: ErrorWeights

    @property
    def is_large(self) -> bool:
        """Whether it is better not to have all of it in memory."""
        return self.source.planes.size >= _LARGE

    def over(self, window: Window) -> NDArray[np.float32]:
        """Of a window, ``[planes, h, w]``."""
        planes = self.source.planes
        residual = np.empty((len(planes), *window.shape), np.float32)

        def weigh(prediction: Prediction) -> None:
            part = prediction.window.intersection(window)
            self.weights.weigh(
                planes[(slice(None), *part.slices)],
                prediction.planes[(slice(None), *part.within(prediction.window))],
                residual[(slice(None), *part.within(window))],
            )

        each_in_threads(weigh, [p for p in self.predicted if p.window.overlaps(window)])
        _complete(residual, self.source.frame, window)
        return residual

    def sampled(self) -> NDArray[np.float32]:
        """What `KLT.covariance` sees of that of the frame, ``[planes, 1, n]``."""
        planes = self.source.planes
        _, height, width = planes.shape
        places = np.arange(0, height * width, KLT.stride(height * width))
        rows, columns = np.divmod(places, width)
        base = np.empty((len(planes), 1, len(places)), np.int16)
        for prediction in self.predicted:
            top, left = prediction.window.top, prediction.window.left
            first, last = np.searchsorted(rows, (top, prediction.window.bottom))
            within = (columns[first:last] >= left) & (columns[first:last] < prediction.window.right)
            at = first + np.flatnonzero(within)
            base[:, 0, at] = prediction.planes[:, rows[at] - top, columns[at] - left]
        residual = np.empty(base.shape, np.float32)
        truth = np.ascontiguousarray(planes[:, rows, columns])
        self.weights.weigh(truth[:, None], base, residual)
        return residual


def _split(residual: NDArray[np.float32], transform: KLT) -> Bands:
    """Bands of the components of a window's residual, which is overwritten."""
    count, rows, columns = residual.shape
    scale = COEFFICIENT_UNIT / UNIT
    each_in_threads(lambda part: transform.to_components(residual[:, part], scale), row_bands(rows))
    coefficients = _empty(count, Window(0, 0, rows, columns))

    def split(number: int) -> None:
        analyse(residual[number], {band: values[number] for band, values in coefficients.items()})

    each_in_threads(split, range(count))
    return coefficients


def _empty(count: int, window: Window) -> Bands:
    return {
        band: np.empty((count, *band_shape(band, window.shape)), np.float32) for band in bands()
    }


def _complete(residual: NDArray[np.float32], frame: RawFrame, window: Window) -> None:
    """Where cells reach beyond the frame, let their residual be what costs least: the cell's mean.

    Nobody sees what is restored there, and the guide, repeated, says little of the samples that
    complete a cell.
    """
    mosaic = frame.mosaic
    frame_ends, window_ends = (frame.height, frame.width), (window.bottom, window.right)
    cells_at = np.arange(window.top, window.bottom), np.arange(window.left, window.right)
    for axis, (side, end) in enumerate(zip(frame_ends, window_ends, strict=True)):
        if mosaic.cell * end <= side:
            continue
        edge = (slice(None), *(slice(-1, None) if at == axis else slice(None) for at in (0, 1)))
        lines = [cells_at[at][edge[1:][at]] for at in (0, 1)]
        at = np.stack(
            [
                mosaic.pixels_at(plane, lines[0][:, None], lines[1][None, :])[axis]
                for plane in range(mosaic.planes)
            ]
        )
        inside, cells = at < side, residual[edge]
        mean = (cells * inside).sum(axis=0) / inside.sum(axis=0)
        residual[edge] = np.where(inside, cells, mean)
