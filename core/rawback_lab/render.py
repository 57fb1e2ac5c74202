"""From a raw to the pictures people make of it, as sRGB pixels and as JPEG.

`STYLES` is the table of renderings; a training set draws from it and a new look is a new row.
All renderings keep the sensor's orientation.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

import cv2
import numpy as np
import rawpy
from PIL import Image, ImageFile

from rawback import rawio
from rawback.rendering import balanced_signal, camera_to_srgb, demosaic, to_srgb
from rawback.types import RawFrame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "STYLES",
    "FilmicLook",
    "LibrawLook",
    "Style",
    "Subsampling",
    "develop",
    "encode_jpeg",
    "render_filmic",
    "render_libraw",
]

Subsampling: TypeAlias = Literal["4:4:4", "4:2:2", "4:2:0"]

Style: TypeAlias = Callable[[RawFrame], "NDArray[np.uint8]"]
"""A raw to sRGB codes, uint8 ``[H, W, 3]``."""


@dataclass(frozen=True, slots=True)
class LibrawLook:
    """What LibRaw's converter is asked for.

    Attributes:
        algorithm: Name of LibRaw's demosaic: LINEAR, VNG, PPG, AHD, DCB, DHT.
        brightness: Factor on linear light before the tone curve.
        auto_brightness: Whether LibRaw stretches the picture until 1 % of it clips.
        gamma: Power and toe slope of the tone curve; BT.709's by default.
        warmth: Factors on red, green and blue on top of the frame's white balance.
        median_passes: Passes of the median filter on colour differences.
    """

    algorithm: str = "AHD"
    brightness: float = 1.0
    auto_brightness: bool = True
    gamma: tuple[float, float] = (2.222, 4.5)
    warmth: tuple[float, float, float] = (1.0, 1.0, 1.0)
    median_passes: int = 0


@dataclass(frozen=True, slots=True)
class FilmicLook:
    """What our own converter is asked for.

    Attributes:
        exposure: Stops on linear light.
        contrast: Slope of the tone curve at middle grey in log light, above 0; 1 is neutral.
        white: Linear light that becomes white; above 1 it compresses highlights gently.
        saturation: Factor on colour differences; 1 keeps them.
        sharpness: Amount of unsharp mask on brightness.
        radius: Its radius in pixels.
        warmth: Factors on red, green and blue on top of the frame's white balance.
    """

    exposure: float = 0.6
    contrast: float = 1.3
    white: float = 1.6
    saturation: float = 1.15
    sharpness: float = 0.6
    radius: float = 1.0
    warmth: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """What somebody might ask for."""
        return cls(
            exposure=rng.uniform(0.0, 1.2),
            contrast=rng.uniform(0.9, 1.7),
            white=rng.uniform(1.2, 4.0),
            saturation=rng.uniform(0.8, 1.5),
            sharpness=rng.uniform(0.0, 1.2),
        )


def render_libraw(frame: RawFrame, look: LibrawLook | None = None) -> NDArray[np.uint8]:
    """Render with LibRaw, which reads the frame as a DNG from memory.

    Returns:
        sRGB codes, uint8 ``[H, W, 3]``.
    """
    look = look or LibrawLook()
    gains = np.array(look.warmth) / np.array(frame.shown_neutral)
    with rawpy.imread(io.BytesIO(rawio.write_dng(frame))) as raw:
        rendered = raw.postprocess(
            demosaic_algorithm=rawpy.DemosaicAlgorithm[look.algorithm],
            user_wb=[gains[0], gains[1], gains[2], gains[1]],
            bright=look.brightness,
            no_auto_bright=not look.auto_brightness,
            gamma=look.gamma,
            median_filter_passes=look.median_passes,
            user_flip=0,
            output_bps=8,
        )
    # One channel of a monochrome raw.
    return np.broadcast_to(np.asarray(rendered, np.uint8), (*rendered.shape[:2], 3)).copy()


def render_filmic(frame: RawFrame, look: FilmicLook | None = None) -> NDArray[np.uint8]:
    """Render with a converter of our own: linear demosaic, filmic curve, saturation, sharpening.

    Returns:
        sRGB codes, uint8 ``[H, W, 3]``.
    """
    look = look or FilmicLook()
    balanced = balanced_signal(frame, warmth=look.warmth)
    light = demosaic(balanced, frame.pattern) @ camera_to_srgb(frame).T.astype(np.float32)
    return develop(light, look)


def develop(light: NDArray[np.float32], look: FilmicLook) -> NDArray[np.uint8]:
    """What `render_filmic` does once there are colours; its warmth is left to the caller.

    Args:
        light: Linear sRGB, ``[H, W, 3]``.
        look: The look.

    Returns:
        sRGB codes, uint8 ``[H, W, 3]``.
    """
    picture = to_srgb(_filmic(light * np.float32(2**look.exposure), look))
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    soft = np.asarray(cv2.GaussianBlur(grey, (0, 0), sigmaX=look.radius), np.float32)
    crisp = grey + np.float32(look.sharpness) * (grey - soft)
    picture = crisp[..., None] + np.float32(look.saturation) * (picture - grey[..., None])
    return np.asarray(np.rint(255 * np.clip(picture, 0, 1)), np.uint8)


def _filmic(light: NDArray[np.float32], look: FilmicLook) -> NDArray[np.float32]:
    """Contrast about middle grey as a power of light, then a shoulder that ends at `white`.

    The shoulder is the extended one of Reinhard et al. (SIGGRAPH 2002), scaled to keep middle
    grey in its place.
    """
    grey = 0.18
    powered = grey * (np.clip(light, 0, None) / grey) ** look.contrast
    white = grey * (look.white / grey) ** look.contrast

    def shoulder(x: NDArray[np.float32] | float) -> NDArray[np.float32]:
        return np.asarray(x * (1 + x / white**2) / (1 + x), np.float32)

    kept = grey / float(shoulder(grey))
    shaped = shoulder(powered) * (1 + (kept - 1) * (1 - shoulder(powered)))
    return np.asarray(shaped, np.float32)


STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "libraw": partial(render_libraw, look=LibrawLook()),
        "libraw-plain": partial(render_libraw, look=LibrawLook(auto_brightness=False)),
        "libraw-soft": partial(
            render_libraw, look=LibrawLook("VNG", brightness=1.4, gamma=(1.8, 6.0))
        ),
        "libraw-warm": partial(
            render_libraw, look=LibrawLook("DHT", warmth=(1.15, 1.0, 0.85), median_passes=1)
        ),
        "filmic": partial(render_filmic, look=FilmicLook()),
        "filmic-vivid": partial(
            render_filmic, look=FilmicLook(contrast=1.6, saturation=1.5, sharpness=1.2)
        ),
        "filmic-flat": partial(
            render_filmic, look=FilmicLook(contrast=0.9, saturation=0.8, white=4.0, sharpness=0.2)
        ),
        "filmic-grey": partial(render_filmic, look=FilmicLook(saturation=0.0)),
    }
)


def encode_jpeg(
    rgb: NDArray[np.uint8],
    quality: int = 92,
    subsampling: Subsampling = "4:2:0",
    exif: Image.Exif | bytes | None = None,
) -> bytes:
    """Encode sRGB codes, uint8 ``[H, W, 3]``, as a baseline JPEG with optimised tables."""
    out = io.BytesIO()
    # Optimised tables are written in one piece, which noise can make larger than Pillow expects.
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, rgb.size)
    more = {} if exif is None else {"exif": exif}
    Image.fromarray(rgb).save(
        out, "JPEG", quality=quality, subsampling=subsampling, optimize=True, **more
    )
    return out.getvalue()
