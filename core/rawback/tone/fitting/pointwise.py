"""Fitting the table and the gains: encoder only, in float.

The table is a least-squares fit with a smoothness prior, the gains are a ridge regression; both in
the noise-normalised domain, on a sample of the frame. What each costs in bytes is weighed against
what it takes off the squared error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rawback.parallel import in_threads
from rawback.tone.colours import NO_GAINS, base_colours
from rawback.tone.fitting.node_equations import Interpolated, NodeEquations, offsets_between
from rawback.tone.gain import GAIN_ONE, SPACINGS, grid_shape, hat_weights
from rawback.tone.lut import GRIDS, NODES, lut_nodes, refine_grid, touched_nodes
from rawback.tone.vst import UNIT
from rawback.types import Guide

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.tone.base import Base

__all__ = [
    "OUTLIER",
    "PointwiseFit",
    "Sample",
    "choose_pointwise",
    "fit_pointwise",
    "mean_errors",
]

_PRECISIONS = ((2, 4), (4, 4), (8, 4), (16, 4), (8, 3), (16, 3), (32, 3), (32, 2), (64, 2), (64, 1))
"""Steps of the nodes and numbers of grids that are tried."""

OUTLIER = 8 * UNIT
"""Errors count up to this: clipped highlights must not outweigh everything else."""

_CLIPPING = 250
"""From here on the guide clips, and errors may be of any size."""

_SMOOTHNESS, _TRACE = 0.02, 1e-6
"""What a squared second difference of nodes costs, and their own square, beside squared errors."""

_DIGITS, _DIGITS_OF_FEW = 5, 6
"""How exactly the nodes of the finest grid are solved for, and those of the others."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Some samples of one colour.

    Attributes:
        rows: Row of each in the frame.
        columns: Column of each in the frame.
        pixels: uint8 ``[n, 3]``: the guide there.
        truth: int16 ``[n]``: the raw there, in domain units.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    pixels: NDArray[np.uint8]
    truth: NDArray[np.int16]

    @classmethod
    def draw(
        cls, guide: Guide, planes: NDArray[np.int16], mosaic: Mosaic, count: int
    ) -> tuple[Sample, ...]:
        """Draw up to `count` covered samples of each colour, without regard to place.

        Args:
            guide: Of whole cells.
            planes: int16 ``[planes, h, w]``: the raw in domain units.
            mosaic: The frame's.
            count: Samples per colour.

        Returns:
            For each colour of the mosaic's palette.
        """
        generator = np.random.default_rng(0)
        shape = (planes.shape[1], planes.shape[2])
        covered = None if guide.mask.all() else guide.mask != 0
        found = []
        for colour in mosaic.palette:
            parts = []
            own = np.array([letter == colour for letter in mosaic.colours])
            of_colour = own[mosaic.layout()[..., 1]]
            holding = [plane for plane in range(mosaic.planes) if of_colour[..., plane].any()]
            for plane in holding:
                cells = None
                if covered is not None or not of_colour[..., plane].all():
                    usable = own[mosaic.plane_channels(plane, shape)]
                    if covered is not None:
                        usable &= covered[mosaic.pixels_of(plane, shape)]
                    cells = np.flatnonzero(usable)
                among = planes[plane].size if cells is None else len(cells)
                size = min(count // len(holding), among)
                chosen = generator.integers(max(among, 1), size=size)
                if cells is not None:
                    chosen = cells[chosen]
                places = np.unravel_index(chosen, shape)
                rows, columns = mosaic.pixels_at(plane, *places)
                truth = planes[plane][places]
                parts.append((rows, columns, guide.pixels[rows, columns], truth))
            found.append(cls(*(np.concatenate(column) for column in zip(*parts, strict=True))))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class PointwiseFit:
    """A table and a grid of gains as fitted, in float; made by :func:`fit_pointwise`.

    Attributes:
        tables: For each of GRIDS, float64 ``[colours, n, n, n]``: the best of so many nodes a side,
            not the finest one's nodes, for a part of a table may end at a coarse grid.
        node_weights: float64, the same shape: sum of squared weights that the frame's samples give
            each node.
        gains: As in :class:`Base`.
        spacing: As in :class:`Base`.
    """

    tables: list[NDArray[np.float64]]
    node_weights: NDArray[np.float64]
    gains: NDArray[np.int32]
    spacing: int


def fit_pointwise(
    samples: tuple[Sample, ...], mosaic: Mosaic, frame_shape: tuple[int, int]
) -> list[PointwiseFit]:
    """Fit a table without gains, and one with each grid of gains that the frame has room for."""
    shares = np.array(_frame_share(samples, mosaic, frame_shape))[:, None, None, None]
    equations = list(in_threads(_TableEquations.of, samples))
    weights = np.stack([own.node_weights for own in equations]) * shares

    def fit(spacing: int, gains: NDArray[np.int32]) -> PointwiseFit:
        scaled = (sample.truth / _gain_at(sample, gains, spacing) for sample in samples)
        parts = zip(equations, scaled, strict=True)
        found = in_threads(lambda part: part[0].solved(part[1]), parts)
        tables = [np.stack(grid) for grid in zip(*found, strict=True)]
        return PointwiseFit(tables, weights, gains, spacing)

    plain = fit(0, NO_GAINS)
    errors = _errors(samples, plain.tables[-1])
    spacings = [spacing for spacing in SPACINGS if 0 < 2 * spacing <= min(frame_shape)]
    return [
        plain,
        *(
            fit(spacing, _fit_gains(samples, errors, mosaic, frame_shape, spacing))
            for spacing in spacings
        ),
    ]


def choose_pointwise(
    fits: Iterable[PointwiseFit],
    samples: tuple[Sample, ...],
    empty: Base,
    histogram: NDArray[np.int64],
    frame_shape: tuple[int, int],
    base_lambda: float,
) -> Base:
    """The fit and its precision whose error and bits together cost least.

    Args:
        fits: From :func:`fit_pointwise`.
        samples: What they were fitted to.
        empty: Gives the mosaic and the values where there is no carrier.
        histogram: Of the carrier, from :func:`rawback.tone.lut.colour_histogram`.
        frame_shape: Height and width.
        base_lambda: Squared error, in noise variances summed over the frame, that a bit must save.
    """
    shares = _frame_share(samples, empty.mosaic, frame_shape)
    touched = [touched_nodes(histogram, grid) for grid in GRIDS]
    best: tuple[float, Base] | None = None
    for fit in fits:
        node_weights = [_gathered(fit.node_weights, grid) for grid in GRIDS]
        start = replace(empty, spacing=fit.spacing, gains=fit.gains)
        gains = [_gain_at(sample, fit.gains, fit.spacing) for sample in samples]
        for step, grids in _PRECISIONS:
            details = _details(fit.tables, node_weights[:grids], touched, step, base_lambda)
            nodes = lut_nodes(details, step, len(fit.tables[-1]))
            base = replace(start, nodes=nodes, step=step, details=details)
            cost = _error(samples, shares, gains, base)
            if best is not None and cost >= best[0]:
                continue  # whatever its bits are
            cost += 8 * len(base.pointwise_bytes(histogram)) * base_lambda
            if best is None or cost < best[0]:
                best = cost, base
    if best is None:
        message = "there is always a fit without gains"
        raise ValueError(message)
    return best[1]


def mean_errors(samples: Iterable[Sample], base: Base) -> list[float]:
    """By how much samples lie above a base without filters in the mean, by colour, domain units."""
    errors = []
    for colour, sample in enumerate(samples):
        gain = _gain_at(sample, base.gains, base.spacing)
        error = sample.truth - _values(base.nodes[colour], sample) * gain
        usable = error[(sample.pixels < _CLIPPING).all(axis=1)]
        errors.append(float(np.clip(usable, -OUTLIER, OUTLIER).mean()) if len(usable) else 0.0)
    return errors


def _frame_share(
    samples: tuple[Sample, ...], mosaic: Mosaic, frame_shape: tuple[int, int]
) -> list[float]:
    """How many samples of the frame each drawn one stands for, by colour."""
    return [
        frame_shape[0] * frame_shape[1] * mosaic.samples * share / max(len(sample.truth), 1)
        for sample, share in zip(samples, mosaic.shares().values(), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _TableEquations:
    """Of one colour's table: for each of GRIDS, where its samples lie, and the equations."""

    grids: list[tuple[Interpolated, NodeEquations]]
    node_weights: NDArray[np.float64]

    @classmethod
    def of(cls, sample: Sample) -> _TableEquations:
        """Of a sample."""
        grids = []
        weights = np.zeros(0)
        for grid in GRIDS:
            within = _within_grid(sample.pixels, grid)
            smooth = _smoothness(grid)
            equations = NodeEquations(grid**3, smooth.offsets.tolist())
            equations.add(within)
            weights = equations.diagonals[0].copy()
            equations.diagonals += smooth.diagonals
            grids.append((within, equations))
        return cls(grids, weights.reshape((NODES,) * 3))

    def solved(self, values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Nodes of each grid that give the samples about these values, in domain units."""
        start = float(values.mean()) if len(values) else 0.0
        found = []
        for grid, (within, equations) in zip(GRIDS, self.grids, strict=True):
            digits = _DIGITS if grid == NODES else _DIGITS_OF_FEW
            nodes = equations.solved(within.moments(values), start, digits)
            found.append(nodes.reshape((grid,) * 3))
        return found


def _within_grid(pixels: NDArray[np.uint8], grid: int) -> Interpolated:
    """Where pixels lie in a grid of so many nodes a side, trilinear."""
    side = 256 // (grid - 1)
    upper = ((pixels & (side - 1)) / side).T
    red, green, blue = np.stack([1 - upper, upper], axis=2)
    weights = red[:, :, None, None] * green[:, None, :, None] * blue[:, None, None, :]
    along = np.array([grid * grid, grid, 1], np.int32)
    corners = np.array(list(np.ndindex(2, 2, 2)), np.int32)
    first = (pixels // side).astype(np.int32) @ along
    return Interpolated(grid**3, first, corners @ along, weights.reshape(len(pixels), 8))


@lru_cache(maxsize=len(GRIDS))
def _smoothness(grid: int) -> NodeEquations:
    """The prior: the squared second differences of the finest grid's nodes along the three axes.

    Of a coarser grid, those of what is interpolated between its nodes.
    """
    hats = _hats(grid)
    second = np.diff(hats, n=2, axis=1)
    bent, same = second @ second.T, hats @ hats.T
    strides = grid * grid, grid, 1
    corners = np.array(list(np.ndindex(2, 2, 2)), np.int32) @ np.array(strides, np.int32)
    kept = dict.fromkeys(offsets_between(corners), np.zeros(grid**3))
    for places in np.ndindex(5, 5, 5):
        away = [place - 2 for place in places]
        offset = int(np.dot(away, strides))
        if offset < 0:
            continue
        of_bent, of_same = ([_diagonal(m, step) for step in away] for m in (bent, same))
        values = _TRACE * _outer(of_same)
        for axis in range(3):
            mixed = [(of_bent if at == axis else of_same)[at] for at in range(3)]
            values += _SMOOTHNESS * _outer(mixed)
        if values.any():
            kept[offset] = kept.get(offset, 0) + values
    equations = NodeEquations(grid**3, kept)
    for number, offset in enumerate(equations.offsets.tolist()):
        equations.diagonals[number] = kept[offset]
    return equations


def _outer(sides: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Products of one of each side, ``[n ** 3]``."""
    found: NDArray[np.float64] = np.einsum("i,j,k->ijk", *sides).ravel()
    return found


def _diagonal(matrix: NDArray[np.float64], away: int) -> NDArray[np.float64]:
    """Entries ``[i, i + away]`` of a square matrix, 0 where there are none."""
    size = len(matrix)
    found = np.zeros(size)
    if abs(away) < size:
        found[max(-away, 0) : size - max(away, 0)] = np.diagonal(matrix, away)
    return found


def _hats(grid: int) -> NDArray[np.float64]:
    """What each of the finest grid's nodes takes from those of a coarser one, ``[grid, 17]``."""
    stride = (NODES - 1) // (grid - 1)
    apart = np.abs(np.arange(grid)[:, None] * stride - np.arange(NODES))
    hats: NDArray[np.float64] = np.maximum(1 - apart / stride, 0)
    return hats


def _gain_at(sample: Sample, gains: NDArray[np.int32], spacing: int) -> NDArray[np.float64] | float:
    if not spacing:
        return 1.0
    nodes, weights = hat_weights(sample.rows, sample.columns, spacing, gains.shape)
    found: NDArray[np.float64] = 1 + (gains.ravel()[nodes] * weights).sum(axis=0) / GAIN_ONE
    return found


def _values(table: NDArray[np.int32], sample: Sample) -> NDArray[np.int32]:
    """What a colour's table without gains makes of each pixel of a sample, ``[n]``."""
    pixels = sample.pixels[None]
    whole = Guide(pixels, np.ones(pixels.shape[:2], np.uint8))
    values: NDArray[np.int32] = base_colours(table[None], whole, uncovered=[0])[0, 0]
    return values


def _errors(
    samples: Iterable[Sample], tables: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Of each colour's samples what a table makes of them, and what it leaves."""
    found = []
    for table, sample in zip(np.rint(tables).astype(np.int32), samples, strict=True):
        value = _values(table, sample).astype(np.float64)
        found.append((value, np.clip(sample.truth - value, -OUTLIER, OUTLIER)))
    return found


def _fit_gains(
    samples: Iterable[Sample],
    errors: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    mosaic: Mosaic,
    frame_shape: tuple[int, int],
    spacing: int,
) -> NDArray[np.int32]:
    """The grid that best explains what a table without one leaves, given by `_errors`."""
    rows, columns = grid_shape(*frame_shape, spacing, mosaic.cell)
    steps = np.array([0, 1, columns, columns + 1], np.int32)
    equations = NodeEquations(rows * columns, offsets_between(steps))
    moments = np.zeros(rows * columns)
    for sample, (value, error) in zip(samples, errors, strict=True):
        nodes, weights = hat_weights(sample.rows, sample.columns, spacing, (rows, columns))
        weighted = np.ascontiguousarray((weights * value).T)
        within = Interpolated(rows * columns, nodes[0].astype(np.int32), steps, weighted)
        equations.add(within)
        moments += within.moments(error)
    equations.diagonals[0] += equations.diagonals[0].mean() * 1e-2 + 1
    gains = equations.solved(moments, digits=_DIGITS_OF_FEW)
    found: NDArray[np.int32] = np.clip(np.rint(gains * GAIN_ONE), -255, 255).astype(np.int32)
    return found.reshape(rows, columns)


def _details(
    tables: list[NDArray[np.float64]],
    node_weights: list[NDArray[np.float64]],
    touched: list[NDArray[np.bool_]],
    step: int,
    base_lambda: float,
) -> list[NDArray[np.int32]]:
    """Quantise the hierarchy from coarse to fine, each grid on what the ones before restored."""
    nodes = np.zeros((len(tables[-1]), 2, 2, 2), dtype=np.int32)
    details = []
    for grid, table, weight, used in zip(GRIDS, tables, node_weights, touched, strict=False):
        nodes = refine_grid(nodes)
        wanted = table - nodes
        detail = np.rint(wanted / step)
        # Leaving an addition out costs its square at every sample that leans on the node.
        saved = weight * (wanted**2 - (wanted - detail * step) ** 2) / UNIT**2
        bits = 2 + 2 * np.log2(1 + np.abs(detail))
        keep = used & ((saved > base_lambda * bits) | (grid == GRIDS[0]))
        details.append((detail * keep).astype(np.int32))
        nodes = nodes + details[-1] * step
    return details


def _gathered(weights: NDArray[np.float64], grid: int) -> NDArray[np.float64]:
    """Weights of the nodes of a coarse grid: of all fine nodes that interpolate from them."""
    hats = _hats(grid)
    found: NDArray[np.float64] = np.einsum(
        "krgb,ir,jg,lb->kijl", weights, hats, hats, hats, optimize=True
    )
    return found


def _error(
    samples: Iterable[Sample],
    shares: list[float],
    gains: list[NDArray[np.float64] | float],
    base: Base,
) -> float:
    """Squared error of a base over the frame, in noise variances."""
    found = 0.0
    for colour, (sample, share) in enumerate(zip(samples, shares, strict=True)):
        values = _values(base.nodes[colour], sample) * gains[colour]
        error = np.clip((sample.truth - values) / UNIT, -OUTLIER, OUTLIER)
        found += share * float((error**2).sum())
    return found
