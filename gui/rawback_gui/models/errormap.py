# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the restored raw is from the original, sample by sample, in units people think in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import cv2
import numpy as np

from rawback_gui.models.colormaps import coloured
from rawback_gui.models.planes import ALL, planes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import RawFrame

__all__ = [
    "KINDS",
    "UNITS",
    "ErrorView",
    "Kind",
    "Statistics",
    "Unit",
    "default_range",
    "errors_of",
    "picture_of",
    "reduced",
    "scale_position",
    "statistics_of",
    "value_at",
]

Kind: TypeAlias = Literal["absolute", "signed", "relative", "visible"]
Unit: TypeAlias = Literal["DN", "EV", "sigma"]
KINDS: tuple[Kind, ...] = ("absolute", "signed", "relative", "visible")
UNITS: tuple[Unit, ...] = ("DN", "EV", "sigma")

_DECADES = 3.0
"""Of a logarithmic scale, below its upper end."""

_NOTHING = np.float32(1e-4)
"""Share of samples that count, below which none does."""


@dataclass(frozen=True, slots=True)
class ErrorView:
    """How errors are shown.

    Attributes:
        kind: Their size, with the sign, as a part of the original's light, or as the colour
            difference that people see.
        unit: Of the first two kinds: digital numbers, stops, or standard deviations of the noise.
        log: Logarithmic scale.
        channel: Which samples count: all, or those of one of :func:`.planes.channels_of`.
        sequential: Colour map without signs.
        diverging: Colour map with signs.
        top: Value at the map's end; the other end is 0, or its negative with signs. None for one
            that suits the errors, chosen anew at each rate.
    """

    kind: Kind = "absolute"
    unit: Unit = "sigma"
    log: bool = False
    channel: str = ALL
    sequential: str = "inferno"
    diverging: str = "cool-warm"
    top: float | None = None

    @property
    def signed(self) -> bool:
        """Whether errors have signs."""
        return self.kind == "signed"

    @property
    def colormap(self) -> str:
        """The map in use."""
        return self.diverging if self.signed else self.sequential

    @property
    def unit_text(self) -> str:
        """The unit as it is written behind a number."""
        if self.kind == "relative":
            return "%"
        if self.kind == "visible":
            return "\u0394E"
        return {"DN": "DN", "EV": "EV", "sigma": "\u03c3"}[self.unit]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Errors of a region in numbers, in the unit of its `ErrorView`.

    Attributes:
        count: Samples.
        mean: Of the errors as they are shown: of magnitudes where these are.
        bias: Of the errors with their signs.
        rms: Root of the mean square.
        median: Of the magnitudes.
        p99: Magnitude that 99 of 100 samples stay below.
        largest: Largest magnitude.
        psnr_db: Raw PSNR of the region.
        edges: float64 ``[n + 1]``: of the histogram's bins.
        counts: int64 ``[n]``: of the histogram.
    """

    count: int
    mean: float
    bias: float
    rms: float
    median: float
    p99: float
    largest: float
    psnr_db: float
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]


def errors_of(
    original: NDArray[np.uint16],
    restored: NDArray[np.uint16],
    frame: RawFrame,
    view: ErrorView,
) -> NDArray[np.float32]:
    """Errors with their signs, restored minus original; of all kinds but "visible".

    Args:
        original: uint16 ``[h, w]``, or ``[h, w, n]`` where pixels have several samples; beginning
            at a whole pattern of the frame.
        restored: The same part.
        frame: Whose levels and noise these are.
        view: Unit and channel.

    Returns:
        float32, one for each sample: DN, stops, standard deviations or percent; nan where the
        channel does not count.
    """
    found = np.full(original.shape, np.nan, np.float32)
    for plane in planes_of(frame.mosaic):
        if view.channel not in (ALL, plane.name):
            continue
        part = plane.index()
        black = np.float32(frame.black[plane.channel])
        found[part] = _in_unit(original[part], restored[part], black, frame, view)
    return found


def _in_unit(
    truth: NDArray[np.uint16],
    guess: NDArray[np.uint16],
    black: np.float32,
    frame: RawFrame,
    view: ErrorView,
) -> NDArray[np.float32]:
    signal, other = (samples.astype(np.float32) - black for samples in (truth, guess))
    if view.kind != "relative" and view.unit == "DN":
        return other - signal
    scale = np.float32(frame.white) - black
    variance = np.float32(frame.noise.scale) * np.clip(signal / scale, 0, 1) + np.float32(
        frame.noise.offset + 1 / 12 / float(scale) ** 2
    )
    noise = np.sqrt(variance) * scale
    if view.kind != "relative" and view.unit == "sigma":
        return np.asarray((other - signal) / noise, np.float32)
    if frame.floats is not None:
        # Codes need not be in proportion to the light; the numbers that they stand for are.
        numbers = frame.floats.scale.codes.numbers
        noise *= np.gradient(numbers)[truth]
        signal, other = numbers[truth], numbers[guess]
    # What lies below the noise is no light to be a part of.
    floor = np.maximum(signal, noise)
    if view.kind == "relative":
        return np.asarray(100 * (other - signal) / floor, np.float32)
    return np.asarray(np.log2(np.maximum(other, noise) / floor), np.float32)


def default_range(errors: NDArray[np.float32]) -> float:
    """An end of the scale that suits errors: 99.5 of 100 stay below it, rounded up nicely."""
    counted = np.abs(errors[np.isfinite(errors)])
    top = float(np.quantile(counted, 0.995)) if counted.size else 0.0
    if top <= 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(top))
    return decade * next(step for step in (1, 2, 5, 10) if top <= step * decade * (1 + 1e-6))


def reduced(errors: NDArray[np.float32], view: ErrorView, factor: int) -> NDArray[np.float32]:
    """Errors at a smaller size: root mean squares, or means where errors have signs.

    Only whole factors: others would average here more samples and there fewer, and draw a grid that
    is not in the data. Samples that do not count are left out, so that a single channel fills the
    picture: of its own grid where it has one, else with what lies around.

    Args:
        errors: float32 ``[h, w]`` or ``[h, w, n]``, beginning at a whole pattern; NaN where they do
            not count.
        view: Whether errors have signs.
        factor: Samples along each side of what becomes one.

    Returns:
        float32 ``[h / factor, w / factor]``, rounded up, of the rows and columns in which anything
        counts: of a channel of a Bayer sensor every other.
    """
    # Averages of these are what is shown: of the errors, or of their squares.
    values = errors if view.signed else errors * errors
    if values.ndim == 3:
        values = _mean_of_samples(values)
    counted = np.isfinite(values)
    if not counted.any():
        return np.zeros(values.shape, np.float32)
    if not counted.all():
        rows = np.flatnonzero(counted.any(axis=1))
        columns = np.flatnonzero(counted.any(axis=0))
        factor = max(factor * len(rows) // max(len(values), 1), 1)
        values = values[np.ix_(rows, columns)]
    shown = _averaged(values, factor)
    return shown if view.signed else np.sqrt(np.maximum(shown, 0))


def _mean_of_samples(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean over the samples of each pixel that count; nan where none does."""
    counted = np.isfinite(values)
    count = counted.sum(axis=-1)
    total = np.where(counted, values, 0).sum(axis=-1)
    mean = np.full(values.shape[:2], np.nan, np.float32)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _averaged(values: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Means of squares, of what counts in them; where nothing does, of what lies around."""
    if factor > 1:
        missing = [(0, -side % factor) for side in values.shape]
        values = np.pad(values, missing, mode="edge")
    counted = np.isfinite(values)
    size = values.shape[1] // factor, values.shape[0] // factor

    def smaller(array: NDArray[np.float32]) -> NDArray[np.float32]:
        if factor == 1:
            return array
        return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32)

    if counted.all():
        return smaller(values)
    share = smaller(counted.astype(np.float32))
    total = smaller(np.where(counted, values, np.float32(0)))
    # Sums that a filter keeps as it runs are not quite 0 where nothing is.
    while (empty := share < _NOTHING).any():
        around, weight = (
            np.asarray(cv2.blur(np.where(empty, np.float32(0), part), (3, 3)), np.float32)
            for part in (total, share)
        )
        total, share = np.where(empty, around, total), np.where(empty, weight, share)
    return np.asarray(total / share, np.float32)


def scale_position(values: NDArray[np.float32], view: ErrorView, top: float) -> NDArray[np.float32]:
    """Where values lie on the colour map, 0 to 1 between its ends."""
    if view.log:
        size = np.maximum(np.abs(values) / np.float32(top), np.float32(10.0**-_DECADES))
        place = 1 + np.log10(size) / np.float32(_DECADES)
    else:
        place = np.abs(values) / np.float32(top)
    if view.signed:
        return np.asarray(0.5 + 0.5 * np.sign(values) * np.minimum(place, 1), np.float32)
    return np.asarray(place, np.float32)


def value_at(position: float, view: ErrorView, top: float) -> float:
    """The error at a place on the colour map: undoes :func:`scale_position`."""
    side = 2 * position - 1 if view.signed else position
    if view.log:
        size = 10.0 ** ((abs(side) - 1) * _DECADES) if abs(side) > 0 else 0.0
    else:
        size = abs(side)
    return math.copysign(size * top, side)


def picture_of(errors: NDArray[np.float32], view: ErrorView, top: float) -> NDArray[np.uint8]:
    """Colours of errors: uint8 ``[h, w, 3]``."""
    return coloured(scale_position(errors, view, top), view.colormap)


def statistics_of(
    original: NDArray[np.uint16],
    restored: NDArray[np.uint16],
    frame: RawFrame,
    view: ErrorView,
    errors: NDArray[np.float32] | None = None,
    bins: int = 61,
    *,
    inner: tuple[slice, slice] = (slice(None), slice(None)),
) -> Statistics:
    """Errors of a region in numbers.

    Args:
        original: As for :func:`errors_of`.
        restored: The same.
        frame: The same.
        view: The same.
        errors: The errors, where they are known.
        bins: Of the histogram.
        inner: The rows and columns that count; all by default.
    """
    if errors is None:
        errors = errors_of(original, restored, frame, view)
    errors = errors[inner]
    counted = errors[np.isfinite(errors)].astype(np.float64)
    size = np.abs(counted)
    shown = counted if view.signed else size
    if not counted.size:
        counted = size = shown = np.zeros(1)
    reach = float(np.quantile(size, 0.999)) or 1.0
    counts, edges = np.histogram(shown, bins, (-reach if view.signed else 0.0, reach))
    scale = frame.white - min(frame.black)
    exact = errors_of(original, restored, frame, ErrorView(unit="DN", channel=view.channel))[inner]
    mse = float(np.nanmean((exact / scale) ** 2)) if np.isfinite(exact).any() else 0.0
    return Statistics(
        count=int(np.isfinite(errors).sum()),
        mean=float(shown.mean()),
        bias=float(counted.mean()),
        rms=float(np.sqrt((counted**2).mean())),
        median=float(np.median(size)),
        p99=float(np.quantile(size, 0.99)),
        largest=float(size.max()),
        psnr_db=-10 * math.log10(mse) if mse > 0 else math.inf,
        edges=edges,
        counts=counts.astype(np.int64),
    )
