"""Payloads in the files that hold them: carriers and detached ``.rawback`` files.

Sizes that users give and get count every byte that a payload adds to its carrier, boxes and
segment heads included, so that a JPEG of 5 MB with a payload of 200 kB is a file of 5.2 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawback import bitstream, container
from rawback._api.results import SectionInfo
from rawback.container import CarrierFile
from rawback.errors import RateUnreachable
from rawback.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawback.files import StrPath

__all__ = [
    "Packed",
    "bits_per_pixel",
    "contents",
    "open_packed",
    "payload_room",
    "section_infos",
    "whole_sensor",
]

_MOST_PADDING = 11


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed payload as a file holds it.

    Attributes:
        data: The packed payload.
        file: The JPEG that carries it; None for a detached payload.
        packaging: Bytes of the file that hold the payload but are not part of it.
        whole: Whether the file has lost nothing of it.
    """

    data: bytes
    file: CarrierFile | None
    packaging: int
    whole: bool = True

    @property
    def size(self) -> int:
        """All bytes the payload takes in the file."""
        return len(self.data) + self.packaging

    def size_with(self, payload_size: int) -> int:
        """What `size` would be for a payload of so many bytes."""
        if self.file is None:
            return len(container.wrap(b"")) + payload_size
        return container.carried_size(payload_size)

    def repacked(self, payload: bytes) -> bytes:
        """The same file with another payload, which goes with the same pixels."""
        if self.file is None:
            return container.wrap(payload)
        # A signature that is there was made, or given up, with a payload in place.
        return self.file.with_payload(payload)


def contents(file: StrPath | bytes) -> bytes:
    """The bytes of a file that is given by its path or by just these bytes."""
    return file if isinstance(file, bytes) else read_file(file)


def open_packed(source: CarrierFile | bytes, *, tolerate_cut: bool = False) -> Packed:
    """Find the payload in a carrier, or in the bytes of a detached payload.

    Args:
        source: The carrier, taken apart already, or the bytes of either.
        tolerate_cut: Take what is there of a payload whose end is missing.

    Raises:
        UnsupportedCarrier: The bytes are neither a JPEG nor a detached payload.
        DamagedCarrier: The JPEG is cut or broken before its first scan.
        PayloadMissing: There is no payload.
        PayloadDamaged: A part of the payload is missing.
    """
    if isinstance(source, bytes) and source[4:8] == b"jumb":
        payload = container.unwrap(source, tolerate_cut=tolerate_cut)
        whole = len(source) >= int.from_bytes(source[:4], "big")
        return Packed(payload, None, len(source) - len(payload), whole)
    file = CarrierFile.parse(source) if isinstance(source, bytes) else source
    payload = file.payload(tolerate_cut=tolerate_cut)
    return Packed(payload, file, file.added_size - len(payload), file.whole)


def payload_room(size: int, taken: int = 0) -> int:
    """The largest payload such that it, and all smaller ones, add at most `size` bytes.

    Args:
        size: Bytes that are allowed.
        taken: Bytes of the payload that are spoken for; what is left is returned.

    Raises:
        RateUnreachable: There is no room for any payload.
    """
    room = 2 * size - container.carried_size(size) - _MOST_PADDING - taken
    if room <= 0:
        message = f"No payload fits into {size} bytes; ask for at least {2000 + taken}."
        raise RateUnreachable(message)
    return room


def section_infos(packed: bytes, packaging: int) -> tuple[SectionInfo, ...]:
    """List all parts of a packed payload, from the header on.

    Raises:
        PayloadDamaged: The header is damaged, so that nothing can be told apart.
    """
    reports = bitstream.check_sections(packed)
    start = reports[0].offset if reports else len(packed)
    sections = (
        SectionInfo(_name(item.kind), item.layer or 0, item.tile or 0, item.size, item.intact)
        for item in reports
    )
    return (
        SectionInfo("packaging", 0, 0, packaging),
        SectionInfo("header", 0, 0, start),
        *sections,
    )


def whole_sensor(sections: Iterable[SectionInfo], *, has_remainders: bool = False) -> bool:
    """Whether the samples of the border are there, if the raw has one.

    Args:
        sections: Of the payload.
        has_remainders: Whether samples are codes of floating point numbers that leave remainders.
    """
    layers = {item.layer for item in sections if item.kind == "border"}
    return not layers or layers >= {0, 1, 1 + has_remainders}


def _name(kind: int | None) -> str:
    if kind in set(bitstream.SectionKind):
        return bitstream.SectionKind(kind).name.lower()
    return "unknown"


def bits_per_pixel(size: int, width: int, height: int) -> float:
    """Bytes as bits per raw pixel."""
    return 8 * size / (width * height)
