"""From a payload and its carrier back to the raw.

This room, :mod:`rawback.common` and the evaluation modules of ``tone``, ``residual``, ``models``
and ``geometry`` are all that a restore runs; FORMAT.md describes the same in bytes.
"""

from __future__ import annotations

from rawback.decoder.decoder import (
    Restored,
    carried_guide,
    check_readable,
    decode,
    goes_with,
    restore,
)

__all__ = ["Restored", "carried_guide", "check_readable", "decode", "goes_with", "restore"]
