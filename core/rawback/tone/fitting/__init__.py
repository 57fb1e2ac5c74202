"""Fitting the base to one raw and its JPEG: encoder only, in float."""

from __future__ import annotations

from rawback.tone.fitting.linear_filters import FilterFits, Patch
from rawback.tone.fitting.pointwise import (
    PointwiseFit,
    Sample,
    choose_pointwise,
    fit_pointwise,
    mean_errors,
)

__all__ = [
    "FilterFits",
    "Patch",
    "PointwiseFit",
    "Sample",
    "choose_pointwise",
    "fit_pointwise",
    "mean_errors",
]
