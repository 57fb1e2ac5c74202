"""What rawback is measured against: other ways to keep a raw, with the carrier's help or without.

Each peer is as good as we could make it. Where a peer codes a residual, ``-linear`` codes it in
linear light, which raw PSNR rewards, and the plain one in ``T = sqrt(signal + 0.001)``, which
spreads errors as noise spreads and so serves shadows better.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import numpy as np

from rawback import rawio
from rawback_lab import sam
from rawback_lab.base_lut import apply_lut, fit_lut
from rawback_lab.plane_codecs import (
    JPEG2000,
    JPEGXL,
    JPEGXL_COLOUR,
    PlaneCodec,
    fill,
    jpegxl_lossless,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.types import Guide, RawFrame

__all__ = [
    "BASE_BYTES",
    "FIXED_SIZE",
    "PEERS",
    "PICTURE_PEERS",
    "Coded",
    "Peer",
    "PicturePeer",
    "Shot",
    "Subject",
    "Tries",
    "fitted_base",
]

BASE_BYTES = 2_000
"""What the base's four tables are counted at, quantised and entropy-coded."""

_OFFSET = np.float32(0.001)
_MIDDLE, _LARGEST = 1 << 15, (1 << 16) - 1

Scalar = TypeVar("Scalar", bound=np.generic)

Planes: TypeAlias = "NDArray[np.float32]"
"""Planes of one size, ``[C, h, w]``: those of a frame's cells, see Mosaic, or colours."""

Tries: TypeAlias = "dict[str, dict[float, int]]"
"""Bytes that a codec took, by what it coded and at which quality."""


@dataclass(frozen=True, slots=True)
class Coded:
    """What a peer made of a frame.

    Attributes:
        size: Bytes to be stored; all that its decoder needs beside the carrier.
        samples: What comes back, as the original has it: a mosaic, uint16 ``[H, W]``, or a
            picture, uint16 ``[H, W, 3]``.
    """

    size: int
    samples: NDArray[np.uint16]


class Subject(Protocol):
    """What peers need to know of what they code: a mosaic or a picture, and its guide."""

    @property
    def base_bytes(self) -> int:
        """What the base's tables are counted at."""
        ...

    @property
    def tries(self) -> Tries:
        """What codecs were asked for already, so that a second budget starts nearer."""
        ...

    @property
    def signal(self) -> Planes:
        """Normalised samples in [0, 1], ``[C, h, w]``."""
        ...

    @property
    def colours(self) -> NDArray[np.uint8]:
        """The guide where each sample is, ``[C, h, w, 3]``."""
        ...

    @property
    def covered(self) -> NDArray[np.uint8]:
        """1 where the carrier covers the sample, else 0, ``[C, h, w]``."""
        ...

    @property
    def base(self) -> Planes:
        """The signal as the guide's colours alone predict it, in T."""
        ...

    def restored(self, signal: NDArray[np.floating]) -> NDArray[np.uint16]:
        """Samples as the original has them, of a normalised signal ``[C, h, w]``."""
        ...


@dataclass(frozen=True)
class Shot:
    """A raw and its carrier, with the work that all peers share done once.

    Attributes:
        frame: The raw.
        guide: The carrier's pixels on its grid.
    """

    frame: RawFrame
    guide: Guide
    tries: Tries = field(default_factory=dict, compare=False)

    base_bytes = BASE_BYTES

    @cached_property
    def signal(self) -> Planes:
        """Normalised samples in [0, 1] of whole cells; what lacks repeats the last ones."""
        levels = np.array(self.frame.black, np.float32)[self._channels]
        scaled = (self.planes.astype(np.float32) - levels) / (self.frame.white - levels)
        return np.clip(scaled, 0, 1, out=scaled)

    @cached_property
    def colours(self) -> NDArray[np.uint8]:
        """The guide where each sample is, ``[C, h, w, 3]``."""
        return self._at_samples(self.guide.pixels)

    @cached_property
    def covered(self) -> NDArray[np.uint8]:
        """1 where the carrier covers the sample, else 0, ``[C, h, w]``."""
        return self._at_samples(self.guide.mask)

    @property
    def planes(self) -> NDArray[np.uint16]:
        """The samples, ``[C, h, w]``."""
        cfa = self.frame.cfa
        if self.frame.mosaic.samples > 1:
            return np.ascontiguousarray(cfa.transpose(2, 0, 1))
        return self._at_samples(cfa)

    @cached_property
    def _shape(self) -> tuple[int, int]:
        cell = self.frame.mosaic.cell
        return -(-self.frame.height // cell), -(-self.frame.width // cell)

    @cached_property
    def _channels(self) -> NDArray[np.uint8]:
        mosaic = self.frame.mosaic
        return np.stack([mosaic.plane_channels(p, self._shape) for p in range(mosaic.planes)])

    def _at_samples(self, image: NDArray[Scalar]) -> NDArray[Scalar]:
        """Values of an image ``[H, W, ...]`` at the samples of each plane, ``[C, h, w, ...]``."""
        mosaic = self.frame.mosaic
        missing = [(0, -side % mosaic.cell) for side in image.shape[:2]]
        whole = np.pad(image, [*missing, *[(0, 0)] * (image.ndim - 2)], mode="edge")
        return np.stack([whole[mosaic.pixels_of(p, self._shape)] for p in range(mosaic.planes)])

    @cached_property
    def base(self) -> Planes:
        """The signal as the carrier's colours alone predict it, in T."""
        return fitted_base(self)

    def restored(self, signal: NDArray[np.floating]) -> NDArray[np.uint16]:
        """The samples in DN, as those of the frame, of a normalised signal."""
        frame, mosaic = self.frame, self.frame.mosaic
        levels = np.array(frame.black, np.float32)[self._channels]
        scaled = np.rint(levels + np.clip(signal, 0, 1) * (frame.white - levels)).astype(np.uint16)
        if mosaic.samples > 1:
            return np.ascontiguousarray(scaled.transpose(1, 2, 0))
        numbers = np.empty([mosaic.cell * side for side in self._shape], np.uint16)
        for plane, values in enumerate(scaled):
            numbers[mosaic.pixels_of(plane, self._shape)] = values
        return numbers[: frame.height, : frame.width]


def fitted_base(subject: Subject) -> Planes:
    """One smooth table per plane, guide colour to signal in T, read at every sample."""
    predicted = np.empty_like(subject.signal)
    parts = zip(subject.signal, subject.colours, subject.covered, strict=True)
    for place, (plane, colours, covered) in enumerate(parts):
        seen = colours.reshape(-1, 3)
        weights = covered.ravel().astype(np.float32)
        table = fit_lut(seen, np.sqrt(plane.ravel() + _OFFSET), weights=weights)
        predicted[place] = apply_lut(table, seen).reshape(plane.shape)
    return predicted


PicturePeer: TypeAlias = Callable[[Subject, int], Coded | None]
"""A subject and a budget in bytes, to the best that fits it; None where nothing does."""

Peer: TypeAlias = Callable[[Shot, int], Coded | None]
"""The same for raws."""


def _base_alone(subject: Subject, budget: int) -> Coded | None:
    if budget < subject.base_bytes:
        return None
    return Coded(subject.base_bytes, subject.restored(np.square(subject.base) - _OFFSET))


def _base_and_residual(
    subject: Subject, budget: int, *, codec: PlaneCodec, linear: bool
) -> Coded | None:
    room = budget - subject.base_bytes
    if room <= 0:
        return None
    truth, base = subject.signal, subject.base
    if linear:
        base = np.clip(np.square(base) - _OFFSET, 0, 1)
    else:
        truth = np.sqrt(truth + _OFFSET)
    # Half a code less than full scale each way: a residual lies in [-1, 1].
    codes = np.clip(np.rint((truth - base) * (_MIDDLE - 1)) + _MIDDLE, 0, _LARGEST)
    tries = subject.tries.setdefault(f"{codec.name}, residual, {linear=}", {})
    stream = fill(codec, codes.astype(np.uint16), room, tries)
    if stream is None:
        return _base_alone(subject, budget)
    decoded = codec.decode(stream, base.shape).astype(np.float32)
    restored = base + (decoded - _MIDDLE) / (_MIDDLE - 1)
    signal = restored if linear else np.square(np.maximum(restored, 0)) - _OFFSET
    if _squared_error(signal, subject) > _squared_error(np.square(subject.base) - _OFFSET, subject):
        # JPEG XL at its coarsest does harm at times, which an encoder would see.
        return _base_alone(subject, budget)
    return Coded(subject.base_bytes + len(stream), subject.restored(signal))


def _squared_error(signal: NDArray[np.floating], subject: Subject) -> float:
    return float(np.square(np.clip(signal, 0, 1) - subject.signal).sum(dtype=np.float64))


def _planes_alone(
    subject: Subject, budget: int, *, codec: PlaneCodec, exponent: float
) -> Coded | None:
    codes = np.rint(_LARGEST * subject.signal**exponent).astype(np.uint16)
    tries = subject.tries.setdefault(f"{codec.name}, {exponent=}", {})
    stream = fill(codec, codes, budget, tries)
    if stream is None:
        return None
    decoded = codec.decode(stream, codes.shape).astype(np.float32) / _LARGEST
    return Coded(len(stream), subject.restored(decoded ** (1 / exponent)))


def _sampled(subject: Subject, budget: int) -> Coded | None:
    companded = np.sqrt(subject.signal + _OFFSET)
    kept = sam.sample(companded, budget, subject.tries.setdefault("sam", {}))
    if kept is None:
        return None
    restored = sam.interpolate(kept, subject.colours)
    signal = np.square(np.maximum(restored, 0)) - _OFFSET
    return Coded(kept.size, subject.restored(signal))


def _lossless_jpegxl(shot: Shot, budget: int) -> Coded | None:
    """All that a lossless payload holds: the optical black border too."""
    del budget
    frame, planes = shot.frame, list(shot.planes)
    if frame.border is not None:
        whole, cell = frame.border.joined(frame.cfa), frame.mosaic.cell
        planes = [whole[y::cell, x::cell] for y, x in np.ndindex(cell, cell)]
    size = sum(len(jpegxl_lossless(np.ascontiguousarray(plane))) for plane in planes)
    return Coded(size, frame.cfa)


def _lossless_dng(shot: Shot, budget: int) -> Coded | None:
    del budget
    return Coded(len(rawio.write_dng(shot.frame, compression="ljpeg")), shot.frame.cfa)


def _lossless_miniraw(shot: Shot, budget: int) -> Coded | None:
    """Its layers for the mosaic alone: no thumbnail, nothing of the file around the samples."""
    del budget
    if find_spec("miniraw") is None:
        return None
    from miniraw import decode, encode, io_raw

    sides = [(0, side % 2) for side in shot.frame.cfa.shape]
    whole = shot.frame.excerpt(np.pad(shot.frame.cfa, sides, mode="edge"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "raw.dng")
        file.write_bytes(rawio.write_dng(whole))
        stream, _ = encode(io_raw.read(str(file)), effort=7, idx=False)
    decoded = np.asarray(decode(stream, mode="exact"), np.uint16)
    return Coded(len(stream), decoded[: shot.frame.height, : shot.frame.width])


_RESIDUALS: dict[str, Callable[[Subject, int], Coded | None]] = {
    "base": _base_alone,
    "base+jpeg2000": partial(_base_and_residual, codec=JPEG2000, linear=False),
    "base+jpeg2000-linear": partial(_base_and_residual, codec=JPEG2000, linear=True),
    "base+jpegxl": partial(_base_and_residual, codec=JPEGXL, linear=False),
    "base+jpegxl-linear": partial(_base_and_residual, codec=JPEGXL, linear=True),
    "sam": _sampled,
}

PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        **_RESIDUALS,
        "jpegxl": partial(_planes_alone, codec=JPEGXL, exponent=0.5),
        "jpegxl-linear": partial(_planes_alone, codec=JPEGXL, exponent=1.0),
        "jpegxl-lossless": _lossless_jpegxl,
        "ljpeg-dng": _lossless_dng,
        "miniraw": _lossless_miniraw,
    }
)
"""The peers for raws, by name."""

PICTURE_PEERS: Mapping[str, PicturePeer] = MappingProxyType(
    {
        **_RESIDUALS,
        "jpegxl": partial(_planes_alone, codec=JPEGXL_COLOUR, exponent=0.5),
        "jpegxl-linear": partial(_planes_alone, codec=JPEGXL, exponent=1.0),
    }
)
"""The peers for linear pictures, by name."""

FIXED_SIZE = frozenset({"base", "jpegxl-lossless", "ljpeg-dng", "miniraw"})
"""Peers with one size whatever the budget."""
