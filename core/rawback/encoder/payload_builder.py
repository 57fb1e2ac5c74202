"""A payload in the making: its sections, and what they restore."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Header, Payload, Section, SectionKind, cut, pack, section_offsets
from rawback.common.coding_tables import coding_tables
from rawback.common.grain import spectrum_bytes
from rawback.common.header_fields import ResidualParameters, domain_of, samples_digest
from rawback.common.reconstruction import restored_values
from rawback.common.tiles import Window, completed, trimmed
from rawback.encoder.code_lists import code_lists, pixels_of
from rawback.encoder.grain import grain_spectra
from rawback.encoder.quantisation import (
    coarse_layer,
    coarsened,
    lost_variance,
    restoring_points,
)
from rawback.encoder.rd_quantisation import RdQuantiser
from rawback.encoder.sampling import Sample, tile_coefficients
from rawback.errors import RateUnreachable
from rawback.parallel import in_threads
from rawback.rate import LAYERS
from rawback.residual import (
    CodeIndexDomain,
    Quantiser,
    TileCoefficients,
    encode_layer,
    encode_lossless,
    list_numbers,
    write_code_values,
)
from rawback.residual.fitting import fit_lossless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rawback.common.prediction import Prediction
    from rawback.encoder.analysis import Analysis
    from rawback.types import Progress, RawFrame

__all__ = ["Attached", "Encoded", "PayloadBuilder"]

_FITTED_TILES = 4
"""Tiles that the lossless layer is fitted to."""

_THINNED, _THINNED_AT_ONCE = 0.08, 2
"""By how many steps dead zones are wider where a payload is a little too large, which takes some
percents off a tile and hardly shows, and how many tiles are coded until its size is looked at."""


@dataclass(frozen=True, slots=True)
class Attached:
    """Sections that do not say what the samples are.

    Attributes:
        leading: Of every payload; they stand before the base.
        trailing: Of lossless payloads; they stand at the end.
    """

    leading: tuple[Section, ...] = ()
    trailing: tuple[Section, ...] = ()


NOTHING = Attached()


@dataclass(frozen=True, slots=True)
class Encoded:
    """A payload and what it restores to.

    Attributes:
        payload: Packed bytes.
        restored: The frame that decoding gives.
        coding_order: In which step the latent over each quad is coded, uint8 ``[h, w]``; None
            without latents.
    """

    payload: bytes
    restored: RawFrame
    coding_order: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class _CodedTile:
    """A tile's layers, None where all stays zero; its coefficients; sums for points."""

    layers: list[bytes | None]
    coefficients: TileCoefficients
    sums: NDArray[np.float64]


class PayloadBuilder:
    """A payload in the making."""

    def __init__(
        self,
        header: Header,
        analysis: Analysis,
        attached: Attached = NOTHING,
        remainders: Callable[[], tuple[Section, ...]] = tuple,
    ) -> None:
        # What is lost is known last, and always takes as many bytes.
        self.header = replace(header, lost_variance=1)
        self.analysis = analysis
        self.attached = attached
        self.remainders = remainders
        self.sections = [*attached.leading, *analysis.sections]
        self.parameters: ResidualParameters | None = None
        self.coefficients: dict[Window, TileCoefficients] = {}
        self._lacks_grain = False

    @property
    def payload(self) -> Payload:
        """Header and sections so far."""
        return Payload(self.header, tuple(self.sections))

    @property
    def size(self) -> int:
        """Packed bytes."""
        return section_offsets(self.payload)[-1]

    def add_layers(self, step: float, report: Progress, *, plain: bool = False) -> None:
        """Code all quality layers down to a step, which may lie between two step codes.

        Args:
            step: Of the last layer.
            report: Is told how far it is.
            plain: Quantise without regard to rate, as is right below a lossless layer.
        """
        analysis = self.analysis
        finest = (
            RdQuantiser.plain(step, analysis.quantisers.slopes)
            if plain
            else analysis.quantisers.at(step)
        )
        quantisers = [finest.quantiser.coarser(octaves) for octaves in reversed(range(LAYERS))]
        coded: list[list[Section]] = [[] for _ in quantisers]
        sums = np.zeros((LAYERS, 2, 2))
        work = in_threads(lambda p: _code_tile(analysis, p, finest, quantisers), analysis.predicted)
        for index, (prediction, tile) in enumerate(zip(analysis.predicted, work, strict=True)):
            report("Coding", index / len(analysis.predicted))
            for layer, data in enumerate(tile.layers):
                if data is not None:
                    coded[layer].append(Section(SectionKind.RESIDUAL, layer, index, data))
            sums += tile.sums
            self.coefficients[prediction.window] = tile.coefficients
        self.sections += [section for layer in coded for section in layer]
        restoring = tuple(
            replace(quantiser, near=near, far=far)
            for quantiser, (near, far) in zip(quantisers, map(restoring_points, sums), strict=True)
        )
        self.parameters = ResidualParameters(analysis.transform, restoring, analysis.weight_power)
        # Its grain is found out when the payload is finished, and takes as many bytes.
        grain = b"" if plain else bytes(LAYERS * spectrum_bytes(len(analysis.source.planes)))
        self.header = replace(self.header, residual=self.parameters.to_bytes(), grain=grain)
        self._lacks_grain = not plain

    def thin(self, step: float, size: int) -> None:
        """Code tiles anew with wider dead zones, as many as it takes to fit a size, if it can be.

        Args:
            step: Of the layers that there are.
            size: In bytes.
        """
        analysis, parameters = self.analysis, self.parameters
        if parameters is None:
            return
        finest = analysis.quantisers.at(step)
        finest = replace(finest, lift=finest.lift - _THINNED)
        quantisers = parameters.quantisers
        # One after the other all over the frame, none twice.
        count = len(analysis.predicted)
        stride = next(n for n in range(int(0.62 * count) + 1, count + 1) if math.gcd(n, count) == 1)
        order = [number * stride % count for number in range(count)]
        for start in range(0, count, _THINNED_AT_ONCE):
            if self.size <= size:
                return
            chosen = order[start : start + _THINNED_AT_ONCE]
            tiles = [analysis.predicted[index] for index in chosen]
            work = in_threads(lambda p: _code_tile(analysis, p, finest, quantisers), tiles)
            for index, tile in zip(chosen, work, strict=True):
                self._replace_tile(index, tile)

    def _replace_tile(self, index: int, tile: _CodedTile) -> None:
        """Put other layers in place of those that a tile has, but not where it has none."""
        places = {
            section.layer: number
            for number, section in enumerate(self.sections)
            if section.kind == SectionKind.RESIDUAL and section.tile == index
        }
        coded = {layer: data for layer, data in enumerate(tile.layers) if data is not None}
        if not coded.keys() <= places.keys():
            return
        for layer, data in coded.items():
            self.sections[places[layer]] = replace(self.sections[places[layer]], data=data)
        for number in sorted(
            (places[layer] for layer in places.keys() - coded.keys()), reverse=True
        ):
            del self.sections[number]
        self.coefficients[self.analysis.predicted[index].window] = tile.coefficients

    def quantise(self, step: float) -> None:
        """Know what all quality layers down to a step restore, but code none of them."""
        finest, predicted = self.analysis.quantisers.at(step), self.analysis.predicted
        coefficients, grid = self.analysis.coefficients, self.analysis.source.grid

        def quantised(prediction: Prediction) -> tuple[TileCoefficients, NDArray[np.float64]]:
            tile = TileCoefficients.zeros(prediction.window.shape, len(prediction.planes))
            own = tile_coefficients(coefficients, grid, prediction.window)
            indices = finest.indices(own)
            tile.set(indices)
            tile.layers = 1
            return tile.narrowed(), coarse_layer(own, indices, finest.quantiser)[1]

        sums = np.zeros((2, 2))
        work = in_threads(quantised, predicted)
        for prediction, (tile, places) in zip(predicted, work, strict=True):
            sums += places
            self.coefficients[prediction.window] = tile
        near, far = restoring_points(sums)
        restoring = (replace(finest.quantiser, near=near, far=far),)
        self.parameters = ResidualParameters(
            self.analysis.transform, restoring, self.analysis.weight_power
        )

    def cut_to(self, size: int) -> Encoded:
        """Without the last sections, as many as do not fit.

        Raises:
            RateUnreachable: Not even the base fits.
        """
        self._add_grain()
        leading, whole = len(self.attached.leading), self.payload
        if section_offsets(whole)[leading + 1] > size:
            # What the header says of a residual takes room as well, so it goes with the residual.
            sections = (s for s in self.sections if s.kind != SectionKind.RESIDUAL)
            whole = Payload(replace(self.header, residual=b"", grain=b""), tuple(sections))
        least = section_offsets(whole)[leading + 1]
        if size < least:
            message = (
                f"The smallest payload of this raw takes {least} bytes; ask for that at least."
            )
            raise RateUnreachable(message)
        kept = cut(whole, size).sections
        dropped = self.sections[len(kept) :]
        tiles = [prediction.window for prediction in self.analysis.predicted]
        # Finest first: a tile may lose several layers, one after the other.
        for section in reversed(dropped):
            if section.kind == SectionKind.RESIDUAL:
                _coarsen(self.coefficients[tiles[section.tile]], section.layer)
        self.sections = list(kept)
        if len(kept) - leading < len(self.analysis.sections):
            self.analysis = self.analysis.cut_to(len(kept) - leading)
        if self.parameters is not None and not any(s.kind == SectionKind.RESIDUAL for s in kept):
            self.parameters = None
            self.header = replace(self.header, residual=b"", grain=b"")
        return self.finished()

    def restored_values(self) -> NDArray[np.int16]:
        """What the payload so far restores over the whole frame, in the noise-normalised domain."""
        grid, analysis = self.analysis.source.grid, self.analysis
        return restored_values(
            *(analysis.predicted, self.coefficients, self.parameters, analysis.weights),
            *(grid, grid.whole),
        )

    def finished(self) -> Encoded:
        """Pack, and restore as the decoder will."""
        self.analysis.let_go()
        source = self.analysis.source
        with ThreadPoolExecutor(1) as pool:
            grain = pool.submit(self._add_grain)
            values = self.restored_values()
            grain.result()
        lost = lost_variance(source.planes, values)
        self.header = replace(self.header, lost_variance=lost)
        samples = domain_of(self.header).to_mosaic(values)
        cfa = trimmed(samples, source.frame.mosaic, source.frame.height, source.frame.width)
        return self._encoded(source.restored(cfa))

    def _add_grain(self) -> None:
        """Find out how strong grain is to be, if there is to be any and that is not done."""
        if self._lacks_grain and self.parameters is not None:
            spectra = grain_spectra(self.analysis, self.coefficients, self.parameters)
            grain = b"".join(spectrum.to_bytes() for spectrum in spectra)
            self.header = replace(self.header, grain=grain)
        self._lacks_grain = False

    def with_lossless(self, report: Progress) -> Encoded:
        """Add the lossless layer."""
        self.analysis.let_go()
        source, analysis = self.analysis.source, self.analysis
        mosaic = source.frame.mosaic
        samples = completed(source.frame.cfa, mosaic)
        pixels = pixels_of(samples, mosaic)
        codes = code_lists(samples, mosaic, pixels)
        index_of = np.zeros((len(codes), 1 << 16), dtype=np.int32)
        for own, used in zip(index_of, codes, strict=True):
            own[used] = np.arange(len(used))
        domain = CodeIndexDomain.of(source.domain.forward, codes)
        values = self.restored_values()
        lost = lost_variance(source.planes, values)
        start = coding_tables().lossless

        def indices(tile: Window) -> NDArray[np.int32]:
            part = samples[tile.samples_within(source.grid.whole, mosaic)]
            if len(codes) == 1:
                return np.asarray(index_of[0][part], np.int32)
            own = list_numbers(len(codes), mosaic, part.shape, (tile.top, tile.left))
            found: NDArray[np.int32] = index_of[own, part]
            return found

        count = len(analysis.predicted)
        chosen = range(0, count, -(-count // _FITTED_TILES))
        pairs = [
            (analysis.lossless_tile(i, values), indices(analysis.predicted[i].window))
            for i in chosen
        ]
        model = fit_lossless(start, pairs, domain, pixels=pixels)
        self.sections.append(Section(SectionKind.CODES, 0, 0, write_code_values(*codes)))
        self.sections.append(Section(SectionKind.CODES, 1, 0, model.to_bytes()))

        def coded(index: int) -> bytes:
            tile = analysis.lossless_tile(index, values)
            window = analysis.predicted[index].window
            return encode_lossless(start, model, domain, tile, indices(window))

        for index, data in enumerate(in_threads(coded, range(count))):
            report("Coding the lossless layer", index / count)
            self.sections.append(Section(SectionKind.EXACT, 0, index, data))
        self.sections += self.remainders()
        self.sections += self.attached.trailing
        digest = samples_digest(source.outside)
        self.header = replace(self.header, cfa_digest=digest, lost_variance=lost)
        return self._encoded(source.outside)

    def _encoded(self, restored: RawFrame) -> Encoded:
        return Encoded(pack(self.payload), restored, self.analysis.coding_order)


def _code_tile(
    analysis: Analysis,
    prediction: Prediction,
    quantiser: RdQuantiser,
    layers_of: Sequence[Quantiser],
) -> _CodedTile:
    sample = Sample.of_tile(analysis, prediction)
    finest = quantiser.indices(sample.coefficients)
    coded = TileCoefficients.zeros(prediction.window.shape, len(prediction.planes))
    layers: list[bytes | None] = []
    sums = []
    for octaves, layer in zip(reversed(range(len(layers_of))), layers_of, strict=True):
        indices, places = coarse_layer(sample.coefficients, finest, layer, octaves)
        layers.append(encode_layer(coding_tables().layers, sample.context, coded, layer, indices))
        sums.append(places)
    return _CodedTile(layers, coded.narrowed(), np.array(sums))


def _coarsen(tile: TileCoefficients, layer: int) -> None:
    """Take a tile's coefficients back to before a layer."""
    octaves = tile.layers - layer
    tile.indices[...] = coarsened(tile.indices, octaves)
    tile.layers = layer
