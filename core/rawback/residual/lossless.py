"""The lossless layer: every sample, given what the layers below it restored.

Samples are coded row by row. Each is predicted from its restored value and, linearly, from the
errors of the restored values at samples already coded and from how the restored picture bends.
How far the prediction is likely to miss is, linearly too, told by how far those before did and by
what the picture is like. The encoder fits both to the frame and sends them; the weights of the
prediction then follow the samples. Differences to the prediction, in units of what is to be
expected, have distributions that begin each tile as trained offline, and learn. Red and blue of
linear frames that were demosaiced are looked for first where interpolation would have put them.

Prediction is in the noise-normalised domain, what is coded are code indices, see
:mod:`.code_indices`. It is one compiled loop (``kernels/lossless.c``), in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from rawback.entropy import Curves, SymbolDecoder, SymbolEncoder, code_parameters
from rawback.errors import PayloadDamaged
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual.code_indices import PHASES
from rawback.residual.logarithms import LOGARITHMS, POWERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.mosaic import Mosaic
    from rawback.residual.code_indices import CodeIndexDomain

__all__ = [
    "INPUTS",
    "LARGEST_WEIGHT",
    "LIMIT",
    "WEIGHT_ONE",
    "LosslessModel",
    "LosslessStart",
    "LosslessState",
    "LosslessTile",
    "Pixels",
    "code_samples",
    "decode_lossless",
    "encode_lossless",
    "lossless_sizes",
    "phases_of",
    "survey_samples",
]

INPUTS = 48
"""What predicts a sample: 40 errors of samples coded before, 8 second differences of what is
restored. And what tells how far that misses: 40 earlier misses, 8 measures of what is restored."""

WEIGHT_ONE = 256
LARGEST_WEIGHT = 2047
"""Weights are multiples of 1/256."""

LIMIT = (1 << 15) - 1
"""Samples lie in this range, so restored values beyond it count as its ends."""

SYMBOLS = 32

_BORDER = 6
_IMPOSSIBLE = "The lossless layer's model is impossible; restore without that layer."

_ENCODE, _DECODE, _SURVEY = 0, 1, 2

_code_lossless = Kernel(
    "code_lossless",
    *(Integer, Integer),
    Write(np.uint8, 1),
    Write(np.int32, 2),
    Read(np.int32, 2),
    *(Read(np.uint8, 2), Read(np.uint8, 2)),
    Integer,
    *(Read(np.int32, 2), Read(np.int32, 1), Read(np.int32, 2), Read(np.int32, 2)),
    *(Read(np.int32, 1), Read(np.int32, 2), Read(np.int32, 2)),
    *(Read(np.int32, 2), Read(np.int32, 2)),
    *(Read(np.uint32, 1), Read(np.uint8, 1), Read(np.uint32, 1)),
    *(Write(np.int32, 2), Write(np.int32, 1), Write(np.uint32, 1)),
    *(Write(np.int16, 1), Write(np.int16, 1), Write(np.int32, 1), Write(np.int16, 1)),
    Write(np.int32, 1),
    *(Integer, Write(np.float32, 2), Write(np.uint8, 1)),
)
_lossless_model = Kernel("lossless_model", Integer)


@dataclass(slots=True)
class LosslessState:
    """What the coding of a tile's samples has learned so far.

    Attributes:
        distributions: int32 ``[n, 32]``: the share, in ``2 ** -22``, of all symbols below each.
        seen: int32 ``[n]``: how often each distribution was used.
        counters: uint32 ``[m]``: a probability in 22 bits, how often it was used in 10.
    """

    distributions: NDArray[np.int32]
    seen: NDArray[np.int32]
    counters: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class LosslessStart:
    """What the lossless layer of every tile begins with; trained offline.

    Attributes:
        curves: Of counters.
        distributions: uint16 ``[n, 32]``: the share of all symbols below each, in ``2 ** -16``, not
            decreasing.
        seen: uint16 ``[n]``: how often each distribution counts as used.
        probabilities: uint16 ``[m]``: of each counter, in ``2 ** -16``.
        uses: uint8 ``[m]``: how often each counts as used.
    """

    curves: Curves
    distributions: NDArray[np.uint16]
    seen: NDArray[np.uint16]
    probabilities: NDArray[np.uint16]
    uses: NDArray[np.uint8]

    def state(self) -> LosslessState:
        """A copy of it that learns."""
        counters = self.probabilities.astype(np.uint32)
        counters <<= 16
        counters |= self.uses
        distributions = self.distributions.astype(np.int32)
        distributions <<= 6
        return LosslessState(distributions, self.seen.astype(np.int32), counters)


def lossless_sizes() -> tuple[int, int]:
    """Distributions and counters of a tile's lossless layer."""
    return _lossless_model(0), _lossless_model(1)


def phases_of(mosaic: Mosaic) -> int:
    """How many sets of weights a channel has.

    Linear frames have four, for odd and even rows and columns of pixels: where they were made of
    mosaics, pixels remember which of their samples were measured.
    """
    return PHASES if mosaic.samples > 1 else 1


class Pixels(IntEnum):
    """What is looked for in pixels of a linear frame before they are predicted.

    ``REPEATING``: whether they are as the one before or above. ``INTERPOLATED``: whether their red
    and blue are where demosaicing would have put them, the difference to green halfway between
    those of two neighbours.
    """

    PLAIN = 0
    REPEATING = 1
    INTERPOLATED = 2


@dataclass(frozen=True, slots=True)
class LosslessModel:
    """What the encoder fitted to the frame.

    Attributes:
        weights: int32 ``[channels * phases, INPUTS]`` in 1/256, at most LARGEST_WEIGHT: of what
            predicts a sample.
        scales: int32 ``[channels, INPUTS]`` likewise: of what tells how far that misses.
        pixels: What is looked for in pixels of a linear frame before they are predicted.
    """

    weights: NDArray[np.int32]
    scales: NDArray[np.int32]
    pixels: Pixels = Pixels.PLAIN

    def to_bytes(self) -> bytes:
        """The kind of pixels; of each channel, weights, as changes by phase, and scales."""
        coder = SymbolEncoder()
        channels = len(self.scales)
        for weights, scale in zip(
            self.weights.reshape(channels, -1, INPUTS), self.scales, strict=True
        ):
            for change in np.diff(weights, axis=0, prepend=0):
                code_parameters(coder, change, INPUTS)
            code_parameters(coder, scale, INPUTS)
        return bytes([self.pixels]) + coder.finish()

    @classmethod
    def from_bytes(cls, data: bytes, mosaic: Mosaic) -> LosslessModel:
        """Undo :meth:`to_bytes` for a mosaic.

        Raises:
            PayloadDamaged: A weight is impossible.
        """
        if not data or data[0] not in {*Pixels}:
            raise PayloadDamaged(_IMPOSSIBLE)
        coder = SymbolDecoder(data[1:])
        channels, phases = len(mosaic.colours), phases_of(mosaic)
        changes = np.empty((channels, phases, INPUTS), np.int64)
        scales = np.empty((channels, INPUTS), np.int64)
        for channel in range(channels):
            for phase in range(phases):
                changes[channel, phase] = code_parameters(coder, None, INPUTS)
            scales[channel] = code_parameters(coder, None, INPUTS)
        weights = changes.cumsum(axis=1).reshape(-1, INPUTS)
        if max(np.abs(weights).max(), np.abs(scales).max()) > LARGEST_WEIGHT:
            raise PayloadDamaged(_IMPOSSIBLE)
        return cls(weights.astype(np.int32), scales.astype(np.int32), Pixels(data[0]))


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
        planes: NDArray[np.int16] | NDArray[np.int32],
        classes: NDArray[np.uint8],
        mosaic: Mosaic,
        place: tuple[int, int] = (0, 0),
    ) -> LosslessTile:
        """Of restored planes ``[planes, h, w]`` and the region classes of cells ``[h, w]``."""
        count, height, width = planes.shape
        limited = np.clip(planes, -LIMIT, LIMIT)
        cell, across = mosaic.cell, mosaic.across
        restored = np.empty((cell * height, across * width), dtype=np.int32)
        layout = mosaic.layout(*place)[..., 0]
        down, right = layout.shape[:2]
        for y, x, plane in np.ndindex(down, right, count):
            row, column = divmod(int(layout[y, x, plane]), across)
            at = np.s_[cell * y + row :: cell * down, across * x + column :: across * right]
            restored[at] = limited[plane, y::down, x::right]
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
        written = code_samples(start, start.state(), model, domain, tile, stream, indices)
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
    code_samples(start, start.state(), model, domain, tile, stream, indices, decoding=True)
    return indices


def code_samples(
    start: LosslessStart,
    state: LosslessState,
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
    what = _DECODE if decoding else _ENCODE
    nothing = np.empty((0, INPUTS + 1), np.float32), np.empty(0, np.uint8)
    return _go_through(what, start, state, model, domain, tile, stream, indices, (1, *nothing))


def survey_samples(
    start: LosslessStart,
    model: LosslessModel,
    domain: CodeIndexDomain,
    tile: LosslessTile,
    indices: NDArray[np.int32],
    most: int,
    *,
    misses: bool,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """What a model is fitted to.

    Args:
        start: What the layer begins with.
        model: The weights to begin with; without `misses` it is all one what they are.
        domain: Of the frame's codes.
        tile: What is known before.
        indices: int32 ``[h, w]``: the code indices of its samples.
        most: Of how many samples, evenly spread, at most.
        misses: Whether to tell what `LosslessModel.scales` weigh and how far predictions miss, or
            what `LosslessModel.weights` do and the errors of what is restored.

    Returns:
        float32 ``[n, INPUTS + 1]``: inputs, and what they are to predict; and, uint8 ``[n]``, of
        which row of the weights each is.
    """
    every = -(-indices.size // most) | 1  # odd, so all colours are met
    rows = np.empty((most, INPUTS + 1), np.float32)
    sets = np.empty(most, np.uint8)
    state, nothing = start.state(), np.empty(0, np.uint8)
    what = _SURVEY + misses
    count = _go_through(
        what, start, state, model, domain, tile, nothing, indices, (every, rows, sets)
    )
    return rows[:count], sets[:count]


def _go_through(
    what: int,
    start: LosslessStart,
    state: LosslessState,
    model: LosslessModel,
    domain: CodeIndexDomain,
    tile: LosslessTile,
    stream: NDArray[np.uint8],
    indices: NDArray[np.int32],
    survey: tuple[int, NDArray[np.float32], NDArray[np.uint8]],
) -> int:
    rows, columns = tile.restored.shape
    room = (rows + 2 * _BORDER) * (columns + 2 * _BORDER)
    mosaic = tile.mosaic
    interpolated = model.pixels == Pixels.INTERPOLATED
    nothing = np.empty((0, 0), np.int32)
    return _code_lossless(
        *(what, model.pixels, stream, indices, tile.restored, tile.classes),
        *(mosaic.channel_map(*tile.place), mosaic.cell),
        *(domain.values, *domain.tables, domain.widths, domain.lengths),
        *((domain.codes, domain.below) if interpolated else (nothing, nothing)),
        *(model.weights, model.scales),
        *(start.curves.rate, LOGARITHMS, POWERS),
        *(state.distributions, state.seen, state.counters),
        *(np.empty(room, np.int16), np.empty(room, np.int16), np.empty(room, np.int32)),
        *(np.empty(16 * columns, np.int16), np.empty(4 * columns * interpolated, np.int32)),
        *survey,
    )
