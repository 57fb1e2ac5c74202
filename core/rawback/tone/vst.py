"""The noise-normalised domain: samples on a scale where the sensor's noise is 1 everywhere.

For noise of variance ``a s + b`` at signal ``s`` the generalised Anscombe transform
``T(s) = 2/a sqrt(a s + 3/8 a^2 + b)`` (Starck, Murtagh and Bijaoui, *Image Processing and Data
Analysis*, 1998) has a standard deviation near 1 at every signal. Below black it continues as its
tangent.

A sensor with hardly any read noise would stretch the deepest shadows without end, so the variance
at black counts as at least that of a signal of 1/1000.

Values are integers in units of ``1/UNIT`` of the noise's standard deviation. Both directions are
tables, one entry per digital number and one per integer of the domain; the kernels that look up in
them are in ``kernels/planes.c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.mosaic import Mosaic
from rawback.parallel import each_in_threads, row_bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import NoiseModel

__all__ = ["LIMIT", "UNIT", "NoiseDomain"]

_planes_of_mosaic = Kernel(
    "planes_of_mosaic",
    *(Read(np.uint16, 2), Read(np.uint8, 3), Integer, Read(np.int32, 2), Write(np.int16, 3)),
)
_mosaic_of_planes = Kernel(
    "mosaic_of_planes",
    *(Read(np.int16, 3), Read(np.uint8, 3), Integer, Read(np.uint16, 2), Read(np.int32, 1)),
    Write(np.uint16, 2),
)

UNIT = 16
"""Integer units per standard deviation of the noise."""

_SHADOW = 1e-3

LIMIT = (1 << 15) - 1
"""No value of the domain is larger in magnitude: samples far below black or above white count as
being there."""

_TOP = 1 << 14
"""The white level maps to at most this: leaves float32 sums over neighbourhoods exact."""

_FOUR_CHANNELS = Mosaic.parse("RGGB")

_ENDS: tuple[Literal["left"], Literal["right"]] = ("left", "right")

_LEAST_SCALE = (2 * UNIT / _TOP) ** 2


@dataclass(frozen=True, slots=True)
class NoiseDomain:
    """Tables between samples in DN and the noise-normalised domain.

    Attributes:
        forward: int32 ``[channels, 65536]``: channel, sample in DN; rows never decrease.
        inverse: uint16 ``[channels, n]``: channel, nearest DN up to white of each value from the
            channel's first on; of several, the middle one.
        firsts: int32 ``[channels]``: these.
        black: Black level of each channel in DN.
        white: Saturation level in DN.
        ceiling: The largest sample in DN, at least `white`.
        mosaic: Says which samples are of which channel.
    """

    forward: NDArray[np.int32]
    inverse: NDArray[np.uint16]
    firsts: NDArray[np.int32]
    black: tuple[float, ...]
    white: int
    ceiling: int
    mosaic: Mosaic = _FOUR_CHANNELS

    @classmethod
    def of(
        cls,
        noise: NoiseModel,
        black: tuple[float, ...],
        white: int,
        ceiling: int | None = None,
        mosaic: Mosaic = _FOUR_CHANNELS,
        lost_variance: float = 0.0,
    ) -> NoiseDomain:
        """Build the tables of a frame; `ceiling` is `white` by default, `mosaic` one of 2x2.

        A mean taken in the domain, as of noise that was not coded, falls short of the mean of the
        samples by a quarter of the noise's scale: the square root bends. The way back makes up for
        it, as the unbiased inverse of Makitalo and Foi (2011) does, for the part of the variance
        that is lost.

        Only IEEE additions, divisions and square roots are used, each correctly rounded, so the
        tables are the same on every machine.
        """
        samples = np.arange(1 << 16, dtype=np.float64)
        scale, _ = _shape(noise)

        def rows(below: float) -> NDArray[np.int32]:
            signals = ((samples - level) / (white - level) - below for level in black)
            values = (np.rint(_transform(signal, noise) * UNIT) for signal in signals)
            return np.stack([np.clip(row, -LIMIT, LIMIT).astype(np.int32) for row in values])

        forward = rows(0.0)
        means = rows(lost_variance / 4 * scale) if lost_variance else forward
        top = white if ceiling is None else ceiling
        return cls(forward, _inverse(means, top), means[:, 0], black, white, top, mosaic)

    @staticmethod
    def least_scale(scale: float, signal: float) -> float:
        """The noise's scale, or what it is to be so that a signal above 1 is within the domain."""
        return max(scale, _LEAST_SCALE * signal) if signal > 1 else scale

    @staticmethod
    def deviation(noise: NoiseModel, signal: float) -> float:
        """Standard deviation of the noise, full scale 1, at a signal of 0 to 1."""
        scale, floor = _shape(noise)
        return float(np.sqrt(np.float64(scale * signal + floor)))

    @staticmethod
    def deviation_at(noise: NoiseModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same where the domain has these values, at least 0, in standard deviations."""
        scale, floor = _shape(noise)
        found: NDArray[np.float64] = np.sqrt(np.float64(floor)) + scale / 2 * values
        return found

    @staticmethod
    def signal_at(noise: NoiseModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The signal, full scale 1, where the domain has these values in standard deviations."""
        scale, floor = _shape(noise)
        at_zero = np.sqrt(np.float64(floor))
        root = at_zero + scale / 2 * np.maximum(values, 0)
        return np.asarray(np.where(values < 0, values * at_zero, (root * root - floor) / scale))

    def to_planes(self, mosaic: NDArray[np.uint16]) -> NDArray[np.int16]:
        """Map the samples of a frame in DN into the domain.

        Args:
            mosaic: uint16, whole cells of ``[cell h, cell w]``, or ``[h, n w]`` where pixels have n
                samples.

        Returns:
            int16 ``[planes, h, w]``: a plane for each sample of a cell.

        Raises:
            ValueError: Cells are not whole.
        """
        cell, across = self.mosaic.cell, self.mosaic.across
        height, width = mosaic.shape
        if height % cell or width % across:
            message = f"{height} x {width} samples are not whole cells of {cell} x {across}"
            raise ValueError(message)
        planes = np.empty((self.mosaic.planes, height // cell, width // across), dtype=np.int16)
        layout = self.mosaic.layout()
        layout = layout.reshape(*layout.shape[:2], -1)

        def fill(rows: slice) -> None:
            part = mosaic[cell * rows.start : cell * rows.stop]
            _planes_of_mosaic(part, layout, cell, self.forward, planes[:, rows])

        each_in_threads(fill, row_bands(height // cell, len(layout)))
        return planes

    def to_mosaic(
        self,
        planes: NDArray[np.int16],
        place: tuple[int, int] = (0, 0),
        out: NDArray[np.uint16] | None = None,
    ) -> NDArray[np.uint16]:
        """Map planes of the domain to the nearest samples in DN, at most the ceiling.

        Args:
            planes: int16 ``[planes, h, w]``, units of ``1/UNIT`` sigma.
            place: Rows and columns of cells above and left of them in the frame.
            out: Where the samples go, if not into a new array.

        Returns:
            uint16 ``[cell h, cell w]``, or ``[h, n w]`` where pixels have n samples.

        Raises:
            ValueError: `out` has not the shape of the samples.
        """
        cell, (height, width) = self.mosaic.cell, planes.shape[1:]
        shape = (cell * height, self.mosaic.across * width)
        samples = np.empty(shape, np.uint16) if out is None else out
        if samples.shape != shape:
            message = f"samples are {shape[0]} x {shape[1]}, not {samples.shape}"
            raise ValueError(message)
        firsts = np.ascontiguousarray(self.firsts)
        layout = self.mosaic.layout(*place)
        layout = layout.reshape(*layout.shape[:2], -1)

        def fill(rows: slice) -> None:
            part = samples[cell * rows.start : cell * rows.stop]
            _mosaic_of_planes(planes[:, rows], layout, cell, self.inverse, firsts, part)

        each_in_threads(fill, row_bands(height, len(layout)))
        return samples


def _inverse(forward: NDArray[np.int32], ceiling: int) -> NDArray[np.uint16]:
    tables = []
    for row in forward[:, : ceiling + 1]:
        values = np.arange(row[0], row[-1] + 1)
        # Of samples that share a value, the middle one: any other would move the mean.
        sums = row[:-1] + row[1:]
        first, last = (np.searchsorted(sums, 2 * values, side=side) for side in _ENDS)
        middle = (first + last) >> 1
        middle[-1] = ceiling
        tables.append(middle)
    longest = max(map(len, tables))
    padded = [np.pad(table, (0, longest - len(table)), mode="edge") for table in tables]
    return np.stack(padded).astype(np.uint16)


def _shape(noise: NoiseModel) -> tuple[float, float]:
    """Scale and floor of the variance that the domain is built for."""
    # A floor on the shot noise bounds the domain: T(1) - T(0) is about 2 / sqrt(scale).
    scale = max(noise.scale, _LEAST_SCALE)
    return scale, max(0.375 * scale * scale + noise.offset, scale * _SHADOW)


def _transform(signal: NDArray[np.float64], noise: NoiseModel) -> NDArray[np.float64]:
    scale, floor = _shape(noise)
    root = np.sqrt(scale * np.maximum(signal, 0) + floor)
    at_zero = np.sqrt(np.float64(floor))
    found: NDArray[np.float64] = np.where(
        signal < 0, signal / at_zero, (root - at_zero) * 2 / scale
    )
    return found
