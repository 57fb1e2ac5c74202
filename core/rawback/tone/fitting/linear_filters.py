"""Fitting the filters: encoder only, in float.

Each is a ridge regression in the noise-normalised domain on a sample of the frame. One filter, one
for each class of cells, or none, for channels or for phases: whichever takes more off the squared
error than its bytes are worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.mosaic import turned
from rawback.parallel import in_threads
from rawback.tone.fitting.pointwise import OUTLIER
from rawback.tone.linear_filter import REACH, SIDE, TAP_ONE, LinearFilter, has_phase_filters
from rawback.tone.vst import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.tone.base import Base

__all__ = ["FilterFits", "Patch"]


_LEAST_GAIN = 0.01

_CELLS, _CELLS_OF_PHASES = 48_000, 108_000
"""Cells of all patches that filters are fitted to; more where phases have their own."""

_TAP_BITS = 3.0
"""What it costs, about, that a tap of a phase differs from that of the phase before."""

_RIDGE = 2000 * UNIT**2
"""Keeps taps small that few samples ask for, squares of the domain's units: about as much as some
hundred samples whose neighbourhood varies by two deviations of the noise tell."""

_gram = Kernel("gram", Read(np.float32, 2), Write(np.float64, 2))
_filter_rows = Kernel(
    "filter_rows",
    *(Read(np.int32, 3), Read(np.int32, 2), Read(np.int32, 2), Read(np.int16, 1), Integer, Integer),
    Write(np.float32, 2),
)


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


@dataclass(frozen=True, slots=True)
class _Gram:
    """What a least-squares fit needs of its samples: sums add up over groups.

    Attributes:
        sums: float64 ``[n, n]``: products of taps, a bias and the target, the upper triangle.
        count: Samples.
    """

    sums: NDArray[np.float64]
    count: int = 0

    @classmethod
    def empty(cls, columns: int) -> _Gram:
        """Of no samples."""
        return cls(np.zeros((columns, columns)))

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> _Gram:
        """Of samples: of each its taps, 1, and what they are to give, ``[n, m]``."""
        whole = cls.empty(rows.shape[1])
        _gram(rows, whole.sums)
        return replace(whole, count=len(rows))

    def __add__(self, other: _Gram) -> _Gram:
        return _Gram(self.sums + other.sums, self.count + other.count)

    @property
    def normal(self) -> NDArray[np.float64]:
        """Of taps and the bias, ``[m, m]``."""
        upper = np.triu(self.sums[:-1, :-1])
        return upper + np.triu(upper, 1).T

    @property
    def moment(self) -> NDArray[np.float64]:
        """Of them with the target, ``[m]``."""
        return self.sums[:-1, -1]

    @property
    def energy(self) -> float:
        """Of the target."""
        return float(self.sums[-1, -1])

    def moved(self, offset: float) -> _Gram:
        """The same, were the target larger by so much."""
        sums = self.sums.copy()
        sums[:-1, -1] += offset * self.normal[:, -1]
        sums[-1, -1] += offset * (2 * self.sums[-2, -1] + offset * self.sums[-2, -2])
        return replace(self, sums=sums)

    def left(self, linear_filter: LinearFilter, channel: int) -> float:
        """Squared error that a filter leaves."""
        weights = np.append(
            linear_filter.taps[channel].ravel() / TAP_ONE, linear_filter.bias[channel]
        )
        return float(self.energy - 2 * weights @ self.moment + weights @ self.normal @ weights)


@dataclass(frozen=True, slots=True)
class FilterFits:
    """What filters are fitted from, whatever a bit of theirs must save.

    Attributes:
        grams: Sums for each class, and for each phase or channel.
        chosen: Cells in them.
        cells: Cells in the frame.
    """

    grams: list[list[_Gram]]
    chosen: int
    cells: int

    @classmethod
    def of(
        cls, patches: Iterable[Patch], mosaic: Mosaic, cells: int, trusted: int, count: int = 1
    ) -> FilterFits:
        """Of parts of a frame.

        Args:
            patches: With the colours of a base from :func:`choose_pointwise`.
            mosaic: The frame's.
            cells: Cells in the frame.
            trusted: Classes below this one have filters of their own when four are used.
            count: How many patches there are.
        """
        enough = _CELLS_OF_PHASES if has_phase_filters(mosaic) else _CELLS
        return cls(*_grams_of(patches, mosaic, trusted, enough // count), cells)

    def choose(
        self, base: Base, base_lambda: float, offsets: Sequence[float] | None = None
    ) -> Base:
        """Add filters to a base where they pay.

        Args:
            base: That of the patches, or another for the same frame: taps fitted behind the finest
                table serve behind coarser ones, too.
            base_lambda: As for :func:`choose_pointwise`.
            offsets: By how much more samples lie above this base in the mean than above that of the
                patches, by colour, in domain units; none by default.

        Returns:
            The base with no filter, one, or one per class.
        """
        mosaic = base.mosaic
        grams = self.grams if offsets is None else self._moved(mosaic, offsets)
        least = 2 * len(mosaic.palette) * SIDE * SIDE
        scale = self.cells / max(self.chosen, 1)
        if self.chosen < least:
            return base
        best = (sum(gram.energy for group in grams for gram in group) / UNIT**2 * scale, base)

        def tried(groups: list[list[_Gram]], filters: tuple[LinearFilter, ...]) -> None:
            nonlocal best
            trial = replace(base, filters=filters)
            left = sum(
                gram.left(linear_filter, number)
                for group, linear_filter in zip(groups, filters, strict=True)
                for number, gram in enumerate(group)
            )
            cost = left / UNIT**2 * scale + 8 * len(trial.filter_bytes()) * base_lambda
            # Filters take time to apply, four of them four times as much.
            slower = len(filters) > len(best[1].filters)
            if cost < (1 - _LEAST_GAIN * slower) * best[0]:
                best = (cost, trial)

        def enough(groups: list[list[_Gram]], everywhere: list[_Gram]) -> list[list[_Gram]]:
            """With those of all classes in place of what has too few samples."""
            return [g if min(gram.count for gram in g) >= least else everywhere for g in groups]

        of_channels = [_by_channel(group, mosaic) for group in grams]
        everywhere = _added(of_channels)
        for groups in ([everywhere], of_channels):
            fitted = enough(groups, everywhere)
            tried(groups, tuple(_fit_filter(group, mosaic) for group in fitted))
        if has_phase_filters(mosaic):
            worth = base_lambda * _TAP_BITS * UNIT**2 / scale
            everywhere = _added(grams)
            for groups in ([everywhere], grams):
                fitted = enough(groups, everywhere)
                tried(groups, tuple(_fit_phases(group, mosaic, worth) for group in fitted))
        return best[1]

    def _moved(self, mosaic: Mosaic, offsets: Sequence[float]) -> list[list[_Gram]]:
        """The sums, were all targets of a colour so much larger."""
        by_phase = has_phase_filters(mosaic)
        channels = mosaic.phases if by_phase else range(len(mosaic.colours))
        of_kind = [offsets[mosaic.palette.index(mosaic.colours[channel])] for channel in channels]
        return [
            [gram.moved(offset) for gram, offset in zip(group, of_kind, strict=True)]
            for group in self.grams
        ]


def _grams_of(
    patches: Iterable[Patch], mosaic: Mosaic, trusted: int, most: int
) -> tuple[list[list[_Gram]], int]:
    """Sums for each class and phase, channels where phases have no filters; and cells in them.

    At most `most` cells are taken of each patch.
    """
    by_phase = has_phase_filters(mosaic)
    kinds = len(mosaic.phases) if by_phase else len(mosaic.colours)
    none = _Gram.empty(len(mosaic.palette) * SIDE * SIDE + 2)
    grams, chosen = [[none] * kinds for _ in range(trusted + 1)], 0

    def summed(patch: Patch) -> tuple[list[tuple[int, int, _Gram]], int]:
        parts, count = _gather(patch, mosaic, trusted, most, by_phase=by_phase)
        return [(own, kind, _Gram.of(rows)) for own, kind, rows in parts], count

    for sums, count in in_threads(summed, patches):
        chosen += count
        for own, kind, gram in sums:
            grams[own][kind] += gram
    return grams, chosen


def _added(groups: list[list[_Gram]]) -> list[_Gram]:
    """Sums of all classes together."""
    return [sum(grams[1:], start=grams[0]) for grams in zip(*groups, strict=True)]


def _by_channel(group: list[_Gram], mosaic: Mosaic) -> list[_Gram]:
    """Sums of channels, given those of phases or of channels."""
    if not has_phase_filters(mosaic):
        return group
    own = [
        [gram for gram, of in zip(group, mosaic.phases, strict=True) if of == channel]
        for channel in range(len(mosaic.colours))
    ]
    return [sum(grams[1:], start=grams[0]) for grams in own]


def _gather(
    patch: Patch, mosaic: Mosaic, trusted: int, most: int, *, by_phase: bool
) -> tuple[Iterator[tuple[int, int, NDArray[np.float32]]], int]:
    """Samples of up to `most` cells of a patch with their class and channel or phase; how many.

    They come in parts, as all of them together would take many times the patch's memory.
    """
    usable = np.flatnonzero(patch.usable)
    if len(usable) > most:
        usable = np.random.default_rng(0).choice(usable, most, replace=False, shuffle=False)
    rows, columns = np.unravel_index(usable, patch.classes.shape)
    classes = np.minimum(patch.classes[rows, columns], trusted)
    layout = mosaic.layout(*patch.place, by_phase=by_phase)
    own_layout = layout[rows % layout.shape[0], columns % layout.shape[1]]

    def parts() -> Iterator[tuple[int, int, NDArray[np.float32]]]:
        for plane in range(mosaic.planes):
            for kind in np.unique(layout[:, :, plane, 1]).tolist():
                phase = (mosaic.phases[kind], mosaic.turns[kind]) if by_phase else (kind, 0)
                of_kind = own_layout[:, plane, 1] == kind
                for own in range(trusted + 1):
                    chosen = np.flatnonzero(of_kind & (classes == own))
                    if len(chosen):
                        cells = rows[chosen], columns[chosen]
                        pixels = own_layout[chosen, plane, 0] // mosaic.samples
                        yield own, kind, _of_plane(patch, mosaic, plane, phase, cells, pixels)

    return parts(), len(rows)


def _of_plane(
    patch: Patch,
    mosaic: Mosaic,
    plane: int,
    phase: tuple[int, int],
    cells: tuple[NDArray[np.intp], NDArray[np.intp]],
    pixels: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """The samples that some cells of a patch have in a plane, all of one channel, for `_Gram.of`.

    Args:
        patch: The patch.
        mosaic: The frame's.
        plane: Which.
        phase: Channel of these samples, and how what lies around them is turned.
        cells: Rows and columns of the cells.
        pixels: Which of their cell's pixels the samples are of, row by row.
    """
    down, right = np.divmod(pixels.astype(np.intp), mosaic.cell) if mosaic.pattern else (0, 0)
    rows, columns = cells
    places = np.empty((len(pixels), 2), np.int32)
    places[:, 0] = mosaic.cell * rows + down + REACH
    places[:, 1] = mosaic.cell * columns + right + REACH
    channel, turn = phase
    within = range(-REACH, REACH + 1)
    offsets = np.array([turned(dy, dx, turn) for dy in within for dx in within], np.int32)
    own = mosaic.palette.index(mosaic.colours[channel])
    found = np.empty((len(pixels), len(patch.colours) * SIDE * SIDE + 2), np.float32)
    wanted = patch.planes[plane][rows, columns]
    _filter_rows(patch.colours, places, offsets, wanted, own, OUTLIER, found)
    return found


def _fit_phases(grams: list[_Gram], mosaic: Mosaic, worth: float) -> LinearFilter:
    """The filter of each phase.

    Taps are those of the last phase of the channel where a difference saves less than `worth`.
    """
    fitted = _fit_filter(grams, mosaic)
    taps, bias = fitted.taps.reshape(len(grams), -1).copy(), fitted.bias.copy()
    last: dict[int, int] = {}
    for phase, channel in enumerate(mosaic.phases):
        if channel in last:
            before = last[channel]
            energy = np.diag(grams[phase].normal)
            saved = ((taps[phase] - taps[before]) / TAP_ONE) ** 2 * energy[:-1]
            taps[phase] = np.where(saved < worth, taps[before], taps[phase])
            if (bias[phase] - bias[before]) ** 2 * energy[-1] < worth:
                bias[phase] = bias[before]
        last[channel] = phase
    sparse = LinearFilter(taps.reshape(fitted.taps.shape), bias)
    return sparse if sparse.fits(mosaic) else fitted


def _fit_filter(grams: list[_Gram], mosaic: Mosaic) -> LinearFilter:
    """The filter of each channel, halved until all sums are exact in float32."""
    ridge = np.full(len(grams[0].moment), float(_RIDGE))
    ridge[-1] = 1  # of the bias
    solutions = [np.linalg.solve(gram.normal + np.diag(ridge), gram.moment) for gram in grams]
    taps = np.rint([solution[:-1] * TAP_ONE for solution in solutions]).astype(np.int32)
    bias = np.rint([solution[-1] for solution in solutions]).astype(np.int32)
    shape = (len(grams), len(mosaic.palette), SIDE, SIDE)
    linear_filter = LinearFilter(taps.reshape(shape), bias)
    while not linear_filter.fits(mosaic):
        linear_filter = LinearFilter(linear_filter.taps // 2, bias)
    return linear_filter
