"""The values that rooms hand to each other.

All are frozen; arrays inside them are never written to after construction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "BayerPattern",
    "ExifValue",
    "Guide",
    "NoiseModel",
    "Progress",
    "RawFrame",
    "Region",
]

BayerPattern: TypeAlias = Literal["RGGB", "BGGR", "GRBG", "GBRG"]

ExifValue: TypeAlias = str | int | tuple[int, int] | tuple[tuple[int, int], ...]
"""Text, a whole number, a rational, or several rationals."""

Progress: TypeAlias = Callable[[str, float], None]
"""Is told the stage a job is in, in words for people, and the fraction done, 0 to 1."""

Region: TypeAlias = tuple[int, int, int, int]
"""A rectangle of a raw frame: left, top, width and height in pixels."""


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Variance of the sensor's noise: ``scale * signal + offset``.

    Signal is ``(sample - black) / (white - black)``, so both are in units of full scale squared,
    as in the DNG tag NoiseProfile (DNG 1.4 specification, tag 51041). One model serves all four
    CFA planes.

    Attributes:
        scale: Variance per signal (shot noise), above 0.
        offset: Variance at signal 0 (read noise), at least 0.
    """

    scale: float
    offset: float

    def __post_init__(self) -> None:
        if not (0 < self.scale < 1 and 0 <= self.offset < 1):
            message = f"noise model out of range: scale {self.scale}, offset {self.offset}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class RawFrame:
    """The CFA mosaic as the sensor gave it, and what an editor needs to render it.

    Attributes:
        cfa: uint16 ``[H, W]``, the visible area, in sensor orientation, black not subtracted.
        pattern: The colours of the top left 2x2 cell of `cfa` in reading order.
        black: Black level of each position of that cell, reading order, in DN.
        white: Saturation level in DN, the same for all positions.
        neutral: Camera RGB of the scene's white, green = 1 (DNG tag AsShotNeutral); the white
            balance multipliers are its reciprocals.
        color_matrix: XYZ (D65) to camera RGB, 3x3, row-major (DNG tag ColorMatrix1).
        noise: The frame's noise model.
        orientation: EXIF orientation, 1 to 8, that turns the mosaic upright.
        make: Manufacturer as the file gives it.
        model: Camera model as the file gives it.
        unique_model: DNG UniqueCameraModel; make and model where the file has none.
        exif: Exif and DNG tags (tag number to value) worth carrying over: exposure, lens, time,
            default crop.
    """

    cfa: NDArray[np.uint16]
    pattern: BayerPattern
    black: tuple[float, float, float, float]
    white: int
    neutral: tuple[float, float, float]
    color_matrix: tuple[float, float, float, float, float, float, float, float, float]
    noise: NoiseModel
    orientation: int = 1
    make: str = ""
    model: str = ""
    unique_model: str = ""
    exif: Mapping[int, ExifValue] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.cfa.dtype != np.uint16 or self.cfa.ndim != 2 or min(self.cfa.shape) < 2:
            message = f"a mosaic is uint16 [H, W], not {self.cfa.dtype} {self.cfa.shape}"
            raise ValueError(message)
        if self.pattern not in get_args(BayerPattern):
            message = f"{self.pattern!r} is no Bayer pattern"
            raise ValueError(message)
        if not max(self.black) < self.white <= 0xFFFF or min(self.black) < 0:
            message = f"black {self.black} and white {self.white} do not fit uint16 samples"
            raise ValueError(message)
        if not all(1e-3 < value < 1e3 for value in self.neutral):
            message = f"{self.neutral} is no camera RGB of a white"
            raise ValueError(message)
        if not all(abs(value) < 1e3 for value in self.color_matrix):
            message = f"{self.color_matrix} is no colour matrix"
            raise ValueError(message)
        if not 1 <= self.orientation <= 8:
            message = f"{self.orientation} is no Exif orientation"
            raise ValueError(message)

    @property
    def height(self) -> int:
        """Rows of the mosaic."""
        return int(self.cfa.shape[0])

    @property
    def width(self) -> int:
        """Columns of the mosaic."""
        return int(self.cfa.shape[1])


@dataclass(frozen=True, slots=True)
class Guide:
    """The carrier's decoded pixels on the raw grid.

    Attributes:
        pixels: uint8 ``[H, W, 3]``, sRGB as the JPEG decodes; 0 where `mask` is 0.
        mask: uint8 ``[H, W]``, 1 where the carrier covers the raw pixel, else 0.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.shape != (*self.mask.shape, 3):
            message = f"guide {self.pixels.shape} and mask {self.mask.shape} do not fit"
            raise ValueError(message)
