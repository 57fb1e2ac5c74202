"""Which numbers the remainders of floating point samples are told by, see `RemainderModel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Section, SectionKind
from rawback.common.coding_tables import coding_tables
from rawback.common.tiles import completed
from rawback.parallel import in_threads
from rawback.residual import MOST_LISTED, MOST_OF_CODE, RemainderModel, encode_remainders

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.common.tiles import Grid, Window
    from rawback.types import RawFrame

__all__ = ["remainder_model", "remainder_sections"]

_SAMPLE = 1 << 18
"""Samples that are looked at first: where numbers hardly repeat among these, none is counted."""

_FEWEST_REPEATED = 0.2
_OFTEN = 3
"""How often a number occurs that is cheaper listed than told by its bits each time."""

_MOST_SHIFT = 12


def remainder_model(frame: RawFrame) -> RemainderModel:
    """The list of numbers that come again and again, and the bits that none of the others has.

    Args:
        frame: Whose samples have remainders.
    """
    floats = frame.floats
    if floats is None or floats.remainders is None:
        message = "samples without remainders"
        raise ValueError(message)
    table = floats.scale.codes
    numbers = table.joined(frame.cfa, floats.remainders).view(np.int32).ravel()
    often = np.zeros(0, np.int32)
    few = numbers[:: max(1, numbers.size // _SAMPLE)]
    if len(np.unique(few)) < (1 - _FEWEST_REPEATED) * len(few):
        values, counts = np.unique(numbers, return_counts=True)
        often = values[counts >= _OFTEN]
    listed = _ascending(often)
    codes, _ = table.split(listed)
    crowded = np.bincount(codes, minlength=1 << 16) > MOST_OF_CODE
    listed = listed[~crowded[codes]]
    if len(listed) > MOST_LISTED:
        listed = listed[:0]
    others = floats.remainders
    if listed.size:
        others = others.ravel()[~np.isin(numbers, listed.view(np.int32))]
    used = int(np.bitwise_or.reduce(others, axis=None))
    shift = (used & -used).bit_length() - 1 if used else _MOST_SHIFT
    return RemainderModel(floats.scale, min(shift, _MOST_SHIFT), listed)


def remainder_sections(frame: RawFrame, grid: Grid) -> tuple[Section, ...]:
    """All sections of the remainders of a frame; none where there are no remainders."""
    if frame.floats is None or frame.floats.remainders is None:
        return ()
    model, curves, mosaic = remainder_model(frame), coding_tables().lossless.curves, frame.mosaic
    codes, remainders = completed(frame.cfa, mosaic), completed(frame.floats.remainders, mosaic)

    def coded(tile: Window) -> bytes:
        at = tile.samples_within(grid.whole, mosaic)
        return encode_remainders(curves, model, codes[at], remainders[at])

    tiles = enumerate(in_threads(coded, grid.tiles()))
    return (
        Section(SectionKind.REMAINDER, 0, 0, model.to_bytes()),
        *(Section(SectionKind.REMAINDER, 1, index, data) for index, data in tiles),
    )


def _ascending(bits: NDArray[np.int32]) -> NDArray[np.float32]:
    """Numbers in their order, -0 before 0, given their bits ascending as signed integers."""
    # Those of negative numbers come first, and ascend as the numbers descend.
    first = int(np.searchsorted(bits, 0))
    return np.concatenate([bits[:first][::-1], bits[first:]]).view(np.float32)
