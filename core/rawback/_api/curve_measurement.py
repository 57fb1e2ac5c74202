"""Measuring what each rate buys of a prepared shot, knot by knot."""

from __future__ import annotations

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


class CurveMeasurement:
    """The rate-distortion curve of a prepared shot, as far as it is measured.

    A knot is a quality, or a level of the base below the full one, negated.

    Args:
        frame: The raw.
        previews: What payloads of it would restore.
        work: Held while a knot is measured.
    """

    def __init__(self, frame: RawFrame, previews: Previews, work: RLock) -> None:
        self.previews = previews
        self._frame = frame
        self._work = work
        self._points: dict[int, CurvePoint] = {}
        self._curve: Curve | None = None

    def measured(self, tell: Progress, grown: Callable[[Curve], None] | None = None) -> Curve:
        """Measure what is not measured yet.

        Args:
            tell: Is told how far this is; what it raises ends it, and what was measured is kept.
            grown: Is given the curve after each knot.

        Returns:
            The whole curve.
        """
        # The smallest bases take the longest and serve the fewest; they come last, in whole
        # numbers below 0 that no quality has.
        levels = reversed(range(1, self.previews.base_levels))
        knots = (*_QUALITIES, *(-level for level in levels))
        for done, knot in enumerate(knots):
            tell("Measuring the curve", done / len(knots))
            with self._work:
                if knot not in self._points:
                    self._points[knot] = self._point(knot)
                    complete = len(self._points) == len(knots)
                    self._curve = Curve.of(self._points.values(), complete=complete)
            if grown is not None and self._curve is not None:
                grown(self._curve)
        if self._curve is None:
            message = "Nothing is known of this shot; open it again."
            raise RawbackError(message)
        return self._curve

    def operating_point(self, rate: Rate) -> OperatingPoint:
        """How the encoder is set for a rate; a size, bpp or PSNR is looked up on the curve."""
        from rawback.rate import OperatingPoint

        if rate.kind == "lossless":
            return OperatingPoint.of_quality(100)
        if rate.kind == "quality":
            return OperatingPoint.of_quality(rate.value)
        # One of the small bases is on the curve as the size it takes. Copied at once, since the
        # curve may grow meanwhile, and previews do not wait for that.
        for knot, point in tuple(self._points.items()):
            if point.rate == rate and knot < 0:
                return OperatingPoint(base_level=-knot)
        curve = self._curve or self.measured(lambda _stage, _done: None)
        if rate.kind == "psnr":
            return self.operating_point(curve.at_psnr(rate.value).rate)
        if rate.kind == "bpp":
            return self.operating_point(curve.at_bpp(rate.value).rate)
        return self.operating_point(curve.at_size(rate.value).rate)

    def _point(self, knot: int) -> CurvePoint:
        from rawback.rate import OperatingPoint, Rate

        frame, previews = self._frame, self.previews
        if knot < 0:
            operating = OperatingPoint(base_level=-knot)
            previews.add_base_level(operating.base_level)
        else:
            operating = OperatingPoint.of_quality(knot)
        size = container.carried_size(previews.size(operating))
        rate = Rate.size(size + _SPARE) if knot < 0 else Rate.quality(knot)
        restored = previews.frame(operating)
        return CurvePoint(
            rate=Rate.lossless() if operating.exact else rate,
            payload_bytes=size,
            bpp=bits_per_pixel(size, frame.width, frame.height),
            psnr_db=metrics.raw_psnr(frame, restored),
            error_over_sigma=metrics.error_over_sigma(frame, restored),
        )
