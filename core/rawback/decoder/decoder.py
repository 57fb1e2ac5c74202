"""From a payload and its carrier back to the raw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Header, Payload, Section, SectionKind
from rawback.common.coding_tables import coding_tables
from rawback.common.error_weights import ErrorWeights
from rawback.common.header_fields import (
    ResidualParameters,
    cfa_digest,
    check_tables,
    fits,
    frame_from_header,
    geometry_of,
)
from rawback.common.parallel import in_threads, threads
from rawback.common.prediction import GuideSource, Prediction, predict
from rawback.common.reconstruction import blank_tile, restored_residual
from rawback.common.tiles import MARGIN, Grid, Window, join_planes, split_planes
from rawback.entropy import SymbolDecoder
from rawback.errors import PayloadDamaged, PixelsChanged
from rawback.geometry import build_guide
from rawback.jpegio import DecodedJpeg, pixel_digest
from rawback.residual import (
    CodeIndexDomain,
    LosslessModel,
    LosslessTile,
    TileCoefficients,
    code_layer,
    code_lossless,
    read_code_values,
)
from rawback.tone import Base, NoiseDomain, colour_histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import Guide, Progress, RawFrame, Region

__all__ = ["carried_guide", "coding_order", "decode"]


def decode(
    payload: Payload,
    carrier: DecodedJpeg,
    *,
    region: Region | None = None,
    progress: Progress | None = None,
) -> RawFrame:
    """Rebuild the raw.

    Args:
        payload: May lack trailing sections; the raw is then coarser.
        carrier: The JPEG that carries it.
        region: Left, top, width and height, in raw pixels, of the part to rebuild; both corners
            must be even so that the CFA pattern stays. The whole frame by default.
        progress: Is told how far the work is.

    Returns:
        The raw, or the part of it; the part equals the same part of the whole.

    Raises:
        PixelsChanged: `carrier` decodes to other pixels than the payload was made for.
        PayloadDamaged: The payload contradicts itself.
        PayloadTooNew: It was coded with tables that this version does not have.
        ValueError: The region is not inside the frame or not even.
    """
    report = progress or (lambda _stage, _done: None)
    report("Checking the carrier", 0.0)
    header = payload.header
    check_tables(header)
    shape = (header.carrier_height, header.carrier_width, 3)
    if carrier.pixels.shape != shape or pixel_digest(carrier.pixels) != header.carrier_digest:
        message = (
            "The JPEG's pixels are not those its payload was made for; restore from a copy that "
            "was not edited or recompressed since."
        )
        raise PixelsChanged(message)
    if not fits(header.width * header.height, header.carrier_width * header.carrier_height):
        message = "The payload names a raw far too large for its JPEG; fetch the file again."
        raise PayloadDamaged(message)
    frame = _Frame(payload, carrier)
    left, top, width, height = region or (0, 0, header.width, header.height)
    if (
        left % 2
        or top % 2
        or min(left, top, width - 2, height - 2) < 0
        or (left + width > header.width or top + height > header.height)
    ):
        message = f"region {region} is not an even part of {header.width} x {header.height}"
        raise ValueError(message)
    wanted = Window(top // 2, left // 2, (top + height + 1) // 2, (left + width + 1) // 2)
    planes, window = frame.restore(wanted, report)
    planes = planes[(slice(None), *wanted.within(window))]
    cfa = np.ascontiguousarray(join_planes(planes)[:height, :width])
    if region is None and frame.exact and cfa_digest(cfa) != header.cfa_digest:
        message = "The raw does not come back bit for bit; restore from another copy of the JPEG."
        raise PayloadDamaged(message)
    report("Restored", 1.0)
    return frame_from_header(header, cfa)


def coding_order(payload: Payload, carrier: DecodedJpeg) -> NDArray[np.uint8] | None:
    """The order masks of the learned layer, laid over each other.

    Args:
        payload: May lack trailing sections.
        carrier: The JPEG that carries it.

    Returns:
        uint8 ``[h, w]``: the step, from 1, in which the latent that covers each quad is coded;
        None without latents.

    Raises:
        PayloadDamaged: The payload contradicts itself.
        PayloadTooNew: It was coded with networks that this version does not have.
    """
    return _Frame(payload, carrier).steps()


@dataclass(frozen=True, slots=True)
class _Exact:
    """What the exact layer needs besides its sections."""

    codes: NDArray[np.uint16]
    model: LosslessModel
    domain: CodeIndexDomain


class _Frame:
    """A payload taken apart, and the means to restore windows of it."""

    def __init__(self, payload: Payload, carrier: DecodedJpeg) -> None:
        header = payload.header
        self.header: Header = header
        self.grid = Grid.of(header.height, header.width)
        self.tiles = self.grid.tiles()
        self.source = GuideSource(geometry_of(header), carrier.pixels, self.grid)
        blank = frame_from_header(header, np.zeros((2, 2), dtype=np.uint16))
        self.pattern = blank.pattern
        self.noise = blank.noise
        self.domain = NoiseDomain.of(blank.noise, blank.black, blank.white)
        self.sections = _by_place(payload.sections)
        self.base = self._base(carrier)
        self.parameters = (
            ResidualParameters.from_bytes(header.residual) if header.residual else None
        )
        self.worth = ErrorWeights.of(self.noise, self.parameters.quarters if self.parameters else 0)
        self.model = self._exact()

    @property
    def exact(self) -> bool:
        """Whether every sample of the frame comes back as it was."""
        return self.model is not None and all(
            (SectionKind.EXACT, 0, tile) in self.sections for tile in range(len(self.tiles))
        )

    def _base(self, carrier: DecodedJpeg) -> Base:
        data = self.sections.get((SectionKind.BASE, 0, 0))
        if data is None:
            message = "The payload was cut before its first section; restore from another copy."
            raise PayloadDamaged(message)
        cells = colour_histogram(carrier.pixels)
        shape = (self.header.height, self.header.width)
        base = Base.from_pointwise_bytes(data, self.pattern, cells, shape)
        filters = self.sections.get((SectionKind.FILTER, 0, 0))
        return base if filters is None else base.with_readout_bytes(filters)

    def _exact(self) -> _Exact | None:
        codes = self.sections.get((SectionKind.CODES, 0, 0))
        model = self.sections.get((SectionKind.CODES, 1, 0))
        if codes is None or model is None:
            return None
        used = read_code_values(codes)
        ranks = CodeIndexDomain(np.ascontiguousarray(self.domain.forward[:, used]))
        return _Exact(used, LosslessModel.from_bytes(model, self.pattern), ranks)

    def restore(self, wanted: Window, report: Progress) -> tuple[NDArray[np.uint16], Window]:
        """Samples ``[4, h, w]`` of a window that encloses the wanted one, and that window."""
        within = [tile for tile in self.tiles if tile.overlaps(wanted)]
        core = Window(
            min(tile.top for tile in within),
            min(tile.left for tile in within),
            max(tile.bottom for tile in within),
            max(tile.right for tile in within),
        )
        window = self.grid.aligned(self.grid.grown(core, MARGIN))
        coded = [tile for tile in self.tiles if tile.overlaps(window)]
        predicted, held = self._decode_layers(coded, report)
        report("Restoring samples", 0.7)
        values = np.empty((4, *core.shape), dtype=np.int32)
        spots = np.empty(core.shape, dtype=np.uint8)
        for tile in within:
            at = tile.within(core)
            values[(slice(None), *at)] = predicted[tile].planes
            spots[at] = predicted[tile].spots
        if self.parameters is not None:
            residual = restored_residual(self.parameters, held, window)
            residual = residual[(slice(None), *core.within(window))]
            for tile in within:
                part = (slice(None), *tile.within(core))
                values[part] += self.worth.unweighed(residual[part], predicted[tile].planes)
            del residual
        samples = np.stack([self.domain.to_samples(values[p], p) for p in range(4)])
        if self.model is not None:
            self._decode_exact(self.model, within, core, values, spots, samples, report)
        return samples, core

    def _decode_layers(
        self, tiles: list[Window], report: Progress
    ) -> tuple[dict[Window, Prediction], dict[Window, TileCoefficients]]:
        refined = self._refined(tiles, report)

        def decoded(tile: Window) -> tuple[Prediction, TileCoefficients]:
            prediction = refined.get(tile) or predict(self.base, self.source, tile)
            return prediction, self._decode_tile(tile, prediction)

        predicted, held = {}, {}
        for done, (tile, found) in enumerate(zip(tiles, in_threads(decoded, tiles), strict=True)):
            report("Decoding", 0.05 + 0.65 * done / len(tiles))
            predicted[tile], held[tile] = found
        return predicted, held

    def steps(self) -> NDArray[np.uint8] | None:
        """As :func:`coding_order`."""
        latents = self._latents
        if 0 not in latents:
            return None
        from rawback.common.latent_order import coding_order_of

        return coding_order_of(self.pattern, self.source, self._predicted(), latents)

    @property
    def _latents(self) -> dict[int, bytes]:
        """Sections of latents by layer."""
        return {
            layer: data
            for (kind, layer, tile), data in self.sections.items()
            if kind == SectionKind.LATENTS and tile == 0
        }

    def _predicted(self) -> list[Prediction]:
        return list(in_threads(lambda t: predict(self.base, self.source, t), self.tiles))

    def _refined(self, tiles: list[Window], report: Progress) -> dict[Window, Prediction]:
        """The base of these tiles with what latents add; nothing where there are none."""
        latents = self._latents
        if 0 not in latents:
            return {}
        from rawback.common.latents import with_latents

        report("Decoding latents", 0.02)
        predicted = self._predicted()
        wanted = Window(
            min(tile.top for tile in tiles),
            min(tile.left for tile in tiles),
            max(tile.bottom for tile in tiles),
            max(tile.right for tile in tiles),
        )
        found = with_latents(self.pattern, self.source, predicted, latents, wanted)
        return {part.window: part for part in found}

    def _decode_tile(self, tile: Window, prediction: Prediction) -> TileCoefficients:
        """The coefficients of one tile, as far as its sections go."""
        coefficients = blank_tile(prediction, self.worth)
        index = self.tiles.index(tile)
        for layer, quantiser in enumerate(self.parameters.quantisers if self.parameters else ()):
            data = self.sections.get((SectionKind.RESIDUAL, layer, index))
            if data is None:
                # A layer that leaves all at zero is not written; a tile that is not all zero
                # lacks a layer only where the payload was cut.
                if coefficients.layers and any(m.any() for m in coefficients.magnitude.values()):
                    break
                coefficients.layers += 1
                continue
            code_layer(SymbolDecoder(data), coding_tables().layers, coefficients, quantiser, None)
        return coefficients

    def _decode_exact(
        self,
        model: _Exact,
        tiles: list[Window],
        core: Window,
        values: NDArray[np.int32],
        spots: NDArray[np.uint8],
        samples: NDArray[np.uint16],
        report: Progress,
    ) -> None:
        """Replace restored samples by the very ones, where their sections are there."""

        def replaced(tile: Window) -> None:
            data = self.sections.get((SectionKind.EXACT, 0, self.tiles.index(tile)))
            if data is None:
                return
            at = tile.within(core)
            known = LosslessTile.of(values[(slice(None), *at)], spots[at])
            decoder, tables = SymbolDecoder(data), coding_tables().exact
            ranks = code_lossless(
                decoder, tables, model.model, model.domain, self.pattern, known, None
            )
            samples[(slice(None), *at)] = split_planes(model.codes[ranks])

        for done, _ in enumerate(in_threads(replaced, tiles)):
            report("Decoding the exact layer", 0.75 + 0.24 * done / len(tiles))


def _by_place(sections: tuple[Section, ...]) -> dict[tuple[int, int, int], bytes]:
    """Sections by kind, layer and tile; kinds that are not known here are skipped."""
    found: dict[tuple[int, int, int], bytes] = {}
    for section in sections:
        if section.kind not in set(SectionKind):
            continue
        place = (section.kind, section.layer, section.tile)
        if place in found:
            message = "The payload holds a section twice; fetch the file again."
            raise PayloadDamaged(message)
        found[place] = section.data
    return found


def carried_guide(header: Header, carrier: DecodedJpeg) -> Guide:
    """A decoded carrier on the grid of the raw that its payload's header describes."""
    return build_guide(geometry_of(header), carrier.pixels, threads=threads())
