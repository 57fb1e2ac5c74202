"""Measuring what each rate buys of a prepared shot, knot by knot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback import container, metrics
from rawback._api.curve import Curve, CurvePoint
from rawback._api.packaging import bits_per_pixel
from rawback.errors import RawbackError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import RLock

    from rawback.encoder import Previews
    from rawback.rate import OperatingPoint, Rate
    from rawback.types import Progress, RawFrame

__all__ = ["CurveMeasurement"]

_SPARE = 16
"""Bytes that a payload of a wanted size may fall short of it."""

_QUALITIES = (0, 100, 60, 30, 80, 1, 99, 45, 15, 70, 90, 52, 37, 22, 65, 8, 48, 56)
"""Where the curve is measured, in this order: a rough one is there soon."""


@dataclass(frozen=True, slots=True)
class _Knot:
    """What is measured of a payload: packed bytes, PSNR in dB, RMS error over noise."""

    operating: OperatingPoint
    size: int
    psnr_db: float
    error_over_sigma: float


class CurveMeasurement:
    """The rate-distortion curve of a prepared shot, as far as it is measured.

    A knot is a quality, or a level of the base below the full one, negated.

    Args:
        frame: The raw.
        previews: What payloads of it would restore.
        work: Held while a knot is measured.

    Attributes:
        more: Bytes by which lossy and lossless payloads are larger than `previews` says, which may
            be changed at any time.
    """

    def __init__(self, frame: RawFrame, previews: Previews, work: RLock) -> None:
        self.previews = previews
        self._frame = frame
        self._work = work
        self._knots: dict[int, _Knot] = {}
        self.more = (0, 0)

    @property
    def curve(self) -> Curve | None:
        """The curve as far as it is measured; None before."""
        points = [point for _, point in self._points()]
        if not points:
            return None
        return Curve.of(points, complete=len(points) == len(self._all_knots))

    @property
    def _all_knots(self) -> tuple[int, ...]:
        # The smallest bases take the longest and serve the fewest; they come last, in whole
        # numbers below 0 that no quality has.
        levels = reversed(range(1, self.previews.base_levels))
        return (*_QUALITIES, *(-level for level in levels))

    def measured(self, tell: Progress, grown: Callable[[Curve], None] | None = None) -> Curve:
        """Measure what is not measured yet.

        Args:
            tell: Is told how far this is; what it raises ends it, and what was measured is kept.
            grown: Is given the curve after each knot.

        Returns:
            The whole curve.
        """
        knots = self._all_knots
        for done, knot in enumerate(knots):
            tell("Measuring the curve", done / len(knots))
            with self._work:
                if knot not in self._knots:
                    self._knots[knot] = self._measured(knot)
            curve = self.curve
            if grown is not None and curve is not None:
                grown(curve)
        curve = self.curve
        if curve is None:
            message = "Nothing is known of this shot; open it again."
            raise RawbackError(message)
        return curve

    def operating_point(self, rate: Rate) -> OperatingPoint:
        """How the encoder is set for a rate; a size, bpp or PSNR is looked up on the curve."""
        from rawback.rate import OperatingPoint

        if rate.kind == "lossless":
            return OperatingPoint.of_quality(100)
        if rate.kind == "quality":
            return OperatingPoint.of_quality(rate.value)
        # One of the small bases is on the curve as the size it takes.
        for knot, point in self._points():
            if point.rate == rate and knot < 0:
                return OperatingPoint(base_level=-knot)
        curve = self.curve or self.measured(lambda _stage, _done: None)
        if rate.kind == "psnr":
            return self.operating_point(curve.at_psnr(rate.value).rate)
        if rate.kind == "bpp":
            return self.operating_point(curve.at_bpp(rate.value).rate)
        return self.operating_point(curve.at_size(rate.value).rate)

    def _measured(self, knot: int) -> _Knot:
        from rawback.rate import OperatingPoint

        frame, previews = self._frame, self.previews
        if knot < 0:
            operating = OperatingPoint(base_level=-knot)
            previews.add_base_level(operating.base_level)
        else:
            operating = OperatingPoint.of_quality(knot)
        size, restored = previews.size(operating), previews.frame(operating)
        psnr, error = metrics.raw_psnr(frame, restored), metrics.error_over_sigma(frame, restored)
        return _Knot(operating, size, psnr, error)

    def _points(self) -> list[tuple[int, CurvePoint]]:
        """Each knot's point. Knots are copied at once: others may be measured meanwhile."""
        from rawback.rate import Rate

        points = []
        for number, knot in tuple(self._knots.items()):
            exact = knot.operating.exact
            size = container.carried_size(knot.size + self.more[exact])
            rate = Rate.size(size + _SPARE) if number < 0 else Rate.quality(number)
            point = CurvePoint(
                rate=Rate.lossless() if exact else rate,
                payload_bytes=size,
                bpp=bits_per_pixel(size, self._frame.width, self._frame.height),
                psnr_db=knot.psnr_db,
                error_over_sigma=knot.error_over_sigma,
            )
            points.append((number, point))
        return points
