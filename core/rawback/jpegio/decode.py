"""JPEG bytes to pixels, along one pinned path."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, features

from rawback.errors import DamagedCarrier, UnsupportedCarrier
from rawback.jpegio.metadata import JpegMetadata, orientation_of, read_jpeg_metadata
from rawback.jpegio.structure import JpegStructure, read_structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_PIXELS", "DecodedJpeg", "decode_jpeg", "pixel_digest"]

MAX_PIXELS = 1 << 28
"""The most pixels a carrier may have, which bounds the memory a hostile file can ask for."""

_EOI = b"\xff\xd9"
_NO_DATA = 128
_BAND = 256
_NOT_WHOLE = "The JPEG is damaged (image data is missing); export it again."


@dataclass(frozen=True)
class DecodedJpeg:
    """A decoded JPEG.

    Attributes:
        pixels: uint8 ``[H, W, 3]``, RGB as stored: neither colour-managed nor rotated; a grey
            JPEG's value stands in all three. Read-only.
        orientation: EXIF orientation, 1 to 8; no more than a hint, for editors get it wrong.
        metadata: What else it says.
    """

    pixels: NDArray[np.uint8]
    orientation: int
    metadata: JpegMetadata = field(default_factory=JpegMetadata)

    @cached_property
    def digest(self) -> bytes:
        """The `pixel_digest` of the pixels."""
        return pixel_digest(self.pixels)


def decode_jpeg(data: bytes) -> DecodedJpeg:
    """Decode a JPEG along the pinned path.

    Args:
        data: The file's bytes. Baseline and progressive Huffman JPEG, 8 bits, grey or colour.

    Returns:
        The pixels, the orientation hint and what else the file says.

    Raises:
        UnsupportedCarrier: Not a JPEG, a kind whose pixels are not pinned (CMYK, 12 bits, lossless,
            arithmetic coding), more than `MAX_PIXELS`, or a Pillow without libjpeg-turbo.
        DamagedCarrier: The file is cut or broken. A scan that ends early although an end marker
            follows is noticed where it leaves the last block of the picture empty.
    """
    structure = read_structure(data)
    if structure.width * structure.height > MAX_PIXELS:
        message = f"The JPEG has more than {MAX_PIXELS >> 20} megapixels; export it smaller."
        raise UnsupportedCarrier(message)
    _require_pinned_decoder()
    pixels = _decode(structure, structure.head + _EOI)
    # libjpeg leaves the blocks it gets no bits for at mid-grey. Only a picture that ends in one
    # is worth a second look: bits put in place of the missing ones change it, if any are missing.
    if (pixels[-1, -1] == _NO_DATA).all():
        padded = _decode(structure, structure.head + bytes(range(0xFF)) + _EOI)
        if not np.array_equal(pixels, padded):
            raise DamagedCarrier(_NOT_WHOLE)
    pixels.flags.writeable = False
    metadata = read_jpeg_metadata(data)
    return DecodedJpeg(pixels, orientation_of(metadata.exif), metadata)


def pixel_digest(pixels: NDArray[np.uint8]) -> bytes:
    """Name decoded pixels by 16 bytes.

    Args:
        pixels: uint8 ``[H, W, 3]``.

    Returns:
        The first half of a SHA-256 over height, width (both big-endian, 32 bits) and the pixels.
    """
    height, width, _ = pixels.shape
    digest = hashlib.sha256(struct.pack(">II", height, width))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()[:16]


@cache
def _require_pinned_decoder() -> None:
    if not features.check_feature("libjpeg_turbo"):
        message = "This Pillow decodes JPEG without libjpeg-turbo; install Pillow's own wheel."
        raise UnsupportedCarrier(message)


def _decode(structure: JpegStructure, stream: bytes) -> NDArray[np.uint8]:
    """Decode a whole stream.

    `Image.open` is gone round on purpose: it parses metadata, limits pixels by a global, and
    under another global lets broken streams pass. `Image.frombytes` does none of that.
    """
    mode = "L" if structure.components == 1 else "RGB"
    scale, draft = 1, 0
    try:
        image = Image.frombytes(
            mode, (structure.width, structure.height), stream, "jpeg", (mode, "", scale, draft)
        )
    except (ValueError, OSError) as error:
        raise DamagedCarrier(_NOT_WHOLE) from error
    pixels = np.empty((structure.height, structure.width, 3), dtype=np.uint8)
    # Pillow hands out a whole image as a list of small strings; in bands that costs a fifth.
    for top in range(0, structure.height, _BAND):
        rows = pixels[top : top + _BAND]
        band = image.crop((0, top, structure.width, top + len(rows))).tobytes()
        rows[:] = np.frombuffer(band, dtype=np.uint8).reshape(*rows.shape[:2], -1)
    return pixels
