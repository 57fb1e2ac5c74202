"""The wavelet of the residual layer: analysis in float, synthesis in integers.

The lifting scheme of the Cohen-Daubechies-Feauveau 9/7 filters (Daubechies and Sweldens, 1998; the
irreversible transform of JPEG 2000, ISO/IEC 15444-1 Annex F) with its coefficients rounded to
multiples of 1/512 and without the final scaling, which :func:`band_gain` makes good. Only the
encoder analyses, so that may be float; what the decoder computes is integer, hence the same
everywhere. The kernels are in ``kernels/wavelet.c``.

Bands of a plane, coarse to fine::

    level L:  LL HL LH HH     level L-1:  HL LH HH     ...     level 1:  HL LH HH

HL is horizontally high-pass. A band of level ``l`` has the rows ``r`` that stand for the rows
``r 2^l`` of the plane, so any window aligned to ``2^L`` cuts all bands alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rawback.kernels import Kernel, Read, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["LEVELS", "Band", "analyse", "band_gain", "band_shape", "bands", "synthesise"]

LEVELS = 5
"""Decompositions of each plane."""

_split = Kernel("wavelet_split", *(Write(np.float32, 2) for _ in range(5)))
_join = Kernel(
    "wavelet_join", *(Read(np.int32, 2) for _ in range(4)), Write(np.int32, 1), Write(np.int32, 2)
)


class Band(NamedTuple):
    """One band: its decomposition level (1 is finest) and which axes are high-pass."""

    level: int
    high_y: bool
    high_x: bool


_LOWEST = Band(LEVELS, False, False)
_HIGH = ((False, True), (True, False), (True, True))
_BANDS = (_LOWEST, *(Band(level, *high) for level in range(LEVELS, 0, -1) for high in _HIGH))


def bands() -> list[Band]:
    """All bands, coarse to fine: the order in which they are coded."""
    return list(_BANDS)


@lru_cache(maxsize=1024)
def band_shape(band: Band, shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of a band, for a plane of `shape`."""

    def along(size: int, high: bool) -> int:
        for _ in range(band.level - 1):
            size = (size + 1) // 2
        return size // 2 if high else (size + 1) // 2

    return along(shape[0], band.high_y), along(shape[1], band.high_x)


# L2 norm of the synthesis basis functions of one lifting level along one axis, low and high, for
# levels 1 to 5; tests/residual/test_wavelet.py recomputes them from the transform itself.
_LOW_NORMS = (1.1409, 1.3451, 1.5655, 1.8090, 2.0858)
_HIGH_NORMS = (0.8865, 0.9830, 1.1731, 1.3741, 1.5909)


def band_gain(band: Band) -> float:
    """The L2 norm of the band's synthesis basis functions.

    An error of 1 in a coefficient is an error of this size in the plane, so steps divided by it
    spread the error evenly over the bands.
    """
    low, high = _LOW_NORMS[band.level - 1], _HIGH_NORMS[band.level - 1]
    return (high if band.high_y else low) * (high if band.high_x else low)


def analyse(plane: NDArray[np.float32], out: Mapping[Band, NDArray[np.float32]]) -> None:
    """Split a plane into its bands.

    Args:
        plane: float32 ``[h, w]``; it is overwritten.
        out: Where the bands go: float32, each of :func:`band_shape`.
    """
    for level in range(1, LEVELS + 1):
        low = out[_LOWEST] if level == LEVELS else np.empty_like(plane[::2, ::2], order="C")
        _split(plane, low, *(out[Band(level, *high)] for high in _HIGH))
        plane = low


def synthesise(coefficients: Mapping[Band, NDArray[np.int32]], out: NDArray[np.int32]) -> None:
    """Rebuild a plane from its bands, in integers.

    Args:
        coefficients: int32, each of :func:`band_shape`. Those of a plane whose values are below
            ``2 ** 17`` cannot overflow; made-up ones wrap around, on every machine alike.
        out: Where the plane goes: int32 ``[h, w]``.
    """
    planes = [out]
    for _ in range(1, LEVELS):
        planes.append(np.empty_like(planes[-1][::2, ::2], order="C"))
    low = coefficients[_LOWEST]
    scratch = np.empty(out.shape[1], np.int32)
    for level in range(LEVELS, 0, -1):
        plane = planes.pop()
        _join(low, *(coefficients[Band(level, *high)] for high in _HIGH), scratch, plane)
        low = plane
