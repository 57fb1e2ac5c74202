"""Tiles from all over a large frame, put together as a frame of their own.

What is to be tried several times, as bases are, is tried on these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.common.prediction import GuideSource, Prediction, predict
from rawback.common.tiles import TILE, Grid, Window, completed, trimmed
from rawback.encoder.analysis import Analysis
from rawback.encoder.sampling import spread_places
from rawback.geometry import Geometry
from rawback.parallel import in_threads
from rawback.types import Guide

if TYPE_CHECKING:
    from rawback.encoder.base_fits import FittedBase
    from rawback.encoder.encoder_input import EncoderInput

__all__ = ["Excerpt"]

_LARGE = 1 << 25
"""Samples of a frame from which on its time is better spent on a part of it: 33 megapixels of one
sample each, 11 of three."""

_ROWS = 2
"""Rows of tiles in an excerpt."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some tiles of a frame, side by side.

    Attributes:
        whole: The shot.
        source: The shot as far as these tiles show it. The black of all samples is the same in it,
            and there is nothing around them.
        places: Where each tile lies in the frame, and where here.
        share: The part of the frame's cells that these are.
    """

    whole: EncoderInput
    source: EncoderInput
    places: tuple[tuple[Window, Window], ...]
    share: float

    @classmethod
    def of(cls, source: EncoderInput, tiles: int | None = None) -> Excerpt | None:
        """An excerpt of a frame; None of one that is not large.

        Args:
            source: The shot.
            tiles: How many are enough where nobody looks at them; by default there are two rows
                as long as the frame's longer side, so that a view of them at a window's size is
                scaled down as much as one of the frame.
        """
        whole = source.grid.whole
        rows, columns = (side // TILE for side in whole.shape)
        down, across = (_ROWS, max(rows, columns)) if tiles is None else (1, tiles)
        if source.planes.size < _LARGE or rows * columns < 2 * down * across:
            return None
        spread = spread_places(rows, columns, down * across)
        places = tuple(
            (_tile(*place), _tile(*divmod(number, across))) for number, place in enumerate(spread)
        )
        grid = Grid(down * TILE, across * TILE, source.grid.cell)
        part = _put_together(source, grid, places)
        return cls(source, part, places, grid.whole.area / whole.area)

    def of_base(self, fitted: FittedBase) -> Analysis:
        """What a base of the frame leaves here."""

        def predicted(place: tuple[Window, Window]) -> Prediction:
            there, here = place
            return replace(predict(fitted.base, self.whole.guides, there), window=here)

        tiles = list(in_threads(predicted, self.places))
        return Analysis.of_prediction(self.source, fitted.base, list(fitted.sections), tiles)

    def of_analysis(self, analysis: Analysis) -> Analysis:
        """What an analysis of the whole frame leaves here."""
        tiles = {prediction.window: prediction for prediction in analysis.predicted}
        predicted = [replace(tiles[there], window=here) for there, here in self.places]
        return Analysis.of_prediction(
            self.source,
            analysis.base,
            analysis.sections,
            predicted,
            weight_power=analysis.weight_power,
        )


def _tile(row: int, column: int) -> Window:
    return Window(TILE * row, TILE * column, TILE * (row + 1), TILE * (column + 1))


def _put_together(
    source: EncoderInput, grid: Grid, places: tuple[tuple[Window, Window], ...]
) -> EncoderInput:
    """A shot of tiles of another one."""
    whole, here = source.grid.whole, grid.whole
    mosaic = source.frame.mosaic
    samples = completed(source.frame.cfa, mosaic)
    cfa = np.empty((mosaic.cell * grid.height, mosaic.across * grid.width), np.uint16)
    planes = np.empty((len(source.planes), grid.height, grid.width), np.int16)
    pixels = np.empty((grid.cell * grid.height, grid.cell * grid.width, 3), np.uint8)
    mask = np.empty(pixels.shape[:2], np.uint8)
    for there, target in places:
        part = samples[there.samples_within(whole, mosaic)]
        cfa[target.samples_within(here, mosaic)] = part
        planes[(slice(None), *target.slices)] = source.planes[(slice(None), *there.slices)]
        guide = source.guides.guide(there)
        rows, columns = (slice(grid.cell * s.start, grid.cell * s.stop) for s in target.slices)
        pixels[rows, columns], mask[rows, columns] = guide.pixels, guide.mask
    (height, width), carrier_size = mask.shape, source.geometry.carrier_size
    frame = source.frame.excerpt(trimmed(cfa, mosaic, height, width))
    # Of the geometry, only the size is asked for where the guide is there.
    guide, geometry = Guide(pixels, mask), Geometry.disjoint((width, height), carrier_size)
    return replace(
        source,
        original=frame,
        outside=frame,
        frame=frame,
        geometry=geometry,
        guide=guide,
        guides=GuideSource(geometry, source.guides.pixels, grid, guide),
        grid=grid,
        planes=planes,
    )
