"""What a JPEG's segments say besides its pixels: Exif, XMP, IPTC and a colour profile."""

from __future__ import annotations

import io
import logging
import struct
from dataclasses import dataclass

import exifread

from rawback.errors import DamagedCarrier
from rawback.jpeg_segments import APP2, EOI, SOS, next_segment, start_of_image

__all__ = ["JpegMetadata", "exif_texts", "orientation_of", "read_jpeg_metadata"]

_APP1, _APP13 = 0xE1, 0xED
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_RESOURCE = b"8BIM"
_IPTC = 0x0404

# It tells on standard error whatever it does not like about a file.
logging.getLogger("exifread").addHandler(logging.NullHandler())
logging.getLogger("exifread").propagate = False


@dataclass(frozen=True, slots=True)
class JpegMetadata:
    """What a JPEG says besides its pixels; empty where it says nothing.

    Attributes:
        exif: A TIFF stream.
        xmp: An XMP packet.
        iptc: IPTC records (IIM).
        icc_profile: The colour profile of its pixels; sRGB without one.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    icc_profile: bytes = b""


def read_jpeg_metadata(data: bytes) -> JpegMetadata:
    """Read the segments before a JPEG's first scan, as far as the bytes go.

    Args:
        data: The file, or how it begins.

    Raises:
        UnsupportedCarrier: The bytes are not a JPEG.
    """
    exif = xmp = resources = b""
    profile: dict[int, bytes] = {}
    position = start_of_image(data)
    while True:
        try:
            segment = next_segment(data, position)
        except DamagedCarrier:
            break
        if segment.marker in (SOS, EOI):
            break
        position = segment.end
        body = data[segment.body : segment.end]
        if segment.marker == _APP1 and body.startswith(_EXIF):
            exif = exif or body[len(_EXIF) :]
        elif segment.marker == _APP1 and body.startswith(_XMP):
            xmp = xmp or body[len(_XMP) :]
        elif segment.marker == APP2 and body.startswith(_ICC) and len(body) > len(_ICC) + 2:
            profile.setdefault(body[len(_ICC)], body[len(_ICC) + 2 :])
        elif segment.marker == _APP13 and body.startswith(_PHOTOSHOP):
            resources += body[len(_PHOTOSHOP) :]
    icc_profile = b"".join(profile[number] for number in sorted(profile))
    return JpegMetadata(exif, xmp, _iptc_of(resources), icc_profile)


def _iptc_of(resources: bytes) -> bytes:
    """The IPTC records among Photoshop's image resources."""
    at = 0
    while resources[at : at + 4] == _RESOURCE and at + 12 <= len(resources):
        (number,) = struct.unpack_from(">H", resources, at + 4)
        # A name with its length before it, and a byte more if both are odd together.
        at += 6 + (resources[at + 6] // 2 + 1) * 2
        if at + 4 > len(resources):
            break
        (size,) = struct.unpack_from(">I", resources, at)
        if number == _IPTC:
            return resources[at + 4 : at + 4 + size]
        at += 4 + size + size % 2
    return b""


def orientation_of(exif: bytes) -> int:
    """The orientation that Exif gives, 1 to 8; 1 where it gives none."""
    tag = _tags(exif).get("Image Orientation")
    value = next(iter(getattr(tag, "values", None) or ()), 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def exif_texts(exif: bytes, names: tuple[str, ...]) -> tuple[str, ...]:
    """Texts of tags, as exifread names them (``"EXIF DateTimeOriginal"``); empty where absent."""
    tags = _tags(exif)
    values = (getattr(tags.get(name), "values", "") for name in names)
    return tuple(value.strip("\0 ") if isinstance(value, str) else "" for value in values)


def _tags(exif: bytes) -> dict[str, object]:
    if not exif:
        return {}
    try:
        tags: dict[str, object] = exifread.process_file(io.BytesIO(exif), details=False)
    except Exception:  # noqa: BLE001 -- it raises whatever it meets in broken data
        return {}
    return tags
