"""The rate-distortion curve of one shot: what a size buys, and which rate to ask for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rawback.rate import Rate

__all__ = ["Curve", "CurvePoint"]

_CODES_PER_QUALITY = 32 / 12


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One payload that can be had.

    Attributes:
        rate: What to ask for.
        payload_bytes: All bytes put into the carrier, about; see `Encoding` for the very number.
        bpp: Those bytes as bits per raw pixel.
        psnr_db: Raw PSNR over the whole frame in dB; infinite where the raw comes back exactly.
        error_over_sigma: RMS error over the raw's own noise, 0 where it comes back exactly.
    """

    rate: Rate
    payload_bytes: int
    bpp: float
    psnr_db: float
    error_over_sigma: float

    @property
    def exact(self) -> bool:
        """Whether every sample of the raw comes back."""
        return self.rate.kind == "lossless"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points from the smallest payload to lossless, more of them as they become known.

    Attributes:
        points: In rising order of bytes, at least one.
        complete: Whether no more will come.
    """

    points: tuple[CurvePoint, ...]
    complete: bool = False

    @classmethod
    def of(cls, points: Iterable[CurvePoint], *, complete: bool) -> Curve:
        """Order points, and leave out those that a smaller payload beats."""
        kept: list[CurvePoint] = []
        for point in sorted(points, key=lambda p: (p.payload_bytes, -p.psnr_db)):
            if not kept or point.psnr_db > kept[-1].psnr_db:
                kept.append(point)
        return cls(tuple(kept), complete)

    @property
    def smallest(self) -> CurvePoint:
        """The point with the fewest bytes."""
        return self.points[0]

    @property
    def largest(self) -> CurvePoint:
        """The point with the most bytes, lossless once that is known."""
        return self.points[-1]

    def at_size(self, size: float) -> CurvePoint:
        """The best payload of at most about `size` bytes, or the smallest there is."""
        return self._where(lambda point: math.log(point.payload_bytes), math.log(max(size, 1)))

    def at_bpp(self, bits: float) -> CurvePoint:
        """The same for bits per raw pixel."""
        last = self.points[-1]
        return self.at_size(bits / last.bpp * last.payload_bytes)

    def at_psnr(self, decibels: float) -> CurvePoint:
        """The smallest payload of at least about a raw PSNR; lossless beyond all others."""
        return self._where(lambda point: point.psnr_db, decibels, reach=True)

    def at_quality(self, quality: float) -> CurvePoint:
        """The point of a quality, 0 to 100, or the nearest that is known.

        Args:
            quality: See `Rate.quality`.
        """
        lossless = self.points[-1]
        if quality >= 100 and lossless.exact:
            return lossless
        known = [point for point in self.points if point.rate.kind == "quality"]
        if not known:
            return lossless
        for before, after in pairwise(known):
            if before.rate.value <= quality <= after.rate.value:
                return _between(before, after, _share(before, after, quality))
        return known[0] if quality < known[0].rate.value else known[-1]

    def _where(
        self, measure: Callable[[CurvePoint], float], wanted: float, *, reach: bool = False
    ) -> CurvePoint:
        """The point at which a rising measure has a value; or the next, below it or beyond it."""
        nearest = self.points[0]
        for before, after in pairwise(self.points):
            low, high = measure(before), measure(after)
            if wanted >= high:
                nearest = after
            elif wanted > low:
                if _joined(before, after):
                    return _between(before, after, (wanted - low) / (high - low))
                return after if reach else before
        return nearest


def _joined(before: CurvePoint, after: CurvePoint) -> bool:
    """Whether there are payloads between two points: not below the first layer."""
    return before.rate.kind == after.rate.kind == "quality" and before.rate.value > 0


def _share(before: CurvePoint, after: CurvePoint, quality: float) -> float:
    whole = after.rate.value - before.rate.value
    return (quality - before.rate.value) / whole if whole else 0.0


def _between(before: CurvePoint, after: CurvePoint, share: float) -> CurvePoint:
    """A point between two, at one of the codec's own steps, of which an octave has 32."""
    if not _joined(before, after):
        return before if share < 1 else after
    quality = before.rate.value + share * (after.rate.value - before.rate.value)
    quality = 1 + round((quality - 1) * _CODES_PER_QUALITY) / _CODES_PER_QUALITY
    quality = min(max(quality, before.rate.value), after.rate.value)
    share = _share(before, after, quality)

    def mixed(low: float, high: float) -> float:
        return low + share * (high - low)

    def mixed_log(low: float, high: float) -> float:
        return math.exp(mixed(math.log(max(low, 1e-9)), math.log(max(high, 1e-9))))

    size = round(mixed_log(before.payload_bytes, after.payload_bytes))
    return replace(
        before,
        rate=replace(before.rate, value=quality),
        payload_bytes=size,
        bpp=before.bpp * size / before.payload_bytes,
        psnr_db=mixed(before.psnr_db, after.psnr_db),
        error_over_sigma=mixed_log(before.error_over_sigma, after.error_over_sigma),
    )
