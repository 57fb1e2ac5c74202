"""A range coder that takes whole arrays of symbols.

Symbols that share a table are coded together (constriction codes such a run in compiled code), in
the order of table index and then of position. The order follows from the table indices, which both
sides know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import constriction
import numpy as np

from rawback.entropy.tables import TableSet
from rawback.errors import PayloadDamaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BitCounter", "SymbolCoder", "SymbolDecoder", "SymbolEncoder"]


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


class SymbolEncoder:
    """Writes symbols; see :class:`SymbolCoder`."""

    decoding = False

    def __init__(self) -> None:
        self._encoder = constriction.stream.queue.RangeEncoder()

    def code(
        self, tables: TableSet, indices: NDArray[np.integer], symbols: NDArray[np.integer] | None
    ) -> NDArray[np.int32]:
        """Write `symbols`, which must be given."""
        given = _required(symbols)
        order, runs = _runs(indices)
        ordered = given[order]
        for table, start, stop in runs:
            self._encoder.encode(ordered[start:stop], tables.model(table))
        return given

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Write `values`, which must be given, each below ``2 ** 16 - 1``."""
        return _code_escapes(self, _required(values), count)

    def finish(self) -> bytes:
        """All that was written, little-endian words less their trailing zero bytes."""
        words = self._encoder.get_compressed()
        return bytes(words.astype("<u4").tobytes().rstrip(b"\0"))


class SymbolDecoder:
    """Reads what a :class:`SymbolEncoder` wrote, given the same tables and indices.

    Raises:
        PayloadDamaged: From every method, when the bytes cannot be the encoder's.
    """

    decoding = True

    def __init__(self, data: bytes) -> None:
        # Past its end the coder reads zeros, which is how stripped bytes come back.
        padded = data + b"\0" * (-len(data) % 4)
        words = np.frombuffer(padded, dtype="<u4").astype(np.uint32)
        self._decoder = constriction.stream.queue.RangeDecoder(words)

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
        order, runs = _runs(indices)
        ordered = np.empty(len(indices), dtype=np.int32)
        for table, start, stop in runs:
            try:
                ordered[start:stop] = self._decoder.decode(tables.model(table), stop - start)
            except AssertionError as error:
                message = "a section's coded symbols are broken; restore from another copy"
                raise PayloadDamaged(message) from error
        found = np.empty_like(ordered)
        found[order] = ordered
        return found

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
        width = tables.symbols
        pairs = np.bincount(
            indices.astype(np.int64) * width + given, minlength=len(tables.frequencies) * width
        )
        self.bits += float(pairs @ tables.cost().ravel())
        return given

    def code_escapes(self, values: NDArray[np.integer] | None, count: int) -> NDArray[np.int32]:
        """Count the bits of `values`, which must be given."""
        return _code_escapes(self, _required(values), count)


def _required(symbols: NDArray[np.integer] | None) -> NDArray[np.int32]:
    if symbols is None:
        message = "an encoder needs symbols"
        raise ValueError(message)
    return symbols.astype(np.int32, copy=False)


def _runs(indices: NDArray[np.integer]) -> tuple[NDArray[np.intp], list[tuple[int, int, int]]]:
    """The positions in order of their table, and each table's stretch of that order."""
    # A stable sort of 16-bit keys is a radix sort: linear in time.
    keys = indices.astype(np.uint16, copy=False)
    order = keys.argsort(kind="stable")
    counts = np.bincount(keys)
    used = np.flatnonzero(counts)
    stops = np.cumsum(counts[used])
    starts = stops - counts[used]
    return order, list(zip(used.tolist(), starts.tolist(), stops.tolist(), strict=True))


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
