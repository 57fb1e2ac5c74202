"""The corner of CBOR (RFC 8949) that a header is written in, and a reader that trusts nothing.

Whole numbers of at most 64 bits, byte strings, text, arrays, maps with unsigned keys, false, true
and null; all in the deterministic encoding of RFC 8949, section 4.2: shortest heads, definite
lengths, keys ascending. Floats, tags and everything else are refused, so equal headers are equal
bytes and nothing in a header depends on how a machine rounds.

Writing is left to `cbor2`. Reading is not: it is done here because a general decoder accepts
several spellings, reserves memory by declared lengths, and fails in more than one way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, TypeAlias, Union

import cbor2

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CborValue", "decode", "encode"]

CborValue: TypeAlias = Union[
    int, bytes, str, bool, "tuple[CborValue, ...]", "Mapping[int, CborValue]", None
]

_DEPTH = 8
_SIMPLE: Mapping[int, bool | None] = {20: False, 21: True, 22: None}


def encode(value: CborValue) -> bytes:
    """Spell a value in the deterministic encoding.

    Raises:
        ValueError: The value has no spelling that `decode` accepts.
    """
    try:
        data: bytes = cbor2.dumps(value, canonical=True)
    except (cbor2.CBORError, UnicodeEncodeError) as error:
        message = f"no CBOR spelling: {error}"
        raise ValueError(message) from error
    decode(data)
    return data


def decode(data: bytes) -> CborValue:
    """Read the one value that `data` spells; arrays become tuples.

    Memory and time are in proportion to ``len(data)``, whatever lengths the bytes declare.

    Raises:
        ValueError: The bytes are anything but one deterministically encoded value.
    """
    reader = _Reader(data)
    value = reader.value(_DEPTH)
    if reader.position != len(data):
        _refuse("bytes behind the value")
    return value


def _refuse(what: str) -> NoReturn:
    message = f"header is no plain CBOR: {what}"
    raise ValueError(message)


class _Reader:
    """A position in the bytes, moved on by each read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.data):
            _refuse("it ends early")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def head(self) -> tuple[int, int]:
        """Major type and argument of the next item (RFC 8949, section 3)."""
        initial = self.take(1)[0]
        major, short = initial >> 5, initial & 31
        if short < 24:
            return major, short
        if short > 27 or major == 7:
            _refuse("a float, an open length or a reserved head")
        size = 1 << (short - 24)
        argument = int.from_bytes(self.take(size), "big")
        if argument < (24 if size == 1 else 1 << (4 * size)):
            _refuse("a number is not in its shortest form")
        return major, argument

    def value(self, depth: int) -> CborValue:
        if depth == 0:
            _refuse("nested too deeply")
        major, argument = self.head()
        if major == 4:
            return self.array(argument, depth)
        if major == 5:
            return self.map(argument, depth)
        return self.scalar(major, argument)

    def scalar(self, major: int, argument: int) -> CborValue:
        if major == 0:
            return argument
        if major == 1:
            return -1 - argument
        if major == 2:
            return self.take(argument)
        if major == 3:
            return self.take(argument).decode("utf-8")
        if major == 7 and argument in _SIMPLE:
            return _SIMPLE[argument]
        _refuse("a tag or a reserved value")

    def array(self, count: int, depth: int) -> tuple[CborValue, ...]:
        # Appending item by item: the bytes run out long before a lying count costs memory.
        items: list[CborValue] = []
        while len(items) < count:
            items.append(self.value(depth - 1))
        return tuple(items)

    def map(self, count: int, depth: int) -> dict[int, CborValue]:
        entries: dict[int, CborValue] = {}
        last = -1
        while len(entries) < count:
            major, key = self.head()
            if major != 0 or key <= last:
                _refuse("map keys are not ascending whole numbers")
            entries[key] = self.value(depth - 1)
            last = key
        return entries
