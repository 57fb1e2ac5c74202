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


def write_code_values(codes: NDArray[np.uint16]) -> bytes:
    """Write ascending codes as deflated differences, low bytes first and then high ones."""
    steps = np.diff(codes, prepend=np.uint16(0)).astype("<u2")
    return zlib.compress(steps.view(np.uint8).reshape(-1, 2).T.tobytes(), 9)


def read_code_values(data: bytes) -> NDArray[np.uint16]:
    """Undo :func:`write_code_values`.

    Raises:
        PayloadDamaged: The bytes are no ascending list of codes.
    """
    message = "the list of sensor codes is broken; restore without the exact layer"
    inflater = zlib.decompressobj()
    try:
        # One byte more, or the stream of a full list would not be read to its end.
        raw = inflater.decompress(data, _MAX_BYTES + 1)
    except zlib.error as error:
        raise PayloadDamaged(message) from error
    if not 2 <= len(raw) <= _MAX_BYTES or len(raw) % 2 or not inflater.eof or inflater.unused_data:
        raise PayloadDamaged(message)
    pairs = np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(2, -1).T)
    codes = np.cumsum(pairs.view("<u2")[:, 0], dtype=np.int64)
    if codes[-1] > 0xFFFF or (np.diff(codes) <= 0).any():
        raise PayloadDamaged(message)
    return codes.astype(np.uint16)
