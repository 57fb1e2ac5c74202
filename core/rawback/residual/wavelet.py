"""The wavelet of the residual layer: analysis in float, synthesis in integers.

The lifting scheme of the Cohen-Daubechies-Feauveau 9/7 filters (Daubechies and Sweldens, 1998; the
irreversible transform of JPEG 2000, ISO/IEC 15444-1 Annex F) with its coefficients rounded to
multiples of 1/512 and without the final scaling, which :func:`band_gain` makes good. Only the
encoder analyses, so that may be float; what the decoder computes is integer, hence the same
everywhere.

Bands of a plane, coarse to fine::

    level L:  LL HL LH HH     level L-1:  HL LH HH     ...     level 1:  HL LH HH

HL is horizontally high-pass. A band of level ``l`` has the rows ``r`` that stand for the rows
``r 2^l`` of the plane, so any window aligned to ``2^L`` cuts all bands alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["LEVELS", "Band", "analyse", "band_gain", "band_shape", "bands", "synthesise"]

LEVELS = 5
"""Decompositions of each plane."""

_Number = TypeVar("_Number", np.int32, np.float32)

_LIFTS = (-812, -27, 452, 227)
_SHIFT = 9

_STRIP, _NARROWEST = 1 << 16, 64
"""Coefficients that are worked on at a time, and the least columns or rows among them."""


@dataclass(frozen=True, slots=True, order=True)
class Band:
    """One band: its decomposition level (1 is finest) and which axes are high-pass."""

    level: int
    high_y: bool
    high_x: bool


def bands() -> list[Band]:
    """All bands, coarse to fine: the order in which they are coded."""
    order = [Band(LEVELS, False, False)]
    for level in range(LEVELS, 0, -1):
        order += [Band(level, False, True), Band(level, True, False), Band(level, True, True)]
    return order


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


def analyse(plane: NDArray[np.float32]) -> dict[Band, NDArray[np.float32]]:
    """Split a plane ``[h, w]`` into its bands."""
    found = {}
    rest = plane
    for level in range(1, LEVELS + 1):
        for high_y, half in zip((False, True), _split(rest, 0), strict=True):
            for high_x, band in zip((False, True), _split(half, 1), strict=True):
                found[Band(level, high_y, high_x)] = band
        rest = found[Band(level, False, False)]
    return {band: found[band] for band in bands()}


def synthesise(
    coefficients: dict[Band, NDArray[np.int32]], shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Rebuild a plane of `shape` from its bands, in integers.

    Args:
        coefficients: int32, each of :func:`band_shape`. Those of a plane whose values are below
            ``2 ** 17`` cannot overflow; made-up ones wrap around, on every machine alike.
        shape: Rows and columns of the plane.
    """
    low = coefficients[Band(LEVELS, False, False)]
    for level in range(LEVELS, 0, -1):
        high_x, high_y, high_xy = (
            coefficients[Band(level, y, x)] for y, x in ((False, True), (True, False), (True, True))
        )
        low = _join(_join(low, high_x, 1), _join(high_y, high_xy, 1), 0)
    if low.shape != shape:
        message = f"bands of a plane of {low.shape}, not {shape}"
        raise ValueError(message)
    return low


def _split(
    plane: NDArray[np.float32], axis: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Low and high half of a plane along an axis."""
    size = plane.shape[axis]
    shapes = [list(plane.shape), list(plane.shape)]
    shapes[0][axis], shapes[1][axis] = (size + 1) // 2, size // 2
    halves = [np.empty(shape, dtype=np.float32) for shape in shapes]
    for part, *parts in _strips([plane, *halves], axis):
        low, high = part[0::2].copy("K"), part[1::2].copy("K")
        for step, lift in enumerate(_LIFTS):
            weight = np.float32(lift / (1 << _SHIFT))
            if step % 2 == 0:
                high += weight * _beside_high(low, len(high))
            else:
                low += weight * _beside_low(high, len(low))
        parts[0][...], parts[1][...] = low, high
    return halves[0], halves[1]


def _join(low: NDArray[np.int32], high: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
    """The plane whose halves along an axis are `low` and `high`: undoes :func:`_split`."""
    shape = list(low.shape)
    shape[axis] += high.shape[axis]
    plane = np.empty(shape, dtype=np.int32)
    half = 1 << (_SHIFT - 1)
    for part, *parts in _strips([plane, low, high], axis):
        even, odd = (values.copy("K") for values in parts)
        for step, lift in reversed(list(enumerate(_LIFTS))):
            beside = _beside_high(even, len(odd)) if step % 2 == 0 else _beside_low(odd, len(even))
            beside *= lift
            beside += half
            beside >>= _SHIFT
            if step % 2 == 0:
                odd -= beside
            else:
                even -= beside
        part[0::2], part[1::2] = even, odd
    return plane


def _strips(arrays: list[NDArray[_Number]], axis: int) -> Iterator[list[NDArray[_Number]]]:
    """The same strip of each array, turned so that `axis` is first.

    A strip stays in the cache through all the steps of a transform.
    """
    size = arrays[0].shape
    wide = max(_NARROWEST, _STRIP // max(size[axis], 1))
    for start in range(0, size[1 - axis], wide):
        end = start + wide
        yield [a[:, start:end] if axis == 0 else a[start:end].T for a in arrays]


def _beside_high(low: NDArray[_Number], count: int) -> NDArray[_Number]:
    """For each odd row the sum of the even rows beside it, mirrored at the end."""
    total = low[:count].copy("K")
    total[: len(low) - 1] += low[1:]
    if len(low) == count:
        total[-1:] += low[-1:]
    return total


def _beside_low(high: NDArray[_Number], count: int) -> NDArray[_Number]:
    """For each even row the sum of the odd rows beside it, mirrored at both ends."""
    if len(high) == 0:
        return np.zeros((count, *high.shape[1:]), dtype=high.dtype)
    # Laid out in memory as `high` is.
    total = np.empty_like(high, shape=(count, *high.shape[1:]))
    total[: len(high)] = high
    total[len(high) :] = high[-1:]
    total[1:] += high[: count - 1]
    total[0] += high[0]
    return total
