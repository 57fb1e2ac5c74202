"""Integers in as few bytes as they need: zigzag, then seven bits a byte, low bits first."""

from __future__ import annotations

from typing import NoReturn

from rawback.errors import PayloadDamaged

__all__ = ["Reader", "refuse", "write_signed"]

_MAX_BYTES = 5


def write_signed(*numbers: int) -> bytes:
    """Write numbers of at most 34 bits, one after the other."""
    out = bytearray()
    for number in numbers:
        rest = number << 1 if number >= 0 else (-number << 1) - 1
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def refuse() -> NoReturn:
    """Say that the bytes make no sense.

    Raises:
        PayloadDamaged: Always.
    """
    message = "the payload's geometry is damaged; take an intact copy of the carrier"
    raise PayloadDamaged(message)


class Reader:
    """Reads from the front; every method raises `PayloadDamaged` where bytes are wrong."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def byte(self) -> int:
        """The next byte."""
        if self._position >= len(self._data):
            refuse()
        self._position += 1
        return self._data[self._position - 1]

    def signed(self, count: int) -> list[int]:
        """The next `count` numbers."""
        if count > len(self._data) - self._position:
            refuse()
        return [self._signed() for _ in range(count)]

    def finish(self) -> None:
        """Make sure that nothing is left."""
        if self._position != len(self._data):
            refuse()

    def _signed(self) -> int:
        number = 0
        for index in range(_MAX_BYTES):
            septet = self.byte()
            number |= (septet & 0x7F) << 7 * index
            if septet < 0x80:
                return -(number + 1 >> 1) if number & 1 else number >> 1
        refuse()
