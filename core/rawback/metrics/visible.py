"""How different two raws look, once they are rendered alike and lifted by some stops.

Equal raw PSNR hides very different pictures: the eye sees blotches of colour in lifted shadows long
before it sees noise. So both raws go through one rendering (:mod:`rawback.rendering`) at several
exposures, and an observer before a display compares them (:mod:`.scielab`), pixel by pixel as at
1:1, and scaled down to the size of a window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rawback.metrics.scielab import Observer
from rawback.rendering import balanced_signal, binned, camera_to_srgb, demosaic, exposed, halo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = ["EXPOSURES", "FIT_SIDE", "View", "VisibleError", "visible_differences", "visible_errors"]

View: TypeAlias = Literal["1:1", "fit"]

EXPOSURES = (0.0, 2.0, 4.0)
"""Stops at which raws are compared."""

FIT_SIDE = 2048
"""A frame at fit is scaled down by whole 2x2 cells until its longer side has so many pixels."""

_TILE = 512
"""Side in pixels of the parts of a picture that are rendered at a time."""

_SAMPLES: dict[View, tuple[int, int]] = {"1:1": (16, 128), "fit": (8, 128)}
"""How many places of a frame are looked at for a sample of it, and their side in pixels."""


@dataclass(frozen=True, slots=True)
class VisibleError:
    """How far apart two raws look in one view at one exposure.

    Attributes:
        view: ``"1:1"``, pixel by pixel, or ``"fit"``, scaled down to a window.
        exposure: Stops by which both were lifted.
        mean: Mean CIEDE2000 over the picture; about 1 is just noticeable side by side.
        p95: What 95 of 100 pixels stay below.
    """

    view: View
    exposure: float
    mean: float
    p95: float


def visible_errors(
    original: RawFrame,
    restored: RawFrame,
    *,
    exposures: Sequence[float] = EXPOSURES,
    views: Sequence[View] = ("1:1", "fit"),
    sampled: bool = False,
) -> tuple[VisibleError, ...]:
    """Compare two raws as pictures, by S-CIELAB and CIEDE2000.

    The observer sees 67 pixels of the display to a degree: 0.7 m before one that is 0.7 m wide and
    has 3840 pixels in a row.

    Args:
        original: The raw as the camera gave it; its levels, white balance and matrix render both.
        restored: A frame of the same size and pattern.
        exposures: Stops by which both are lifted.
        views: At which sizes.
        sampled: Look at some places only, spread evenly: an estimate in a fraction of the time.

    Returns:
        One for each view and exposure, in that order.

    Raises:
        ValueError: The frames differ in size or pattern.
    """
    restored = _as_shown(restored, original)
    if restored.cfa is original.cfa:
        return tuple(VisibleError(view, exposure, 0, 0) for view in views for exposure in exposures)
    results: list[VisibleError] = []
    for view in views:
        pooled: list[list[NDArray[np.float32]]] = [[] for _ in exposures]
        picture = _Picture.of(original, view)
        for place in picture.places(sampled=sampled):
            found = picture.compared(original, restored, place, exposures)
            for values, one in zip(pooled, found, strict=True):
                values.append(one.ravel())
        for exposure, parts in zip(exposures, pooled, strict=True):
            pixels = np.concatenate(parts)
            mean, p95 = float(pixels.mean(dtype=np.float64)), float(np.quantile(pixels, 0.95))
            results.append(VisibleError(view, exposure, mean, p95))
    return tuple(results)


def visible_differences(
    original: RawFrame, restored: RawFrame, exposure: float = 2.0, view: View = "1:1"
) -> NDArray[np.float32]:
    """Where two raws look different: the CIEDE2000 of each pixel as `visible_errors` takes it.

    Args:
        original: The raw as the camera gave it, or a part of it with the pattern of its corner.
        restored: The same of the other.
        exposure: Stops by which both are lifted.
        view: At which size.

    Returns:
        float32 ``[H, W]``; ``[H // factor, W // factor]`` at fit.

    Raises:
        ValueError: The frames differ in size or pattern.
    """
    restored = _as_shown(restored, original)
    picture = _Picture.of(original, view)
    result = np.empty((picture.height, picture.width), np.float32)
    for place in picture.places(sampled=False):
        (result[place],) = picture.compared(original, restored, place, [exposure])
    return result


_Place: TypeAlias = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class _Picture:
    """A rendering of a frame's size, of which parts are made.

    Attributes:
        factor: Raw samples along each side of one of its pixels.
        height: Its rows.
        width: Its columns.
    """

    factor: int
    height: int
    width: int

    @classmethod
    def of(cls, frame: RawFrame, view: View) -> _Picture:
        factor = 1
        if view == "fit":
            sides = frame.height, frame.width
            factor = 2 * max(1, math.ceil(max(sides) / (2 * FIT_SIDE)))
            factor = min(factor, 2 * (min(sides) // 2))
        return cls(factor, frame.height // factor, frame.width // factor)

    def places(self, *, sampled: bool) -> Iterator[_Place]:
        """Parts that cover the picture, or some that are spread over it evenly."""
        count, side = _SAMPLES["1:1" if self.factor == 1 else "fit"]
        if sampled and self.height * self.width > count * side * side:
            # A grid in which each row is shifted by the golden ratio: no column of the frame, as of
            # a fence or a window, is met again and again.
            for index in range(count):
                top = (index + 0.5) / count * max(self.height - side, 0)
                left = (index * 0.618034 + 0.5) % 1 * max(self.width - side, 0)
                yield self._place(int(top), int(left), side)
            return
        for top in range(0, self.height, _TILE):
            for left in range(0, self.width, _TILE):
                yield self._place(top, left, _TILE)

    def _place(self, top: int, left: int, side: int) -> _Place:
        top, left = top & ~3, left & ~3
        return (
            slice(top, min(top + side, self.height)),
            slice(left, min(left + side, self.width)),
        )

    def compared(
        self, original: RawFrame, restored: RawFrame, place: _Place, exposures: Sequence[float]
    ) -> list[NDArray[np.float32]]:
        """Differences within a part, one array for each exposure."""
        observer = _observer()
        sides = zip(place, (self.height, self.width), strict=True)
        rows, columns = (
            slice(max(side.start - observer.halo, 0), min(side.stop + observer.halo, whole))
            for side, whole in sides
        )
        inner = _within(place[0], rows), _within(place[1], columns)
        lights = [self._camera(frame, (rows, columns)) for frame in (original, restored)]
        if np.array_equal(lights[0], lights[1]):
            return [np.zeros(lights[0][inner].shape[:2], np.float32) for _ in exposures]
        matrix = camera_to_srgb(original)
        results = []
        for exposure in exposures:
            one, other = (
                observer.resolved(exposed(light, matrix, exposure), inner) for light in lights
            )
            results.append(observer.differences(one, other))
        return results

    def _camera(self, frame: RawFrame, place: _Place) -> NDArray[np.float32]:
        """White-balanced camera RGB of a part, float32 ``[rows, columns, 3]``."""
        # Whole pixels of the picture around the part, as many as the interpolation looks at.
        beyond = -(-halo(frame.pattern) // self.factor) if self._interpolates(frame) else 0
        around = [slice(max(side.start - beyond, 0), side.stop + beyond) for side in place]
        rows, columns = (
            slice(side.start * self.factor, side.stop * self.factor) for side in around
        )
        signal = balanced_signal(frame, rows, columns)
        origin = rows.start, columns.start
        if self.factor > 1:
            colours = binned(signal, frame.pattern, self.factor, origin)
        else:
            colours = demosaic(signal, frame.pattern, origin)
        return colours[_within(place[0], around[0]), _within(place[1], around[1])]

    def _interpolates(self, frame: RawFrame) -> bool:
        """Whether the picture's pixels are interpolated from the samples around them."""
        return self.factor == 1 or not frame.mosaic.is_bayer


def _within(side: slice, around: slice) -> slice:
    """Where a part lies within a larger one."""
    return slice(side.start - around.start, side.stop - around.start)


@lru_cache(maxsize=1)
def _observer() -> Observer:
    return Observer()


def _as_shown(restored: RawFrame, original: RawFrame) -> RawFrame:
    """The restored samples, with the levels and colours that the original is rendered by."""
    if original.cfa.shape != restored.cfa.shape or original.pattern != restored.pattern:
        message = (
            f"cannot compare a {restored.pattern} frame of {restored.cfa.shape} with a "
            f"{original.pattern} one of {original.cfa.shape}"
        )
        raise ValueError(message)
    return replace(original, cfa=restored.cfa)
