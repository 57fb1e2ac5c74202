"""What a payload would restore, window by window, without coding it.

An analysed shot has its base everywhere, and all wavelet coefficients of what the base leaves. A
window of what any quantiser step restores is then a quantisation and a synthesis of that window:
the same integers that decoding the payload gives, but for how far below the middle of their
intervals coefficients are restored, and how much of the noise is lost, which are estimated from a
part of the frame until the whole frame was looked at; of a small frame they are known at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import SectionKind
from rawback.common.header_fields import domain_of
from rawback.common.prediction import predict
from rawback.common.reconstruction import add_residual, band_slices
from rawback.common.tiles import MARGIN, TILE, Window, trimmed
from rawback.encoder.base_fits import BASE_LAMBDAS
from rawback.encoder.candidates import Candidates
from rawback.encoder.quantisation import coarse_layer, lost_variance, restoring_points
from rawback.encoder.rate_control import SECTION_BYTES, StepSearch
from rawback.encoder.sampling import tile_coefficients
from rawback.parallel import in_threads
from rawback.rate import LOSSLESS_STEP, OperatingPoint
from rawback.residual import Band, Quantiser, band_shape, bands, synthesise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.common.prediction import Prediction
    from rawback.encoder.encoder import Session
    from rawback.tone import Base
    from rawback.types import RawFrame, Region

__all__ = ["Previews"]

_LOSSLESS_TILES = 2

_PARTS, _SIDE = 2, 128
"""Parts along each side of a frame that tell what is lost of its noise, and their side in cells."""


@dataclass(frozen=True, slots=True)
class _SmallBase:
    """One of the smaller bases, and the packed size of a payload of it alone."""

    base: Base
    size: int


class Previews:
    """Previews and size estimates of a shot whose largest base was fitted.

    Safe to be used from several threads, but for :meth:`add_base_level` and :meth:`size`, which
    fit things and are to be called from one at a time.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._analysis = session.analysis(0)
        self._weights = self._analysis.weights
        self._planes = len(self._analysis.source.planes)
        self._quantisers: dict[int, Quantiser] = {}
        self._exact_quantisers: dict[int, Quantiser] = {}
        self._losses: dict[OperatingPoint, int] = {}
        self._exact_losses: dict[OperatingPoint, int] = {}
        self._quantiser_lock = Lock()
        self._small: dict[int, _SmallBase] = {}
        self._sizes: dict[OperatingPoint, int] = {}
        self._search: StepSearch | None = None

    @property
    def base_levels(self) -> int:
        """How many bases there can be."""
        return len(BASE_LAMBDAS)

    @property
    def base_ends(self) -> tuple[tuple[SectionKind, int], ...]:
        """The sections of the base, and the packed size of a payload that ends after each."""
        sizes: list[tuple[SectionKind, int]] = []
        sections = self._analysis.sections
        for count, section in enumerate(sections, start=1):
            part = replace(self._analysis, sections=sections[:count])
            sizes.append((SectionKind(section.kind), self._session.builder(part).size))
        return tuple(sizes)

    def add_base_level(self, base_level: int) -> None:
        """Fit one of the smaller bases; takes as long as preparing the shot did."""
        if base_level and base_level not in self._small:
            analysis = self._session.analysis(base_level)
            size = self._session.builder(analysis).size
            self._small[base_level] = _SmallBase(analysis.base, size)

    def size(self, point: OperatingPoint) -> int:
        """Packed bytes, about; of a base alone to the byte."""
        if point not in self._sizes:
            self._sizes[point] = self._estimated_size(point)
        return self._sizes[point]

    def _estimated_size(self, point: OperatingPoint) -> int:
        if point.base_level:
            return self._small[point.base_level].size
        bare = self._session.builder(self._analysis).size
        if point.step_code is None:
            return bare
        if point.exact:
            return self._lossless_size(bare)
        if self._search is None:
            self._search = StepSearch(self._analysis)
        return round(bare + SECTION_BYTES + self._search.size_at(point.step_code))

    def _lossless_size(self, bare: int) -> int:
        """Codes a few tiles and concludes from them; all of a small frame, and then to the byte."""
        every = self._analysis.predicted
        if len(every) <= _LOSSLESS_TILES:
            # Where a base is a large part of a payload, which one it is depends on all of it.
            return len(Candidates(self._session, _unheard).lossless().payload)
        part = replace(self._analysis, predicted=every[:: -(-len(every) // _LOSSLESS_TILES)])
        builder = self._session.builder(part)
        builder.add_layers(LOSSLESS_STEP, _unheard, plain=True)
        builder.with_lossless(_unheard)
        quads = sum(p.window.area for p in every) / sum(p.window.area for p in part.predicted)
        trailing = sum(section.packed_size for section in self._session.attached.trailing)
        return round(bare + (builder.size - bare - trailing) * quads + trailing)

    def window(
        self, point: OperatingPoint, region: Region
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """A part of the mosaic as it would be restored, and as the base alone predicts it.

        Args:
            point: The payload.
            region: Left, top, width and height in raw pixels.

        Returns:
            Two mosaics, uint16 ``[height, width]``, or ``[height, width, n]``.
        """
        left, top, width, height = region
        cell = self._analysis.source.frame.mosaic.cell
        window = Window(
            top // cell, left // cell, -(-(top + height) // cell), -(-(left + width) // cell)
        )
        bare = OperatingPoint(point.base_level)
        predicted = self._samples(self._values(bare, window), region, self._lost(bare))
        if point.exact:
            cfa = self._session.frame.cfa[top : top + height, left : left + width]
            return np.ascontiguousarray(cfa), predicted
        if point.step_code is None:
            return predicted, predicted
        return self._samples(self._values(point, window), region, self._lost(point)), predicted

    def _values(self, point: OperatingPoint, window: Window) -> NDArray[np.int16]:
        """What a window is restored to in the noise-normalised domain."""
        base = self._predicted(point.base_level, window)
        if point.step_code is None:
            return base
        components = self._components(point.step_code, window)
        values = np.empty_like(base)
        add_residual(components, self._analysis.transform, self._weights, base, values)
        return values

    def frame(self, point: OperatingPoint) -> RawFrame:
        """The whole frame, sample for sample as the payload restores it."""
        frame = self._session.frame
        if point.exact:
            return frame
        if point.base_level:
            whole = (0, 0, frame.width, frame.height)
            return replace(frame, cfa=self.window(point, whole)[0])
        builder = self._session.builder(self._analysis)
        if point.step_code is not None:
            builder.quantise(point.step_code)
            if builder.parameters is not None:
                with self._quantiser_lock:
                    self._exact_quantisers[point.step_code] = builder.parameters.quantisers[-1]
        restored = builder.finished().restored
        with self._quantiser_lock:
            self._exact_losses[point] = builder.header.lost_variance
        return restored

    def _lost(self, point: OperatingPoint) -> int:
        """What the payload loses of the noise: the whole frame's where it is known."""
        with self._quantiser_lock:
            known = self._exact_losses.get(point) or self._losses.get(point)
        if known is None:
            known = self._estimated_loss(point)
            with self._quantiser_lock:
                self._losses[point] = known
        return known

    def _estimated_loss(self, point: OperatingPoint) -> int:
        """What parts from all over the frame lose; all of it, where it is small."""
        planes = self._analysis.source.planes
        parts = _parts(self._analysis.source.grid.whole)
        truth = [planes[(slice(None), *part.slices)] for part in parts]
        values = [self._values(point, part) for part in parts]
        return lost_variance(np.concatenate(truth, axis=1), np.concatenate(values, axis=1))

    def _samples(self, planes: NDArray[np.int16], region: Region, lost: int) -> NDArray[np.uint16]:
        left, top, width, height = region
        source = self._analysis.source
        mosaic = source.frame.mosaic
        domain = domain_of(replace(source.header, lost_variance=lost))
        samples = domain.to_mosaic(planes, (top // mosaic.cell, left // mosaic.cell))
        down, right = top % mosaic.cell, left % mosaic.cell * mosaic.samples
        cfa = trimmed(samples[down:, right:], mosaic, height, width)
        offsets = source.outside.black_offsets
        return cfa if offsets is None else offsets.added_to(cfa, top, left)

    def _predicted(self, base_level: int, window: Window) -> NDArray[np.int16]:
        values = np.empty((self._planes, *window.shape), dtype=np.int16)
        for prediction in self._predictions(base_level, window):
            part = prediction.window.intersection(window)
            planes = prediction.planes[(slice(None), *part.within(prediction.window))]
            values[(slice(None), *part.within(window))] = planes
        return values

    def _predictions(self, base_level: int, window: Window) -> Sequence[Prediction]:
        """The base over all of a window: as it was analysed, or evaluated anew if it is small."""
        if not base_level:
            return [p for p in self._analysis.predicted if p.window.overlaps(window)]
        source, base = self._analysis.source, self._small[base_level].base
        tiles = [tile for tile in source.grid.tiles() if tile.overlaps(window)]
        parts = [tile.intersection(window) for tile in tiles]
        return list(in_threads(lambda part: predict(base, source.guides, part), parts))

    def _components(self, step_code: int, window: Window) -> NDArray[np.int32]:
        grid = self._analysis.source.grid
        around = grid.aligned(grid.grown(window, MARGIN))
        quantiser = self._quantiser(step_code)
        indices = self._indices(step_code, around)

        def component(number: int) -> NDArray[np.int32]:
            restored = {
                band: quantiser.values(index[number], band, number)
                for band, index in indices.items()
            }
            plane = np.empty(around.shape, np.int32)
            synthesise(restored, plane)
            return np.ascontiguousarray(plane[window.within(around)])

        return np.stack(list(in_threads(component, range(self._planes))))

    def _indices(self, step_code: int, window: Window) -> dict[Band, NDArray[np.int32]]:
        """Indices of a window, which starts and ends as the coarsest bands do.

        They are chosen tile by tile, as a payload's are: what lies beyond a tile counts for
        nothing.
        """
        analysis, grid = self._analysis, self._analysis.source.grid
        quantiser = analysis.quantisers.at(step_code)
        indices = {
            band: np.empty((self._planes, *band_shape(band, window.shape)), np.int32)
            for band in bands()
        }

        def place(tile: Window) -> None:
            part = tile.intersection(window)
            chosen = quantiser.indices(tile_coefficients(analysis.coefficients, grid, tile))
            for band, index in chosen.items():
                source, target = band_slices(band, part, tile), band_slices(band, part, window)
                indices[band][(slice(None), *target)] = index[(slice(None), *source)]

        for _ in in_threads(place, [tile for tile in grid.tiles() if tile.overlaps(window)]):
            pass
        return indices

    def _quantiser(self, step_code: int) -> Quantiser:
        """The quantiser with the points it restores to: the whole frame's where they are known."""
        with self._quantiser_lock:
            known = self._exact_quantisers.get(step_code) or self._quantisers.get(step_code)
            if known is None:
                known = self._estimated_quantiser(step_code)
                self._quantisers[step_code] = known
            return known

    def _estimated_quantiser(self, step_code: int) -> Quantiser:
        """The quantiser with the points of a part of the frame."""
        fitted = self._analysis.quantisers.at(step_code)
        sums = sum(
            coarse_layer(sample, fitted.indices(sample), fitted.quantiser)[1]
            for sample in self._analysis.quantisers.samples
        )
        near, far = restoring_points(np.asarray(sums))
        return replace(fitted.quantiser, near=near, far=far)


def _parts(whole: Window) -> list[Window]:
    """Windows of one size, spread over a frame evenly; all of one that is no larger than a tile."""
    if max(whole.shape) <= TILE:
        return [whole]
    down, across = (size // _PARTS for size in whole.shape)
    rows, columns = min(down, _SIDE), min(across, _SIDE)
    places = [(down * row, across * column) for row, column in np.ndindex(_PARTS, _PARTS)]
    top, left = (down - rows) // 2, (across - columns) // 2
    return [Window(y + top, x + left, y + top + rows, x + left + columns) for y, x in places]


def _unheard(_stage: str, _done: float) -> None:
    return
