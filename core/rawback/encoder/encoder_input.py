"""A raw and its carrier on one grid, ready for coding at any rate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rawback.common.black_levels import level
from rawback.common.header_fields import (
    domain_of,
    frame_from_header,
    geometry_of,
    header_of,
    pixels_needed,
)
from rawback.common.prediction import GuideSource
from rawback.common.tiles import Grid, completed
from rawback.encoder.base_fits import BaseFits
from rawback.geometry import build_guide
from rawback.parallel import threads
from rawback.tone import colour_histogram

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rawback.bitstream import Header
    from rawback.geometry import Geometry
    from rawback.jpegio import DecodedJpeg
    from rawback.rate import Tune
    from rawback.tone import NoiseDomain
    from rawback.types import Guide, RawFrame

__all__ = ["EncoderInput"]


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
        outside = replace(frame_from_header(header, original.cfa), floats=original.floats)
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
        return replace(self.outside.coarse, cfa=cfa if offsets is None else offsets.added_to(cfa))
