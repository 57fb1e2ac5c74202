"""What a simulated camera is: its sensor, its lens, and the light it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, get_args

import numpy as np

from rawback.types import BayerPattern, Mosaic, NoiseModel
from rawback_lab.colour import CAMERA_MATRICES, neutral_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["QUAD_BAYER", "X_TRANS", "CameraSpec"]

X_TRANS = "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"
"""Fujifilm's pattern."""

QUAD_BAYER = "RRGG/RRGG/GGBB/GGBB"
"""Bayer's, each of its pixels four."""


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """One camera at one setting.

    Attributes:
        pattern: The sensor's pattern of colours, as `Mosaic` writes it: ``"RGGB"``, `X_TRANS`,
            ``"W"``, or ``"R+G+B"`` for a sample of each at every pixel.
        bits: Bits of the analogue-to-digital converter, 10 to 16.
        black: Black level in DN.
        white: Saturation level in DN.
        color_matrix: XYZ (D65) to camera RGB, row-major.
        neutral: Camera RGB of the scene's white, green = 1.
        exposure: Stops between the photograph's white and saturation of green; above 0 clips.
        headroom: Stops that highlights reach above the photograph's white: a photograph has
            clipped its own already, a scene has not.
        iso: Sensitivity.
        full_well: Electrons of a saturated pixel at ISO 100.
        read_noise: Electrons of noise in the dark, before quantisation.
        vignetting: Light lost in the corners, 0 (none) to 1 (all).
        aberration: Magnification of red and blue against green, less 1 (lateral chromatic
            aberration): 0.0005 shifts the corner of 24 megapixels by 1.8 pixels.
    """

    pattern: str = "RGGB"
    bits: int = 14
    black: int = 512
    white: int = 16383
    color_matrix: tuple[float, float, float, float, float, float, float, float, float] = (
        *(0.6941, -0.1164, -0.0857),
        *(-0.3825, 1.1597, 0.2534),
        *(-0.0416, 0.1540, 0.6039),
    )
    neutral: tuple[float, float, float] = (0.48, 1.0, 0.66)
    exposure: float = 0.0
    headroom: float = 1.0
    iso: int = 200
    full_well: float = 40_000.0
    read_noise: float = 3.0
    vignetting: float = 0.0
    aberration: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        Mosaic.parse(self.pattern)
        if not 10 <= self.bits <= 16 or not 0 <= self.black < self.white < 1 << self.bits:
            message = f"{self.bits} bits do not hold black {self.black} and white {self.white}"
            raise ValueError(message)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw a plausible camera: every field varies as it does across real ones."""
        bits = int(rng.choice([10, 12, 12, 14, 14, 14, 16]))
        full_scale = (1 << bits) - 1
        matrix = _blend_of_sensors(rng)
        red, green, blue = neutral_at(matrix, 1e6 / rng.uniform(130, 350))
        tint = np.exp(rng.normal(0, 0.03, 2))
        m = [float(value) for value in matrix.reshape(9)]
        return cls(
            pattern=get_args(BayerPattern)[rng.integers(4)],
            bits=bits,
            black=int(full_scale * rng.choice([0, 1 / 64, 1 / 32, 1 / 16, 1 / 8])),
            white=int(full_scale * rng.choice([1, 1, 0.98, 0.93])),
            color_matrix=(m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8]),
            neutral=(float(red * tint[0]), green, float(blue * tint[1])),
            exposure=float(rng.uniform(-2.0, 0.6)),
            headroom=float(rng.uniform(0.0, 2.5)),
            iso=int(round(100 * 2 ** rng.uniform(0, 6), -1)),
            full_well=float(np.exp(rng.uniform(np.log(4_000), np.log(90_000)))),
            read_noise=float(rng.uniform(1.0, 5.0)),
            vignetting=float(max(0.0, rng.uniform(-0.3, 0.5))),
            aberration=(float(rng.normal(0, 2e-4)), float(rng.normal(0, 2e-4))),
        )

    @property
    def electrons(self) -> float:
        """Electrons of a saturated pixel at this ISO."""
        return self.full_well * 100 / self.iso

    @property
    def noise(self) -> NoiseModel:
        """Shot and read noise as the variance of the normalised signal."""
        return NoiseModel(1 / self.electrons, (self.read_noise / self.electrons) ** 2)


def _blend_of_sensors(rng: np.random.Generator) -> NDArray[np.float64]:
    """A matrix between those of real sensors, float64 [3, 3].

    Any weighted mean of plausible matrices is plausible, which noise on their entries is not.
    """
    weights = rng.dirichlet(np.full(len(CAMERA_MATRICES), 0.5))
    blend: NDArray[np.float64] = np.tensordot(weights, np.stack([*CAMERA_MATRICES.values()]), 1)
    return blend
