"""The samples of a file's grid, told by those of the mosaic, and what the mosaic does not tell.

A file may keep other numbers than a raw developer sees (through a table that linearises them), and
samples that are outside the mosaic. So the grid is made of five things: the mosaic; by how much its
rows are turned, where they are (Kodak's DC120); a table from its samples to stored ones, where they
differ; single samples that the table gets wrong; and everything around the mosaic, as differences
to what it is likely to be.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rawback.bitstream.varint import write_varint
from rawback.original.streams import Numbers, expand, fold, shrink, unfold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.original.layout import Grid, Rectangle

__all__ = ["CodedGrid", "code_grid", "restore_grid"]

_VALUES = 1 << 16
# A table that is wrong for more than one sample in so many is no table.
_FEW = 64
_TURN_PERIOD = 4
_PROBED = 16


class _Guess(IntEnum):
    """What samples around the mosaic are likely to be. The numbers are those of the format."""

    ZERO = 0
    NEAREST = 1
    """The nearest one of the mosaic."""
    NEAREST_ALIKE = 2
    """The nearest one of the mosaic in a row and a column of the same parity."""
    BEFORE = 3
    """The one before the last, in the order in which they are coded."""
    NEAREST_WITHIN = 4
    """The nearest one of the mosaic without its outermost rows and columns."""


class CodedGrid(NamedTuple):
    """What the mosaic does not tell, and whether its samples are the stored ones."""

    coded: bytes
    plain: bool


def code_grid(
    stored: NDArray[np.uint16], mosaic: NDArray[np.uint16], place: Rectangle
) -> CodedGrid | None:
    """Spell what the mosaic does not tell of the stored samples.

    Args:
        stored: uint16 ``[rows, columns]`` of the grid.
        mosaic: uint16 ``[place.rows, place.columns]``.
        place: Where the mosaic lies on the grid.

    Returns:
        What it does not tell, or None if it tells next to nothing.
    """
    inner = stored[place.slices]
    table: NDArray[np.uint16] | None = None
    wrong = np.zeros(0, dtype=np.int64)
    turns = None
    predicted = mosaic
    if not np.array_equal(inner, mosaic):
        turns = _turns(inner, mosaic)
        if turns is not None:
            predicted = inner
        else:
            # A few rows tell soon where there is no table.
            step = max(1, mosaic.shape[0] // _PROBED)
            probed = inner[::step] != _table(inner[::step], mosaic[::step])[mosaic[::step]]
            if _PROBED * np.count_nonzero(probed) > probed.size:
                return None
            table = _table(inner, mosaic)
            predicted = table[mosaic]
            wrong = np.flatnonzero(inner != predicted)
        if _FEW * wrong.size > mosaic.size:
            return None
    parts = [
        _spell_turns(turns, mosaic.shape[1]),
        _spell_table(table, mosaic),
        _spell_singles(wrong, inner, predicted),
        _spell_border(stored, place),
    ]
    coded = b"".join(write_varint(len(part)) + part for part in map(shrink, parts))
    return CodedGrid(coded, table is None)


def restore_grid(
    coded: bytes, mosaic: NDArray[np.uint16], grid: Grid, place: Rectangle
) -> NDArray[np.uint16]:
    """The stored samples of the whole grid.

    Args:
        coded: From `code_grid`.
        mosaic: uint16 ``[place.rows, place.columns]``.
        grid: The grid.
        place: Where the mosaic lies on the grid.

    Returns:
        uint16 ``[grid.rows, grid.columns]``.

    Raises:
        ValueError: The bytes do not spell such a grid.
    """
    reader = Numbers(coded)
    border = grid.rows * grid.columns - mosaic.size
    turns, table, singles, around = (
        expand(reader.bytes(reader.next()), most)
        for most in (
            *(4 * mosaic.shape[0], 8 * _VALUES),
            *(12 * mosaic.size // _FEW + 16, 2 * border + len(_BANDS)),
        )
    )
    reader.end()
    stored = np.empty((grid.rows, grid.columns), dtype=np.uint16)
    inner = _turned(mosaic, turns) if turns else mosaic
    inner = _read_table(table)[inner] if table else inner.copy()
    _read_singles(singles, inner.reshape(-1))
    stored[place.slices] = inner
    _read_border(around, stored, place)
    return stored


def _table(inner: NDArray[np.uint16], mosaic: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The stored sample for each of the mosaic's: any of those that occur with it."""
    table = np.zeros(_VALUES, dtype=np.uint16)
    table[mosaic] = inner
    return table


def _turns(inner: NDArray[np.uint16], mosaic: NDArray[np.uint16]) -> list[int] | None:
    """By how many columns each row of the mosaic is turned to the right; None if it is not that."""
    turns: list[int] = []
    for row, turned in zip(mosaic, inner, strict=True):
        once = row.tobytes()
        at = (once + once[:-2]).find(turned.tobytes())
        if at < 0 or at % 2:
            return None
        turns.append(-(at // 2) % row.size)
    return turns


def _spell_turns(turns: list[int] | None, columns: int) -> bytes:
    """The turn of each row, as the step from that four rows before: most often all the same."""
    if turns is None:
        return b""
    before = [0] * _TURN_PERIOD + turns
    return b"".join(
        write_varint((turn - last) % columns) for turn, last in zip(turns, before, strict=False)
    )


def _turned(mosaic: NDArray[np.uint16], coded: bytes) -> NDArray[np.uint16]:
    rows, columns = mosaic.shape
    data = Numbers(coded)
    turns = [0] * _TURN_PERIOD
    for _ in range(rows):
        turns.append((turns[-_TURN_PERIOD] + data.next()) % columns)
    data.end()
    places = np.arange(columns) - np.array(turns[_TURN_PERIOD:])[:, None]
    return np.take_along_axis(mosaic, places % columns, axis=1)


def _spell_table(table: NDArray[np.uint16] | None, mosaic: NDArray[np.uint16]) -> bytes:
    """For each sample that occurs, the step from the one before, and that of the stored ones."""
    if table is None:
        return b""
    values = np.flatnonzero(np.bincount(mosaic.reshape(-1), minlength=_VALUES))
    steps = np.diff(values, prepend=0)
    stored = np.diff(table[values].astype(np.int64), prepend=0)
    pairs = zip(steps.tolist(), stored.tolist(), strict=True)
    return b"".join(write_varint(step) + write_varint(fold(more)) for step, more in pairs)


def _read_table(coded: bytes) -> NDArray[np.uint16]:
    table = np.zeros(_VALUES, dtype=np.uint16)
    data = Numbers(coded)
    value = stored = 0
    while data.left:
        value += data.next()
        stored += unfold(data.next())
        if value >= _VALUES or not 0 <= stored < _VALUES:
            message = "a table of samples that cannot be"
            raise ValueError(message)
        table[value] = stored
    return table


def _spell_singles(
    wrong: NDArray[np.int64], inner: NDArray[np.uint16], predicted: NDArray[np.uint16]
) -> bytes:
    """Places of single samples, and what is to be added to each."""
    steps = np.diff(wrong, prepend=-1) - 1
    more = inner.reshape(-1)[wrong].astype(np.int64) - predicted.reshape(-1)[wrong]
    pairs = zip(steps.tolist(), more.tolist(), strict=True)
    return b"".join(write_varint(step) + write_varint(fold(value)) for step, value in pairs)


def _read_singles(coded: bytes, inner: NDArray[np.uint16]) -> None:
    data = Numbers(coded)
    at = -1
    while data.left:
        at += data.next() + 1
        more = unfold(data.next())
        if at >= inner.size or not 0 <= int(inner[at]) + more < _VALUES:
            message = "a single sample that cannot be"
            raise ValueError(message)
        inner[at] = int(inner[at]) + more


_BANDS = ("above", "below", "left", "right")


def _bands(shape: tuple[int, ...], place: Rectangle) -> Iterator[tuple[slice, slice]]:
    """What lies around a place: the parts of `_BANDS`."""
    top, left, rows, columns = place
    bottom, right = top + rows, left + columns
    yield slice(0, top), slice(left, right)
    yield slice(bottom, shape[0]), slice(left, right)
    yield slice(0, shape[0]), slice(0, left)
    yield slice(0, shape[0]), slice(right, shape[1])


def _nearest(size: int, start: int, length: int, period: int) -> NDArray[np.int64]:
    """For each place on an axis, the nearest within a part of it that is whole periods away."""
    period = min(period, length)
    places = np.arange(size)
    before = start + (places - start) % period
    last = start + length - period
    after = last + (places - last) % period
    return np.where(places < start, before, np.where(places >= start + length, after, places))


def _guessed(
    stored: NDArray[np.uint16], place: Rectangle, guess: _Guess, band: tuple[slice, slice]
) -> NDArray[np.uint16] | int:
    if guess in (_Guess.ZERO, _Guess.BEFORE):
        return 0
    period = 2 if guess == _Guess.NEAREST_ALIKE else 1
    top, left, high, wide = place
    if guess == _Guess.NEAREST_WITHIN and min(high, wide) > 2:
        top, left, high, wide = top + 1, left + 1, high - 2, wide - 2
    rows = _nearest(stored.shape[0], top, high, period)[band[0]]
    columns = _nearest(stored.shape[1], left, wide, period)[band[1]]
    return stored[rows[:, None], columns[None, :]]


def _spell_border(stored: NDArray[np.uint16], place: Rectangle) -> bytes:
    """For each band the guess that serves best; and what is to be added to all of them."""
    guesses: list[int] = []
    bands: list[NDArray[np.uint16]] = []
    for band in _bands(stored.shape, place):
        tried = [(_differences(stored, place, guess, band), guess) for guess in _Guess]
        folded, guess = min(tried, key=lambda pair: float(np.log2(1.0 + pair[0]).sum()))
        guesses.append(guess)
        bands.append(folded)
    values = np.concatenate(bands)
    return bytes(guesses) + _split(values) if values.size else b""


def _differences(
    stored: NDArray[np.uint16], place: Rectangle, guess: _Guess, band: tuple[slice, slice]
) -> NDArray[np.uint16]:
    """A band less its guess, modulo 2**16: small ones of either sign as small numbers."""
    values = (stored[band] - _guessed(stored, place, guess, band)).astype(np.uint16).reshape(-1)
    if guess == _Guess.BEFORE:
        values[2:] -= values[:-2].copy()
    return (values << np.uint16(1)) ^ -(values >> np.uint16(15))


def _split(folded: NDArray[np.uint16]) -> bytes:
    """Low bytes, then high ones."""
    return (folded & 0xFF).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes()


def _joined(coded: bytes) -> NDArray[np.uint16]:
    halves = np.frombuffer(coded, dtype=np.uint8).astype(np.uint16)
    folded = halves[: halves.size // 2] | halves[halves.size // 2 :] << np.uint16(8)
    return (folded >> np.uint16(1)) ^ -(folded & np.uint16(1))


def _read_border(coded: bytes, stored: NDArray[np.uint16], place: Rectangle) -> None:
    size = stored.size - place.rows * place.columns
    if len(coded) != (2 * size + len(_BANDS) if size else 0):
        message = "a border of another size"
        raise ValueError(message)
    values = _joined(coded[len(_BANDS) :])
    at = 0
    for number, band in zip(coded, _bands(stored.shape, place), strict=False):
        guess = _Guess(number)
        part = values[at : at + stored[band].size]
        if guess == _Guess.BEFORE:
            for first in (0, 1):
                part[first::2] = np.cumsum(part[first::2], dtype=np.uint16)
        at += part.size
        stored[band] = part.reshape(stored[band].shape) + _guessed(stored, place, guess, band)
