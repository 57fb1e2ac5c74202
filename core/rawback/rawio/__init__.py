"""Raw files to frames and back.

In: mosaics of any pattern, monochrome and linear RGB. LibRaw decodes the samples, but for DNGs of
kinds that it does not decode; the file's own TIFF and DNG tags say what its levels, colours and
shot were, as LibRaw rounds or drops some of them. Out: a DNG, because every editor opens it.
"""

from __future__ import annotations

from rawback.rawio.collect import read_metadata
from rawback.rawio.describe import (
    described,
    personal_metadata,
    rendering_metadata,
    with_metadata,
    without_places,
)
from rawback.rawio.from_jpeg import metadata_of_jpeg
from rawback.rawio.noise import estimate_noise
from rawback.rawio.read import read_raw
from rawback.rawio.tags import Tag
from rawback.rawio.write import write_dng

__all__ = [
    "Tag",
    "described",
    "estimate_noise",
    "metadata_of_jpeg",
    "personal_metadata",
    "read_metadata",
    "read_raw",
    "rendering_metadata",
    "with_metadata",
    "without_places",
    "write_dng",
]
