"""A range coder that takes whole arrays of symbols, each coded with a table of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from rawback.entropy.tables import TableSet
from rawback.kernels import Kernel, Read, Write

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BitCounter", "SymbolCoder", "SymbolDecoder", "SymbolEncoder"]

_encode_intervals = Kernel(
    "encode_intervals", Read(np.uint16, 1), Read(np.uint16, 1), Write(np.uint8, 1)
)
_decode_symbols = Kernel(
    "decode_symbols",
    Read(np.uint8, 1),
    Write(np.int64, 1),
    Read(np.uint16, 2),
    Read(np.int32, 1),
    Write(np.int32, 1),
)


class SymbolCoder(Protocol):
    """Codes arrays of symbols; see the room's docstring."""

    @property
    def decoding(self) -> bool:
        """Whether symbols come out of this coder rather than go in."""
        ...

    def code(
        self, tables: TableSet, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Code one symbol for each entry of `indices`.

        Args:
            tables: The tables that `indices` points into.
            indices: Table of each symbol, integers ``[n]``.
            symbols: ``[n]`` in ``0 .. tables.symbols - 1``; None when decoding.

        Returns:
            The symbols, int32 ``[n]``.
        """
        ...

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Code `count` values at least 0 without a model, small ones in few bits.

        Exponential Golomb code of order 0 (Teuhola, 1978), its prefixes first, then its suffixes.
        """
        ...


_BIT = TableSet(np.full((1, 2), 1 << 15, dtype=np.uint16))
_PREFIX = TableSet(
    np.array([[1 << (15 - i) for i in range(15)] + [1] * 2], dtype=np.uint16)
)  # value bits 0..16 have probability 2^-(bits + 1)

_LONGEST_SYMBOL = 2
"""Bytes that a symbol takes at most: its probability is at least ``2 ** -16``."""


class SymbolEncoder:
    """Writes symbols; see :class:`SymbolCoder`."""

    decoding = False

    def __init__(self) -> None:
        self._starts: list[NDArray[np.uint16]] = []
        self._widths: list[NDArray[np.uint16]] = []

    def code(
        self, tables: TableSet, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Write `symbols`, which must be given."""
        given = _required(symbols)
        self._starts.append(tables.starts[indices, given])
        self._widths.append(tables.frequencies[indices, given])
        return given

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Write `values`, which must be given, each below ``2 ** 16 - 1``."""
        return _code_escapes(self, _required(values), count)

    def finish(self) -> bytes:
        """All that was written, less its trailing zero bytes."""
        empty = np.zeros(0, np.uint16)
        starts, widths = (np.concatenate([empty, *p]) for p in (self._starts, self._widths))
        # What a range loses by rounding down is less than a bit for 64 symbols.
        room = np.empty(_LONGEST_SYMBOL * len(starts) + len(starts) // 256 + 16, np.uint8)
        return room[: _encode_intervals(starts, widths, room)].tobytes()


class SymbolDecoder:
    """Reads what a :class:`SymbolEncoder` wrote, given the same tables and indices.

    Other bytes decode to other symbols: it is for sections' checksums to find them damaged.
    """

    decoding = True

    def __init__(self, data: bytes) -> None:
        self._data = np.frombuffer(data, np.uint8)
        self._state = np.zeros(3, np.int64)

    def code(
        self,
        tables: TableSet,
        indices: NDArray[np.integer],
        symbols: NDArray[np.integer] | None = None,
    ) -> NDArray[np.int32]:
        """Read one symbol for each entry of `indices`; `symbols` must be None."""
        if symbols is not None:
            message = "a decoder is given no symbols"
            raise ValueError(message)
        decoded = np.empty(len(indices), np.int32)
        rows = np.ascontiguousarray(indices, dtype=np.int32)
        _decode_symbols(self._data, self._state, tables.starts, rows, decoded)
        return decoded

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Read `count` values; `values` must be None."""
        return _code_escapes(self, values, count)


class BitCounter:
    """Adds up what an encoder would write, in bits, without writing it."""

    decoding = False

    def __init__(self) -> None:
        self.bits = 0.0

    def code(
        self, tables: TableSet, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Count the bits of `symbols`, which must be given."""
        given = _required(symbols)
        self.bits += float(tables.cost()[indices, given].sum(dtype=np.float64))
        return given

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Count the bits of `values`, which must be given."""
        return _code_escapes(self, _required(values), count)


def _required(symbols: NDArray[np.integer] | None) -> NDArray[np.int32]:
    if symbols is None:
        message = "an encoder needs symbols"
        raise ValueError(message)
    return symbols.astype(np.int32, copy=False)


def _code_escapes(
    coder: SymbolCoder, values: NDArray[np.integer] | None, count: int
) -> NDArray[np.int32]:
    if count == 0:
        return np.zeros(0, dtype=np.int32)
    width = None if values is None else np.frexp(values + 1.0)[1].astype(np.int32) - 1
    width = coder.code(_PREFIX, np.zeros(count, dtype=np.uint8), width)
    # Suffixes go bit by bit, most significant first, over all values that still have bits.
    found = np.ones(count, dtype=np.int32)
    for bit in range(int(width.max()) - 1, -1, -1):
        has = np.flatnonzero(width > bit)
        given = None if values is None else (values[has] + 1) >> bit & 1
        bits = coder.code(_BIT, np.zeros(len(has), dtype=np.uint8), given)
        found[has] = found[has] << 1 | bits
    return found - 1
