"""What the codes of floating point samples leave out, see :mod:`rawback.floats`.

Where samples are whole numbers times a constant, or means of few of them, the same numbers come
again and again: those are listed, and a sample is told by its place among the listed numbers of its
code. Others are told by the bits of their remainders, which nothing foretells. It is one compiled
loop (``kernels/remainders.c``), in integers.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rawback.errors import PayloadDamaged
from rawback.kernels import Integer, Kernel, Read, Write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.entropy import Curves
    from rawback.floats import Scale

__all__ = [
    "MOST_LISTED",
    "MOST_OF_CODE",
    "RemainderModel",
    "decode_remainders",
    "encode_remainders",
]

MOST_LISTED = 1 << 22
"""Numbers in a list."""

MOST_OF_CODE = 1 << 16
"""Of them, those of one code."""

_MOST_SHIFT = 12
_FILTERS = ({"id": lzma.FILTER_LZMA2, "dict_size": 1 << 22, "lc": 0, "lp": 0, "pb": 0},)
_IMPOSSIBLE = "The list of floating point numbers is impossible; fetch the file again."

_code_remainders = Kernel(
    "code_remainders",
    Integer,
    Write(np.uint8, 1),
    Read(np.uint16, 2),
    Write(np.uint32, 2),
    Read(np.int32, 1),
    Read(np.uint32, 1),
    Read(np.uint8, 1),
    Integer,
    Read(np.int16, 1),
    Read(np.uint16, 1),
    Read(np.uint32, 1),
    Write(np.uint8, 1),
)


@dataclass(frozen=True, eq=False, slots=True)
class RemainderModel:
    """What all tiles' remainders are coded with.

    Attributes:
        scale: Which numbers the codes stand for.
        shift: How many of the lowest bits of all remainders that are not listed are 0, at most 12.
        numbers: float32 ``[n]``: the listed numbers in their order, -0 before 0, each once.
        starts: int32 ``[65537]``: where the remainders of each code begin.
        remainders: uint32 ``[n]``: those of the listed numbers, ascending for each code.
    """

    scale: Scale
    shift: int
    numbers: NDArray[np.float32]
    starts: NDArray[np.int32] = field(init=False, repr=False)
    remainders: NDArray[np.uint32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        codes, remainders = self.scale.codes.split(self.numbers)
        starts = np.searchsorted(codes, np.arange((1 << 16) + 1)).astype(np.int32)
        order = np.lexsort((remainders, codes))
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "remainders", remainders[order])

    def to_bytes(self) -> bytes:
        """The shift; the steps from number to number, their highest bytes first."""
        steps = np.diff(_ordered(self.numbers), prepend=np.int64(-(1 << 31)))
        planes = steps.astype(">u4").view(np.uint8).reshape(-1, 4).T
        return bytes([self.shift]) + lzma.compress(
            planes.tobytes(), lzma.FORMAT_RAW, filters=_FILTERS
        )

    @classmethod
    def from_bytes(cls, data: bytes, scale: Scale, samples: int) -> RemainderModel:
        """Undo :meth:`to_bytes`, for a frame of so many samples.

        Raises:
            PayloadDamaged: The bytes are no such model.
        """
        if not data or data[0] > _MOST_SHIFT:
            raise PayloadDamaged(_IMPOSSIBLE)
        most = 4 * min(MOST_LISTED, samples)
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
        try:
            planes = unpacker.decompress(data[1:], most + 1)
        except lzma.LZMAError as error:
            raise PayloadDamaged(_IMPOSSIBLE) from error
        whole = unpacker.eof and not unpacker.unused_data and len(planes) % 4 == 0
        if not whole or len(planes) > most:
            raise PayloadDamaged(_IMPOSSIBLE)
        steps = np.frombuffer(planes, np.uint8).reshape(4, -1).T.copy().view(">u4")[:, 0]
        ordered = np.cumsum(steps, dtype=np.int64) - (1 << 31)
        if ordered.size and (ordered[-1] >= 1 << 31 or not steps[1:].all()):
            raise PayloadDamaged(_IMPOSSIBLE)
        model = cls(scale, data[0], _numbers(ordered))
        if np.diff(model.starts).max() > MOST_OF_CODE:
            raise PayloadDamaged(_IMPOSSIBLE)
        return model


def encode_remainders(
    curves: Curves,
    model: RemainderModel,
    codes: NDArray[np.uint16],
    remainders: NDArray[np.uint32],
) -> bytes:
    """Write the remainders of a tile.

    Args:
        curves: The stored ones.
        model: Of the frame.
        codes: uint16 ``[h, w]``: the tile's samples.
        remainders: uint32 ``[h, w]``.
    """
    stream = np.empty(5 * codes.size + 64, np.uint8)
    return stream[: _code(0, stream, curves, model, codes, remainders)].tobytes()


def decode_remainders(
    curves: Curves, model: RemainderModel, codes: NDArray[np.uint16], data: bytes
) -> NDArray[np.uint32]:
    """Read what :func:`encode_remainders` wrote.

    Bytes that no encoder wrote decode to other remainders: it is for checksums to tell.
    """
    remainders = np.empty(codes.shape, np.uint32)
    _code(1, np.frombuffer(bytearray(data), np.uint8), curves, model, codes, remainders)
    return remainders


def _code(
    decoding: int,
    stream: NDArray[np.uint8],
    curves: Curves,
    model: RemainderModel,
    codes: NDArray[np.uint16],
    remainders: NDArray[np.uint32],
) -> int:
    return _code_remainders(
        decoding,
        stream,
        codes,
        remainders,
        model.starts,
        model.remainders,
        model.scale.codes.bits,
        model.shift,
        curves.stretch,
        curves.squash,
        curves.rate,
        np.empty(codes.shape[1], np.uint8),
    )


def _ordered(numbers: NDArray[np.float32]) -> NDArray[np.int64]:
    """Integers in the order of numbers, each its own: -1 for -0, 0 for 0."""
    bits = numbers.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF) - 1, bits)


def _numbers(ordered: NDArray[np.int64]) -> NDArray[np.float32]:
    """Undo `_ordered`."""
    bits = np.where(ordered < 0, (-ordered - 1) | 1 << 31, ordered)
    return bits.astype(np.uint32).view(np.float32)
