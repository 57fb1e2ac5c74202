"""Short lists of signed integers: parameters rather than pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawback.entropy.tables import TABLE_PRECISION, TableSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.entropy.coder import SymbolCoder

__all__ = ["code_parameters"]

_ESCAPE = 24
_MEANS = ((1, 32), (1, 16), (1, 8), (1, 4), (1, 2), (1, 1), (2, 1), (4, 1), (8, 1), (16, 1))


def _geometric_tables() -> TableSet:
    """Two-sided geometric distributions, one row for each mean magnitude of `_MEANS`."""
    # P(k) falls by num / (num + den) each step. Whole numbers make the tables the same everywhere.
    rows = []
    for num, den in _MEANS:
        falling = [(num**k << 64) // (num + den) ** k >> 20 for k in range(_ESCAPE + 1)]
        rows.append(_frequencies([falling[abs(k)] for k in range(-_ESCAPE, _ESCAPE + 1)]))
    return TableSet(np.array(rows, dtype=np.uint16))


def _frequencies(weights: list[int]) -> list[int]:
    """One unit each, the rest by weight; what rounding leaves goes to the first largest."""
    units = (1 << TABLE_PRECISION) - len(weights)
    found = [1 + weight * units // sum(weights) for weight in weights]
    found[weights.index(max(weights))] += (1 << TABLE_PRECISION) - sum(found)
    return found


_TABLES = _geometric_tables()
_CHOICE = TableSet(np.array([_frequencies([1] * len(_MEANS))], dtype=np.uint16))


def code_parameters(
    coder: SymbolCoder, values: NDArray[np.integer] | None, count: int
) -> NDArray[np.int32]:
    """Code `count` signed integers of like size; the table that suits them best is coded first.

    Args:
        coder: Writes or reads.
        values: ``[count]``, magnitudes below 65,000; None to decode.
        count: How many.

    Returns:
        The values, int32 ``[count]``.
    """
    if count == 0:
        return np.zeros(0, dtype=np.int32)
    symbols = None if values is None else np.clip(values, -_ESCAPE, _ESCAPE) + _ESCAPE
    best = None
    if symbols is not None:
        total = _TABLES.cost() @ np.bincount(symbols, minlength=2 * _ESCAPE + 1)
        best = np.array([total.argmin()])
    table = coder.code(_CHOICE, np.zeros(1, dtype=np.uint8), best)
    found = coder.code(_TABLES, np.repeat(table, count), symbols) - _ESCAPE
    far = np.flatnonzero(np.abs(found) == _ESCAPE)
    rest = None if values is None else np.abs(values[far]) - _ESCAPE
    found[far] += np.sign(found[far]) * coder.code_escapes(rest, len(far))
    return found
