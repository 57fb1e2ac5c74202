"""The base: the raw as predicted from the guide alone.

::

    guide RGB --lut--> colours at every pixel --gain--> --filters--> planes of the samples of cells

The table and the gains go into one section, the filters into another, so that a payload cut between
them still restores. All evaluation is integer, see the modules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.entropy import SymbolCoder, SymbolDecoder, SymbolEncoder, code_parameters
from rawback.errors import PayloadDamaged
from rawback.tone.colours import NO_GAINS, base_colours
from rawback.tone.gain import SPACINGS, grid_shape
from rawback.tone.linear_filter import (
    REACH,
    SIDE,
    LinearFilter,
    apply_filters,
    has_phase_filters,
)
from rawback.tone.lut import GRIDS, code_details, code_lut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.types import Guide

__all__ = ["Base"]

_MOST_FILTERS = 4


@dataclass(frozen=True, slots=True)
class Base:
    """The fitted inverse rendering of one carrier.

    Attributes:
        mosaic: The frame's; the base gives the colours of its palette.
        nodes: int32 ``[colours, 17, 17, 17]`` in domain units; built from `details`.
        step: Quantisation step of the nodes.
        details: What each grid adds to the one before, see :func:`rawback.tone.lut.code_lut`.
        uncovered: Domain value of each colour where the carrier does not cover the frame.
        spacing: Raw pixels between gain nodes, 0 for none.
        gains: int32 ``[rows, columns]`` in 1/256; empty without a grid.
        filters: No filter, one for all cells, or several, of which cells of class ``c`` take
            number ``c`` and those of higher classes the last. All are for channels, or all for
            phases.
    """

    mosaic: Mosaic
    nodes: NDArray[np.int32]
    step: int
    details: list[NDArray[np.int32]]
    uncovered: tuple[int, ...]
    spacing: int
    gains: NDArray[np.int32]
    filters: tuple[LinearFilter, ...] = ()

    @classmethod
    def empty(cls, mosaic: Mosaic, uncovered: tuple[int, ...]) -> Base:
        """A base to be filled in by the fit."""
        return cls(mosaic, np.zeros((0, 0), dtype=np.int32), 1, [], uncovered, 0, NO_GAINS)

    def colours(self, guide: Guide, origin: tuple[int, int]) -> NDArray[np.int32]:
        """The table and the gains at every pixel of a window of the guide, ``[colours, h, w]``."""
        return base_colours(self.nodes, guide, self.gains, self.spacing, origin, self.uncovered)

    def planes(
        self,
        colours: NDArray[np.int32],
        classes: NDArray[np.uint8],
        origin: tuple[int, int] = (REACH, REACH),
        place: tuple[int, int] = (0, 0),
    ) -> NDArray[np.int16]:
        """The planes of a window.

        Args:
            colours: ``[colours, H, W]`` from :meth:`colours`: the window and what lies around it;
                repeated where the border of 2 pixels that filters need is missing.
            classes: uint8 ``[h, w]``: the class of each cell.
            origin: Row and column in `colours` of the window's first pixel.
            place: Row and column of the window's first cell in the frame.

        Returns:
            int16 ``[planes, h, w]`` in domain units.
        """
        filters = self.filters or (LinearFilter.identity(self.mosaic),)
        return apply_filters(filters, colours, classes, self.mosaic, origin, place)

    def pointwise_bytes(self, histogram: NDArray[np.int64]) -> bytes:
        """The section that holds the table and the gains."""
        coder = SymbolEncoder()
        head = [self.step, len(self.details), SPACINGS.index(self.spacing), *self.uncovered]
        coder.code_escapes(np.array(head), len(head))
        colours = len(self.mosaic.palette)
        code_details(coder, histogram, len(self.details), self.details, colours)
        _code_gains(coder, self.gains, self.gains.shape)
        return coder.finish()

    @classmethod
    def from_pointwise_bytes(
        cls,
        data: bytes,
        mosaic: Mosaic,
        histogram: NDArray[np.int64],
        frame_shape: tuple[int, int],
    ) -> Base:
        """Undo :meth:`pointwise_bytes`.

        Args:
            data: The section.
            mosaic: The frame's.
            histogram: Of the carrier, from :func:`rawback.tone.lut.colour_histogram`.
            frame_shape: Height and width of the frame.

        Raises:
            PayloadDamaged: The bytes are no such section.
        """
        coder = SymbolDecoder(data)
        colours = len(mosaic.palette)
        step, grids, spacing, *uncovered = coder.code_escapes(None, 3 + colours).tolist()
        if not (0 < step < 256 and 0 < grids <= len(GRIDS) and spacing < len(SPACINGS)):
            message = "the base's section holds impossible values; restore from another copy"
            raise PayloadDamaged(message)
        nodes, details = code_lut(coder, histogram, step, grids, None, colours)
        spacing = SPACINGS[spacing]
        shape = grid_shape(*frame_shape, spacing, mosaic.cell) if spacing else (0, 0)
        gains = _code_gains(coder, None, shape)
        return cls(mosaic, nodes, step, details, tuple(uncovered), spacing, gains)

    def filter_bytes(self) -> bytes:
        """The section that holds the filters."""
        coder = SymbolEncoder()
        by_phase = any(linear.is_by_phase(self.mosaic) for linear in self.filters)
        coder.code_escapes(np.array([len(self.filters) + _MOST_FILTERS * by_phase]), 1)
        for linear_filter in self.filters:
            _code_filter(coder, self.mosaic, linear_filter, by_phase=by_phase)
        return coder.finish()

    def with_filter_bytes(self, data: bytes) -> Base:
        """This base with the filters of a section.

        Raises:
            PayloadDamaged: The bytes are no such section.
        """
        coder = SymbolDecoder(data)
        count = int(coder.code_escapes(None, 1)[0])
        by_phase = count > _MOST_FILTERS
        count -= _MOST_FILTERS * by_phase
        if count > _MOST_FILTERS or (by_phase and not has_phase_filters(self.mosaic)):
            message = "the base's filters hold impossible values; restore from another copy"
            raise PayloadDamaged(message)
        filters = tuple(
            _code_filter(coder, self.mosaic, None, by_phase=by_phase) for _ in range(count)
        )
        if not all(linear_filter.fits(self.mosaic) for linear_filter in filters):
            message = "the base's filters hold impossible values; restore from another copy"
            raise PayloadDamaged(message)
        return replace(self, filters=filters)


def _code_gains(
    coder: SymbolCoder, gains: NDArray[np.int32] | None, shape: tuple[int, ...]
) -> NDArray[np.int32]:
    """Code the grid as differences along its rows, the first column along itself."""
    count = int(np.prod(shape))
    given = None
    if gains is not None and count:
        given = np.diff(gains, axis=1, prepend=0)
        given[:, 0] = np.diff(gains[:, 0], prepend=0)
        given = given.ravel()
    found = code_parameters(coder, given, count).reshape(shape)
    if count:
        found[:, 0] = np.cumsum(found[:, 0])
        found = np.cumsum(found, axis=1)
    return np.clip(found, -255, 255).astype(np.int32)


def _code_filter(
    coder: SymbolCoder, mosaic: Mosaic, linear_filter: LinearFilter | None, *, by_phase: bool
) -> LinearFilter:
    """Code a filter: taps on the same colour are larger than the others, so apart from them.

    Those of a phase are coded as differences to the last phase before it of the same channel.
    """
    of = mosaic.phases if by_phase else tuple(range(len(mosaic.colours)))
    before = [
        max((other for other in range(number) if of[other] == channel), default=number)
        for number, channel in enumerate(of)
    ]
    size = SIDE * SIDE
    taps = np.zeros((len(of), len(mosaic.palette), size), dtype=np.int32)
    own = np.array([[mosaic.colours[c] == colour for colour in mosaic.palette] for c in of])
    around = np.arange(size) != size // 2
    given, given_bias = None, None
    if linear_filter is not None:
        given = _steps(linear_filter.taps.reshape(taps.shape), before)
        given_bias = _steps(linear_filter.bias, before)
    for same in (True, False):
        where = (own == same)[:, :, None] & around
        known = None if given is None else given[where]
        taps[where] = code_parameters(coder, known, int(where.sum()))
    bias = code_parameters(coder, given_bias, len(of))
    summed = _summed(taps, before, 1 << 15).reshape(len(of), -1, SIDE, SIDE)
    return LinearFilter(summed, _summed(bias, before, 1 << 12))


def _steps(values: NDArray[np.int32], before: list[int]) -> NDArray[np.int32]:
    """What each value adds to the one it follows; the first ones as they are."""
    steps = values.copy()
    for number, first in enumerate(before):
        if first != number:
            steps[number] -= values[first]
    return steps


def _summed(steps: NDArray[np.int32], before: list[int], limit: int) -> NDArray[np.int32]:
    """Undo `_steps`, and clip the sums."""
    sums = steps.astype(np.int64)
    for number, first in enumerate(before):
        if first != number:
            sums[number] += sums[first]
    return np.clip(sums, -limit, limit).astype(np.int32)
