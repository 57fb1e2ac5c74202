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
from rawback.residual import COEFFICIENT_UNIT, RegionClass, band_gain, bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.common.tiles import Window
    from rawback.residual import TileContext

__all__ = [
    "CODES",
    "LARGEST",
    "SPECTRUM_LEVELS",
    "Grain",
    "GrainSpectrum",
    "deviation_of",
    "spectrum_bytes",
]

CODES = 32
"""0 for none, then from a seventh of the noise's deviation to twice as much."""

SPECTRUM_LEVELS = 4
"""Levels that have a code; the coarsest ones share the last."""

LARGEST = 2.0
"""The largest deviation, in standard deviations of the noise."""

_DECIBELS_PER_CODE = 0.75
_BITS_PER_CODE = 5
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
    return -(-components * SPECTRUM_LEVELS * _BITS_PER_CODE // 8)


def deviation_of(code: int) -> float:
    """What a code stands for, in standard deviations of the noise."""
    return LARGEST * 10 ** (-_DECIBELS_PER_CODE * (CODES - 1 - code) / 20) if code else 0.0


@dataclass(frozen=True, slots=True)
class GrainSpectrum:
    """How strong grain is.

    Attributes:
        codes: uint8 ``[n, SPECTRUM_LEVELS]``: of each component, from level 1 on; below CODES.
    """

    codes: NDArray[np.uint8]

    @classmethod
    def of_deviations(cls, deviations: NDArray[np.float64]) -> GrainSpectrum:
        """The nearest to deviations ``[n, SPECTRUM_LEVELS]``, in those of the noise."""
        levels = 20 * np.log10(np.maximum(deviations, 1e-9) / LARGEST) / _DECIBELS_PER_CODE
        return cls(np.clip(np.rint(CODES - 1 + levels), 0, CODES - 1).astype(np.uint8))

    def to_bytes(self) -> bytes:
        """Five bits for each code, most significant first; bits of 0 fill the last byte."""
        bits = self.codes.reshape(-1, 1) >> np.arange(_BITS_PER_CODE)[::-1] & 1
        return np.packbits(bits.astype(np.uint8)).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, components: int) -> GrainSpectrum:
        """Undo `to_bytes` of so many components.

        Raises:
            PayloadDamaged: The bytes are too few or too many.
        """
        if len(data) != spectrum_bytes(components):
            message = "The grain's spectrum has an impossible length; fetch the file again."
            raise PayloadDamaged(message)
        count = components * SPECTRUM_LEVELS
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count * _BITS_PER_CODE)
        codes = bits.reshape(count, _BITS_PER_CODE) @ (1 << np.arange(_BITS_PER_CODE)[::-1])
        return cls(codes.astype(np.uint8).reshape(components, SPECTRUM_LEVELS))

    @property
    def amplitudes(self) -> NDArray[np.int32]:
        """Of the kernel's random numbers: int32 ``[bands, n]``; the lowest band gets none."""
        one = (1 << _BITS) * COEFFICIENT_UNIT / (_NOISE_ONE * _NORMAL_DEVIATION)
        rows = [
            [
                round(
                    one
                    * deviation_of(int(codes[min(band.level, SPECTRUM_LEVELS) - 1]))
                    / band_gain(band)
                )
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
