"""How much power a payload leaves away in smooth areas, for the grain that may stand in for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.common.grain import GrainSpectrum
from rawback.residual import COEFFICIENT_UNIT, LEVELS, RegionClass, band_arrays, band_gain, bands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback.encoder.rd_quantisation import RdQuantiser
    from rawback.encoder.sampling import Sample

__all__ = ["grain_spectrum"]

_FEWEST = 200
"""Coefficients that a deviation is measured on at least."""

_NOISE_ONE = 256


def grain_spectrum(samples: Sequence[Sample], quantiser: RdQuantiser) -> GrainSpectrum:
    """The grain that gives smooth areas the power they had.

    Where a coefficient c of the residual becomes 0, what is restored is the base's own coefficient
    b, and the original's was b + c. The base keeps some of the noise, and what it sharpened the
    residual takes back; so what is missing is not the power of c, but ``c^2 + 2 b c``.

    Args:
        samples: Of the frame.
        quantiser: Of the last layer.
    """
    power, count = np.zeros((2, 4, LEVELS))
    for sample in samples:
        indices = quantiser.indices(sample.coefficients)
        base = band_arrays(sample.context.base, sample.context.shape)
        start = 0
        for band in bands():
            rows, columns = base[band].shape[1:]
            here = slice(start, start + rows * columns)
            start = here.stop
            if not (band.high_x or band.high_y):
                continue
            noise = sample.context.noise[here].reshape(rows, columns) / np.float32(_NOISE_ONE)
            smooth = sample.context.classes[here].reshape(rows, columns) == RegionClass.SMOOTH
            scale = band_gain(band) / (COEFFICIENT_UNIT * np.maximum(noise, 1 / _NOISE_ONE))
            for component in range(4):
                chosen = smooth & (indices[band][component] == 0)
                missing = sample.coefficients[band][component] * scale
                kept = base[band][component] * noise * scale
                power[component, band.level - 1] += (missing * (missing + 2 * kept))[chosen].sum()
                count[component, band.level - 1] += chosen.sum()
    mean = np.where(count < _FEWEST, 0, power / np.maximum(count, 1))
    return GrainSpectrum.of_deviations(np.sqrt(np.maximum(mean, 0)))
