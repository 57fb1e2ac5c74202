"""A raw and its carrier, made ready for coding: what does not depend on the rate.

The base is fitted for a *price* of bits: where the payload is to be tiny, a small table pays and a
large one does not. What follows from one base, down to the wavelet coefficients, is a
:class:`Analysis`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Header, Section, SectionKind
from rawback.common.error_weights import QUARTERS, ErrorWeights
from rawback.common.header_fields import frame_from_header
from rawback.common.parallel import in_threads
from rawback.common.prediction import (
    FILTER_CLASSES,
    GuideSource,
    Prediction,
    pointwise,
    predict,
)
from rawback.common.tiles import Grid, Window, even, split_planes
from rawback.residual import (
    COEFFICIENT_UNIT,
    KLT,
    Band,
    LosslessTile,
    RegionClass,
    analyse,
    bands,
)
from rawback.tone import (
    UNIT,
    Base,
    NoiseDomain,
    colour_histogram,
)
from rawback.tone.fitting import (
    Patch,
    PointwiseFit,
    Sample,
    choose_pointwise,
    fit_linear_filters,
    fit_pointwise,
)
from rawback.types import BayerPattern, Guide, RawFrame

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.encoder.learned_layer import Use
    from rawback.geometry import Geometry
    from rawback.jpegio import DecodedJpeg

__all__ = ["BIT_PRICES", "Analysis", "EncoderInput"]

BIT_PRICES = (1.85, 8.0, 40.0, 200.0, 2000.0, 8000.0, 40_000.0, 200_000.0)
"""Squared error, in noise variances, that a bit of the base must save: at the noise floor an extra
bit per sample saves 1.4 times the error it meets; the others serve ever smaller payloads."""

_SAMPLES = 40_000
_FILTER_TILES = 6
_CAP = 64 * UNIT


@dataclass(slots=True)
class EncoderInput:
    """A raw and its carrier on one grid, in the noise-normalised domain.

    Attributes:
        frame: As the header describes it, with the true mosaic.
        grid: Its tiles.
        domain: Its noise-normalised domain.
        planes: int16 ``[4, h, w]``: the mosaic in that domain, odd sides completed.
        source: Of the guide.
        cells: Colours of the carrier.
        samples: What the table is fitted to.
        fits: Of the table and the gains.
        blank: The base before it is fitted.
        member: Of the networks that may refine it.
    """

    frame: RawFrame
    grid: Grid
    domain: NoiseDomain
    planes: NDArray[np.int16]
    source: GuideSource
    cells: NDArray[np.int64]
    samples: tuple[Sample, Sample, Sample]
    fits: list[PointwiseFit]
    blank: Base
    member: str = "bayer"

    @classmethod
    def of(
        cls, header: Header, frame: RawFrame, carrier: DecodedJpeg, geometry: Geometry, guide: Guide
    ) -> EncoderInput:
        """Bring both onto one grid."""
        told = frame_from_header(header, frame.cfa)
        domain = NoiseDomain.of(told.noise, told.black, told.white)
        mosaic = split_planes(even(frame.cfa, 2))
        planes = np.empty(mosaic.shape, dtype=np.int16)
        for position in range(4):
            planes[position] = domain.to_domain(mosaic[position], position)
        grid = Grid.of(frame.height, frame.width)
        source = GuideSource(geometry, carrier.pixels, grid)
        whole = Guide(even(guide.pixels), even(guide.mask))
        samples = Sample.draw(whole, planes, told.pattern, _SAMPLES)
        return cls(
            told,
            grid,
            domain,
            planes,
            source,
            colour_histogram(carrier.pixels),
            samples,
            fit_pointwise(samples, (frame.height, frame.width)),
            Base.blank(told.pattern, _uncovered(whole, planes, told.pattern)),
        )


def _uncovered(
    guide: Guide, planes: NDArray[np.int16], pattern: BayerPattern
) -> tuple[int, int, int]:
    """Mean of each colour where the carrier does not cover the frame, 0 if it does."""
    outside = guide.mask == 0
    means = [0.0, 0.0, 0.0]
    for position in range(4) if outside.any() else ():
        here = outside[position // 2 :: 2, position % 2 :: 2]
        if here.any():
            means["RGB".index(pattern[position])] = max(0.0, float(planes[position][here].mean()))
    red, green, blue = (round(mean) for mean in means)
    return red, green, blue


@dataclass(slots=True)
class Analysis:
    """One base for a shot, and what it leaves to code.

    Attributes:
        shot: Of what.
        base: The base.
        sections: Of the base and of the latents.
        predicted: The base over each tile, with what latents add.
        transform: Across planes.
        quarters: Power of the weights of errors.
        coefficients: float32 ``[4, h, w]`` of each band of the whole frame.
    """

    shot: EncoderInput
    base: Base
    sections: list[Section]
    predicted: list[Prediction]
    transform: KLT
    quarters: int
    coefficients: dict[Band, NDArray[np.float32]] = field(repr=False)

    @classmethod
    def of(cls, shot: EncoderInput, price: float, report: Callable[[float], None]) -> Analysis:
        """Choose a base at a price and see what it leaves; `report` is told which part is done."""
        shape = (shot.frame.height, shot.frame.width)
        base = choose_pointwise(shot.fits, shot.samples, shot.blank, shot.cells, shape, price)
        report(0.3)
        base = _with_filters(shot, base, price)
        report(0.5)
        sections = [Section(SectionKind.BASE, 0, 0, base.pointwise_bytes(shot.cells))]
        if base.readouts:
            sections.append(Section(SectionKind.FILTER, 0, 0, base.readout_bytes()))
        predicted = _predicted(shot, base)
        report(0.8)
        return cls._split(shot, base, sections, predicted)

    @classmethod
    def _split(
        cls, shot: EncoderInput, base: Base, sections: list[Section], predicted: list[Prediction]
    ) -> Analysis:
        worth = ErrorWeights.of(shot.frame.noise, QUARTERS)
        residual = shot.planes.astype(np.float32)
        for prediction in predicted:
            part = residual[(slice(None), *prediction.window.slices)]
            part -= prediction.planes
            worth.weighed(part, prediction.planes)
        transform = KLT.fit(residual, _CAP)
        residual *= COEFFICIENT_UNIT / UNIT
        components = transform.to_components(residual)
        del residual
        split = list(in_threads(analyse, components))
        coefficients = {band: np.stack([plane.pop(band) for plane in split]) for band in bands()}
        return cls(shot, base, sections, predicted, transform, QUARTERS, coefficients)

    @property
    def worth(self) -> ErrorWeights:
        """What errors count."""
        return ErrorWeights.of(self.shot.frame.noise, self.quarters)

    @property
    def learned(self) -> bool:
        """Whether there is a learned layer."""
        return any(section.kind == SectionKind.LATENTS for section in self.sections)

    def refined(
        self,
        shift: int,
        use: Use = "auto",
        report: Callable[[float], None] = lambda _done: None,
        *,
        latents: bool = True,
    ) -> Analysis:
        """The same with a learned layer, or this one itself where none pays.

        Args:
            shift: For steps of so many eighths of an octave above the noise.
            use: Whether the layer is to be used as told even where it does not pay.
            report: Is told which part is done; may raise to stop it.
            latents: Whether latents are tried where that is left open.
        """
        from rawback.common.latents import replaced
        from rawback.common.network_input import NetworkInput
        from rawback.encoder.learned_layer import refine
        from rawback.weights import weights

        shot = self.shot
        held = weights(shot.member)
        sites = held.network.config.sites
        scene = NetworkInput.of(shot.frame.pattern, shot.source, self.predicted, sites)
        worth = self.worth
        found = refine(held, scene, shot.planes, worth, shift, use, report, latents=latents)
        del scene
        if found is None:
            return self
        predicted = replaced(self.predicted, found.planes)
        return Analysis._split(shot, self.base, self.sections + found.sections, predicted)

    def cut_to(self, count: int) -> Analysis:
        """The same, as it is where the payload ends after so many of its sections."""
        shot, sections = self.shot, self.sections[:count]
        kinds = {section.kind for section in sections}
        base = self.base if SectionKind.FILTER in kinds else replace(self.base, readouts=())
        predicted = _predicted(shot, base)
        latents = {s.layer: s.data for s in sections if s.kind == SectionKind.LATENTS}
        if latents:
            from rawback.common.latents import with_latents

            predicted = with_latents(shot.frame.pattern, shot.source, predicted, latents)
        return replace(self, base=base, sections=sections, predicted=predicted)

    def exact_tile(self, index: int, values: NDArray[np.int32]) -> LosslessTile:
        """What the exact layer knows of a tile, given what the payload restores of the frame."""
        prediction = self.predicted[index]
        part = values[(slice(None), *prediction.window.slices)]
        return LosslessTile.of(part, prediction.spots)


def _predicted(shot: EncoderInput, base: Base) -> list[Prediction]:
    tiles = shot.grid.tiles()
    return list(in_threads(lambda tile: predict(base, shot.source, tile), tiles))


def _with_filters(shot: EncoderInput, base: Base, price: float) -> Base:
    tiles = shot.grid.tiles()
    some = tiles[:: -(-len(tiles) // _FILTER_TILES)]

    def patch(tile: Window) -> Patch:
        colours, spots = pointwise(base, shot.source, tile)
        planes = shot.planes[(slice(None), *tile.slices)]
        return Patch(colours, planes, spots, spots < RegionClass.CLIPPED)

    quads = shot.grid.height * shot.grid.width
    return fit_linear_filters(base, in_threads(patch, some), price, quads, FILTER_CLASSES)
