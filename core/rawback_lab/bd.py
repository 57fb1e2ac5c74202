"""One number for two rate-distortion curves: Bjontegaard's deltas.

Bjontegaard (VCEG-M33, 2001) asked how far two curves lie apart on average: horizontally, in the
logarithm of rate at equal quality, or vertically, in quality at equal rate. A cubic polynomial
through the points, as he drew it, overshoots; interpolating piece by piece does not, and is what
later recommendations use (ITU-T HSTP-VID-WPOM, 2020). Both are integrated over the range that the
curves share, and refuse where they share none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Interpolation", "NoOverlap", "Point", "bd_psnr", "bd_rate", "frontier"]

Interpolation: TypeAlias = Literal["pchip", "akima"]

_INTERPOLATIONS = {"pchip": PchipInterpolator, "akima": Akima1DInterpolator}


class Point(NamedTuple):
    """A point of a rate-distortion curve.

    Attributes:
        rate: Bits, bytes or bits per pixel, above 0; of both curves the same.
        psnr: Quality in decibels.
    """

    rate: float
    psnr: float


class NoOverlap(ValueError):
    """The curves share no range to compare them over, or are too short to be curves."""


def bd_rate(
    anchor: Iterable[Point], test: Iterable[Point], interpolation: Interpolation = "pchip"
) -> float:
    """Rate that `test` takes beyond `anchor` at equal quality, in percent; negative is better.

    Args:
        anchor: What is compared against.
        test: What is compared.
        interpolation: Of the logarithm of rate over quality.

    Raises:
        NoOverlap: No quality is reached by both, or a curve has fewer than two points.
        ValueError: A rate is not positive or a number is not finite.
    """
    curves = [_columns(frontier(points)) for points in (anchor, test)]
    gap = _mean_gap([(psnr, rate) for rate, psnr in curves], interpolation)
    return 100 * math.expm1(gap)


def bd_psnr(
    anchor: Iterable[Point], test: Iterable[Point], interpolation: Interpolation = "pchip"
) -> float:
    """Decibels that `test` gains on `anchor` at equal rate; positive is better.

    Args:
        anchor: What is compared against.
        test: What is compared.
        interpolation: Of quality over the logarithm of rate.

    Raises:
        NoOverlap: No rate is taken by both, or a curve has fewer than two points.
        ValueError: A rate is not positive or a number is not finite.
    """
    return _mean_gap([_columns(frontier(points)) for points in (anchor, test)], interpolation)


def frontier(points: Iterable[Point]) -> list[Point]:
    """The points that more rate made better, by rising rate.

    A codec that does worse with more bytes would be used with fewer, and a curve that turns back
    has no rate at a quality.

    Raises:
        ValueError: A rate is not positive or a number is not finite.
    """
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.rate, -point.psnr)):
        if not (point.rate > 0 and math.isfinite(point.rate) and math.isfinite(point.psnr)):
            message = f"{point} is no point of a curve"
            raise ValueError(message)
        if not kept or point.psnr > kept[-1].psnr:
            kept.append(point)
    return kept


def _columns(points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Natural logarithms of rate, and decibels."""
    if len(points) < 2:
        message = f"a curve has two points at least, not {len(points)}"
        raise NoOverlap(message)
    rate, psnr = np.array(points, np.float64).T
    return np.log(rate), psnr


def _mean_gap(
    curves: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], interpolation: Interpolation
) -> float:
    """Mean of the second curve less the first, where the abscissae ``(x, y)`` overlap."""
    low = max(float(x[0]) for x, _ in curves)
    high = min(float(x[-1]) for x, _ in curves)
    if not low < high:
        message = (
            f"the curves share no range: one begins at {low:.4g}, the other ends at {high:.4g}"
        )
        raise NoOverlap(message)
    through = _INTERPOLATIONS[interpolation]
    areas = [float(through(x, y).integrate(low, high)) for x, y in curves]
    return (areas[1] - areas[0]) / (high - low)
