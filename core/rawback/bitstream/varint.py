"""Unsigned LEB128: seven bits a byte, lowest first, the top bit set on all but the last.

Only the shortest spelling of a number is accepted, so that every number has exactly one and
equal payloads are equal bytes (DWARF 5, section 7.6, has the encoding itself).
"""

from __future__ import annotations

__all__ = ["LIMIT", "read_varint", "write_varint"]

LIMIT = 1 << 32
"""Numbers on the wire are below this, which takes five bytes at most."""

_MAX_BYTES = 5


def write_varint(value: int) -> bytes:
    """Spell a number.

    Args:
        value: 0 to ``LIMIT - 1``.

    Raises:
        ValueError: The number is out of range.
    """
    if not 0 <= value < LIMIT:
        message = f"{value} is no number below 2**32"
        raise ValueError(message)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Read the number at `position`.

    Returns:
        The number, and the position of the byte behind it.

    Raises:
        ValueError: The bytes end early, or spell no number in its shortest form below `LIMIT`.
    """
    value = 0
    for index, byte in enumerate(data[position : position + _MAX_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value >= LIMIT or (byte == 0 and index > 0):
                break
            return value, position + index + 1
    message = "a number is cut or badly spelled"
    raise ValueError(message)
