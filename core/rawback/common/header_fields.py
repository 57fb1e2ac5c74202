"""Frames to headers and back.

What a header holds is rounded, and both sides must work from the same numbers: the encoder codes
with the frame that :func:`frame_from_header` gives for its own header, not with the one it was
handed.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.bitstream import Header
from rawback.common.black_levels import offsets_from_header, pack_offsets
from rawback.common.coding_tables import coding_tables
from rawback.errors import PayloadDamaged, PayloadTooNew
from rawback.floats import Scale
from rawback.geometry import Geometry
from rawback.jpegio import DecodedJpeg
from rawback.mosaic import Mosaic
from rawback.residual import (
    CODES_PER_LAYER,
    KLT,
    LEVELS,
    MAX_SLOPE,
    MAX_STEP_CODE,
    Quantiser,
)
from rawback.tone import NoiseDomain
from rawback.types import Floats, NoiseModel, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import Region

__all__ = [
    "ResidualParameters",
    "check_tables",
    "domain_of",
    "fits",
    "frame_from_header",
    "geometry_of",
    "header_of",
    "mosaic_of",
    "pixels_needed",
    "samples_digest",
    "scale_of",
]

LARGEST_RAW = 1 << 28
"""Most pixels of a raw."""

LARGEST_RATIO = 256
"""Most raw pixels for each pixel of the carrier: what a payload may make a decoder allocate grows
with what was really there."""

_NOISE_BITS = 12

_MATRIX_AT = 3
"""Where in the field ``residual`` the matrix begins."""


@dataclass(frozen=True, slots=True)
class ResidualParameters:
    """The header's field ``residual``.

    Attributes:
        transform: Across planes.
        quantisers: Of the layers, coarse to fine, each half the step of the one before.
        weight_power: Power of the weights in quarters, see :mod:`rawback.common.error_weights`.
    """

    transform: KLT
    quantisers: tuple[Quantiser, ...]
    weight_power: int

    def to_bytes(self) -> bytes:
        """Step code of the first layer, power, matrix, slopes, and the points of each layer."""
        first = self.quantisers[0].step_code.to_bytes(2, "big")
        first += self.weight_power.to_bytes(1, "big")
        slopes = bytes(self.quantisers[0].slopes)
        points = bytes(q.near << 4 | q.far for q in self.quantisers)
        return first + self.transform.matrix.tobytes() + slopes + points

    @classmethod
    def from_bytes(cls, data: bytes, planes: int) -> ResidualParameters:
        """Undo :meth:`to_bytes` of so many planes.

        Raises:
            PayloadDamaged: The bytes are no such field.
        """
        slopes_at = _MATRIX_AT + planes * planes
        points = data[slopes_at + planes :]
        layers = len(points)
        code, least = int.from_bytes(data[:2], "big"), (layers - 1) * CODES_PER_LAYER
        slopes = tuple(data[slopes_at : slopes_at + planes])
        steepest = max(slopes, default=0)
        within = least + LEVELS * steepest <= code <= MAX_STEP_CODE and steepest <= MAX_SLOPE
        if layers <= 0 or data[2] > 4 or not within:
            message = "The residual layer's parameters are impossible; fetch the file again."
            raise PayloadDamaged(message)
        matrix = np.frombuffer(data, np.int8, planes * planes, _MATRIX_AT)
        quantisers = tuple(
            Quantiser(
                code - layer * CODES_PER_LAYER,
                point >> 4,
                point & 15,
                slopes,
            )
            for layer, point in enumerate(points)
        )
        return cls(KLT(matrix.reshape(planes, planes)), quantisers, data[2])


def header_of(frame: RawFrame, carrier: DecodedJpeg, geometry: Geometry) -> Header:
    """The header of a payload of `frame` in `carrier`, before anything is coded."""
    height, width = carrier.pixels.shape[:2]
    black = [round(level * 256) for level in frame.black]
    largest = int(frame.cfa.max())
    return Header(
        tables=coding_tables().digest,
        width=frame.width,
        height=frame.height,
        pattern=frame.pattern,
        black=tuple(black),
        white=frame.white,
        ceiling=largest if largest > frame.white else 0,
        black_offsets=pack_offsets(frame),
        noise=(_dyadic(_widened(frame, largest)), _dyadic(frame.noise.offset)),
        carrier_width=width,
        carrier_height=height,
        carrier_digest=carrier.digest,
        orientation=frame.orientation,
        geometry=geometry.to_bytes(),
        floats=_floats_field(frame),
    )


def _floats_field(frame: RawFrame) -> tuple[int, int, int] | None:
    if frame.floats is None:
        return None
    scale = frame.floats.scale
    return int(scale.is_linear), scale.exponent, int(frame.floats.remainders is not None)


def scale_of(header: Header) -> Scale | None:
    """Which floating point numbers samples are codes of; None where they are none."""
    if header.floats is None:
        return None
    is_linear, exponent, _ = header.floats
    return Scale(exponent, is_linear=bool(is_linear))


def _widened(frame: RawFrame, largest: int) -> float:
    """The noise's scale, such that the noise-normalised domain has room for the largest sample."""
    black = max(frame.black)
    return NoiseDomain.least_scale(
        frame.noise.scale, max(1.0, (largest - black) / (frame.white - black))
    )


def frame_from_header(
    header: Header, cfa: NDArray[np.uint16], region: Region | None = None
) -> RawFrame:
    """The frame that a header describes, with the given mosaic, or that of a region."""
    scale, offset = (math.ldexp(*pair) for pair in header.noise)
    offsets, mosaic = offsets_from_header(header), mosaic_of(header)
    black, codes_of = [level / 256 for level in header.black], scale_of(header)
    if region is not None:
        left, top, width, height = region
        offsets = None if offsets is None else offsets.within(top, left, height, width)
        mosaic, order = mosaic.shifted(top, left)
        black = [black[channel] for channel in order]
    try:
        return RawFrame(
            cfa=cfa,
            pattern=str(mosaic),
            black=tuple(black),
            white=header.white,
            noise=NoiseModel(scale, offset),
            orientation=header.orientation,
            black_offsets=offsets,
            floats=None if codes_of is None else Floats(codes_of),
        )
    except ValueError as error:
        message = f"The payload describes no raw ({error}); fetch the file again."
        raise PayloadDamaged(message) from error


def mosaic_of(header: Header) -> Mosaic:
    """Which samples a payload's frame has.

    Raises:
        PayloadDamaged: The header describes no such thing.
    """
    try:
        mosaic = Mosaic.parse(header.pattern)
    except ValueError as error:
        message = f"The payload describes no raw ({error}); fetch the file again."
        raise PayloadDamaged(message) from error
    if len(mosaic.colours) != len(header.black):
        message = "The payload describes no raw (its black levels are too few); fetch it again."
        raise PayloadDamaged(message)
    return mosaic


def domain_of(header: Header) -> NoiseDomain:
    """The noise-normalised domain that a payload's samples are coded in."""
    black = [level / 256 for level in header.black]
    scale, offset = (math.ldexp(*pair) for pair in header.noise)
    offsets = offsets_from_header(header)
    pedestal = 0 if offsets is None else offsets.pedestal
    black = [level + pedestal for level in black]
    white = min(header.white + pedestal, 0xFFFF)
    ceiling = min(max(header.white, header.ceiling) + pedestal, 0xFFFF)
    if max(black) >= white:
        message = "The payload describes no raw (black is not below white); fetch the file again."
        raise PayloadDamaged(message)
    noise, lost = NoiseModel(scale, offset), header.lost_variance / 16
    return NoiseDomain.of(noise, tuple(black), white, ceiling, mosaic_of(header), lost)


def geometry_of(header: Header) -> Geometry:
    """Where the header says that raw pixels lie in the carrier `pixels_needed`."""
    raw_size = header.width, header.height
    geometry = Geometry.from_bytes(
        header.geometry,
        raw_size=raw_size,
        carrier_size=(header.carrier_width, header.carrier_height),
    )
    return Geometry.disjoint(raw_size, (1, 1)) if geometry.is_disjoint else geometry


def pixels_needed(header: Header, carrier: DecodedJpeg) -> DecodedJpeg:
    """The carrier that a payload is coded against.

    Returns:
        The carrier itself, or a single black pixel where the carrier shows nothing of the raw: such
        a payload is restored whatever becomes of its JPEG's pixels.
    """
    if not geometry_of(header).is_disjoint:
        return carrier
    return DecodedJpeg(np.zeros((1, 1, 3), np.uint8), carrier.orientation)


def check_tables(header: Header) -> None:
    """Refuse a payload coded with tables that this rawback does not have.

    Raises:
        PayloadTooNew: The header names other tables.
    """
    if header.tables != coding_tables().digest:
        message = "The payload was coded with tables that this rawback does not have; update it."
        raise PayloadTooNew(message)


def fits(raw_pixels: int, carrier_pixels: int) -> bool:
    """Whether a raw is not too large for its carrier, nor at all."""
    return raw_pixels <= min(LARGEST_RAW, LARGEST_RATIO * carrier_pixels)


def samples_digest(frame: RawFrame) -> bytes:
    """SHA-256 of a mosaic: little-endian samples, row by row, and then their remainders."""
    digest = hashlib.sha256(np.ascontiguousarray(frame.cfa, dtype="<u2").data)
    if frame.floats is not None and frame.floats.remainders is not None:
        digest.update(np.ascontiguousarray(frame.floats.remainders, dtype="<u4").data)
    return digest.digest()


def _dyadic(value: float) -> tuple[int, int]:
    """Mantissa and exponent of `value`, rounded to a few significant bits; 0 if tiny."""
    fraction, exponent = math.frexp(value)
    mantissa = round(math.ldexp(fraction, _NOISE_BITS))
    exponent -= _NOISE_BITS
    while mantissa and mantissa % 2 == 0:
        mantissa, exponent = mantissa // 2, exponent + 1
    return (mantissa, min(exponent, 0)) if mantissa and exponent >= -255 else (0, 0)
