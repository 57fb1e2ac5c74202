"""Linear pictures and their renderings: what the papers code, where rawback codes mosaics."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.jpegio import DecodedJpeg
from rawback.rawio.noise import estimate_noise
from rawback.rendering import camera_to_srgb, demosaic
from rawback.types import NoiseModel
from rawback_lab.peers import BASE_BYTES, fitted_base
from rawback_lab.render import FilmicLook, develop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import RawFrame
    from rawback_lab.peers import Planes, Tries

__all__ = ["WHITE", "Picture", "as_linear", "linear_picture", "linear_shot", "software_isp"]

WHITE = 65535
"""The white level of linear pictures."""

_NOISE_LEFT = 1 / 8
"""Variance that is left of the sensor's after scaling down by 4: of the 16 sites that are averaged
8 have a green sample of their own and 4 a red or blue one."""


@dataclass(frozen=True)
class Picture:
    """Linear camera RGB and its rendering, with the work that all peers share done once.

    Attributes:
        linear: uint16 ``[H, W, 3]``, white at 65535, no white balance.
        guide: sRGB codes, uint8 ``[H, W, 3]``.
        frame: The raw it was made from: colours, white balance, noise.
        tries: What codecs have been asked for already.
    """

    linear: NDArray[np.uint16]
    guide: NDArray[np.uint8]
    frame: RawFrame
    tries: Tries = field(default_factory=dict, compare=False)

    base_bytes = BASE_BYTES * 3 // 4

    @property
    def pixels(self) -> int:
        """Pixels of three colours."""
        return int(self.linear.shape[0] * self.linear.shape[1])

    @cached_property
    def signal(self) -> Planes:
        """Red, green and blue in [0, 1], ``[3, H, W]``."""
        planes = np.ascontiguousarray(self.linear.transpose(2, 0, 1))
        return np.asarray(planes / np.float32(WHITE), np.float32)

    @cached_property
    def colours(self) -> NDArray[np.uint8]:
        """The guide, the same for all colours, ``[3, H, W, 3]``."""
        return np.broadcast_to(self.guide, (3, *self.guide.shape))

    @cached_property
    def covered(self) -> NDArray[np.uint8]:
        """1 everywhere, ``[3, H, W]``."""
        return np.ones(self.colours.shape[:3], np.uint8)

    @cached_property
    def base(self) -> Planes:
        """The signal as the guide's colours alone predict it, in T."""
        return fitted_base(self)

    def restored(self, signal: NDArray[np.floating]) -> NDArray[np.uint16]:
        """A picture uint16 ``[H, W, 3]`` of a signal ``[3, H, W]``."""
        scaled = np.rint(np.clip(signal, 0, 1) * WHITE)
        return np.ascontiguousarray(scaled.transpose(1, 2, 0).astype(np.uint16))


def linear_picture(frame: RawFrame, factor: int) -> NDArray[np.uint16]:
    """Demosaic a raw and scale it down by averaging.

    Demosaicing assumes that colours agree on grey, so white balance is applied for it and taken
    back after it. Rows and columns that do not fill a pixel are cut off.

    Args:
        frame: The raw.
        factor: Pixels along each side that make one.

    Returns:
        uint16 ``[H // factor, W // factor, 3]``, white at 65535.
    """
    gains = (1 / np.array(frame.shown_neutral)).astype(np.float32)
    signal = frame.cfa.astype(np.float32)
    for position, (colour, black) in enumerate(zip(frame.pattern, frame.black, strict=True)):
        plane = signal[position // 2 :: 2, position % 2 :: 2]
        plane -= np.float32(black)
        plane /= np.float32(frame.white - black)
        np.clip(plane, 0, 1, out=plane)
        plane *= gains["RGB".index(colour)]
    colours = np.clip(demosaic(signal, frame.pattern) / gains, 0, 1)
    height, width = (side // factor for side in frame.cfa.shape)
    whole = np.ascontiguousarray(colours[: height * factor, : width * factor])
    small = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return np.rint(np.asarray(small, np.float32) * WHITE).astype(np.uint16)


def software_isp(
    linear: NDArray[np.uint16], frame: RawFrame, look: FilmicLook
) -> NDArray[np.uint8]:
    """White balance, colour matrix, tone curve, saturation and sharpening of a linear picture.

    Returns:
        sRGB codes, uint8 ``[H, W, 3]``.
    """
    gains = np.array(look.warmth) / np.array(frame.shown_neutral)
    balanced = np.clip(linear * (gains / (gains.min() * WHITE)).astype(np.float32), 0, 1)
    return develop(balanced @ camera_to_srgb(frame).T.astype(np.float32), look)


def linear_shot(picture: Picture) -> tuple[RawFrame, DecodedJpeg]:
    """A picture as a raw of three samples for each pixel, and its rendering."""
    noise = picture.frame.noise
    left = NoiseModel(noise.scale * _NOISE_LEFT, noise.offset * _NOISE_LEFT)
    return as_linear(picture.frame, picture.linear, left), DecodedJpeg(picture.guide, 1)


def as_linear(
    frame: RawFrame, samples: NDArray[np.uint16], noise: NoiseModel | None = None
) -> RawFrame:
    """Linear RGB that was made of a mosaic, as a raw.

    Args:
        frame: The mosaic.
        samples: uint16 ``[H, W, 3]``, black at 0 and white at 65535.
        noise: Theirs; by default estimated, as of files that do not say it.
    """
    black = (0.0,) * 3
    return replace(
        frame.excerpt(frame.cfa),
        cfa=samples,
        pattern="R+G+B",
        black=black,
        white=WHITE,
        noise=noise or estimate_noise(samples, "R+G+B", black, WHITE),
        orientation=1,
    )
