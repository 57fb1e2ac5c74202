"""How close a restored raw is to the original: sample by sample, and as the eye sees it.

:mod:`.raw` compares CFA samples: PSNR, error over noise, the worst sample. :mod:`.visible` compares
renderings, lifted by some stops, as a person would see them on a display; :mod:`.colour` holds the
colour differences of the CIE.
"""

from rawback.metrics.colour import delta_e_2000, lab_from_linear
from rawback.metrics.raw import (
    CLIPPED,
    RawErrors,
    bits_per_pixel,
    error_over_sigma,
    highlight_psnr,
    raw_psnr,
    worst_error,
)
from rawback.metrics.visible import VisibleError, visible_differences, visible_errors

__all__ = [
    "CLIPPED",
    "RawErrors",
    "VisibleError",
    "bits_per_pixel",
    "delta_e_2000",
    "error_over_sigma",
    "highlight_psnr",
    "lab_from_linear",
    "raw_psnr",
    "visible_differences",
    "visible_errors",
    "worst_error",
]
