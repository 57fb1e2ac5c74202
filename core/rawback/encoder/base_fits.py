"""The bases of a shot: tables and gains that are fitted once, and what of them pays at a price.

A base is chosen for a *lambda*, a price of bits: where the payload is to be tiny, a small table
pays and a large one does not. The base levels are those for a few values of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback.bitstream import Section, SectionKind
from rawback.common.prediction import FILTER_CLASSES, pointwise
from rawback.common.tiles import filled
from rawback.parallel import in_threads
from rawback.residual import RegionClass
from rawback.tone import Base
from rawback.tone.fitting import (
    FilterFits,
    Patch,
    PointwiseFit,
    Sample,
    choose_pointwise,
    fit_pointwise,
    mean_errors,
)
from rawback.types import Guide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rawback.common.tiles import Window
    from rawback.encoder.encoder_input import EncoderInput
    from rawback.mosaic import Mosaic
    from rawback.types import RawFrame

__all__ = ["BASE_LAMBDAS", "BaseFits", "FittedBase", "filter_fits"]

BASE_LAMBDAS = (1.85, 8.0, 40.0, 200.0, 2000.0, 8000.0, 40_000.0, 200_000.0)
"""Squared error, in noise variances, that a bit of the base must save, by base level: at the noise
floor an extra bit per sample saves 1.4 times the error it meets; the others serve ever smaller
payloads."""

_SAMPLES = 40_000
_FILTER_TILES = 6


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

    def mean_errors(self, base: Base) -> list[float]:
        """By how much samples lie above a base without filters in the mean, by colour."""
        return mean_errors(self.samples, base)

    def section_of(self, base: Base) -> Section:
        """The section of a base's table and gains."""
        return Section(SectionKind.BASE, 0, 0, base.pointwise_bytes(self.histogram))


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
    def of(cls, source: EncoderInput, base: Base) -> FittedBase:
        """Of a base with its filters."""
        sections = [source.fits.section_of(base)]
        if base.filters:
            sections.append(Section(SectionKind.FILTER, 0, 0, base.filter_bytes()))
        return cls(base, tuple(sections))


def filter_fits(source: EncoderInput, base: Base) -> FilterFits:
    """What filters are fitted from, behind a base without them."""
    tiles = source.grid.tiles()
    sampled = tiles[:: -(-len(tiles) // _FILTER_TILES)]

    def patch(tile: Window) -> Patch:
        colours, classes = pointwise(base, source.guides, tile)
        planes = source.planes[(slice(None), *tile.slices)]
        usable, place = classes < RegionClass.CLIPPED, (tile.top, tile.left)
        return Patch(colours, planes, classes, usable, place)

    patches, cells = in_threads(patch, sampled), source.grid.whole.area
    return FilterFits.of(patches, base.mosaic, cells, FILTER_CLASSES, len(sampled))
