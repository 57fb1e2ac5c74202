"""The JUMBF superbox around a payload (ISO/IEC 19566-5).

::

    LBox 'jumb'                              the superbox
      LBox 'jumd' type toggles label         what it is: our content type, labelled "rawback"
      LBox 'bidb' payload                    the payload
      LBox 'free' zeros                      padding, only where the last APP11 packet needs it

The payload is in a binary data box: of the content boxes that the standard defines it is the one
that says nothing about the bytes, and exiftool lists and extracts it. The same bytes, on their
own, are the detached ``.rawback`` file.
"""

from __future__ import annotations

from rawback.errors import PayloadDamaged, PayloadMissing, RateUnreachable

__all__ = ["CONTENT_TYPE", "LABEL", "MIN_TAIL", "PACKET", "unwrap", "wrap", "wrapped_size"]

CONTENT_TYPE = bytes.fromhex("586bd79b135d42899adfdcd66b96ab6c")
"""UUID of rawback's JUMBF content type (version 4: drawn once, at random)."""

LABEL = b"rawback"

PACKET = 65_517
"""Bytes of the superbox, its own head excluded, that one full APP11 packet holds."""

MIN_TAIL = 12
"""Fewest such bytes in the last packet: its segment body has then at least 28."""

_REQUESTABLE_AND_LABELLED = b"\x03"
_DESCRIPTION = CONTENT_TYPE + _REQUESTABLE_AND_LABELLED + LABEL + b"\0"
_MAX_BOX = (1 << 32) - 1
_HEAD = 8


def wrap(payload: bytes) -> bytes:
    """Put a payload into a superbox.

    Raises:
        RateUnreachable: The box would need a 64-bit length, which few readers know.
    """
    start = _head(b"jumd", len(_DESCRIPTION)) + _DESCRIPTION + _head(b"bidb", len(payload))
    size = wrapped_size(len(payload))
    padding = b""
    if padded := size - _HEAD - len(start) - len(payload):
        padding = _head(b"free", padded - _HEAD) + bytes(padded - _HEAD)
    return b"".join((_head(b"jumb", size - _HEAD), start, payload, padding))


def wrapped_size(payload_size: int) -> int:
    """Bytes of the superbox around a payload of so many bytes."""
    size = _HEAD + len(_DESCRIPTION) + _HEAD + payload_size
    tail = size % PACKET
    padding = max(_HEAD, MIN_TAIL - tail) if 0 < tail < MIN_TAIL else 0
    return _HEAD + size + padding


def unwrap(superbox: bytes, *, tolerate_cut: bool = False) -> bytes:
    """Take the payload out of a superbox; bytes behind the box are ignored.

    Args:
        superbox: The box.
        tolerate_cut: Return what is there of the payload where the box ends early.

    Raises:
        PayloadMissing: The bytes are no superbox of ours.
        PayloadDamaged: The box is cut or broken, or holds no data.
    """
    if superbox[4:8] + superbox[12:32] != b"jumbjumd" + CONTENT_TYPE:
        message = "The file holds no rawback payload; give a .rawback file or a JPEG with one."
        raise PayloadMissing(message)
    cut = tolerate_cut and int.from_bytes(superbox[:4], "big") > len(superbox)
    end = len(superbox) if cut else _end(superbox, 0, len(superbox))
    position = _HEAD
    while True:
        ours = superbox[position + 4 : position + _HEAD] == b"bidb"
        if cut and ours:
            return superbox[position + _HEAD : _declared_end(superbox, position)]
        after = _end(superbox, position, end)
        if ours:
            return superbox[position + _HEAD : after]
        position = after


def _head(kind: bytes, size: int) -> bytes:
    if size > _MAX_BOX - _HEAD:
        message = f"A payload of {size} bytes exceeds the 4 GiB of a box; ask for a lower rate."
        raise RateUnreachable(message)
    return (size + _HEAD).to_bytes(4, "big") + kind


def _end(data: bytes, position: int, limit: int) -> int:
    """Where the box at `position` ends; 64-bit and open lengths (1 and 0) are refused."""
    end = _declared_end(data, position)
    if not position + _HEAD <= end <= limit:
        message = "The box around the payload is cut or broken; fetch the file again."
        raise PayloadDamaged(message)
    return end


def _declared_end(data: bytes, position: int) -> int:
    return position + int.from_bytes(data[position : position + 4], "big")
