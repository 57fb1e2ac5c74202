"""What a raw says about itself, on its way into a payload and back into a raw.

Here it is decided what a payload tells: what an editor renders by, always; names, places and times
as `MetadataChoice` has it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from rawback import bitstream
from rawback._api.results import MetadataInfo, SectionInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawback.bitstream import Section
    from rawback.encoder import Attached
    from rawback.jpegio import DecodedJpeg
    from rawback.metadata import Metadata
    from rawback.types import RawFrame, Region

__all__ = [
    "GRAIN_HISTORY",
    "MetadataChoice",
    "attachments",
    "check_choice",
    "dng_frame",
    "metadata_info",
    "stored_info",
]

GRAIN_HISTORY = "rawback: noise was added where the payload holds none; it is not the sensor's."
"""What the DNG of a raw that was restored with grain says of it."""

MetadataChoice: TypeAlias = Literal["auto", "all", "rendering"]
"""How much of what a raw says about itself goes into a payload, besides what editors render by.

``"auto"``: of a lossless payload all; of another nothing, and the restored raw gets what its JPEG
tells then. ``"all"``: all. ``"rendering"``: nothing, not even from the JPEG.
"""


def check_choice(choice: MetadataChoice) -> None:
    """Refuse what is no choice.

    Raises:
        ValueError: So it is.
    """
    if choice not in get_args(MetadataChoice):
        message = f"metadata is one of {', '.join(get_args(MetadataChoice))}, not {choice!r}"
        raise ValueError(message)


def attachments(frame: RawFrame, choice: MetadataChoice) -> Attached:
    """What payloads hold of a raw besides its samples.

    Args:
        frame: The raw.
        choice: How much it tells.
    """
    from rawback import rawio
    from rawback.common.border import border_sections
    from rawback.encoder import Attached
    from rawback.rawio import Tag

    rendering = rawio.rendering_metadata(frame)
    leading = [bitstream.write_rendering(rendering, from_jpeg=choice != "rendering")]
    trailing: list[Section] = []
    if frame.border is not None:
        masked = frame.metadata.integers(Tag.MASKED_AREAS)
        areas = [masked[k : k + 4] for k in range(0, len(masked) // 4 * 4, 4)]
        rest = None if frame.floats is None else frame.floats.border
        extent, *samples = border_sections(
            frame.border, [(a, b, c, d) for a, b, c, d in areas], rest
        )
        # Where the file speaks of a border, an editor counts from its corner.
        (leading if Tag.ACTIVE_AREA in frame.metadata else trailing).append(extent)
        trailing += samples
    if choice != "rendering":
        personal = bitstream.write_personal(rawio.personal_metadata(frame))
        (leading if choice == "all" else trailing).append(personal)
    return Attached(tuple(leading), tuple(trailing))


def stored_info(sections: Sequence[SectionInfo], *, from_jpeg: bool) -> MetadataInfo:
    """What a payload of these sections tells; `from_jpeg` as in `bitstream.StoredMetadata`."""
    sizes = {item.layer: item.bytes for item in sections if item.kind == "metadata"}
    personal: Literal["stored", "in the JPEG", "left out"] = "left out"
    if 1 in sizes:
        personal = "stored"
    elif from_jpeg:
        personal = "in the JPEG"
    return MetadataInfo(sum(sizes.values()), personal)


def metadata_info(
    payload: bitstream.Payload, sections: Sequence[SectionInfo]
) -> tuple[MetadataInfo, Metadata]:
    """What a payload tells, and the part of it that an editor renders by.

    Raises:
        PayloadDamaged: Its metadata are damaged.
    """
    stored = bitstream.read_metadata(payload.sections)
    return stored_info(sections, from_jpeg=stored.from_jpeg), stored.rendering


def dng_frame(
    frame: RawFrame,
    payload: bitstream.Payload,
    carrier: DecodedJpeg,
    region: Region | None = None,
) -> RawFrame:
    """A restored frame with all that is known of it besides its samples.

    Args:
        frame: As the decoder gives it.
        payload: What it was decoded from.
        carrier: The JPEG it was decoded with.
        region: The part of the raw that it is; all by default.

    Raises:
        PayloadDamaged: Metadata or border are damaged.
    """
    from rawback import rawio
    from rawback.common.border import read_border, read_border_remainders

    stored = bitstream.read_metadata(payload.sections)
    metadata = stored.rendering
    if stored.personal is not None:
        metadata = metadata.filled(stored.personal.entries)
    elif stored.from_jpeg:
        of_jpeg = carrier.metadata
        told = rawio.metadata_of_jpeg(of_jpeg.exif, of_jpeg.xmp, of_jpeg.iptc)
        metadata = metadata.filled(told.ordered(big_endian=metadata.big_endian).entries)
    if region is not None:
        return rawio.with_metadata(frame, rawio.without_places(metadata))
    border = read_border(payload.sections, payload.header)
    frame = replace(frame, border=border)
    if border is not None and frame.floats is not None and frame.floats.remainders is not None:
        rest = read_border_remainders(payload.sections, border)
        frame = replace(frame, floats=replace(frame.floats, border=rest))
    return rawio.with_metadata(frame, metadata)
