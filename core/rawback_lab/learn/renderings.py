"""Linear frames as converters write them, and what they make of these: material for networks.

LibRaw looks at each pixel of a linear frame alone, and so do the papers' pictures, which never were
a JPEG. Converters and phones take noise away, smooth colours, raise local contrast, sharpen by
radii of their own, and save colours at half the resolution; that is what networks can undo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np

from rawback.jpegio import decode_jpeg
from rawback_lab.pictures import WHITE, as_linear, linear_picture, software_isp
from rawback_lab.render import STYLES, FilmicLook, encode_jpeg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import RawFrame
    from rawback_lab.render import Subsampling

__all__ = ["Finishing", "converted", "exported", "linear_jpeg", "linear_light"]

_PLAIN = ("libraw", "libraw-plain", "libraw-soft", "libraw-warm")
_PLAIN_SHARE, _SHRUNK_SHARE = 0.3, 0.08
_SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:2:0", "4:2:0", "4:2:2", "4:4:4")


@dataclass(frozen=True, slots=True)
class Finishing:
    """What a converter does to a rendering besides tone and sharpening of brightness.

    Attributes:
        smoothing: Strength of noise reduction, in codes that it takes for noise; 0 is none.
        colour_radius: Standard deviation of the blur of colour differences, in pixels; 0 is none.
        clarity: Amount of unsharp mask over a wide radius.
        clarity_radius: That radius in pixels.
    """

    smoothing: float = 0.0
    colour_radius: float = 0.0
    clarity: float = 0.0
    clarity_radius: float = 20.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """What somebody might ask for; each of them half of the time not at all."""
        smoothing, colour, clarity = rng.random(3) < 0.5
        return cls(
            smoothing=float(rng.uniform(2, 14)) if smoothing else 0.0,
            colour_radius=float(rng.uniform(0.5, 2.5)) if colour else 0.0,
            clarity=float(rng.uniform(0.1, 0.6)) if clarity else 0.0,
            clarity_radius=float(rng.uniform(8, 40)),
        )

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Finish sRGB codes, uint8 ``[H, W, 3]``."""
        if self.smoothing:
            pixels = np.asarray(cv2.bilateralFilter(pixels, 5, self.smoothing, 1.5), np.uint8)
        picture = pixels.astype(np.float32)
        grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
        colour = picture - grey[..., None]
        if self.colour_radius:
            colour = np.asarray(cv2.GaussianBlur(colour, (0, 0), self.colour_radius), np.float32)
        if self.clarity:
            surround = cv2.GaussianBlur(grey, (0, 0), self.clarity_radius)
            grey = grey + np.float32(self.clarity) * (grey - surround)
        return np.asarray(np.rint((grey[..., None] + colour).clip(0, 255)), np.uint8)


def linear_light(frame: RawFrame) -> NDArray[np.uint16]:
    """Samples of a linear frame, black at 0 and white at 65535, uint16 ``[H, W, 3]``."""
    light = (frame.cfa.astype(np.float32) - frame.black) / (frame.white - np.array(frame.black))
    return np.asarray(np.rint(np.clip(light, 0, 1) * WHITE), np.uint16)


def converted(frame: RawFrame, factor: int, quality: int | None = None) -> RawFrame:
    """A Bayer frame as a linear one of 16 bits, demosaiced and scaled down.

    Its noise is smooth, and what it is said to be is estimated, as of files that do not say it.

    Args:
        frame: The mosaic.
        factor: Pixels along each side that become one.
        quality: Of the JPEG that it is kept as, as lossy DNGs are: of 8 bits, square roots.
    """
    linear = linear_picture(frame, factor)
    if quality is not None:
        codes = np.rint(255 * np.sqrt(linear / np.float32(WHITE))).astype(np.uint8)
        kept = decode_jpeg(encode_jpeg(codes, quality, "4:4:4")).pixels
        linear = np.rint(np.square(kept / np.float32(255)) * WHITE).astype(np.uint16)
    return as_linear(frame, linear)


def linear_jpeg(frame: RawFrame, rng: np.random.Generator) -> bytes:
    """What somebody might have exported of a linear frame."""
    if rng.random() < _PLAIN_SHARE:
        pixels = STYLES[_PLAIN[rng.integers(len(_PLAIN))]](frame)
    else:
        look = replace(
            FilmicLook.random(rng),
            sharpness=float(rng.uniform(0.0, 1.8)),
            radius=math.exp(rng.uniform(math.log(0.5), math.log(2.5))),
        )
        pixels = Finishing.random(rng).apply(software_isp(linear_light(frame), frame, look))
    return exported(pixels, rng, _SHRUNK_SHARE, _SUBSAMPLINGS, range(80, 98))


def exported(
    pixels: NDArray[np.uint8],
    rng: np.random.Generator,
    shrunk_share: float,
    subsamplings: tuple[Subsampling, ...],
    qualities: range,
) -> bytes:
    """A rendering as somebody might save it, some of them made smaller, as a JPEG."""
    if rng.random() < shrunk_share:
        size = rng.uniform(0.4, 0.95)
        sides = round(pixels.shape[1] * size), round(pixels.shape[0] * size)
        pixels = np.asarray(cv2.resize(pixels, sides, interpolation=cv2.INTER_AREA), np.uint8)
    subsampling = subsamplings[rng.integers(len(subsamplings))]
    return encode_jpeg(pixels, int(rng.integers(qualities.start, qualities.stop)), subsampling)
