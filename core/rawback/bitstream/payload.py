"""A whole payload: the header, then the sections from coarse to fine.

A payload ends where its bytes end, so what is left after cutting it behind any section is a valid,
coarser payload: that is how a carrier is made smaller without the raw.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate

from rawback.bitstream.header import Header, read_header, write_header
from rawback.bitstream.sections import Section, read_section
from rawback.errors import PayloadDamaged, RateUnreachable

__all__ = ["Payload", "SectionReport", "check_sections", "cut", "pack", "section_offsets", "unpack"]


@dataclass(frozen=True, slots=True)
class Payload:
    """A header and the sections it goes with, ordered from coarse to fine."""

    header: Header
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionReport:
    """How one section of a packed payload came through.

    Attributes:
        offset: Position of its first byte in the packed payload.
        size: Its bytes, checksum included.
        kind: As it was read; None where the bytes do not make a section at all, which hides
            everything behind them too.
        layer: As it was read, or None.
        tile: As it was read, or None.
        intact: Whether the checksum holds. If not, the numbers above may be wrong as well.
    """

    offset: int
    size: int
    kind: int | None
    layer: int | None
    tile: int | None
    intact: bool


def pack(payload: Payload) -> bytes:
    """Spell a payload in bytes."""
    parts = [write_header(payload.header)]
    for section in payload.sections:
        parts.extend(section.parts())
    return b"".join(parts)


def unpack(data: bytes, *, tolerate_cut: bool = False) -> Payload:
    """Read a packed payload.

    Args:
        data: The packed payload, and nothing behind it.
        tolerate_cut: Return the sections before the first damage instead of raising; the header
            has to be whole all the same.

    Raises:
        PayloadTooNew: A newer major version of the format wrote it.
        PayloadDamaged: The bytes are no payload, or not as they were written.
    """
    header, position = read_header(data)
    sections: list[Section] = []
    while position < len(data):
        try:
            section, position, intact = read_section(data, position)
        except ValueError as error:
            if tolerate_cut:
                break
            message = (
                f"The payload is cut or broken in section {len(sections) + 1}; fetch the file "
                "again, or read only the sections before."
            )
            raise PayloadDamaged(message) from error
        if not intact:
            if tolerate_cut:
                break
            message = (
                f"Section {len(sections) + 1} of the payload fails its checksum; fetch the file "
                "again, or read only the sections before."
            )
            raise PayloadDamaged(message)
        sections.append(section)
    return Payload(header, tuple(sections))


def check_sections(data: bytes) -> tuple[SectionReport, ...]:
    """Test every section of a packed payload, going on behind those that fail.

    Raises:
        PayloadTooNew: A newer major version of the format wrote it.
        PayloadDamaged: The header is damaged, so that no section can be told from another.
    """
    _, position = read_header(data)
    reports: list[SectionReport] = []
    while position < len(data):
        try:
            section, end, intact = read_section(data, position)
        except ValueError:
            rest = len(data) - position
            reports.append(SectionReport(position, rest, None, None, None, intact=False))
            break
        reports.append(
            SectionReport(
                position, end - position, section.kind, section.layer, section.tile, intact
            )
        )
        position = end
    return tuple(reports)


def section_offsets(payload: Payload) -> tuple[int, ...]:
    """Packed sizes in bytes with the first 0, 1, ... and all sections."""
    sizes = (section.packed_size for section in payload.sections)
    return tuple(accumulate(sizes, initial=len(write_header(payload.header))))


def cut(payload: Payload, size: int) -> Payload:
    """Keep as many of the first sections as fit.

    Args:
        payload: The payload to make smaller.
        size: Bytes that the result may take when packed.

    Raises:
        RateUnreachable: Not even the header fits.
    """
    offsets = section_offsets(payload)
    if size < offsets[0]:
        message = (
            f"The header alone takes {offsets[0]} bytes and {size} are allowed; "
            f"ask for at least {offsets[0]} bytes."
        )
        raise RateUnreachable(message)
    return replace(payload, sections=payload.sections[: bisect_right(offsets, size) - 1])
