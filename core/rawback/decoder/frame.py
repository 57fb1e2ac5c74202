"""A payload taken apart, and the means to restore windows of its frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Header, Payload, Section, SectionKind
from rawback.common.coding_tables import coding_tables
from rawback.common.error_weights import ErrorWeights
from rawback.common.grain import Grain
from rawback.common.header_fields import (
    ResidualParameters,
    domain_of,
    frame_from_header,
    geometry_of,
    mosaic_of,
    scale_of,
)
from rawback.common.prediction import GuideSource, Prediction, predict
from rawback.common.reconstruction import restored_values, strips, tile_context
from rawback.common.tiles import MARGIN, Grid, Window, trimmed
from rawback.errors import PayloadDamaged
from rawback.parallel import each_in_threads, in_threads
from rawback.residual import (
    CodeIndexDomain,
    LosslessModel,
    LosslessTile,
    Pixels,
    RemainderModel,
    TileCoefficients,
    TileContext,
    decode_layer,
    decode_lossless,
    decode_remainders,
    list_numbers,
    phases_of,
    read_code_values,
)
from rawback.tone import Base, colour_histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from rawback.jpegio import DecodedJpeg
    from rawback.mosaic import Mosaic
    from rawback.types import Progress

__all__ = ["FrameDecoder"]


@dataclass(frozen=True, slots=True)
class _LosslessLayer:
    """What the lossless layer needs besides its sections."""

    model: LosslessModel
    domain: CodeIndexDomain

    def samples(
        self, indices: NDArray[np.int32], mosaic: Mosaic, place: tuple[int, int]
    ) -> NDArray[np.uint16]:
        """The samples of a tile that begins so many rows and columns of cells down and right."""
        codes = self.domain.codes.astype(np.uint16)
        if self.domain.is_common:
            return np.asarray(codes[0][indices], np.uint16)
        numbers = list_numbers(len(codes), mosaic, indices.shape, place)
        return np.asarray(codes[numbers, indices], np.uint16)


class FrameDecoder:
    """A payload taken apart, and the means to restore windows of it."""

    def __init__(self, payload: Payload, carrier: DecodedJpeg, *, grain: bool = False) -> None:
        header = payload.header
        self.header: Header = header
        self.mosaic = mosaic_of(header)
        self.grid = Grid.of(header.height, header.width, self.mosaic.cell)
        self.tiles = self.grid.tiles()
        self.guides = GuideSource(geometry_of(header), carrier.pixels, self.grid)
        smallest = trimmed(np.zeros((2, 2 * self.mosaic.samples), np.uint16), self.mosaic, 2, 2)
        empty = frame_from_header(header, smallest, (0, 0, 2, 2))
        self.domain = domain_of(header)
        self.sections = _by_place(payload.sections)
        self.base = self._base(carrier)
        self.parameters = (
            ResidualParameters.from_bytes(header.residual, self.mosaic.planes)
            if header.residual
            else None
        )
        weight_power = self.parameters.weight_power if self.parameters else 0
        self.weights = ErrorWeights.of(empty.noise, weight_power)
        self.lossless = self._lossless_layer()
        self.remainders = self._remainder_model()
        # Samples of the lossless layer are coded against what is restored without grain.
        self.grain = (
            Grain.of(
                header.grain,
                len(self.parameters.quantisers),
                self.mosaic.planes,
                header.carrier_digest,
            )
            if grain and any(header.grain) and self.parameters and self.lossless is None
            else None
        )
        if self.grain is not None:
            # It brings back what was lost of the noise.
            self.domain = domain_of(replace(header, lost_variance=0))
        self.coding_order: NDArray[np.uint8] | None = None

    @property
    def exact(self) -> bool:
        """Whether every sample of the frame comes back as it was."""
        if self.lossless is None or (self._has_remainders and self.remainders is None):
            return False
        return all(
            (*place, tile) in self.sections
            for place in (_OF_NUMBERS if self._has_remainders else _OF_NUMBERS[:1])
            for tile in range(len(self.tiles))
        )

    def _base(self, carrier: DecodedJpeg) -> Base:
        data = self.sections.get((SectionKind.BASE, 0, 0))
        if data is None:
            message = (
                "The payload was cut before the section of its base; restore from another copy."
            )
            raise PayloadDamaged(message)
        cells = colour_histogram(carrier.pixels)
        shape = (self.header.height, self.header.width)
        base = Base.from_pointwise_bytes(data, self.mosaic, cells, shape)
        filters = self.sections.get((SectionKind.FILTER, 0, 0))
        return base if filters is None else base.with_filter_bytes(filters)

    def _lossless_layer(self) -> _LosslessLayer | None:
        codes = self.sections.get((SectionKind.CODES, 0, 0))
        model = self.sections.get((SectionKind.CODES, 1, 0))
        if codes is None or model is None:
            return None
        channels = len(self.mosaic.colours)
        used = read_code_values(codes, channels, channels * phases_of(self.mosaic))
        fitted = LosslessModel.from_bytes(model, self.mosaic)
        if len(used) > channels and fitted.pixels == Pixels.REPEATING:
            message = "The lossless layer's model is impossible; restore without that layer."
            raise PayloadDamaged(message)
        return _LosslessLayer(fitted, CodeIndexDomain.of(self.domain.forward, used))

    def _remainder_model(self) -> RemainderModel | None:
        data, scale = self.sections.get((SectionKind.REMAINDER, 0, 0)), scale_of(self.header)
        if data is None or scale is None or not self._has_remainders:
            return None
        samples = self.header.width * self.header.height * self.mosaic.samples
        return RemainderModel.from_bytes(data, scale, samples)

    @property
    def _has_remainders(self) -> bool:
        return self.header.floats is not None and self.header.floats[2] == 1

    def restore(self, wanted: Window, report: Progress) -> tuple[NDArray[np.uint16], Window]:
        """The samples of a window that encloses the wanted one, and that window.

        Tiles are decoded row by row, and what a row needs no longer is let go of.
        """
        within = [tile for tile in self.tiles if tile.overlaps(wanted)]
        core = Window.union(within)
        rows, columns = core.shape
        samples = np.empty((self.mosaic.cell * rows, self.mosaic.across * columns), np.uint16)
        overlapping = [tile for tile in self.tiles if tile.overlaps(self._around(core))]
        decoded = self._decode_layers(overlapping, report)
        tiles: dict[Window, tuple[Prediction, TileCoefficients]] = {}
        for row in strips(within):
            strip = Window.union(row)
            around = self._around(strip)
            tiles = {tile: known for tile, known in tiles.items() if tile.overlaps(around)}
            while overlapping and overlapping[0].top < around.bottom:
                tiles[overlapping.pop(0)] = next(decoded)
            part = samples[strip.samples_within(core, self.mosaic)]
            self._restore_strip(row, strip, tiles, part)
        for _ in decoded:
            pass
        return samples, core

    def _around(self, window: Window) -> Window:
        """What coefficients of a window reach."""
        return self.grid.aligned(self.grid.grown(window, MARGIN))

    def _restore_strip(
        self,
        row: list[Window],
        strip: Window,
        decoded: Mapping[Window, tuple[Prediction, TileCoefficients]],
        samples: NDArray[np.uint16],
    ) -> None:
        """The samples of a strip of tiles, given all that coefficients reach it from."""
        predicted = [decoded[tile][0] for tile in row]
        coded = {tile: coefficients for tile, (_, coefficients) in decoded.items()}
        values = restored_values(predicted, coded, self.parameters, self.weights, self.grid, strip)
        self.domain.to_mosaic(values, (strip.top, strip.left), samples)
        if self.lossless is not None:
            self._decode_lossless(self.lossless, predicted, strip, values, samples)

    def _decode_layers(
        self, tiles: list[Window], report: Progress
    ) -> Iterator[tuple[Prediction, TileCoefficients]]:
        """Base and coefficients of tiles, one after the other."""
        refined = self._refined(tiles, report)

        def decode(tile: Window) -> tuple[Prediction, TileCoefficients]:
            prediction = refined.get(tile) or predict(self.base, self.guides, tile)
            return prediction, self._decode_tile(tile, prediction).narrowed()

        for done, result in enumerate(in_threads(decode, list(tiles))):
            report("Decoding", 0.05 + 0.94 * done / len(tiles))
            yield result

    @property
    def _latents(self) -> dict[int, bytes]:
        """Sections of latents by layer."""
        return {
            layer: data
            for (kind, layer, tile), data in self.sections.items()
            if kind == SectionKind.LATENTS and tile == 0
        }

    def _refined(self, tiles: list[Window], report: Progress) -> dict[Window, Prediction]:
        """The base of these tiles with what latents add; nothing where there are none."""
        latents = self._latents
        if 0 not in latents:
            return {}
        from rawback.common.latents import refine

        report("Decoding latents", 0.02)
        predicted = list(in_threads(lambda t: predict(self.base, self.guides, t), self.tiles))
        refined = refine(self.mosaic, self.guides, predicted, latents, Window.union(tiles))
        self.coding_order = refined.coding_order
        return {part.window: part for part in refined.predicted}

    def _decode_tile(self, tile: Window, prediction: Prediction) -> TileCoefficients:
        """The coefficients of one tile, as far as its sections go."""
        coefficients = TileCoefficients.zeros(tile.shape, self.mosaic.planes)
        if self.parameters is None:
            return coefficients
        context: TileContext | None = None
        index = self.tiles.index(tile)
        for layer, quantiser in enumerate(self.parameters.quantisers):
            data = self.sections.get((SectionKind.RESIDUAL, layer, index))
            if data is None:
                # A layer that leaves all at zero is not written; a tile that is not all zero
                # lacks a layer only where the payload was cut.
                if coefficients.layers and coefficients.indices.any():
                    break
                coefficients.layers += 1
                continue
            context = context or self._context(prediction, self.parameters)
            decode_layer(coding_tables().layers, context, coefficients, quantiser, data)
        if self.grain is not None:
            # Tiles whose sections were cut off are told from those that need none by what is left.
            layer, last = self._last_section
            layers = min(coefficients.layers, layer + (index <= last))
            if layers:
                context = context or self._context(prediction, self.parameters)
                coefficients.grain = self.grain.of_tile(tile, coefficients.indices, layers, context)
        return coefficients

    def _context(self, prediction: Prediction, parameters: ResidualParameters) -> TileContext:
        return tile_context(prediction, self.weights, parameters.transform)

    @property
    def _last_section(self) -> tuple[int, int]:
        """Layer and tile of the last section of the residual."""
        places = (place[1:] for place in self.sections if place[0] == SectionKind.RESIDUAL)
        return max(places, default=(0, -1))

    def _decode_lossless(
        self,
        layer: _LosslessLayer,
        predicted: Sequence[Prediction],
        strip: Window,
        values: NDArray[np.int16],
        samples: NDArray[np.uint16],
    ) -> None:
        """Replace restored samples by the very ones, where their sections are there."""

        def decode(prediction: Prediction) -> None:
            tile = prediction.window
            data = self.sections.get((SectionKind.EXACT, 0, self.tiles.index(tile)))
            if data is None:
                return
            part = values[(slice(None), *tile.within(strip))]
            place = (tile.top, tile.left)
            known = LosslessTile.of(part, prediction.classes, self.mosaic, place)
            start = coding_tables().lossless
            indices = decode_lossless(start, layer.model, layer.domain, known, data)
            samples[tile.samples_within(strip, self.mosaic)] = layer.samples(
                indices, self.mosaic, place
            )

        each_in_threads(decode, predicted)

    def restore_remainders(
        self, codes: NDArray[np.uint16], core: Window
    ) -> NDArray[np.uint32] | None:
        """What the codes of the samples of a window from `restore` leave out; None if unknown."""
        model = self.remainders
        if model is None:
            return None
        remainders = model.scale.codes.usual(codes)

        def decode(tile: Window) -> None:
            places = [(kind, layer, self.tiles.index(tile)) for kind, layer in _OF_NUMBERS]
            if self.lossless is None or not all(place in self.sections for place in places):
                return
            at = tile.samples_within(core, self.mosaic)
            remainders[at] = decode_remainders(
                coding_tables().lossless.curves, model, codes[at], self.sections[places[-1]]
            )

        each_in_threads(decode, [tile for tile in self.tiles if tile.overlaps(core)])
        return remainders


_OF_NUMBERS = ((SectionKind.EXACT, 0), (SectionKind.REMAINDER, 1))
"""Kinds and layers of the sections that a tile's numbers come back from to the last bit."""


def _by_place(sections: tuple[Section, ...]) -> dict[tuple[int, int, int], bytes]:
    """Sections by kind, layer and tile; kinds that are not known here are skipped."""
    by_place: dict[tuple[int, int, int], bytes] = {}
    for section in sections:
        if section.kind not in set(SectionKind):
            continue
        place = (section.kind, section.layer, section.tile)
        if place in by_place:
            message = "The payload holds a section twice; fetch the file again."
            raise PayloadDamaged(message)
        by_place[place] = section.data
    return by_place
