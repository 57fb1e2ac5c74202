"""What a payload would restore, window by window, without coding it.

A prepared shot knows its base everywhere and all wavelet coefficients of what the base leaves. A
window of what any quantiser step restores is then a quantisation and a synthesis of that window:
the same integers that decoding the payload gives, but for how far below the middle of their
intervals coefficients are restored, which is estimated from a part of the frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import SectionKind
from rawback.common.error_weights import ErrorWeights
from rawback.common.parallel import in_threads
from rawback.common.reconstruction import band_slices
from rawback.common.tiles import MARGIN, Window, join_planes
from rawback.encoder.analysis import BIT_PRICES
from rawback.encoder.payload_builder import PayloadBuilder
from rawback.encoder.rate_control import SECTION_BYTES, StepSearch
from rawback.rate import LOSSLESS_STEP, OperatingPoint
from rawback.residual import Quantiser, bands, synthesise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.common.prediction import Prediction
    from rawback.encoder.analysis import Analysis
    from rawback.encoder.encoder import Session
    from rawback.types import RawFrame, Region

__all__ = ["Previews"]

_EXACT_TILES = 2
_SUMMED = 1 << 20
"""Coefficients that the restoring points of a step are estimated from."""

_TO_DOMAIN = 1


@dataclass(frozen=True, slots=True)
class _SmallBase:
    predicted: list[Prediction]
    size: int


class Previews:
    """Previews and size estimates of a prepared shot.

    Safe to be used from several threads, but for :meth:`add_tier` and :meth:`size`, which prepare
    things and are to be called from one at a time.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._prepared = session.prepared(0)
        self._worth = ErrorWeights.of(self._prepared.shot.frame.noise, self._prepared.quarters)
        self._quantisers: dict[int, Quantiser] = {}
        self._small: dict[int, _SmallBase] = {}
        self._sizes: dict[OperatingPoint, int] = {}
        self._search: StepSearch | None = None

    @property
    def tiers(self) -> int:
        """How many bases there can be."""
        return len(BIT_PRICES)

    @property
    def base_ends(self) -> tuple[tuple[SectionKind, int], ...]:
        """The sections of the base, and the packed size of a payload that ends after each."""
        sizes: list[tuple[SectionKind, int]] = []
        for count, section in enumerate(self._prepared.sections, start=1):
            part = replace(self._prepared, sections=self._prepared.sections[:count])
            sizes.append(
                (SectionKind(section.kind), PayloadBuilder(self._session.header, part).size)
            )
        return tuple(sizes)

    def add_tier(self, tier: int) -> None:
        """Fit one of the smaller bases; takes as long as preparing the shot did."""
        if tier and tier not in self._small:
            prepared = self._session.prepared(tier)
            size = PayloadBuilder(self._session.header, prepared).size
            self._small[tier] = _SmallBase(prepared.predicted, size)

    def size(self, operating: OperatingPoint) -> int:
        """Packed bytes, about; of a base alone to the byte."""
        if operating not in self._sizes:
            self._sizes[operating] = self._metered(operating)
        return self._sizes[operating]

    def _metered(self, operating: OperatingPoint) -> int:
        if operating.base_level:
            return self._small[operating.base_level].size
        bare = PayloadBuilder(self._session.header, self._prepared).size
        if operating.step_code is None:
            return bare
        if operating.exact:
            return self._exact_size(bare)
        if self._search is None:
            self._search = StepSearch(self._prepared)
        return round(bare + SECTION_BYTES + self._search.size_at(operating.step_code))

    def _exact_size(self, bare: int) -> int:
        """Codes a few tiles and concludes from them."""
        every = self._prepared.predicted
        some = replace(self._prepared, predicted=every[:: -(-len(every) // _EXACT_TILES)])
        draft = PayloadBuilder(self._session.header, some)
        draft.add_layers(LOSSLESS_STEP, _unheard)
        draft.with_exact(_unheard)
        quads = sum(p.spots.size for p in every) / sum(p.spots.size for p in some.predicted)
        return round(bare + (draft.size - bare) * quads)

    def window(
        self, operating: OperatingPoint, region: Region
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """A part of the mosaic as it would be restored, and as the base alone predicts it.

        Args:
            operating: The payload.
            region: Left, top, width and height in raw pixels; left and top even.

        Returns:
            Two mosaics, uint16 ``[height, width]``.
        """
        left, top, width, height = region
        window = Window(top // 2, left // 2, (top + height + 1) // 2, (left + width + 1) // 2)
        predicted = self._predicted(operating.base_level, window)
        guessed = self._samples(predicted)[:height, :width]
        if operating.exact:
            cfa = self._session.frame.cfa[top : top + height, left : left + width]
            return np.ascontiguousarray(cfa), guessed
        if operating.step_code is None:
            return guessed, guessed
        residual = self._residual(operating.step_code, window)
        predicted += self._worth.unweighed(residual, predicted)
        return self._samples(predicted)[:height, :width], guessed

    def frame(self, operating: OperatingPoint) -> RawFrame:
        """The whole frame, sample for sample as the payload restores it."""
        frame = self._session.frame
        if operating.exact:
            return frame
        if operating.base_level:
            whole = (0, 0, frame.width, frame.height)
            return replace(frame, cfa=self.window(operating, whole)[0])
        draft = PayloadBuilder(self._session.header, self._prepared)
        if operating.step_code is not None:
            draft.quantise(operating.step_code)
            if draft.parameters is not None:
                self._quantisers[operating.step_code] = draft.parameters.quantisers[-1]
        return draft.finished().restored

    def _samples(self, planes: NDArray[np.int32]) -> NDArray[np.uint16]:
        domain = self._prepared.shot.domain
        return join_planes(np.stack([domain.to_samples(planes[p], p) for p in range(4)]))

    def _predicted(self, tier: int, window: Window) -> NDArray[np.int32]:
        every = self._small[tier].predicted if tier else self._prepared.predicted
        values = np.empty((4, *window.shape), dtype=np.int32)
        for prediction in every:
            tile = prediction.window
            if tile.overlaps(window):
                part = Window(
                    max(tile.top, window.top),
                    max(tile.left, window.left),
                    min(tile.bottom, window.bottom),
                    min(tile.right, window.right),
                )
                found = prediction.planes[(slice(None), *part.within(tile))]
                values[(slice(None), *part.within(window))] = found
        return values

    def _residual(self, step_code: int, window: Window) -> NDArray[np.int32]:
        prepared, grid = self._prepared, self._prepared.shot.grid
        around = grid.aligned(grid.grown(window, MARGIN))
        quantiser = self._quantiser(step_code)

        def component(number: int) -> NDArray[np.int32]:
            restored = {}
            for band, values in prepared.coefficients.items():
                part = values[(number, *band_slices(band, around, grid.whole))]
                index = quantiser.indices(part, band)
                restored[band] = quantiser.values(np.abs(index).astype(np.uint16), index < 0, band)
            plane = synthesise(restored, around.shape)
            return np.ascontiguousarray(plane[window.within(around)])

        components = np.stack(list(in_threads(component, range(4))))
        return prepared.transform.to_planes(components, _TO_DOMAIN)

    def _quantiser(self, step_code: int) -> Quantiser:
        """The quantiser with the points it restores to, from a part of the frame."""
        if step_code not in self._quantisers:
            bare = Quantiser(step_code)
            near, far = _restoring_points(self._prepared, bare)
            self._quantisers[step_code] = replace(bare, near=near, far=far)
        return self._quantisers[step_code]


def _restoring_points(prepared: Analysis, quantiser: Quantiser) -> tuple[int, int]:
    total = sum(values.size for values in prepared.coefficients.values())
    stride = max(1, total // _SUMMED)
    sums = np.zeros((2, 2))
    for band in bands():
        values = prepared.coefficients[band].reshape(-1)[::stride]
        size = np.abs(quantiser.indices(values, band))
        into = np.abs(values) * np.float32(16 / quantiser.step(band)) - size
        for row, where in enumerate((size == 1, size > 1)):
            sums[row] += where.sum(), into[where].sum()
    near, far = (
        min(max(round(16 * (0.5 - inside / max(count, 1))), 0), 7) for count, inside in sums
    )
    return near, far


def _unheard(_stage: str, _done: float) -> None:
    return
