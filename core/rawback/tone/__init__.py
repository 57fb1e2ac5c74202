"""The base: a small inverse rendering, fitted to one raw and its JPEG.

The global part of what a rendering did is smooth: a table from guide colours to raw values, a
few gains over the frame where light falls off or an edit was local, and one small filter for each
colour of the mosaic. Their parameters take a few hundred bytes to a few kilobytes; evaluating them
is integer arithmetic that encoder and decoder share (:class:`Base`), fitting them (:mod:`.fit`,
:mod:`.fit_readouts`) is the encoder's alone.

All of it works in the noise-normalised domain (:class:`NoiseDomain`).
"""

from rawback.tone.base import Base
from rawback.tone.fit import PointwiseFit, Sample, choose_pointwise, fit_pointwise
from rawback.tone.fit_readouts import Patch, fit_readouts
from rawback.tone.lut import colour_cells
from rawback.tone.vst import LIMIT, UNIT, NoiseDomain

__all__ = [
    "LIMIT",
    "UNIT",
    "Base",
    "NoiseDomain",
    "Patch",
    "PointwiseFit",
    "Sample",
    "choose_pointwise",
    "colour_cells",
    "fit_pointwise",
    "fit_readouts",
]
