"""The values that rooms hand to each other.

All are frozen; arrays inside them are never written to after construction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rawback.border import Border
from rawback.metadata import Metadata
from rawback.mosaic import Mosaic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.floats import Scale

__all__ = [
    "BayerPattern",
    "BlackOffsets",
    "Border",
    "Floats",
    "Guide",
    "Mosaic",
    "NoiseModel",
    "Progress",
    "RawFrame",
    "Region",
]

BayerPattern: TypeAlias = Literal["RGGB", "BGGR", "GRBG", "GBRG"]

Neutral: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[float, float, float, float, float, float, float, float, float]

_SRGB_CAMERA: Matrix = (
    3.2404542, -1.5371385, -0.4985314, -0.9692660, 1.8760108, 0.0415560, 0.0556434, -0.2040259,
    1.0572252,
)  # fmt: skip

Progress: TypeAlias = Callable[[str, float], None]
"""Is told the stage a job is in, in words for people, and the fraction done, 0 to 1."""

Region: TypeAlias = tuple[int, int, int, int]
"""A rectangle of a raw frame: left, top, width and height in pixels."""


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Variance of the sensor's noise: ``scale * signal + offset``.

    Signal is ``(sample - black) / (white - black)``, so both are in units of full scale squared,
    as in the DNG tag NoiseProfile (DNG 1.4 specification, tag 51041). One model serves all
    channels.

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
class BlackOffsets:
    """By how much the black of single samples differs from that of their position in the cell.

    A sample's black is that of its position in the 2x2 cell plus the value of the repeated
    pattern, of its row and of its column, all rounded to whole DN.

    Attributes:
        pattern: int32 ``[p, q]``, repeated from the corner of the visible area.
        rows: int32 ``[H]``, for each row.
        columns: int32 ``[W]``, for each column.
    """

    pattern: NDArray[np.int32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]

    def __post_init__(self) -> None:
        parts = (self.pattern, self.rows, self.columns)
        fits = (self.pattern.ndim, self.rows.ndim, self.columns.ndim) == (2, 1, 1)
        if not fits or not all(part.size and np.abs(part).max() <= 0x7FFF for part in parts):
            message = (
                "black offsets are whole numbers of at most 32767 for a pattern, rows, columns"
            )
            raise ValueError(message)

    @property
    def pedestal(self) -> int:
        """What has to be added so that nothing falls below 0 where the offsets are taken away."""
        return max(0, sum(int(part.max()) for part in (self.pattern, self.rows, self.columns)))

    def suit(self, cfa: NDArray[np.uint16]) -> bool:
        """Whether a mosaic is theirs and fits 16 bits without them too."""
        least = sum(int(part.min()) for part in (self.pattern, self.rows, self.columns))
        shape = (len(self.rows), len(self.columns))
        return cfa.shape == shape and int(cfa.max()) - least + self.pedestal <= 0xFFFF

    def taken_from(self, cfa: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """A mosaic that they suit with the same black everywhere, `pedestal` added."""
        return self._shifted(cfa, -1)

    def added_to(self, cfa: NDArray[np.uint16], top: int = 0, left: int = 0) -> NDArray[np.uint16]:
        """Undo `taken_from`, or for a part of the mosaic; what would not fit 16 bits is clipped.

        Args:
            cfa: uint16 ``[h, w]``.
            top: Row of the mosaic where it begins.
            left: Column of the mosaic where it begins.
        """
        return self._shifted(cfa, 1, top, left)

    def within(self, top: int, left: int, height: int, width: int) -> BlackOffsets:
        """Those of a part of the mosaic, whose `pedestal` may be another."""
        pattern = np.roll(self.pattern, (-top, -left), axis=(0, 1))
        return BlackOffsets(
            pattern, self.rows[top : top + height], self.columns[left : left + width]
        )

    def _shifted(
        self, cfa: NDArray[np.uint16], sign: int, top: int = 0, left: int = 0
    ) -> NDArray[np.uint16]:
        shifted = np.empty_like(cfa)
        down, across = self.pattern.shape
        # The pattern's rows, each repeated along a row of the mosaic.
        places = np.arange(left, left + cfa.shape[1])
        lines = self.columns[places] + self.pattern[:, places % across]
        pedestal = self.pedestal
        for row, samples in enumerate(cfa):
            offsets = lines[(top + row) % down] + (self.rows[top + row] - pedestal)
            shifted[row] = np.clip(samples + sign * offsets, 0, 0xFFFF)
        return shifted


@dataclass(frozen=True, slots=True)
class Floats:
    """How samples stand for floating point numbers, see :mod:`rawback.floats`.

    Attributes:
        scale: Which numbers the codes stand for.
        remainders: uint32, in the shape of the mosaic: what the codes leave out. None where that is
            nothing, or not known.
        border: The same of the border.
    """

    scale: Scale
    remainders: NDArray[np.uint32] | None = None
    border: Border | None = None

    def numbers_of(self, codes: NDArray[np.uint16]) -> NDArray[np.float32]:
        """The numbers that the codes of the visible area stand for."""
        table = self.scale.codes
        return (
            table.numbers[codes]
            if self.remainders is None
            else table.joined(codes, self.remainders)
        )


@dataclass(frozen=True, slots=True)
class RawFrame:
    """The samples as the sensor gave them, and what an editor needs to render them.

    Attributes:
        cfa: uint16 ``[H, W]``, the mosaic of the visible area, in sensor orientation, black not
            subtracted; ``[H, W, n]`` where each pixel has several samples. With `floats`, they,
            black and white are codes of numbers.
        pattern: The colours of its samples, as `Mosaic` writes them: for Bayer sensors those of
            the top left 2x2 cell in reading order, as in ``"RGGB"``.
        black: Black level of each channel of `mosaic`, in DN; for Bayer sensors the channels are
            the positions of the 2x2 cell, reading order.
        white: Saturation level in DN, the same for all channels. Samples may be above it.
        noise: The frame's noise model.
        neutral: Camera RGB of the scene's white, green = 1 (DNG tag AsShotNeutral); the white
            balance multipliers are its reciprocals. None where the raw does not tell.
        color_matrix: XYZ (D65) to camera RGB, 3x3, row-major (DNG tag ColorMatrix1). None where
            the raw does not tell.
        orientation: EXIF orientation, 1 to 8, that turns the mosaic upright.
        make: Manufacturer as the file gives it.
        model: Camera model as the file gives it.
        metadata: All that the raw says about itself. Where it says something about levels,
            colours or names it is what an editor gets to see.
        black_offsets: Where black differs by more than the four levels of `black`.
        border: What lies around `cfa`.
        floats: Where samples are floating point numbers, which.
    """

    cfa: NDArray[np.uint16]
    pattern: str
    black: tuple[float, ...]
    white: int
    noise: NoiseModel
    neutral: Neutral | None = None
    color_matrix: Matrix | None = None
    orientation: int = 1
    make: str = ""
    model: str = ""
    metadata: Metadata = field(default_factory=Metadata)
    black_offsets: BlackOffsets | None = None
    border: Border | None = None
    floats: Floats | None = None

    def __post_init__(self) -> None:
        mosaic = self.mosaic
        samples = (mosaic.samples,) if mosaic.samples > 1 else ()
        if self.cfa.dtype != np.uint16 or self.cfa.ndim < 2 or min(self.cfa.shape[:2]) < 2:
            message = f"a mosaic is uint16 [H, W], not {self.cfa.dtype} {self.cfa.shape}"
            raise ValueError(message)
        if self.cfa.shape[2:] != samples or len(self.black) != len(mosaic.colours):
            message = f"{self.cfa.shape} and {len(self.black)} black levels are not {mosaic.name}"
            raise ValueError(message)
        if not max(self.black) < self.white <= 0xFFFF or min(self.black) < 0:
            message = f"black {self.black} and white {self.white} do not fit uint16 samples"
            raise ValueError(message)
        if self.neutral is not None and not all(1e-3 < value < 1e3 for value in self.neutral):
            message = f"{self.neutral} is not the camera RGB of a white"
            raise ValueError(message)
        if self.color_matrix is not None and not all(abs(v) < 1e3 for v in self.color_matrix):
            message = f"{self.color_matrix} is not a colour matrix"
            raise ValueError(message)
        if not 1 <= self.orientation <= 8:
            message = f"{self.orientation} is not an Exif orientation"
            raise ValueError(message)
        self._check_parts()

    def _check_parts(self) -> None:
        if self.border is not None:
            _, left, _, right = self.border.margins
            if self.border.left.shape[0] != self.height or (
                self.border.top.shape[1] != left + self.width + right
            ):
                message = f"the border does not fit a mosaic of {self.width} x {self.height}"
                raise ValueError(message)
        offsets = self.black_offsets
        if offsets is not None and (len(offsets.rows), len(offsets.columns)) != self.cfa.shape:
            message = "the black offsets do not fit the mosaic"
            raise ValueError(message)
        remainders = None if self.floats is None else self.floats.remainders
        if remainders is not None and remainders.shape != self.cfa.shape:
            message = "the remainders do not fit the mosaic"
            raise ValueError(message)

    @property
    def mosaic(self) -> Mosaic:
        """Which samples there are, and of which colours."""
        return Mosaic.parse(self.pattern)

    @property
    def height(self) -> int:
        """Rows of the mosaic."""
        return int(self.cfa.shape[0])

    @property
    def width(self) -> int:
        """Columns of the mosaic."""
        return int(self.cfa.shape[1])

    def excerpt(self, cfa: NDArray[np.uint16]) -> RawFrame:
        """A mosaic taken from the frame, whatever its size, with the same levels and colours.

        It has no metadata: what they say of places does not hold for it. Floating point numbers are
        those that its codes stand for.
        """
        return replace(
            self.coarse,
            cfa=cfa,
            metadata=Metadata(big_endian=self.metadata.big_endian),
            black_offsets=None,
            border=None,
        )

    @property
    def coarse(self) -> RawFrame:
        """The same, but floating point samples are the numbers that their codes stand for."""
        if self.floats is None or self.floats.remainders is None:
            return self
        return replace(self, floats=Floats(self.floats.scale))

    @property
    def whole_mosaic(self) -> NDArray[np.uint16]:
        """All samples, those around the visible area too."""
        return self.cfa if self.border is None else self.border.joined(self.cfa)

    def light(self, samples: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Samples, or levels, of this frame in proportion to light, float32 in their shape."""
        if self.floats is None or self.floats.scale.is_linear:
            return samples.astype(np.float32)
        return self.floats.scale.codes.numbers[samples]

    @property
    def light_levels(self) -> tuple[tuple[float, ...], float]:
        """`black` of each channel and `white` as `light` gives them."""
        if self.floats is None or self.floats.scale.is_linear:
            return self.black, float(self.white)
        levels = self.light(np.array([*self.black, self.white]).astype(np.uint16))
        return tuple(levels[:-1].tolist()), float(levels[-1])

    def value(self, sample: int) -> float:
        """What a sample stands for: a floating point number, or its DN."""
        if self.floats is None:
            return sample
        return float(self.floats.scale.codes.numbers[sample])

    @property
    def has_border(self) -> bool:
        """Whether what lies around the visible area is known to the last bit, or nothing does."""
        if self.border is None:
            return True
        floats = self.floats
        known = floats is None or floats.remainders is None or floats.border is not None
        return self.border.recorded and known

    @property
    def whole_numbers(self) -> NDArray[np.float32]:
        """The floating point numbers that all samples stand for, those around the visible area too.

        Raises:
            ValueError: They are none.
        """
        floats = self.floats
        if floats is None:
            message = "samples that are not codes of floating point numbers"
            raise ValueError(message)
        table = floats.scale.codes
        whole = table.numbers[self.whole_mosaic]
        if floats.remainders is None:
            return whole
        if self.border is not None and floats.border is not None:
            return table.joined(self.whole_mosaic, floats.border.joined(floats.remainders))
        top, left, _, _ = (0, 0, 0, 0) if self.border is None else self.border.margins
        inside = whole[top : top + self.height, left : left + self.width]
        inside[...] = floats.numbers_of(self.cfa)
        return whole

    def has_samples_of(self, other: RawFrame) -> bool:
        """Whether the visible samples of two frames are the same, to the last bit."""
        mine, others = (
            None if frame.floats is None else frame.floats.remainders for frame in (self, other)
        )
        if mine is None or others is None:
            return mine is others and np.array_equal(self.cfa, other.cfa)
        return np.array_equal(self.cfa, other.cfa) and np.array_equal(mine, others)

    @property
    def shown_neutral(self) -> Neutral:
        """`neutral`, or a guess to show the raw with: no white balance."""
        return self.neutral or (1.0, 1.0, 1.0)

    @property
    def shown_matrix(self) -> Matrix:
        """`color_matrix`, or a guess to show the raw with: that of a camera that sees sRGB."""
        if self.color_matrix is not None:
            return self.color_matrix
        red, green, blue = self.shown_neutral
        a, b, c, d, e, f, g, h, i = _SRGB_CAMERA
        return (
            *(red * a, red * b, red * c),
            *(green * d, green * e, green * f),
            *(blue * g, blue * h, blue * i),
        )


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
