"""JPEG bytes to payload bytes, and back.

A payload rides in APP11 segments as a JUMBF superbox (FORMAT.md, part 1). Putting it in adds
segments and changes no other byte; taking it out again gives the very file there was. Whatever the
bytes are, these functions return or raise a `rawback.errors.RawbackError`.
"""

from __future__ import annotations

from rawback.container.carrier import (
    CarrierFile,
    carried_size,
    embed_payload,
    extract_payload,
    is_signed,
    remove_payload,
)
from rawback.container.jumbf import unwrap, wrap

__all__ = [
    "CarrierFile",
    "carried_size",
    "embed_payload",
    "extract_payload",
    "is_signed",
    "remove_payload",
    "unwrap",
    "wrap",
]
