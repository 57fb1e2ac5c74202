"""From a raw and its JPEG to a payload."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rawback.bitstream import Header, Payload, Section, SectionKind, cut, pack, section_offsets
from rawback.codec.coefficients import band_slices, blank_tile, restored_residual
from rawback.codec.decoder import Progress
from rawback.codec.grid import Window, even, join_planes
from rawback.codec.headers import ResidualParameters, cfa_digest, header_of
from rawback.codec.rate import Rate
from rawback.codec.source import BIT_PRICES, Prepared, Shot
from rawback.codec.stored import stored
from rawback.entropy import SymbolEncoder, SymbolMeter
from rawback.errors import RateUnreachable
from rawback.geometry import Geometry, build_guide, register
from rawback.jpegio import Carrier
from rawback.metrics import raw_psnr
from rawback.residual import (
    CODES_PER_LAYER,
    MAX_STEP_CODE,
    Band,
    Quantiser,
    RankDomain,
    TileCoefficients,
    bands,
    code_exact,
    code_layer,
    fit_exact,
    write_codes,
)
from rawback.types import Guide, RawFrame

__all__ = ["Encoded", "Session", "prepare"]

LAYERS = 3
"""Quality layers of a payload: each can be cut away later, and costs a few percent."""

EXACT_STEP = 212
"""Step code below the exact layer, 3 standard deviations of noise: finer steps code noise twice."""

_COARSEST, _FINEST = MAX_STEP_CODE - (LAYERS - 1) * CODES_PER_LAYER, 48
_SECTION_BYTES = 14
_CLOSE = 0.98
_ATTEMPTS = 3
_SEARCH_TILES = 4
_LARGEST_SHARE, _SMALL_SHARE = 0.6, 0.08
"""Of a payload, that a base may take, and below which no smaller base is tried."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A payload and what it restores to.

    Attributes:
        payload: Packed bytes.
        restored: The frame that decoding gives.
    """

    payload: bytes
    restored: RawFrame


def prepare(frame: RawFrame, carrier: Carrier, *, progress: Progress | None = None) -> Session:
    """Register a raw with its JPEG and get ready to code it at any rate.

    Args:
        frame: The raw.
        carrier: The JPEG rendered from it.
        progress: Is told how far the work is.

    Raises:
        ShotMismatch: They do not show the same shot.
    """
    report = progress or (lambda _stage, _done: None)
    report("Registering the JPEG on the raw", 0.0)
    geometry = register(frame, carrier.pixels).geometry
    report("Resampling the JPEG", 0.2)
    guide = build_guide(geometry, carrier.pixels)
    header = header_of(frame, carrier, geometry)
    shot = Shot.of(header, frame, carrier, geometry, guide)
    session = Session(frame, guide, geometry, header, shot)
    report("Fitting the inverse rendering", 0.35)
    session.prepared(0)
    report("Prepared", 1.0)
    return session


class Session:
    """A shot that can be coded at any rate; made by :func:`prepare`.

    Attributes:
        frame: The raw.
        guide: The JPEG on the raw grid.
        geometry: Where raw pixels lie in the JPEG.
    """

    def __init__(
        self, frame: RawFrame, guide: Guide, geometry: Geometry, header: Header, shot: Shot
    ) -> None:
        self.frame = frame
        self.guide = guide
        self.geometry = geometry
        self._header = header
        self._shot = shot
        self._tiers: dict[int, Prepared] = {}

    def prepared(self, tier: int) -> Prepared:
        """The base at one of BIT_PRICES and what it leaves; kept for the last two used."""
        if tier not in self._tiers:
            while len(self._tiers) > 1:
                self._tiers.pop(next(iter(self._tiers)))
            self._tiers[tier] = Prepared.of(self._shot, BIT_PRICES[tier])
        return self._tiers[tier]

    def encode(self, rate: Rate, *, progress: Progress | None = None) -> Encoded:
        """Code the shot.

        Args:
            rate: How large, or how good.
            progress: Is told how far the work is.

        Raises:
            RateUnreachable: Not even the base fits into the size, or no rate gives the PSNR.
        """
        report = progress or (lambda _stage, _done: None)
        if rate.kind == "lossless" or (rate.kind == "quality" and rate.value == 100):
            draft = self._draft(self.prepared(0), EXACT_STEP, report)
            return draft.with_exact(report)
        if rate.kind == "quality":
            return self._draft(self.prepared(0), _step_of(rate.value), report).finished()
        if rate.kind == "psnr":
            return self._reach(rate.value, report)
        size = rate.value if rate.kind == "size" else rate.value * self.frame.cfa.size / 8
        return self._best_of_size(int(size), report)

    def _draft(self, prepared: Prepared, step_code: int | None, report: Progress) -> _Draft:
        """Code base and quality layers; the base alone where there is no step."""
        draft = _Draft(self._header, prepared)
        if step_code is not None:
            draft.add_layers(step_code, report)
        return draft

    def _best_of_size(self, size: int, report: Progress) -> Encoded:
        """The best payload of at most `size` bytes, over the bases whose share may suit it."""
        best: Encoded | None = None
        for tier in range(len(BIT_PRICES)):
            prepared = self.prepared(tier)
            share = sum(section.packed_size for section in prepared.sections) / size
            if share > _LARGEST_SHARE and tier + 1 < len(BIT_PRICES):
                continue
            found = self._fill(prepared, size, report)
            if best is not None and self._psnr(found) <= self._psnr(best):
                return best
            if share < _SMALL_SHARE:
                return found
            best = found
        return found if best is None else best

    def _psnr(self, encoded: Encoded) -> float:
        return raw_psnr(self.frame, encoded.restored)

    def _fill(self, prepared: Prepared, size: int, report: Progress) -> Encoded:
        """The finest payload of at most `size` bytes with a given base."""
        bare = self._draft(prepared, None, report)
        room = size - bare.size
        if room < 2 * _SECTION_BYTES:
            return bare.cut_to(size)
        search = _Search(prepared, _SEARCH_TILES)
        step = search.step_for(room)
        attempts = _ATTEMPTS if len(prepared.predicted) > _SEARCH_TILES else 4 * _ATTEMPTS
        over, under = _FINEST - 1, _COARSEST + 1
        fits: _Draft | None = None
        exceeds: _Draft | None = None
        for _ in range(attempts):
            draft = self._draft(prepared, step, report)
            if draft.size > size:
                over, exceeds = step, draft
            else:
                under, fits = step, draft
                if draft.size >= _CLOSE * size:
                    break
            step = search.corrected(step, (draft.size - bare.size) / room)
            step = min(max(step, over + 1), under - 1)
            if not over < step < under:
                break
        trimmed = None if exceeds is None else exceeds.cut_to(size)
        if fits is None or (trimmed is not None and len(trimmed.payload) > fits.size):
            return trimmed or bare.finished()
        return fits.finished()

    def _reach(self, decibels: float, report: Progress) -> Encoded:
        """The coarsest step whose raw PSNR is at least `decibels`."""
        prepared = self.prepared(0)
        bare = self._draft(prepared, None, report).finished()
        if self._psnr(bare) >= decibels:
            return bare
        low, high = _FINEST, _COARSEST
        best: Encoded | None = None
        while low <= high:
            step = (low + high) // 2
            trial = self._draft(prepared, step, report).finished()
            if self._psnr(trial) >= decibels:
                best, low = trial, step + 1
            else:
                high = step - 1
        if best is None:
            message = f"No payload reaches {decibels:g} dB short of lossless; ask for lossless."
            raise RateUnreachable(message)
        return best


def _step_of(quality: float) -> int | None:
    """Step code of a quality above 0; see :meth:`Rate.quality`."""
    if quality <= 0:
        return None
    code = round((11 - (quality - 1) / 12) * CODES_PER_LAYER)
    return min(max(code, _FINEST), _COARSEST)


class _Draft:
    """A payload in the making."""

    def __init__(self, header: Header, prepared: Prepared) -> None:
        self.header = header
        self.prepared = prepared
        self.sections = list(prepared.sections)
        self.parameters: ResidualParameters | None = None
        self.held: dict[Window, TileCoefficients] = {}

    @property
    def payload(self) -> Payload:
        return Payload(self.header, tuple(self.sections))

    @property
    def size(self) -> int:
        """Packed bytes."""
        return section_offsets(self.payload)[-1]

    def add_layers(self, step_code: int, report: Progress) -> None:
        """Code all quality layers down to a step."""
        prepared = self.prepared
        coded: list[list[Section]] = [[] for _ in range(LAYERS)]
        sums = np.zeros((LAYERS, 2, 2))
        for index, prediction in enumerate(prepared.predicted):
            report("Coding", index / len(prepared.predicted))
            tile = prediction.window
            finest = _indices(prepared, tile, Quantiser(step_code))
            coefficients = blank_tile(prediction.spots)
            for layer in range(LAYERS):
                coarser = LAYERS - 1 - layer
                quantiser = Quantiser(step_code + coarser * CODES_PER_LAYER)
                indices = _coarsened(finest, coarser)
                encoder = SymbolEncoder()
                levels = {band: quantiser.noise_level(band) for band in bands()}
                code_layer(encoder, stored().layers, coefficients, levels, indices)
                if any(index.any() for index in indices.values()):
                    data = encoder.finish()
                    coded[layer].append(Section(SectionKind.RESIDUAL, layer, index, data))
                sums[layer] += _restoring_sums(prepared, tile, quantiser, indices)
            self.held[tile] = coefficients
        self.sections += [section for layer in coded for section in layer]
        quantisers = tuple(
            Quantiser(step_code + (LAYERS - 1 - layer) * CODES_PER_LAYER, *_points(sums[layer]))
            for layer in range(LAYERS)
        )
        self.parameters = ResidualParameters(prepared.transform, quantisers)
        self.header = replace(self.header, residual=self.parameters.to_bytes())

    def cut_to(self, size: int) -> Encoded:
        """Without the last sections, as many as do not fit.

        Raises:
            RateUnreachable: Not even the base fits.
        """
        kept = cut(self.payload, size).sections
        if not any(section.kind == SectionKind.BASE for section in kept):
            least = section_offsets(self.payload)[1]
            message = f"The smallest payload of this raw takes {least} bytes; ask for that at least."
            raise RateUnreachable(message)
        dropped = self.sections[len(kept) :]
        tiles = [prediction.window for prediction in self.prepared.predicted]
        for section in dropped:
            if section.kind == SectionKind.RESIDUAL:
                _coarsen(self.held[tiles[section.tile]], section.layer)
        self.sections = list(kept)
        if self.parameters is not None and not any(s.kind == SectionKind.RESIDUAL for s in kept):
            self.parameters = None
            self.header = replace(self.header, residual=b"")
        return self.finished()

    def residual(self) -> NDArray[np.int32]:
        """What the layers restore over the whole frame."""
        whole = self.prepared.shot.grid.whole
        if self.parameters is None:
            return np.zeros((4, *whole.shape), dtype=np.int32)
        return restored_residual(self.parameters, self.held, whole)

    def finished(self) -> Encoded:
        """Pack, and restore as the decoder will."""
        shot = self.prepared.shot
        values = self.residual()
        for prediction in self.prepared.predicted:
            values[(slice(None), *prediction.window.slices)] += self._planes(prediction.window)
        samples = np.stack([shot.domain.to_samples(values[p], p) for p in range(4)])
        cfa = join_planes(samples)[: shot.frame.height, : shot.frame.width]
        return Encoded(pack(self.payload), replace(shot.frame, cfa=np.ascontiguousarray(cfa)))

    def _planes(self, window: Window) -> NDArray[np.int16]:
        return next(p.planes for p in self.prepared.predicted if p.window == window)

    def with_exact(self, report: Progress) -> Encoded:
        """Add the exact layer."""
        shot, prepared = self.prepared.shot, self.prepared
        mosaic = even(shot.frame.cfa, 2)
        codes = np.flatnonzero(np.bincount(mosaic.ravel(), minlength=1 << 16)).astype(np.uint16)
        rank_of = np.zeros(1 << 16, dtype=np.int32)
        rank_of[codes] = np.arange(len(codes))
        domain = RankDomain(np.ascontiguousarray(shot.domain.forward[:, codes]))
        residual = self.residual()
        tables, pattern = stored().exact, shot.frame.pattern

        def ranks(tile: Window) -> NDArray[np.int32]:
            rows, columns = tile.slices
            return rank_of[
                mosaic[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
            ]

        count = len(prepared.predicted)
        chosen = range(0, count, -(-count // _SEARCH_TILES))
        pairs = [
            (prepared.exact_tile(i, residual), ranks(prepared.predicted[i].window)) for i in chosen
        ]
        model = fit_exact(pairs, domain, pattern, tables)
        self.sections.append(Section(SectionKind.CODES, 0, 0, write_codes(codes)))
        self.sections.append(Section(SectionKind.CODES, 1, 0, model.to_bytes()))
        for index, prediction in enumerate(prepared.predicted):
            report("Coding the exact layer", index / count)
            encoder = SymbolEncoder()
            tile = prepared.exact_tile(index, residual)
            code_exact(encoder, tables, model, domain, pattern, tile, ranks(prediction.window))
            self.sections.append(Section(SectionKind.EXACT, 0, index, encoder.finish()))
        self.header = replace(self.header, cfa_digest=cfa_digest(shot.frame.cfa))
        return Encoded(pack(self.payload), shot.frame)


class _Search:
    """Finds a step for a size by metering some of the tiles."""

    def __init__(self, prepared: Prepared, tiles: int) -> None:
        count = len(prepared.predicted)
        self.prepared = prepared
        self.chosen = prepared.predicted[:: -(-count // tiles)]
        metered = sum(p.spots.size for p in self.chosen)
        self.scale = sum(p.spots.size for p in prepared.predicted) / metered
        self.known: dict[int, float] = {}

    def size_at(self, step_code: int) -> float:
        """Bytes of the layers, about."""
        if step_code not in self.known:
            quantiser = Quantiser(step_code)
            levels = {band: quantiser.noise_level(band) for band in bands()}
            total = 0.0
            for prediction in self.chosen:
                meter = SymbolMeter()
                indices = _indices(self.prepared, prediction.window, quantiser)
                tile = blank_tile(prediction.spots)
                code_layer(meter, stored().layers, tile, levels, indices)
                total += meter.bits / 8 + _SECTION_BYTES * LAYERS
            self.known[step_code] = total * self.scale
        return self.known[step_code]

    def step_for(self, size: float) -> int:
        """The finest step whose layers take at most `size` bytes, to within a few codes."""
        low, high = _FINEST, _COARSEST
        while high - low > 3:
            middle = (low + high) // 2
            if self.size_at(middle) > size:
                low = middle
            else:
                high = middle
        return high

    def corrected(self, step_code: int, ratio: float) -> int:
        """A better step, seeing that this one's payload was `ratio` times the size."""
        aim = 1 - (1 - _CLOSE) / 2
        near = sorted(self.known, key=lambda code: abs(code - step_code))[:3]
        low, high = min(near), max(near)
        slope = 0.03
        if high > low and self.known[high] > 0:
            slope = max(math.log2(self.known[low] / self.known[high]) / (high - low), 0.01)
        moved = math.log2(max(ratio, 1e-3) / aim) / slope
        return min(max(step_code + math.ceil(moved), _FINEST), _COARSEST)


def _indices(
    prepared: Prepared, tile: Window, quantiser: Quantiser
) -> dict[Band, NDArray[np.int32]]:
    whole = prepared.shot.grid.whole
    return {
        band: quantiser.indices(values[(slice(None), *band_slices(band, tile, whole))], band)
        for band, values in prepared.coefficients.items()
    }


def _coarsened(
    indices: dict[Band, NDArray[np.int32]], octaves: int
) -> dict[Band, NDArray[np.int32]]:
    """Indices at a step that is ``2 ** octaves`` times as large."""
    if octaves == 0:
        return indices
    return {band: np.sign(v) * (np.abs(v) >> octaves) for band, v in indices.items()}


def _coarsen(held: TileCoefficients, layer: int) -> None:
    """Take a tile's coefficients back to before a layer."""
    octaves = held.layers - layer
    for magnitude in held.magnitude.values():
        magnitude >>= octaves
    held.layers = layer


def _restoring_sums(
    prepared: Prepared,
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


