"""The base: a small inverse rendering, fitted to one raw and its JPEG.

The global part of what a rendering did is smooth: a table from guide colours to raw values, a
few gains over the frame where light falls off or an edit was local, and one small filter for each
colour of the mosaic. Their parameters take a few hundred bytes to a few kilobytes; evaluating them
is integer arithmetic that encoder and decoder share (:class:`Base`), fitting them
(:mod:`.fitting`) is the encoder's alone.

All of it works in the noise-normalised domain (:class:`NoiseDomain`).
"""

from rawback.tone.base import Base
from rawback.tone.linear_filter import REACH
from rawback.tone.lut import colour_histogram
from rawback.tone.vst import LIMIT, UNIT, NoiseDomain

__all__ = [
    "LIMIT",
    "REACH",
    "UNIT",
    "Base",
    "NoiseDomain",
    "colour_histogram",
]
