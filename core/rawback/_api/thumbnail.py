"""The picture that file managers show for a restored DNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawback.jpegio import DecodedJpeg

__all__ = ["preview_jpeg"]

_LONG_SIDE = 1024
_QUALITY = 85


def preview_jpeg(carrier: DecodedJpeg, orientation: int) -> bytes:
    """A small JPEG of a carrier that stands upright once it is turned as the raw is.

    Args:
        carrier: The decoded carrier, which its own Exif orientation turns upright.
        orientation: The raw's Exif orientation, 1 to 8.

    Returns:
        A baseline JPEG.
    """
    from PIL import Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    picture = Image.fromarray(carrier.pixels)
    picture.thumbnail((_LONG_SIDE, _LONG_SIDE), reducing_gap=2.0)
    # Orientations 6 and 8 undo each other, all others themselves.
    for turn in (carrier.orientation, {6: 8, 8: 6}.get(orientation, orientation)):
        if turn in turns:
            picture = picture.transpose(turns[turn])
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=_QUALITY)
    return data.getvalue()
