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
    quality = rate.value if rate.kind == "quality" else point.rate.value
    if point.exact or (rate.kind != "quality" and point.rate.kind != "quality"):
        return None
    known = [p.rate.value for p in curve.points if p.rate.kind == "quality"]
    below = [value for value in known if value <= quality]
    above = [value for value in known if value >= quality]
    if not below or not above or min(above) - max(below) > _WIDEST_GAP:
        return None
    return point
