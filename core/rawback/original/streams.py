"""Bytes made smaller without loss, in runs that are worth it; and numbers in bytes.

A raw file's tags shrink to a tenth, its previews and coded samples not at all. So bytes are cut
into runs: what a quick trial shrinks is coded by LZMA, the rest is kept as it is::

    run      kind    bytes   coded bytes   the coded bytes
             1       1-5     1-5

Kind 0 is kept, kind 1 is LZMA2 (raw, lc = lp = pb = 0, which is best for tags). Reading asks for no
more memory than `most` allows, whatever the bytes say.
"""

from __future__ import annotations

import lzma
import zlib
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rawback.bitstream.varint import read_varint, write_varint

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Numbers", "expand", "fold", "shrink", "unfold"]

_KEPT, _LZMA = 0, 1
_BLOCK = 1 << 16
_WORTH = 0.97
_CAREFUL = 1 << 20
_WINDOWS = (1 << 12, 1 << 26)


def _filters(size: int) -> list[dict[str, Any]]:
    """LZMA's settings for a run of so many bytes, which both sides know."""
    window = min(max(1 << (size - 1).bit_length(), _WINDOWS[0]), _WINDOWS[1])
    level = 9 | lzma.PRESET_EXTREME if size <= _CAREFUL else 6
    return [
        {
            "id": lzma.FILTER_LZMA2,
            "preset": level,
            "dict_size": window,
            **dict.fromkeys(("lc", "lp", "pb"), 0),
        }
    ]


def shrink(data: bytes) -> bytes:
    """Spell bytes as runs."""
    return b"".join(_run(worth, piece) for worth, piece in _runs(data))


def _runs(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """The data in pieces that are worth coding or not, by turns."""
    starts = range(0, len(data), _BLOCK)

    def worth(start: int) -> bool:
        block = data[start : start + _BLOCK]
        # Little takes no time, whatever comes of it.
        return len(data) <= _BLOCK or len(zlib.compress(block, 1)) < _WORTH * len(block)

    for shrinks, group in groupby(starts, worth):
        blocks = list(group)
        yield shrinks, data[blocks[0] : blocks[-1] + _BLOCK]


def _run(worth: bool, piece: bytes) -> bytes:
    kind, coded = _KEPT, piece
    if worth:
        packed = lzma.compress(piece, format=lzma.FORMAT_RAW, filters=_filters(len(piece)))
        if len(packed) < len(piece):
            kind, coded = _LZMA, packed
    sizes = write_varint(len(piece)) + write_varint(len(coded))
    return bytes((kind,)) + sizes + coded


def expand(coded: bytes, most: int) -> bytes:
    """Read what `shrink` wrote.

    Args:
        coded: The runs.
        most: The most bytes that may come of them.

    Raises:
        ValueError: The bytes are no runs, or more comes of them.
    """
    parts: list[bytes] = []
    at = 0
    while at < len(coded):
        kind = coded[at]
        size, at = read_varint(coded, at + 1)
        length, at = read_varint(coded, at)
        most -= size
        if most < 0 or size == 0 or at + length > len(coded):
            message = "a run that is too large"
            raise ValueError(message)
        parts.append(_piece(kind, coded[at : at + length], size))
        at += length
    return b"".join(parts)


def _piece(kind: int, coded: bytes, size: int) -> bytes:
    if kind == _LZMA:
        reader = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(size))
        try:
            # One more byte than there may be, so that the end is seen.
            piece = reader.decompress(coded, size + 1)
        except (lzma.LZMAError, EOFError) as error:
            message = "a run that is damaged"
            raise ValueError(message) from error
        whole = reader.eof and not reader.unused_data
    else:
        piece, whole = coded, kind == _KEPT
    if not whole or len(piece) != size:
        message = "a run that is not as long as it says"
        raise ValueError(message)
    return piece


def fold(value: int) -> int:
    """A whole number of either sign as one from 0 on: small ones stay small."""
    return 2 * value if value >= 0 else -2 * value - 1


def unfold(value: int) -> int:
    """What `fold` was given."""
    return -(value + 1) // 2 if value & 1 else value // 2


class Numbers:
    """Reads whole numbers, one behind the other.

    Every method raises ValueError where the bytes end early or spell no number.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return len(self._data) - self._at

    def next(self) -> int:
        """The next number, from 0 to 2**32 - 1."""
        value, self._at = read_varint(self._data, self._at)
        return value

    def bytes(self, size: int) -> bytes:
        """So many bytes as they are."""
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            message = "it ends early"
            raise ValueError(message)
        self._at += size
        return taken

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.left:
            message = "bytes behind the end"
            raise ValueError(message)
