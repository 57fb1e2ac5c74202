"""Payload bytes to header and sections, and back.

Everything here takes and returns bytes. Whatever the bytes are, reading them gives a payload or
raises a `rawback.errors.RawbackError`; a payload that is packed and unpacked is the same payload.
FORMAT.md, part 2, is the wire format.
"""

from __future__ import annotations

from rawback.bitstream.header import FORMAT_VERSION, Header
from rawback.bitstream.metadata import (
    StoredMetadata,
    read_metadata,
    write_personal,
    write_rendering,
)
from rawback.bitstream.payload import (
    Payload,
    SectionReport,
    check_sections,
    cut,
    pack,
    section_offsets,
    unpack,
)
from rawback.bitstream.sections import Section, SectionKind

__all__ = [
    "FORMAT_VERSION",
    "Header",
    "Payload",
    "Section",
    "SectionKind",
    "SectionReport",
    "StoredMetadata",
    "check_sections",
    "cut",
    "pack",
    "read_metadata",
    "section_offsets",
    "unpack",
    "write_personal",
    "write_rendering",
]
