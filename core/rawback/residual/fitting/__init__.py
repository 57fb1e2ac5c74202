"""Fitting the residual's models to one frame: encoder only, in float."""

from __future__ import annotations

from rawback.residual.fitting.lossless import fit_lossless

__all__ = ["fit_lossless"]
