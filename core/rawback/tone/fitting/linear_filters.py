"""Fitting the filters: encoder only, in float.

Each is a ridge regression in the noise-normalised domain on a sample of the frame. One filter, one
for each class of quads, or none: whichever takes more off the squared error than its bytes are
worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rawback.tone.fitting.pointwise import OUTLIER
from rawback.tone.linear_filter import REACH, SIDE, TAP_ONE, LinearFilter
from rawback.tone.vst import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawback.mosaic import Mosaic
    from rawback.tone.base import Base

__all__ = ["Patch", "fit_linear_filters"]


_LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a frame that filters are fitted to.

    Attributes:
        colours: int32 ``[colours, c h + 4, c w + 4]`` from :meth:`Base.colours`, with a border of
            2; c pixels are along a side of a cell.
        planes: int16 ``[planes, h, w]``: the raw in domain units.
        classes: uint8 ``[h, w]``: the class of each cell.
        usable: bool ``[h, w]``: whether a cell may take part.
        place: Row and column of the first cell in the frame.
    """

    colours: NDArray[np.int32]
    planes: NDArray[np.int16]
    classes: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    place: tuple[int, int] = (0, 0)


def fit_linear_filters(
    base: Base,
    patches: Iterable[Patch],
    base_lambda: float,
    cells: int,
    trusted: int,
) -> Base:
    """Add filters to a base where they pay.

    Args:
        base: From :func:`choose_pointwise`.
        patches: Of the frame.
        base_lambda: As for :func:`choose_pointwise`.
        cells: Cells in the frame.
        trusted: Classes below this one have filters of their own when four are used.

    Returns:
        The base with no filter, one, or one per class.
    """
    mosaic = base.mosaic
    gathered = [_gather(patch, mosaic) for patch in patches]
    chosen = sum(count for _, count in gathered)
    channels = range(len(mosaic.colours))
    design, target, classes = (
        [np.concatenate([by_channel[c][part] for by_channel, _ in gathered]) for c in channels]
        for part in range(3)
    )
    classes = [np.minimum(of_channel, trusted) for of_channel in classes]
    least = 2 * len(mosaic.palette) * SIDE * SIDE
    scale = cells / max(chosen, 1)
    if chosen < least:
        return base
    grams = [
        [_Gram.of(design[c][classes[c] == own], target[c][classes[c] == own]) for c in channels]
        for own in range(trusted + 1)
    ]
    everywhere = [sum((gram[c] for gram in grams[1:]), start=grams[0][c]) for c in channels]
    best = (sum(gram.energy for gram in everywhere) / UNIT**2 * scale, base)
    for groups in ([everywhere], grams):
        fitted = [g if min(gram.count for gram in g) >= least else everywhere for g in groups]
        filters = tuple(_fit_filter(group, mosaic) for group in fitted)
        trial = replace(base, filters=filters)
        left = sum(
            gram.left(linear_filter, channel)
            for group, linear_filter in zip(groups, filters, strict=True)
            for channel, gram in enumerate(group)
        )
        cost = left / UNIT**2 * scale + 8 * len(trial.filter_bytes()) * base_lambda
        # Filters take time to apply, four of them four times as much.
        if cost < (1 - _LEAST_GAIN) * best[0]:
            best = (cost, trial)
    return best[1]


@dataclass(frozen=True, slots=True)
class _Gram:
    """What a least-squares fit needs of its samples, taps and a bias: sums add up over groups."""

    normal: NDArray[np.float64]
    moment: NDArray[np.float64]
    energy: float
    count: int

    @classmethod
    def of(cls, design: NDArray[np.float32], target: NDArray[np.float32]) -> _Gram:
        full = np.concatenate([design, np.ones((len(design), 1), np.float32)], axis=1)
        return cls(
            (full.T @ full).astype(np.float64),
            (full.T @ target).astype(np.float64),
            float((target**2).sum(dtype=np.float64)),
            len(target),
        )

    def __add__(self, other: _Gram) -> _Gram:
        return _Gram(
            self.normal + other.normal,
            self.moment + other.moment,
            self.energy + other.energy,
            self.count + other.count,
        )

    def left(self, linear_filter: LinearFilter, channel: int) -> float:
        """Squared error that a filter leaves."""
        weights = np.append(
            linear_filter.taps[channel].ravel() / TAP_ONE, linear_filter.bias[channel]
        )
        return float(self.energy - 2 * weights @ self.moment + weights @ self.normal @ weights)


_Samples: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]
"""Designs, targets and classes."""


def _gather(patch: Patch, mosaic: Mosaic, count: int = 8_000) -> tuple[list[_Samples], int]:
    """Samples of some cells of a patch, by channel, and how many cells these are."""
    usable = np.flatnonzero(patch.usable)
    some = np.random.default_rng(0).integers(max(len(usable), 1), size=min(count, len(usable)))
    rows, columns = np.unravel_index(usable[some], patch.classes.shape)
    layout = mosaic.layout(*patch.place)
    own_layout = layout[rows % layout.shape[0], columns % layout.shape[1]]
    parts: list[list[_Samples]] = [[] for _ in mosaic.colours]
    for plane in range(mosaic.planes):
        for channel in np.unique(layout[:, :, plane, 1]).tolist():
            own = own_layout[:, plane, 1] == channel
            samples = own_layout[own, plane, 0] // mosaic.samples
            parts[channel].append(
                _of_plane(patch, mosaic, plane, channel, rows[own], columns[own], samples)
            )
    empty = (
        np.empty((0, len(mosaic.palette) * SIDE * SIDE), np.float32),
        np.empty(0, np.float32),
        np.empty(0, np.uint8),
    )
    by_channel = []
    for own_parts in parts:
        design, target, classes = zip(*(own_parts or [empty]), strict=True)
        by_channel.append((np.concatenate(design), np.concatenate(target), np.concatenate(classes)))
    return by_channel, len(rows)


def _of_plane(
    patch: Patch,
    mosaic: Mosaic,
    plane: int,
    channel: int,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    pixels: NDArray[np.uint8],
) -> _Samples:
    """The samples that some cells of a patch have in a plane, all of one channel.

    Args:
        patch: The patch.
        mosaic: The frame's.
        plane: Which.
        channel: Of these samples.
        rows: Of the cells.
        columns: Of the cells.
        pixels: Which of their cell's pixels the samples are of, row by row.
    """
    colours = patch.colours
    down, right = np.divmod(pixels.astype(np.intp), mosaic.cell) if mosaic.pattern else (0, 0)
    y, x = mosaic.cell * rows + down + REACH, mosaic.cell * columns + right + REACH
    centre = colours[:, y, x]
    around = [
        colours[:, y + dy, x + dx] - centre
        for dy in range(-REACH, REACH + 1)
        for dx in range(-REACH, REACH + 1)
    ]
    design = np.stack(around, axis=1).reshape(len(colours) * SIDE * SIDE, -1).T
    own = mosaic.palette.index(mosaic.colours[channel])
    error = patch.planes[plane][rows, columns] - centre[own]
    target = np.clip(error, -OUTLIER, OUTLIER)
    return design.astype(np.float32), target.astype(np.float32), patch.classes[rows, columns]


def _fit_filter(grams: list[_Gram], mosaic: Mosaic) -> LinearFilter:
    """The filter of each channel, halved until all sums are exact in float32."""
    solutions = [
        np.linalg.solve(gram.normal + np.eye(len(gram.moment)) * 20 * UNIT**2, gram.moment)
        for gram in grams
    ]
    taps = np.rint([solution[:-1] * TAP_ONE for solution in solutions]).astype(np.int32)
    bias = np.rint([solution[-1] for solution in solutions]).astype(np.int32)
    shape = (len(grams), len(mosaic.palette), SIDE, SIDE)
    linear_filter = LinearFilter(taps.reshape(shape), bias)
    while not linear_filter.fits(mosaic):
        linear_filter = LinearFilter(linear_filter.taps // 2, bias)
    return linear_filter
