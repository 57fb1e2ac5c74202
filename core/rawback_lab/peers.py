"""What rawback is measured against: other ways to keep a raw, with the carrier's help or without.

Each peer is as good as we could make it. Where a peer codes a residual, ``-linear`` codes it in
linear light, which raw PSNR rewards, and the plain one in ``T = sqrt(signal + 0.001)``, which
spreads errors as noise spreads and so serves shadows better.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import imagecodecs
import numpy as np

from rawback import rawio
from rawback_lab.base_lut import apply_lut, fit_lut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.types import Guide, RawFrame

__all__ = ["BASE_BYTES", "FIXED_SIZE", "PEERS", "Coded", "Peer", "Shot"]

BASE_BYTES = 2_000
"""What the base's four tables are counted at, quantised and entropy-coded."""

_OFFSET = np.float32(0.001)
_MIDDLE, _LARGEST = 1 << 15, (1 << 16) - 1

Scalar = TypeVar("Scalar", bound=np.generic)

Planes: TypeAlias = "NDArray[np.float32]"
"""The four CFA positions in reading order, ``[4, H/2, W/2]``."""


@dataclass(frozen=True, slots=True)
class Coded:
    """What a peer made of a frame.

    Attributes:
        size: Bytes to be stored; all that its decoder needs beside the carrier.
        cfa: The mosaic as it comes back, uint16 ``[H, W]``.
    """

    size: int
    cfa: NDArray[np.uint16]


@dataclass(frozen=True)
class Shot:
    """A raw and its carrier, with the work that all peers share done once.

    Attributes:
        frame: The raw.
        guide: The carrier's pixels on its grid.
    """

    frame: RawFrame
    guide: Guide

    @cached_property
    def signal(self) -> Planes:
        """Normalised samples in [0, 1]; odd sides are padded by their last row or column."""
        mosaic = _even(self.frame.cfa).astype(np.float32)
        levels = np.array(self.frame.black, np.float32)[:, None, None]
        scaled = (_planes(mosaic) - levels) / (self.frame.white - levels)
        return np.clip(scaled, 0, 1, out=scaled)

    @cached_property
    def base(self) -> Planes:
        """The signal as the carrier's colours alone predict it, in T."""
        pixels, covered = _even(self.guide.pixels), _even(self.guide.mask)
        predicted = np.empty_like(self.signal)
        for position, plane in enumerate(self.signal):
            at = slice(position // 2, None, 2), slice(position % 2, None, 2)
            colours = pixels[at].reshape(-1, 3)
            weights = covered[at].ravel().astype(np.float32)
            table = fit_lut(colours, np.sqrt(plane.ravel() + _OFFSET), weights=weights)
            predicted[position] = apply_lut(table, colours).reshape(plane.shape)
        return predicted

    def mosaic(self, signal: NDArray[np.floating]) -> NDArray[np.uint16]:
        """The samples in DN, uint16 ``[H, W]``, of a normalised signal."""
        numbers = np.empty((2 * signal.shape[1], 2 * signal.shape[2]), np.uint16)
        for position, (plane, black) in enumerate(zip(signal, self.frame.black, strict=True)):
            scaled = black + np.clip(plane, 0, 1) * np.float32(self.frame.white - black)
            numbers[position // 2 :: 2, position % 2 :: 2] = np.rint(scaled)
        return numbers[: self.frame.height, : self.frame.width]


Peer: TypeAlias = Callable[[Shot, int], Coded | None]
"""A shot and a budget in bytes, to the best that fits it; None where nothing does."""

Encoder: TypeAlias = Callable[["NDArray[np.uint16]", float], bytes]
"""Planes of 16-bit codes at a quality in decibels, to bytes."""

Decoder: TypeAlias = Callable[[bytes, tuple[int, ...]], "NDArray[np.uint16]"]
"""The same back, given the planes' shape."""


@dataclass(frozen=True, slots=True)
class Codec:
    """A lossy codec of planes of 16-bit codes, steered by one number that sizes grow with.

    Attributes:
        encode: Planes and quality to bytes.
        decode: Back.
        lowest: The least quality worth trying.
        highest: The best quality it has.
    """

    encode: Encoder
    decode: Decoder
    lowest: float
    highest: float


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
        )
    )


def _decode_jpeg2000(stream: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    return np.asarray(imagecodecs.jpeg2k_decode(stream, planar=True), np.uint16).reshape(shape)


def _encode_jpegxl(planes: NDArray[np.uint16], quality: float) -> bytes:
    # Stacked, the planes share one header and one set of histograms; as extra channels they
    # would be coded without the transform, at ten times the size.
    stacked = planes.reshape(-1, planes.shape[2])
    return bytes(
        imagecodecs.jpegxl_encode(stacked, distance=10 ** (-quality / 20), effort=7, lossless=False)
    )


def _decode_jpegxl(stream: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    return np.asarray(imagecodecs.jpegxl_decode(stream), np.uint16).reshape(shape)


_JPEG2000 = Codec(_encode_jpeg2000, _decode_jpeg2000, lowest=10, highest=110)
_JPEGXL = Codec(_encode_jpegxl, _decode_jpegxl, lowest=-27.9, highest=40)


def _base_alone(shot: Shot, budget: int) -> Coded | None:
    if budget < BASE_BYTES:
        return None
    return Coded(BASE_BYTES, shot.mosaic(np.square(shot.base) - _OFFSET))


def _base_and_residual(shot: Shot, budget: int, *, codec: Codec, linear: bool) -> Coded | None:
    if budget <= BASE_BYTES:
        return None
    truth, base = shot.signal, shot.base
    if linear:
        base = np.clip(np.square(base) - _OFFSET, 0, 1)
    else:
        truth = np.sqrt(truth + _OFFSET)
    # Half a code less than full scale each way: a residual lies in [-1, 1].
    codes = np.rint((truth - base) * (_MIDDLE - 1)) + _MIDDLE
    stream = _fill(codec, np.clip(codes, 0, _LARGEST).astype(np.uint16), budget - BASE_BYTES)
    if stream is None:
        return None
    decoded = codec.decode(stream, base.shape).astype(np.float32)
    restored = base + (decoded - _MIDDLE) / (_MIDDLE - 1)
    signal = restored if linear else np.square(np.maximum(restored, 0)) - _OFFSET
    if _squared_error(signal, shot) > _squared_error(np.square(shot.base) - _OFFSET, shot):
        # JPEG XL at its coarsest does harm at times, which an encoder would see.
        return _base_alone(shot, budget)
    return Coded(BASE_BYTES + len(stream), shot.mosaic(signal))


def _squared_error(signal: NDArray[np.floating], shot: Shot) -> float:
    return float(np.square(np.clip(signal, 0, 1) - shot.signal).sum(dtype=np.float64))


def _planes_alone(shot: Shot, budget: int, *, codec: Codec, exponent: float) -> Coded | None:
    codes = np.rint(_LARGEST * shot.signal**exponent).astype(np.uint16)
    stream = _fill(codec, codes, budget)
    if stream is None:
        return None
    decoded = codec.decode(stream, codes.shape).astype(np.float32) / _LARGEST
    return Coded(len(stream), shot.mosaic(decoded ** (1 / exponent)))


def _lossless_jpegxl(shot: Shot, budget: int) -> Coded | None:
    del budget
    planes = np.ascontiguousarray(_planes(_even(shot.frame.cfa)))
    streams = [imagecodecs.jpegxl_encode(plane, lossless=True, effort=7) for plane in planes]
    return Coded(sum(map(len, streams)), shot.frame.cfa)


def _lossless_dng(shot: Shot, budget: int) -> Coded | None:
    del budget
    return Coded(len(rawio.write_dng(shot.frame, compression="ljpeg")), shot.frame.cfa)


PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        "base": _base_alone,
        "base+jpeg2000": partial(_base_and_residual, codec=_JPEG2000, linear=False),
        "base+jpeg2000-linear": partial(_base_and_residual, codec=_JPEG2000, linear=True),
        "base+jpegxl": partial(_base_and_residual, codec=_JPEGXL, linear=False),
        "base+jpegxl-linear": partial(_base_and_residual, codec=_JPEGXL, linear=True),
        "jpegxl": partial(_planes_alone, codec=_JPEGXL, exponent=0.5),
        "jpegxl-linear": partial(_planes_alone, codec=_JPEGXL, exponent=1.0),
        "jpegxl-lossless": _lossless_jpegxl,
        "ljpeg-dng": _lossless_dng,
    }
)
"""The peers by name."""

FIXED_SIZE = frozenset({"base", "jpegxl-lossless", "ljpeg-dng"})
"""Peers with one size whatever the budget."""


def _fill(codec: Codec, planes: NDArray[np.uint16], budget: int) -> bytes | None:
    """The largest stream of at most `budget` bytes that a dozen tries find.

    Sizes grow with quality about exponentially, so every other try is where a straight line
    through the logarithms of the bracketing sizes meets the budget. The ones between halve the
    bracket, as lines alone would creep up on the budget from one side.
    """
    low, high = codec.lowest, codec.highest
    best = codec.encode(planes, low)
    if len(best) > budget:
        return None
    goal, small, large = math.log(budget), math.log(len(best)), math.log(2 * planes.size)
    for attempt in range(12):
        share = (goal - small) / (large - small) if attempt % 2 else 0.5
        quality = low + (high - low) * min(max(share, 0.05), 0.95)
        stream = codec.encode(planes, quality)
        if len(stream) > budget:
            high, large = quality, math.log(len(stream))
            continue
        low, small = quality, math.log(len(stream))
        best = max(best, stream, key=len)
        if len(best) > 0.99 * budget:
            break
    return best


def _planes(mosaic: NDArray[Scalar]) -> NDArray[Scalar]:
    return np.stack([mosaic[p // 2 :: 2, p % 2 :: 2] for p in range(4)])


def _even(image: NDArray[Scalar]) -> NDArray[Scalar]:
    """Repeat the last row or column of an image ``[H, W, ...]`` where its sides are odd."""
    padding = [(0, side % 2) for side in image.shape[:2]] + [(0, 0)] * (image.ndim - 2)
    return np.pad(image, padding, mode="edge")
