"""The carrier's pixels, decoded the same way on every machine.

A payload is coded against the pixels a JPEG decodes to, so a single decode path is pinned:
libjpeg-turbo as Pillow ships it, slow integer IDCT, fancy upsampling, no scaling, no colour
management, no rotation. Only the segments that decide pixels reach that decoder; what else a
file holds is walked over here. `pixel_digest` names the result, to be checked before use.
"""

from __future__ import annotations

from rawback.jpegio.decode import MAX_PIXELS, DecodedJpeg, decode_jpeg, pixel_digest
from rawback.jpegio.metadata import JpegMetadata, exif_texts, read_jpeg_metadata

__all__ = [
    "MAX_PIXELS",
    "DecodedJpeg",
    "JpegMetadata",
    "decode_jpeg",
    "exif_texts",
    "pixel_digest",
    "read_jpeg_metadata",
]
