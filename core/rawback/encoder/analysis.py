"""A raw and its carrier, made ready for coding: what does not depend on the rate.

The base is fitted for a *lambda*, a price of bits: where the payload is to be tiny, a small table
pays and a large one does not. The base levels are those for a few values of it. What follows from
one base, down to the wavelet coefficients, is an :class:`Analysis`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Header, Section, SectionKind
from rawback.common.black_levels import level
from rawback.common.error_weights import WEIGHT_POWER, ErrorWeights
from rawback.common.header_fields import (
    domain_of,
    frame_from_header,
    geometry_of,
    header_of,
    pixels_needed,
)
from rawback.common.prediction import FILTER_CLASSES, GuideSource, Prediction, pointwise, predict
from rawback.common.tiles import Grid, Window, completed, filled
from rawback.encoder.rd_quantisation import FittedQuantisers
from rawback.encoder.sampling import sample_coefficients
from rawback.encoder.visibility import visible_axes
from rawback.geometry import build_guide
from rawback.parallel import in_threads, threads
from rawback.residual import (
    CODES_PER_LAYER,
    COEFFICIENT_UNIT,
    EVEN,
    KLT,
    Band,
    LosslessTile,
    RegionClass,
    analyse,
    band_shape,
    bands,
)
from rawback.tone import UNIT, Base, NoiseDomain, colour_histogram
from rawback.tone.fitting import (
    Patch,
    PointwiseFit,
    Sample,
    choose_pointwise,
    fit_linear_filters,
    fit_pointwise,
)
from rawback.types import Guide, Mosaic, RawFrame

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rawback.encoder.learned_layer import LearnedLayer, Use
    from rawback.geometry import Geometry
    from rawback.jpegio import DecodedJpeg
    from rawback.rate import Tune

__all__ = ["BASE_LAMBDAS", "Analysis", "EncoderInput", "FittedBase"]

BASE_LAMBDAS = (1.85, 8.0, 40.0, 200.0, 2000.0, 8000.0, 40_000.0, 200_000.0)
"""Squared error, in noise variances, that a bit of the base must save, by base level: at the noise
floor an extra bit per sample saves 1.4 times the error it meets; the others serve ever smaller
payloads."""

_SAMPLES = 40_000
_FILTER_TILES = 6
_CAP = 64 * UNIT


@dataclass(frozen=True, slots=True)
class EncoderInput:
    """A raw and its carrier on one grid, in the noise-normalised domain.

    Attributes:
        original: The raw as it was given; errors are measured against it.
        header: The header that all payloads of the shot share, but for what their rate adds.
        outside: The raw as the header describes it, rounded.
        frame: The same with level black; coding starts from it.
        geometry: Where raw pixels lie in the carrier.
        guide: The carrier on the raw grid.
        guides: The same by windows, completed at odd sides.
        grid: The frame's tiles.
        domain: Its noise-normalised domain.
        planes: int16 ``[planes, h, w]``: the samples in that domain, odd sides completed.
        fits: What bases are chosen from.
        tune: What errors are to be small for.
    """

    original: RawFrame
    header: Header
    outside: RawFrame
    frame: RawFrame
    geometry: Geometry
    guide: Guide
    guides: GuideSource
    grid: Grid
    domain: NoiseDomain
    planes: NDArray[np.int16]
    fits: BaseFits
    tune: Tune = "visual"

    @classmethod
    def of(
        cls,
        original: RawFrame,
        carrier: DecodedJpeg,
        geometry: Geometry,
        guide: Guide | None = None,
        tune: Tune = "visual",
    ) -> EncoderInput:
        """Bring both onto one grid.

        Args:
            original: The raw.
            carrier: The JPEG.
            geometry: Where raw pixels lie in it.
            guide: The JPEG on the raw grid, if it was made already.
            tune: As the attribute.
        """
        header = header_of(original, carrier, geometry)
        # As a decoder will see them.
        carrier, geometry = pixels_needed(header, carrier), geometry_of(header)
        outside = frame_from_header(header, original.cfa)
        frame = level(outside)
        domain = domain_of(header)
        if guide is None:
            guide = build_guide(geometry, carrier.pixels, threads=threads())
        grid = Grid.of(frame.height, frame.width, frame.mosaic.cell)
        planes = domain.to_planes(completed(frame.cfa, frame.mosaic))
        return cls(
            original=original,
            header=header,
            outside=outside,
            frame=frame,
            geometry=geometry,
            guide=guide,
            guides=GuideSource(geometry, carrier.pixels, grid, guide),
            grid=grid,
            domain=domain,
            planes=planes,
            fits=BaseFits.of(frame, planes, guide, colour_histogram(carrier.pixels)),
            tune=tune,
        )

    def restored(self, cfa: NDArray[np.uint16]) -> RawFrame:
        """The frame that a payload restores, given its mosaic with level black."""
        offsets = self.outside.black_offsets
        return replace(self.outside, cfa=cfa if offsets is None else offsets.added_to(cfa))


@dataclass(frozen=True, slots=True)
class BaseFits:
    """Tables and gains that were fitted to a shot, from which each base level takes what pays.

    Attributes:
        shape: Height and width of the mosaic.
        histogram: Colours of the carrier, see :func:`rawback.tone.colour_histogram`.
        samples: What tables are fitted to and tried on.
        candidates: Tables and gains.
        empty: The base before anything is fitted.
    """

    shape: tuple[int, int]
    histogram: NDArray[np.int64]
    samples: tuple[Sample, ...]
    candidates: list[PointwiseFit]
    empty: Base

    @classmethod
    def of(
        cls,
        frame: RawFrame,
        planes: NDArray[np.int16],
        guide: Guide,
        histogram: NDArray[np.int64],
    ) -> BaseFits:
        """Fit to a frame whose planes in the noise-normalised domain are given."""
        shape, mosaic = (frame.height, frame.width), frame.mosaic
        whole = Guide(filled(guide.pixels, mosaic.cell), filled(guide.mask, mosaic.cell))
        samples = Sample.draw(whole, planes, mosaic, _SAMPLES)
        candidates = fit_pointwise(samples, mosaic, shape)
        empty = Base.empty(mosaic, _uncovered_means(whole, planes, mosaic))
        return cls(shape, histogram, samples, candidates, empty)

    def choose(self, base_lambda: float) -> Base:
        """The base without filters that serves best at a price of bits."""
        return choose_pointwise(
            self.candidates, self.samples, self.empty, self.histogram, self.shape, base_lambda
        )


def _uncovered_means(guide: Guide, planes: NDArray[np.int16], mosaic: Mosaic) -> tuple[int, ...]:
    """Mean of each colour where the carrier does not cover the frame, 0 if it does."""
    outside = guide.mask == 0
    means = dict.fromkeys(mosaic.palette, 0.0)
    for plane in range(mosaic.planes) if outside.any() else ():
        here = outside[mosaic.pixels_of(plane, (planes.shape[1], planes.shape[2]))]
        channels = mosaic.plane_channels(plane, here.shape)
        for channel, colour in enumerate(mosaic.colours):
            own = here & (channels == channel)
            if own.any():
                means[colour] = max(0.0, float(planes[plane][own].mean()))
    return tuple(round(mean) for mean in means.values())


@dataclass(frozen=True, slots=True)
class FittedBase:
    """The base of a lambda, and its sections: what of an analysis a payload's size depends on."""

    base: Base
    sections: tuple[Section, ...]

    @classmethod
    def of(
        cls, source: EncoderInput, base_lambda: float, report: Callable[[float], None]
    ) -> FittedBase:
        """Choose a base at a lambda; `report` is told which part is done."""
        base = source.fits.choose(base_lambda)
        report(0.6)
        base = _with_filters(source, base, base_lambda)
        sections = [Section(SectionKind.BASE, 0, 0, base.pointwise_bytes(source.fits.histogram))]
        if base.filters:
            sections.append(Section(SectionKind.FILTER, 0, 0, base.filter_bytes()))
        return cls(base, tuple(sections))


@dataclass(frozen=True, slots=True)
class Analysis:
    """One base for a shot, and what it leaves to code.

    Attributes:
        source: The shot.
        base: The base.
        sections: Of the base and of the latents.
        predicted: The base over each tile, with what latents add.
        transform: Across planes.
        weight_power: Power of the weights of errors, in quarters.
        coefficients: float32 ``[planes, h, w]`` of each band of the whole frame.
        quantisers: Of the coefficients.
        coding_order: In which step the latent over each quad is coded, uint8 ``[h, w]``; None
            without latents.
    """

    source: EncoderInput
    base: Base
    sections: list[Section]
    predicted: list[Prediction]
    transform: KLT
    weight_power: int
    coefficients: dict[Band, NDArray[np.float32]] = field(repr=False)
    quantisers: FittedQuantisers = field(repr=False)
    coding_order: NDArray[np.uint8] | None = None

    @classmethod
    def of(
        cls, source: EncoderInput, base_lambda: float, report: Callable[[float], None]
    ) -> Analysis:
        """Choose a base at a lambda and see what it leaves; `report` is told which part is done."""
        fitted = FittedBase.of(source, base_lambda, lambda done: report(done / 2))
        return cls.of_base(source, fitted, lambda done: report(0.5 + done / 2))

    @classmethod
    def of_base(
        cls, source: EncoderInput, fitted: FittedBase, report: Callable[[float], None]
    ) -> Analysis:
        """See what a base leaves; `report` is told which part is done."""
        report(0.0)
        predicted = _predict_tiles(source, fitted.base)
        report(0.6)
        return cls._of_prediction(source, fitted.base, list(fitted.sections), predicted)

    @classmethod
    def _of_prediction(
        cls,
        source: EncoderInput,
        base: Base,
        sections: list[Section],
        predicted: list[Prediction],
        coding_order: NDArray[np.uint8] | None = None,
    ) -> Analysis:
        weights = ErrorWeights.of(source.frame.noise, WEIGHT_POWER)
        residual = np.empty(source.planes.shape, np.float32)

        def weigh(prediction: Prediction) -> NDArray[np.float32]:
            at = (slice(None), *prediction.window.slices)
            weights.weigh(source.planes[at], prediction.planes, residual[at])
            return residual[at]

        parts = list(in_threads(weigh, predicted))
        _complete(residual, source.frame)
        covariance = KLT.covariance(residual, _CAP)
        transform, slopes = KLT.fit(covariance), EVEN[: len(residual)]
        if source.tune == "visual":
            transform, slopes = visible_axes(source, weights, covariance)
        scale = COEFFICIENT_UNIT / UNIT
        for _ in in_threads(lambda part: transform.to_components(part, scale), parts):
            pass
        coefficients = {
            band: np.empty((len(residual), *band_shape(band, source.grid.whole.shape)), np.float32)
            for band in bands()
        }

        def split(number: int) -> None:
            analyse(residual[number], {band: c[number] for band, c in coefficients.items()})

        for _ in in_threads(split, range(len(residual))):
            pass
        return cls(
            source,
            base,
            sections,
            predicted,
            transform,
            WEIGHT_POWER,
            coefficients,
            FittedQuantisers(lambda: sample_coefficients(coefficients, source.grid), slopes),
            coding_order,
        )

    def tuned(self, tune: Tune) -> Analysis:
        """The same for errors that are to be small for something else."""
        if tune == self.source.tune:
            return self
        source = replace(self.source, tune=tune)
        return Analysis._of_prediction(
            source, self.base, self.sections, self.predicted, self.coding_order
        )

    @property
    def weights(self) -> ErrorWeights:
        """What errors count."""
        return ErrorWeights.of(self.source.frame.noise, self.weight_power)

    @property
    def is_learned(self) -> bool:
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
            use: Whether the layer is to be used even where it does not pay.
            report: Is told which part is done; may raise to stop it.
            latents: Whether latents are tried where that is left open.
        """
        from rawback.common.latents import with_planes

        layer = self._learned_layer(shift, use, report, latents=latents)
        if layer is None:
            return self
        predicted = with_planes(self.predicted, layer.planes)
        sections = self.sections + layer.sections
        return Analysis._of_prediction(
            self.source, self.base, sections, predicted, layer.coding_order
        )

    def _learned_layer(
        self, shift: int, use: Use, report: Callable[[float], None], *, latents: bool
    ) -> LearnedLayer | None:
        from rawback.common.latents import member_for
        from rawback.common.network_input import NetworkInput
        from rawback.encoder.learned_layer import choose_learned_layer
        from rawback.models import flipped_planes
        from rawback.models.objective import Emphasis
        from rawback.weights import weights

        source = self.source
        member = member_for(source.frame.mosaic)
        if member is None:
            return None
        model = weights(member)
        view = NetworkInput.of(source.frame.mosaic, source.guides, self.predicted)
        emphasis = None
        if source.tune == "visual":
            # Networks see planes sorted as those of RGGB.
            columns = flipped_planes(self.transform.components.T[..., None], view.pattern)
            mix = columns[..., 0].T.tolist()
            octaves = (slope / CODES_PER_LAYER for slope in self.quantisers.slopes[: len(mix)])
            emphasis = Emphasis(tuple(map(tuple, mix)), tuple(octaves))
        return choose_learned_layer(
            *(model, view, source.planes, self.weights, shift, use, report),
            latents=latents,
            emphasis=emphasis,
        )

    def cut_to(self, count: int) -> Analysis:
        """The same, as it is where the payload ends after so many of its sections."""
        source, sections = self.source, self.sections[:count]
        kinds = {section.kind for section in sections}
        base = self.base if SectionKind.FILTER in kinds else replace(self.base, filters=())
        predicted = _predict_tiles(source, base)
        order = None
        latents = {s.layer: s.data for s in sections if s.kind == SectionKind.LATENTS}
        if latents:
            from rawback.common.latents import refine

            refined = refine(source.frame.mosaic, source.guides, predicted, latents)
            predicted, order = refined.predicted, refined.coding_order
        return replace(self, base=base, sections=sections, predicted=predicted, coding_order=order)

    def lossless_tile(self, index: int, values: NDArray[np.int32]) -> LosslessTile:
        """What the lossless layer knows of a tile, given what is restored of the frame below it."""
        prediction = self.predicted[index]
        part = values[(slice(None), *prediction.window.slices)]
        place = (prediction.window.top, prediction.window.left)
        return LosslessTile.of(part, prediction.classes, self.source.frame.mosaic, place)


def _complete(residual: NDArray[np.float32], frame: RawFrame) -> None:
    """Where cells reach beyond the frame, let their residual be what costs least: the cell's mean.

    Nobody sees what is restored there, and the guide, repeated, says little of the samples that
    complete a cell.
    """
    mosaic = frame.mosaic
    shape = (residual.shape[1], residual.shape[2])
    for axis, side in enumerate((frame.height, frame.width)):
        if side % mosaic.cell == 0:
            continue
        edge = (slice(None), *(slice(-1, None) if at == axis else slice(None) for at in (0, 1)))
        places = (mosaic.pixels_of(plane, shape)[axis] for plane in range(mosaic.planes))
        at = np.stack([np.broadcast_to(place, shape)[edge[1:]] for place in places])
        inside, cells = at < side, residual[edge]
        mean = (cells * inside).sum(axis=0) / inside.sum(axis=0)
        residual[edge] = np.where(inside, cells, mean)


def _predict_tiles(source: EncoderInput, base: Base) -> list[Prediction]:
    return list(in_threads(lambda tile: predict(base, source.guides, tile), source.grid.tiles()))


def _with_filters(source: EncoderInput, base: Base, base_lambda: float) -> Base:
    tiles = source.grid.tiles()
    sampled = tiles[:: -(-len(tiles) // _FILTER_TILES)]

    def patch(tile: Window) -> Patch:
        colours, classes = pointwise(base, source.guides, tile)
        planes = source.planes[(slice(None), *tile.slices)]
        usable, place = classes < RegionClass.CLIPPED, (tile.top, tile.left)
        return Patch(colours, planes, classes, usable, place)

    return fit_linear_filters(
        base, in_threads(patch, sampled), base_lambda, source.grid.whole.area, FILTER_CLASSES
    )
