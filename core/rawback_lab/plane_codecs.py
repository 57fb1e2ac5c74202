"""Standard codecs for planes of 16-bit codes, filled up to a budget of bytes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import imagecodecs
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JPEG2000", "JPEGXL", "JPEGXL_COLOUR", "PlaneCodec", "fill", "jpegxl_lossless"]

Encoder: TypeAlias = Callable[["NDArray[np.uint16]", float], bytes]
"""Planes ``[C, h, w]`` at a quality in decibels, to bytes."""

Decoder: TypeAlias = Callable[[bytes, tuple[int, ...]], "NDArray[np.uint16]"]
"""The same back, given the planes' shape."""

_THREADS = os.cpu_count() or 1
_TRIES = 12


@dataclass(frozen=True, slots=True)
class PlaneCodec:
    """A lossy codec of planes of 16-bit codes, steered by one number that sizes grow with.

    Attributes:
        name: What its tries are remembered under.
        encode: Planes and quality to bytes.
        decode: Back.
        lowest: The least quality worth trying.
        highest: The best quality it has.
    """

    name: str
    encode: Encoder
    decode: Decoder
    lowest: float
    highest: float


def fill(
    codec: PlaneCodec, planes: NDArray[np.uint16], budget: int, tries: dict[float, int]
) -> bytes | None:
    """The largest stream of at most `budget` bytes that a dozen tries find.

    Sizes grow with quality about exponentially, so every other try is where a straight line
    through the logarithms of the bracketing sizes meets the budget. The ones between halve the
    bracket, as lines alone would creep up on the budget from one side.

    Args:
        codec: The codec.
        planes: uint16 ``[C, h, w]``.
        budget: Bytes.
        tries: Sizes by quality that are known of these planes; grows by what is tried.

    Returns:
        The stream; None where the least quality takes more.
    """
    streams: dict[float, bytes] = {}

    def size(quality: float) -> int:
        streams[quality] = codec.encode(planes, quality)
        tries[quality] = len(streams[quality])
        return tries[quality]

    if tries.get(codec.lowest) is None:
        size(codec.lowest)
    if tries[codec.lowest] > budget:
        return None
    low = max(quality for quality, known in tries.items() if known <= budget)
    above = [quality for quality, known in tries.items() if known > budget and quality > low]
    high = min(above, default=codec.highest)
    small, large = tries[low], tries.get(high, 2 * planes.size)
    for attempt in range(_TRIES):
        if small > 0.99 * budget:
            break
        share = (math.log(budget) - math.log(small)) / (math.log(large) - math.log(small))
        share = share if (attempt % 2) ^ (high in tries) else 0.5
        quality = low + (high - low) * min(max(share, 0.05), 0.95)
        if size(quality) > budget:
            high, large = quality, tries[quality]
        else:
            low, small = quality, tries[quality]
    best = max((q for q, known in tries.items() if known <= budget), key=tries.__getitem__)
    return streams[best] if best in streams else codec.encode(planes, best)


def jpegxl_lossless(
    plane: NDArray[np.uint16] | NDArray[np.float32], bits: int | None = None
) -> bytes:
    """Code a plane ``[h, w]`` without loss, as samples of so many bits."""
    stream = imagecodecs.jpegxl_encode(
        plane, lossless=True, effort=7, bitspersample=bits, numthreads=_THREADS
    )
    return bytes(stream)


def _encode_jpeg2000(planes: NDArray[np.uint16], quality: float) -> bytes:
    # One codestream with the planes as components: its bits then go where they help most.
    return bytes(
        imagecodecs.jpeg2k_encode(
            planes,
            level=quality,  # type: ignore[arg-type]  # fractions of a decibel are taken too
            codecformat="J2K",
            reversible=False,
            planar=True,
            mct=False,
            numthreads=_THREADS,
        )
    )


def _decode_jpeg2000(stream: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    return np.asarray(imagecodecs.jpeg2k_decode(stream, planar=True), np.uint16).reshape(shape)


def _encode_jpegxl(image: NDArray[np.uint16], quality: float) -> bytes:
    distance = 10 ** (-quality / 20)
    stream = imagecodecs.jpegxl_encode(
        image, distance=distance, effort=7, lossless=False, numthreads=_THREADS
    )
    return bytes(stream)


def _encode_stacked(planes: NDArray[np.uint16], quality: float) -> bytes:
    # Stacked, the planes share one header and one set of histograms; as extra channels they
    # would be coded without the transform, at ten times the size.
    return _encode_jpegxl(planes.reshape(-1, planes.shape[2]), quality)


def _decode_stacked(stream: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    return np.asarray(imagecodecs.jpegxl_decode(stream), np.uint16).reshape(shape)


def _encode_colour(planes: NDArray[np.uint16], quality: float) -> bytes:
    return _encode_jpegxl(np.ascontiguousarray(planes.transpose(1, 2, 0)), quality)


def _decode_colour(stream: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    decoded = np.asarray(imagecodecs.jpegxl_decode(stream), np.uint16)
    return np.ascontiguousarray(decoded.transpose(2, 0, 1)).reshape(shape)


JPEG2000 = PlaneCodec("jpeg2000", _encode_jpeg2000, _decode_jpeg2000, lowest=10, highest=110)
JPEGXL = PlaneCodec("jpegxl", _encode_stacked, _decode_stacked, lowest=-27.9, highest=40)
JPEGXL_COLOUR = PlaneCodec("jpegxl-colour", _encode_colour, _decode_colour, -27.9, 40)
"""For three planes that are red, green and blue of a picture."""
