"""Grain: where no residual was coded, noise with the spectrum of what was left away.

A lossy payload below the noise restores flat areas that are too smooth: its error is smaller than
the noise, but the noise is gone, and lifted shadows look like wax. As film grain is added to
decoded video (AV1, section 7.18.3 of its specification), a restored raw may be given noise again: a
random coefficient in place of each that was not coded, with a deviation for each level of each
component. These are measured by the encoder on smooth areas, so that restored and grain together
have the power of the original there. What was coded is never touched.

It is no detail that comes back, and no error figure knows of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.errors import PayloadDamaged
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual import COEFFICIENT_UNIT, LEVELS, RegionClass, band_gain, bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.common.tiles import Window
    from rawback.residual import TileContext

__all__ = ["CODES", "Grain", "GrainSpectrum", "deviation_of", "spectrum_bytes"]

CODES = 16
"""0 for none, then from a sixth of the noise's deviation to twice as much."""

_DECIBELS_PER_CODE = 1.5
_LARGEST = 2.0
_NORMAL_DEVIATION = 209.0
"""Of the kernel's random numbers: eight bytes have a deviation of ``sqrt(8 (256^2 - 1) / 12)``."""

_NOISE_ONE = 256
_BITS = 20

_grain = Kernel(
    "grain",
    *(Integer, Integer, Integer, Integer, Integer),
    *(Read(np.int32, 1), Read(np.uint8, 1), Read(np.uint16, 1)),
    *(Integer, Read(np.int32, 2), Write(np.int32, 1)),
)


def spectrum_bytes(components: int) -> int:
    """What the spectrum of so many components takes."""
    return (components * LEVELS + 1) // 2


def deviation_of(code: int) -> float:
    """What a code stands for, in standard deviations of the noise."""
    return _LARGEST * 10 ** (-_DECIBELS_PER_CODE * (CODES - 1 - code) / 20) if code else 0.0


@dataclass(frozen=True, slots=True)
class GrainSpectrum:
    """How strong grain is.

    Attributes:
        codes: uint8 ``[n, LEVELS]``: of each component, from level 1 on; below CODES.
    """

    codes: NDArray[np.uint8]

    @classmethod
    def of_deviations(cls, deviations: NDArray[np.float64]) -> GrainSpectrum:
        """The nearest to deviations ``[n, LEVELS]``, in those of the noise."""
        levels = 20 * np.log10(np.maximum(deviations, 1e-9) / _LARGEST) / _DECIBELS_PER_CODE
        return cls(np.clip(np.rint(CODES - 1 + levels), 0, CODES - 1).astype(np.uint8))

    def to_bytes(self) -> bytes:
        """Four bits for each code, and four more of 0 where they do not fill the last byte."""
        codes = self.codes.ravel()
        pairs = np.append(codes, np.zeros(codes.size % 2, np.uint8)).reshape(-1, 2)
        return bytes((pairs[:, 0] << 4 | pairs[:, 1]).tolist())

    @classmethod
    def from_bytes(cls, data: bytes, components: int) -> GrainSpectrum:
        """Undo `to_bytes` of so many components.

        Raises:
            PayloadDamaged: The bytes are too few or too many.
        """
        if len(data) != spectrum_bytes(components):
            message = "The grain's spectrum has an impossible length; fetch the file again."
            raise PayloadDamaged(message)
        packed = np.frombuffer(data, np.uint8)
        codes = np.stack([packed >> 4, packed & 15], axis=1).ravel()
        return cls(codes[: components * LEVELS].reshape(components, LEVELS))

    @property
    def amplitudes(self) -> NDArray[np.int32]:
        """Of the kernel's random numbers: int32 ``[bands, n]``; the lowest band gets none."""
        one = (1 << _BITS) * COEFFICIENT_UNIT / (_NOISE_ONE * _NORMAL_DEVIATION)
        rows = [
            [
                round(one * deviation_of(int(codes[band.level - 1])) / band_gain(band))
                if band.high_x or band.high_y
                else 0
                for codes in self.codes
            ]
            for band in bands()
        ]
        return np.array(rows, np.int32)


@dataclass(frozen=True, slots=True)
class Grain:
    """The grain of a frame.

    Attributes:
        spectra: How strong it is where a tile has one layer, two and so on.
        seed: Of its random numbers, the same for every copy of the payload.
    """

    spectra: tuple[GrainSpectrum, ...]
    seed: int

    @classmethod
    def of(cls, spectra: bytes, layers: int, components: int, digest: bytes) -> Grain:
        """Of what the header holds: a spectrum for each layer, and the carrier's digest.

        Raises:
            PayloadDamaged: These are not spectra of so many layers and components.
        """
        size = spectrum_bytes(components)
        if len(spectra) != layers * size:
            message = "The grain's spectra have an impossible length; fetch the file again."
            raise PayloadDamaged(message)
        parts = (spectra[i : i + size] for i in range(0, len(spectra), size))
        seed = int.from_bytes(digest[:8], "little", signed=True)
        return cls(tuple(GrainSpectrum.from_bytes(part, components) for part in parts), seed)

    def of_tile(
        self, tile: Window, indices: NDArray[np.int32], layers: int, context: TileContext
    ) -> NDArray[np.int32]:
        """Coefficients to add to those of a tile, in coefficient units.

        Args:
            tile: Which.
            indices: int32, of all bands one after the other, each ``[n, h, w]``.
            layers: How many layers it has, at least one.
            context: What base and guide say of it.

        Returns:
            int32, laid out as `indices`; 0 wherever an index is not.
        """
        found = np.empty_like(indices)
        _grain(
            *(*tile.shape, tile.top, tile.left, self.seed),
            *(indices, context.classes, context.noise),
            *(int(RegionClass.EDGE), self.spectra[layers - 1].amplitudes, found),
        )
        return found
