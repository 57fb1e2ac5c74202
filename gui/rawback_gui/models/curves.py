# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a rate from a curve that may not be measured to its end, and its axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawback import Curve, CurvePoint, Rate

__all__ = ["ByteAxis", "reliable_point"]

_WIDEST_GAP = 20.0
"""Between measured qualities that figures are interpolated from."""

_MEASURES = {"size": "payload_bytes", "bpp": "bpp", "psnr": "psnr_db"}


@dataclass(frozen=True, slots=True)
class ByteAxis:
    """Places on an axis, 0 to 1, for payload sizes: even steps are even factors.

    Attributes:
        smallest: Bytes at 0.
        largest: Bytes at 1.
    """

    smallest: float
    largest: float

    @classmethod
    def of(cls, curve: Curve) -> ByteAxis:
        """From the curve's smallest point to its largest."""
        low = float(curve.smallest.payload_bytes)
        return cls(low, max(float(curve.largest.payload_bytes), low * 1.01))

    def position(self, size: float) -> float:
        """The place of a size."""
        whole = math.log(self.largest / self.smallest)
        return min(max(math.log(max(size, 1) / self.smallest) / whole, 0.0), 1.0)

    def size(self, position: float) -> float:
        """The size at a place."""
        whole = math.log(self.largest / self.smallest)
        return self.smallest * math.exp(whole * min(max(position, 0.0), 1.0))


def reliable_point(curve: Curve | None, rate: Rate) -> CurvePoint | None:
    """A rate's point on the curve, if enough is measured around it; else None.

    Args:
        curve: As far as it is measured.
        rate: Any rate.
    """
    if curve is None:
        return None
    if rate.kind == "lossless":
        return curve.largest if curve.largest.exact else None
    lookup = {
        "quality": curve.at_quality,
        "size": curve.at_size,
        "bpp": curve.at_bpp,
        "psnr": curve.at_psnr,
    }
    point = lookup[rate.kind](rate.value)
    if curve.complete:
        return point
    if rate.kind == "quality":
        measures = [_quality(known) for known in curve.points]
    else:
        measures = [getattr(known, _MEASURES[rate.kind]) for known in curve.points]
    below = [_quality(p) for p, m in zip(curve.points, measures, strict=True) if m <= rate.value]
    above = [_quality(p) for p, m in zip(curve.points, measures, strict=True) if m >= rate.value]
    near = below and above and min(above) - max(below) <= _WIDEST_GAP
    return point if near else None


def _quality(point: CurvePoint) -> float:
    """Of a point; bases that are smaller than the usual one count as it does."""
    if point.exact:
        return 100.0
    return point.rate.value if point.rate.kind == "quality" else 0.0
