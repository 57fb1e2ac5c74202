"""A payload in the making: its sections, and what they restore."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Header, Payload, Section, SectionKind, cut, pack, section_offsets
from rawback.common.coding_tables import coding_tables
from rawback.common.header_fields import ResidualParameters, cfa_digest
from rawback.common.parallel import in_threads
from rawback.common.reconstruction import band_slices, blank_tile, restored_residual
from rawback.common.tiles import Window, even, join_planes
from rawback.encoder.quantisation import Sample, coarsened, indices_at
from rawback.entropy import SymbolEncoder
from rawback.errors import RateUnreachable
from rawback.rate import LAYERS
from rawback.residual import (
    CODES_PER_LAYER,
    Band,
    CodeIndexDomain,
    Quantiser,
    TileCoefficients,
    code_layer,
    code_lossless,
    write_code_values,
)
from rawback.residual.fitting import fit_lossless

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.common.prediction import Prediction
    from rawback.encoder.analysis import Analysis
    from rawback.types import Progress, RawFrame

__all__ = ["Encoded", "PayloadBuilder"]

_FITTED_TILES = 4
"""Tiles that the exact layer is fitted to."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A payload and what it restores to.

    Attributes:
        payload: Packed bytes.
        restored: The frame that decoding gives.
    """

    payload: bytes
    restored: RawFrame


@dataclass(frozen=True, slots=True)
class _CodedTile:
    """A tile's layers, None where all stays zero; its coefficients; and its restoring sums."""

    layers: list[bytes | None]
    coefficients: TileCoefficients
    sums: NDArray[np.float64]


class PayloadBuilder:
    """A payload in the making."""

    def __init__(self, header: Header, prepared: Analysis) -> None:
        self.header = header
        self.prepared = prepared
        self.sections = list(prepared.sections)
        self.parameters: ResidualParameters | None = None
        self.held: dict[Window, TileCoefficients] = {}

    @property
    def payload(self) -> Payload:
        """Header and sections so far."""
        return Payload(self.header, tuple(self.sections))

    @property
    def size(self) -> int:
        """Packed bytes."""
        return section_offsets(self.payload)[-1]

    def add_layers(self, step: float, report: Progress) -> None:
        """Code all quality layers down to a step, see :func:`indices_at`."""
        prepared = self.prepared
        quantisers = [
            Quantiser(math.ceil(step) + octaves * CODES_PER_LAYER)
            for octaves in reversed(range(LAYERS))
        ]
        coded: list[list[Section]] = [[] for _ in quantisers]
        sums = np.zeros((LAYERS, 2, 2))
        work = in_threads(lambda p: _code_tile(prepared, p, step, quantisers), prepared.predicted)
        for index, (prediction, tile) in enumerate(zip(prepared.predicted, work, strict=True)):
            report("Coding", index / len(prepared.predicted))
            for layer, data in enumerate(tile.layers):
                if data is not None:
                    coded[layer].append(Section(SectionKind.RESIDUAL, layer, index, data))
            sums += tile.sums
            self.held[prediction.window] = tile.coefficients
        self.sections += [section for layer in coded for section in layer]
        restoring = tuple(
            replace(quantiser, near=near, far=far)
            for quantiser, (near, far) in zip(quantisers, map(_points, sums), strict=True)
        )
        self.parameters = ResidualParameters(prepared.transform, restoring, prepared.quarters)
        self.header = replace(self.header, residual=self.parameters.to_bytes())

    def quantise(self, step_code: int) -> None:
        """Know what all quality layers down to a step restore, but code none of them."""
        quantiser = Quantiser(step_code)
        sums = np.zeros((2, 2))
        for prediction in self.prepared.predicted:
            tile = blank_tile(prediction, self.prepared.worth)
            indices = indices_at(Sample.of_tile(self.prepared, prediction).coefficients, step_code)
            for band, index in indices.items():
                tile.magnitude[band] = np.abs(index).astype(np.uint16)
                tile.negative[band] = index < 0
            tile.layers = 1
            sums += _restoring_sums(self.prepared, prediction.window, quantiser, indices)
            self.held[prediction.window] = tile
        near, far = _points(sums)
        restoring = (replace(quantiser, near=near, far=far),)
        self.parameters = ResidualParameters(
            self.prepared.transform, restoring, self.prepared.quarters
        )

    def cut_to(self, size: int) -> Encoded:
        """Without the last sections, as many as do not fit.

        Raises:
            RateUnreachable: Not even the base fits.
        """
        least = section_offsets(self.payload)[1]
        if size < least:
            message = (
                f"The smallest payload of this raw takes {least} bytes; ask for that at least."
            )
            raise RateUnreachable(message)
        kept = cut(self.payload, size).sections
        dropped = self.sections[len(kept) :]
        tiles = [prediction.window for prediction in self.prepared.predicted]
        # Finest first: a tile may lose several layers, one after the other.
        for section in reversed(dropped):
            if section.kind == SectionKind.RESIDUAL:
                _coarsen(self.held[tiles[section.tile]], section.layer)
        self.sections = list(kept)
        if len(kept) < len(self.prepared.sections):
            self.prepared = self.prepared.cut_to(len(kept))
        if self.parameters is not None and not any(s.kind == SectionKind.RESIDUAL for s in kept):
            self.parameters = None
            self.header = replace(self.header, residual=b"")
        return self.finished()

    def values(self) -> NDArray[np.int32]:
        """What the payload so far restores over the whole frame, in the noise-normalised domain."""
        shot = self.prepared.shot
        whole = shot.grid.whole
        found = np.empty((4, *whole.shape), dtype=np.int32)
        for prediction in self.prepared.predicted:
            found[(slice(None), *prediction.window.slices)] = prediction.planes
        if self.parameters is not None:
            residual = restored_residual(self.parameters, self.held, whole)
            worth = self.prepared.worth
            for prediction in self.prepared.predicted:
                part = (slice(None), *prediction.window.slices)
                found[part] += worth.unweighed(residual[part], prediction.planes)
        return found

    def finished(self) -> Encoded:
        """Pack, and restore as the decoder will."""
        shot = self.prepared.shot
        values = self.values()
        samples = np.stack([shot.domain.to_samples(values[p], p) for p in range(4)])
        cfa = join_planes(samples)[: shot.frame.height, : shot.frame.width]
        return Encoded(pack(self.payload), replace(shot.frame, cfa=np.ascontiguousarray(cfa)))

    def with_exact(self, report: Progress) -> Encoded:
        """Add the exact layer."""
        shot, prepared = self.prepared.shot, self.prepared
        mosaic = even(shot.frame.cfa, 2)
        codes = np.flatnonzero(np.bincount(mosaic.ravel(), minlength=1 << 16)).astype(np.uint16)
        rank_of = np.zeros(1 << 16, dtype=np.int32)
        rank_of[codes] = np.arange(len(codes))
        domain = CodeIndexDomain(np.ascontiguousarray(shot.domain.forward[:, codes]))
        values = self.values()
        tables, pattern = coding_tables().exact, shot.frame.pattern

        def ranks(tile: Window) -> NDArray[np.int32]:
            rows, columns = tile.slices
            return rank_of[
                mosaic[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
            ]

        count = len(prepared.predicted)
        chosen = range(0, count, -(-count // _FITTED_TILES))
        pairs = [
            (prepared.exact_tile(i, values), ranks(prepared.predicted[i].window)) for i in chosen
        ]
        model = fit_lossless(pairs, domain, pattern, tables)
        self.sections.append(Section(SectionKind.CODES, 0, 0, write_code_values(codes)))
        self.sections.append(Section(SectionKind.CODES, 1, 0, model.to_bytes()))

        def coded(index: int) -> bytes:
            encoder = SymbolEncoder()
            tile = prepared.exact_tile(index, values)
            window = prepared.predicted[index].window
            code_lossless(encoder, tables, model, domain, pattern, tile, ranks(window))
            return encoder.finish()

        for index, data in enumerate(in_threads(coded, range(count))):
            report("Coding the exact layer", index / count)
            self.sections.append(Section(SectionKind.EXACT, 0, index, data))
        self.header = replace(self.header, cfa_digest=cfa_digest(shot.frame.cfa))
        return Encoded(pack(self.payload), shot.frame)


def _code_tile(
    prepared: Analysis, prediction: Prediction, step: float, quantisers: list[Quantiser]
) -> _CodedTile:
    finest = indices_at(Sample.of_tile(prepared, prediction).coefficients, step)
    coefficients = blank_tile(prediction, prepared.worth)
    layers: list[bytes | None] = []
    sums = []
    for octaves, quantiser in zip(reversed(range(len(quantisers))), quantisers, strict=True):
        indices = coarsened(finest, octaves)
        encoder = SymbolEncoder()
        code_layer(encoder, coding_tables().layers, coefficients, quantiser, indices)
        filled = any(index.any() for index in indices.values())
        layers.append(encoder.finish() if filled else None)
        sums.append(_restoring_sums(prepared, prediction.window, quantiser, indices))
    return _CodedTile(layers, coefficients, np.array(sums))


def _coarsen(held: TileCoefficients, layer: int) -> None:
    """Take a tile's coefficients back to before a layer."""
    octaves = held.layers - layer
    for magnitude in held.magnitude.values():
        magnitude >>= octaves
    held.layers = layer


def _restoring_sums(
    prepared: Analysis,
    tile: Window,
    quantiser: Quantiser,
    indices: dict[Band, NDArray[np.int32]],
) -> NDArray[np.float64]:
    """Count, and how far into their interval the coefficients lie, for index 1 and for larger."""
    whole = prepared.shot.grid.whole
    sums = np.zeros((2, 2))
    for band, index in indices.items():
        nonzero = np.flatnonzero(index)
        if not len(nonzero):
            continue
        values = prepared.coefficients[band][(slice(None), *band_slices(band, tile, whole))]
        size = np.abs(index.ravel()[nonzero])
        into = np.abs(values.ravel()[nonzero]) * (16 / quantiser.step(band)) - size
        for row, where in enumerate((size == 1, size > 1)):
            sums[row] += where.sum(), into[where].sum()
    return sums


def _points(sums: NDArray[np.float64]) -> tuple[int, int]:
    """Sixteenths of a step below the middle at which the mean coefficient lies."""
    means = sums[:, 1] / np.maximum(sums[:, 0], 1)
    near, far = (int(np.clip(round(16 * (0.5 - mean)), 0, 7)) for mean in means)
    return near, far
