"""The lossless layer: every sample, given what the layers below it restored.

Samples are coded row by row. Each is predicted from its restored value and, linearly, from the
errors of the restored values at samples already coded and from how the restored picture bends; the
weights are fitted to the frame by the encoder and sent, apart for each channel and for how large
the errors around are. How far the truth may lie from the prediction is left to adaptive models,
which begin each tile as trained offline: four counters, each of which sees another part of what is
known, expect each decision together.

Prediction is in the noise-normalised domain, what is coded are code indices, see
:mod:`.code_indices`. It is one compiled loop (``kernels/lossless.c``), in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback.entropy import Curves, SymbolDecoder, SymbolEncoder, code_parameters
from rawback.errors import PayloadDamaged
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual.layers import LayerState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.residual.code_indices import CodeIndexDomain

__all__ = [
    "CLASSES",
    "FEATURES",
    "LARGEST_WEIGHT",
    "LIMIT",
    "WEIGHT_ONE",
    "LosslessModel",
    "LosslessStart",
    "LosslessTile",
    "code_samples",
    "decode_lossless",
    "encode_lossless",
    "lossless_sizes",
]

CLASSES = 8
"""Classes of samples, each with weights of its own: how large the errors around one are, and in
linear frames whether its row and column of pixels are odd."""

FEATURES = 24
"""16 errors of samples coded before, then 8 second differences of what is restored."""

WEIGHT_ONE = 256
LARGEST_WEIGHT = 2047
"""Weights are multiples of 1/256."""

LIMIT = (1 << 15) - 1
"""Samples lie in this range, so restored values beyond it count as its ends."""

_BORDER = 6
_IMPOSSIBLE = "The lossless layer's model is impossible; restore without that layer."

_code_lossless = Kernel(
    "code_lossless",
    Integer,
    Integer,
    Write(np.uint8, 1),
    Write(np.int32, 2),
    Read(np.int32, 2),
    Read(np.uint8, 2),
    Read(np.uint8, 2),
    Integer,
    Read(np.uint8, 1),
    Read(np.int32, 2),
    Read(np.int32, 1),
    Read(np.int32, 2),
    Read(np.int32, 2),
    Read(np.int32, 3),
    Read(np.int16, 1),
    Read(np.uint16, 1),
    Read(np.uint32, 1),
    Write(np.uint32, 1),
    Write(np.int32, 2),
    Write(np.int16, 1),
    Write(np.uint16, 1),
    Write(np.int32, 1),
)
_lossless_model = Kernel("lossless_model", Integer)


@dataclass(frozen=True, slots=True)
class LosslessStart:
    """What the lossless layer of every tile begins with; trained offline.

    Attributes:
        curves: Of mixing.
        probabilities: uint16 ``[n]``: of each counter, in ``2 ** -16``.
        uses: uint8 ``[n]``: how often each counts as used.
        weights: int16 ``[m, 4]`` of mixing, in ``2 ** -12``.
    """

    curves: Curves
    probabilities: NDArray[np.uint16]
    uses: NDArray[np.uint8]
    weights: NDArray[np.int16]

    def state(self) -> LayerState:
        """A copy of it that learns."""
        counters = self.probabilities.astype(np.uint32)
        counters <<= 16
        counters |= self.uses
        return LayerState(counters, self.weights.astype(np.int32) << 4)


def lossless_sizes() -> tuple[int, int]:
    """Counters and sets of weights of a tile's lossless layer."""
    return _lossless_model(0), _lossless_model(1)


@dataclass(frozen=True, slots=True)
class LosslessModel:
    """What the encoder fitted to the frame.

    Attributes:
        weights: int32 ``[CLASSES, channels, FEATURES]`` in 1/256, at most LARGEST_WEIGHT.
        repeating: Whether a pixel of a linear frame that repeats the one before it or above it is
            coded as such.
    """

    weights: NDArray[np.int32]
    repeating: bool = False

    def to_bytes(self) -> bytes:
        """Whether pixels repeat; of each channel, all weights of the first class, then changes."""
        coder = SymbolEncoder()
        for channel in range(self.weights.shape[1]):
            changes = np.diff(self.weights[:, channel], axis=0, prepend=0)
            for change in changes:
                code_parameters(coder, change, FEATURES)
        return bytes([self.repeating]) + coder.finish()

    @classmethod
    def from_bytes(cls, data: bytes, channels: int) -> LosslessModel:
        """Undo :meth:`to_bytes` of so many channels.

        Raises:
            PayloadDamaged: A weight is impossible.
        """
        if data[:1] not in {b"\x00", b"\x01"}:
            raise PayloadDamaged(_IMPOSSIBLE)
        coder = SymbolDecoder(data[1:])
        changes = np.empty((CLASSES, channels, FEATURES), np.int64)
        for channel in range(channels):
            for activity in range(CLASSES):
                changes[activity, channel] = code_parameters(coder, None, FEATURES)
        weights = changes.cumsum(axis=0)
        if np.abs(weights).max() > LARGEST_WEIGHT:
            raise PayloadDamaged(_IMPOSSIBLE)
        return cls(weights.astype(np.int32), repeating=data[0] == 1)


@dataclass(frozen=True, slots=True)
class LosslessTile:
    """What the lossless layer knows of a tile before it is coded.

    Attributes:
        restored: int32 ``[h, w]``: samples in the noise-normalised domain, as restored below; those
            of a pixel side by side.
        classes: uint8: the region class of each cell.
        mosaic: The frame's.
        place: Rows and columns of cells above and left of the tile.
    """

    restored: NDArray[np.int32]
    classes: NDArray[np.uint8]
    mosaic: Mosaic
    place: tuple[int, int] = (0, 0)

    @classmethod
    def of(
        cls,
        planes: NDArray[np.int32],
        classes: NDArray[np.uint8],
        mosaic: Mosaic,
        place: tuple[int, int] = (0, 0),
    ) -> LosslessTile:
        """Of restored planes ``[planes, h, w]`` and the region classes of cells ``[h, w]``."""
        count, height, width = planes.shape
        planes = np.clip(planes, -LIMIT, LIMIT)
        cell, across = mosaic.cell, mosaic.across
        restored = np.empty((cell * height, across * width), dtype=np.int32)
        layout = mosaic.layout(*place)[..., 0]
        down, right = layout.shape[:2]
        for y, x, plane in np.ndindex(down, right, count):
            row, column = divmod(int(layout[y, x, plane]), across)
            at = np.s_[cell * y + row :: cell * down, across * x + column :: across * right]
            restored[at] = planes[plane, y::down, x::right]
        return cls(restored, classes, mosaic, place)


def encode_lossless(
    start: LosslessStart,
    model: LosslessModel,
    domain: CodeIndexDomain,
    tile: LosslessTile,
    indices: NDArray[np.int32],
) -> bytes:
    """Write the code indices ``[h, w]`` of a tile's samples.

    Args:
        start: What the layer begins with.
        model: Fitted to the frame.
        domain: Of the frame's codes.
        tile: What is known before.
        indices: int32 ``[h, w]``, below the number of codes.
    """
    # Each sample takes less than its code index alone; its decisions, less than six bytes.
    size = 2 * indices.size + 1024
    while True:
        stream = np.empty(size, np.uint8)
        written = code_samples(start.curves, start.state(), model, domain, tile, stream, indices)
        if written <= size:
            return stream[:written].tobytes()
        size = written


def decode_lossless(
    start: LosslessStart,
    model: LosslessModel,
    domain: CodeIndexDomain,
    tile: LosslessTile,
    data: bytes,
) -> NDArray[np.int32]:
    """Read what :func:`encode_lossless` wrote.

    Bytes that no encoder wrote decode to other samples: it is for checksums to tell.
    """
    indices = np.empty(tile.restored.shape, np.int32)
    stream = np.frombuffer(bytearray(data), np.uint8)
    code_samples(
        *(start.curves, start.state(), model, domain, tile, stream, indices),
        decoding=True,
    )
    return indices


def code_samples(
    curves: Curves,
    state: LayerState,
    model: LosslessModel,
    domain: CodeIndexDomain,
    tile: LosslessTile,
    stream: NDArray[np.uint8],
    indices: NDArray[np.int32],
    *,
    decoding: bool = False,
) -> int:
    """Write `indices` to `stream`, or read them from it; `state` learns.

    Returns:
        How many bytes were written; more than there is room for where they do not fit.
    """
    rows, columns = tile.restored.shape
    room = (rows + 2 * _BORDER) * (columns + 2 * _BORDER)
    firsts, eighths = domain.tables()
    mosaic = tile.mosaic
    widths = np.stack([domain.width_table(channel) for channel in range(len(mosaic.colours))])
    return _code_lossless(
        *(int(decoding), int(model.repeating), stream, indices, tile.restored, tile.classes),
        *(mosaic.channel_map(*tile.place), mosaic.cell),
        np.array([colour == "G" for colour in mosaic.colours], np.uint8),
        *(domain.values, firsts, eighths, widths, model.weights),
        *(curves.stretch, curves.squash, curves.rate),
        *(state.counters, state.weights),
        *(np.empty(room, np.int16), np.empty(room, np.uint16), np.empty(room, np.int32)),
    )
