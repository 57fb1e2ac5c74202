"""Fitting the base to one raw and its JPEG: encoder only, in float."""

from __future__ import annotations

from rawback.tone.fitting.linear_filters import Patch, fit_linear_filters
from rawback.tone.fitting.pointwise import PointwiseFit, Sample, choose_pointwise, fit_pointwise

__all__ = [
    "Patch",
    "PointwiseFit",
    "Sample",
    "choose_pointwise",
    "fit_linear_filters",
    "fit_pointwise",
]
