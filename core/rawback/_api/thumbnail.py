"""The picture that file managers show for a restored DNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from rawback.orientation import compose, inverse, orient_image

if TYPE_CHECKING:
    from PIL import Image

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
        A baseline JPEG in sRGB.
    """
    from PIL import Image

    picture = Image.fromarray(carrier.pixels)
    picture.thumbnail((_LONG_SIDE, _LONG_SIDE), reducing_gap=2.0)
    picture = _in_srgb(picture, carrier.metadata.icc_profile)
    turn = compose(carrier.orientation, inverse(orientation))
    pixels = np.ascontiguousarray(orient_image(turn, np.asarray(picture)))
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=_QUALITY)
    return data.getvalue()


def _in_srgb(picture: Image.Image, icc_profile: bytes) -> Image.Image:
    """A picture in the colour space that previews are in; as it is if its profile is unusable."""
    from PIL import ImageCms

    if not icc_profile:
        return picture
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        converted = ImageCms.profileToProfile(
            picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A profile of another kind, a grey one for one, or a broken one.
        return picture
    return picture if converted is None else converted
