"""The codes that a sensor uses: which of the values 0 to 65535 occur in a frame."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from rawback.errors import PayloadDamaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_code_values", "write_code_values"]

_MAX_BYTES = 2 << 16
_BROKEN = "the list of sensor codes is broken; restore without the exact layer"


def write_code_values(*lists: NDArray[np.uint16]) -> bytes:
    """Write lists of ascending codes: deflated differences, low bytes first and then high ones."""
    steps = (np.diff(codes, prepend=np.uint16(0)).astype("<u2") for codes in lists)
    planes = (step.view(np.uint8).reshape(-1, 2).T.tobytes() for step in steps)
    return b"".join(zlib.compress(plane, 9) for plane in planes)


def read_code_values(data: bytes, *counts: int) -> tuple[NDArray[np.uint16], ...]:
    """Undo :func:`write_code_values`: one list, or any of so many.

    Raises:
        PayloadDamaged: The bytes are no such lists.
    """
    lists: list[NDArray[np.uint16]] = []
    while data and len(lists) < max(counts, default=1):
        codes, data = _read_list(data)
        lists.append(codes)
    if data or len(lists) not in {1, *counts}:
        raise PayloadDamaged(_BROKEN)
    return tuple(lists)


def _read_list(data: bytes) -> tuple[NDArray[np.uint16], bytes]:
    """The first list, and what follows it."""
    inflater = zlib.decompressobj()
    try:
        # One byte more, or the stream of a full list would not be read to its end.
        raw = inflater.decompress(data, _MAX_BYTES + 1)
    except zlib.error as error:
        raise PayloadDamaged(_BROKEN) from error
    if not 2 <= len(raw) <= _MAX_BYTES or len(raw) % 2 or not inflater.eof:
        raise PayloadDamaged(_BROKEN)
    pairs = np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(2, -1).T)
    codes = np.cumsum(pairs.view("<u2")[:, 0], dtype=np.int64)
    if codes[-1] > 0xFFFF or (np.diff(codes) <= 0).any():
        raise PayloadDamaged(_BROKEN)
    return codes.astype(np.uint16), inflater.unused_data
