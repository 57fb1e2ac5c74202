"""Raw files to frames and back.

In: whatever LibRaw reads as a Bayer mosaic. LibRaw decodes the samples; the file's own TIFF and DNG
tags say what its levels, colours and shot were, as LibRaw rounds or drops some of them. Out: a DNG,
because every editor opens it.
"""

from __future__ import annotations

from rawback.rawio.noise import estimate_noise
from rawback.rawio.read import read_raw
from rawback.rawio.write import write_dng

__all__ = ["estimate_noise", "read_raw", "write_dng"]
