"""Mosaics of every kind, which many tests go through."""

from __future__ import annotations

from rawback.mosaic import Mosaic

__all__ = ["BAYER", "KINDS"]

BAYER = [Mosaic.parse(text) for text in ("RGGB", "BGGR", "GRBG", "GBRG")]

KINDS = {
    "Bayer": BAYER[3],
    "X-Trans": Mosaic.parse("GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"),
    "quad Bayer": Mosaic.parse("RRGG/RRGG/GGBB/GGBB"),
    "four colours": Mosaic.parse("GMCY"),
    # No cells of it have as many samples of each channel: planes hold several.
    "stripes": Mosaic.parse("RGBGG"),
    "monochrome": Mosaic.parse("W"),
    "linear": Mosaic.parse("R+G+B"),
}
