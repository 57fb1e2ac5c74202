"""How much power a payload leaves away in flat areas, for the grain that may stand in for it.

Where a coefficient c of the residual becomes 0, what is restored is the base's own coefficient b,
and the original's was b + c. The base keeps some of the noise, and what it sharpened the residual
takes back; so what is missing is not the power of c, but ``(b + c)^2 - b^2``. In flat areas that is
noise; elsewhere it is detail, which noise is no substitute for. So blocks are asked whether they
are flat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.common.grain import GrainSpectrum
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.rate import LAYERS
from rawback.residual import COEFFICIENT_UNIT, LEVELS, RegionClass, band_arrays, band_gain, bands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rawback.encoder.sampling import Sample
    from rawback.residual import Band

__all__ = ["block_powers", "grain_spectra"]

_BLOCK = 64
"""Quads along a block."""

_JUDGED = (2, 3, 4)
"""Levels that tell whether a block is flat: of the coarsest it has few coefficients."""

_QUIET, _FLAT = 0.5, 2.0
"""Part of the blocks whose power flat ones may exceed, and by how much; training
frames chose it."""

_FEWEST = 48
"""Coefficients that a deviation is measured on at least."""

_EXCESS = (1.023, 1.064, 1.068, 1.066, 1.068)
"""Deviation of white noise as its coefficients of levels 1 to 5 tell it: the norm of the functions
that analyse, times that of those that synthesise, which are others."""

_grain_power = Kernel(
    "grain_power",
    *(Read(np.float32, 3), Read(np.int32, 3), Read(np.int32, 3)),
    *(Read(np.uint8, 2), Read(np.uint16, 2), Integer, Integer, Write(np.float32, 3)),
)


def block_powers(sample: Sample, indices: Mapping[Band, NDArray[np.int32]]) -> NDArray[np.float32]:
    """Sums over the blocks of a tile, in variances of the noise.

    Args:
        sample: The tile.
        indices: What its coefficients became in the last layer, int32 ``[n, h, w]`` of each band.

    Returns:
        float32 ``[blocks, n, LEVELS, 2 + 2 LAYERS]``, of each component and level: how many
        coefficients, the original's power; and for each layer, coarse to fine, how many of them
        were not coded, and the power that those lack.
    """
    rows, columns = sample.context.shape
    blocks = -(-rows // _BLOCK) * -(-columns // _BLOCK)
    bases = band_arrays(sample.context.base, sample.context.shape)
    count = len(next(iter(bases.values())))
    found = np.zeros((LEVELS, count, blocks, 2 + 2 * LAYERS), np.float32)
    start = 0
    for band in bands():
        shape = bases[band].shape[1:]
        here = slice(start, start + shape[0] * shape[1])
        start = here.stop
        if not (band.high_x or band.high_y) or not all(shape):
            continue
        side = _BLOCK >> band.level
        across = -(-shape[1] // side)
        sums = np.zeros((count, -(-shape[0] // side) * across, 2 + 2 * LAYERS), np.float32)
        _grain_power(
            *(sample.coefficients[band], indices[band], bases[band]),
            *(
                sample.context.classes[here].reshape(shape),
                sample.context.noise[here].reshape(shape),
            ),
            *(int(RegionClass.EDGE), side, sums),
        )
        sums[..., 1::2] *= (band_gain(band) / COEFFICIENT_UNIT) ** 2
        # An odd end may leave a band without a last block.
        numbers = np.arange(sums.shape[1])
        numbers = numbers // across * -(-columns // _BLOCK) + numbers % across
        found[band.level - 1][:, numbers] += sums
    return found.transpose(2, 1, 0, 3)


def grain_spectra(powers: Sequence[NDArray[np.float32]]) -> list[GrainSpectrum]:
    """The grain of each layer, coarse to fine, that gives flat areas the power they had.

    Args:
        powers: Of the tiles of a frame, from :func:`block_powers`.
    """
    blocks = np.concatenate(powers).astype(np.float64)
    sums = blocks[_flat(blocks)].sum(axis=0)[..., 2:]
    spectra = []
    for count, lacking in zip(sums[..., ::2].T, sums[..., 1::2].T, strict=True):
        mean = np.where(count < _FEWEST, 0, lacking / np.maximum(count, 1)).T
        deviations = np.sqrt(np.maximum(mean, 0)) / _EXCESS
        # Where hardly a block is flat, what is more than noise is detail.
        spectra.append(GrainSpectrum.of_deviations(np.minimum(deviations, 1)))
    return spectra


def _flat(blocks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which blocks, of what `block_powers` gives, are hardly more than noise in any component."""
    judged = blocks[:, :, [level - 1 for level in _JUDGED], :2]
    whole = np.array([3 * (_BLOCK >> level) ** 2 for level in _JUDGED])
    usable = np.asarray((judged[..., 0] >= whole / 2).all(axis=(1, 2)), np.bool_)
    if not usable.any():
        return usable
    mean = judged[..., 1] / np.maximum(judged[..., 0], 1)
    quiet = np.quantile(mean[usable], _QUIET, axis=0)
    return usable & np.asarray((mean <= _FLAT * quiet).all(axis=(1, 2)), np.bool_)
