"""The inverse rendering that predicts the raw from the guide (3.6 of FORMAT.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .refusal import require
from .symbols import Symbols

if TYPE_CHECKING:
    from .arrays import Bools, Bytes8, Ints
    from .guide import Guide
    from .payload import Header

GRIDS = (3, 5, 9, 17)


def _touched(carrier: Bytes8, side: int) -> Bools:
    """The nodes of a grid that a pixel of the carrier touches (3.6)."""
    cells = side - 1
    occupied = np.zeros((cells, cells, cells), np.bool_)
    places = (carrier.reshape(-1, 3) // (256 // cells)).astype(np.int64)
    occupied[places[:, 0], places[:, 1], places[:, 2]] = True
    nodes = np.zeros((side, side, side), np.bool_)
    for corner in np.ndindex(2, 2, 2):
        red, green, blue = (slice(start, start + cells) for start in corner)
        nodes[red, green, blue] |= occupied
    return nodes


def _refined(nodes: Ints) -> Ints:
    """Twice as fine a grid: nodes put between all neighbours, along red, green, then blue (3.6)."""
    for axis in range(3):
        moved = np.moveaxis(nodes, axis, 0)
        finer = np.empty((2 * len(moved) - 1, *moved.shape[1:]), np.int64)
        finer[::2] = moved
        finer[1::2] = moved[:-1] + moved[1:] + 1 >> 1
        nodes = np.moveaxis(finer, 0, axis)
    return nodes


def _node_tables(
    symbols: Symbols, carrier: Bytes8, step: int, grids: int, colours: int
) -> list[Ints]:
    """The tables of 17 x 17 x 17 nodes of each colour of the palette (3.6)."""
    tables = [np.zeros((2, 2, 2), np.int64) for _ in range(colours)]
    for place, side in enumerate(GRIDS):
        tables = [_refined(nodes) for nodes in tables]
        if place >= grids:
            continue
        touched = _touched(carrier, side)
        for nodes in tables:
            additions = symbols.integers(int(touched.sum()))
            nodes[touched] += np.clip(additions, -8192, 8192) * step
            np.clip(nodes, -32768, 32768, out=nodes)
    return tables


def _looked_up(nodes: Ints, guide: Ints) -> Ints:
    """The value of one output colour for each guide pixel (3.6)."""
    (r, g, b), (fr, fg, fb) = np.moveaxis(guide >> 4, -1, 0), np.moveaxis(guide & 15, -1, 0)

    def t(red: Ints, green: Ints) -> Ints:
        """Between neighbours along blue."""
        found: Ints = nodes[red, green, b] * (16 - fb) + nodes[red, green, b + 1] * fb
        return found

    def u(red: Ints) -> Ints:
        """Between neighbours along blue and green."""
        left = t(red, g)
        found: Ints = left + ((t(red, g + 1) - left) * fg + 8 >> 4)
        return found

    first = u(r)
    value: Ints = first + ((u(r + 1) - first) * fr + 8 >> 4) + 8 >> 4
    return value


def _gain_factors(symbols: Symbols, code: int, shape: list[int]) -> Ints:
    """G for all pixels of the completed frame (3.6)."""
    log = 11 - code
    spacing = 1 << log
    rows, columns = (-(-side // spacing) + 1 for side in shape)
    differences = symbols.integers(rows * columns).reshape(rows, columns)
    differences[:, 0] = differences[:, 0].cumsum()
    gains = np.clip(differences.cumsum(axis=1), -255, 255)
    i, v = np.divmod(np.arange(shape[0]), spacing)
    j, u = np.divmod(np.arange(shape[1]), spacing)
    at_rows = gains[i] * (spacing - v)[:, None] + gains[i + 1] * v[:, None]
    factors: Ints = at_rows[:, j] * (spacing - u) + at_rows[:, j + 1] * u >> (2 * log - 4)
    return factors


def colours_of(data: bytes, carrier: Bytes8, guide: Guide, header: Header) -> Ints:
    """The palette's colours [row, column, colour] at every pixel of the completed frame (3.6)."""
    symbols = Symbols(data)
    count = len(header.pattern.palette)
    step, grids, spacing, *uncovered = symbols.escapes(3 + count).tolist()
    require(1 <= step <= 255 and 1 <= grids <= 4 and spacing <= 3, "an impossible base")
    tables = _node_tables(symbols, carrier, step, grids, count)
    colours = np.stack([_looked_up(nodes, guide.colours) for nodes in tables], axis=-1)
    if spacing:
        factors = _gain_factors(symbols, spacing, list(colours.shape[:2]))[..., None]
        colours += colours * factors + 2048 >> 12
    colours[~guide.covered] = uncovered
    return colours
