"""Quality layers: the wavelet coefficients of a tile, coded coarse first, then ever finer.

The quantiser is the embedded one with a dead zone twice a step wide (Taubman and Marcellin, *JPEG
2000*, 2002, section 3.2): the index of magnitude ``m`` at one layer is ``m >> 1`` at the layer
before, so a layer refines each index by one bit. The first layer codes whole indices; in a later
one an index that was 0 stays 0 or becomes +1 or -1, and any other gains a bit.

Each index is a few binary decisions: whether it is 0, its sign, its magnitude. Where nothing around
it is known to be other than 0, one adaptive counter expects the first of them; elsewhere eight
counters do, each of which sees another part of what is known, and their expectations are mixed (as
in Mahoney's PAQ). Around an index are its neighbours in the band, the coefficient above it in the
next coarser level (its parent), those at its place in bands and planes coded before, what the guide
says of the region, how much noise there must be, and the base's own wavelet coefficient, whose sign
the residual's opposes more often than not: renderings sharpen.

All of it is one compiled loop (``kernels/quality_layers.c``), integer arithmetic throughout.
Counters and weights begin each layer of each tile as trained offline for its step, and learn from
there on.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.kernels import Integer, Kernel, Read, Write
from rawback.residual.quantiser import CODES_PER_LAYER
from rawback.residual.wavelet import Band, band_shape, bands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.entropy import Curves
    from rawback.residual.klt import KLT
    from rawback.residual.quantiser import Quantiser

__all__ = [
    "STEP_CLASSES",
    "LayerModel",
    "LayerState",
    "TileCoefficients",
    "TileContext",
    "band_arrays",
    "code_layer",
    "decode_layer",
    "encode_layer",
    "layer_sizes",
    "step_class_of",
]

_Number = TypeVar("_Number", bound=np.generic)

STEP_CLASSES = 8
"""States are trained apart for each octave of the step: where steps are finer than the noise,
neighbours tell little, and where they are coarse, almost everything."""

_FINEST_CLASS = 96
"""Step codes of the first step class end an octave above this one."""

_code_layer = Kernel(
    "code_layer",
    *(Integer, Integer, Integer, Integer),
    Write(np.uint8, 1),
    Write(np.int32, 1),
    Read(np.uint8, 1),
    Read(np.uint16, 1),
    Read(np.uint8, 1),
    Read(np.int32, 2),
    Read(np.int32, 2),
    Read(np.int16, 1),
    Read(np.uint16, 1),
    Read(np.uint32, 1),
    Write(np.uint32, 1),
    Write(np.int32, 2),
    Write(np.uint16, 1),
    Write(np.uint8, 1),
    Write(np.uint8, 1),
)
_layer_model = Kernel("layer_model", Integer)
_layer_room = Kernel("layer_room", Integer, Integer, Integer)
_base_detail = Kernel(
    "base_detail",
    *(Read(np.int16, 3), Read(np.int32, 2), Read(np.uint16, 1)),
    *(Write(np.uint8, 1), Write(np.int32, 1)),
)


@dataclass(frozen=True, slots=True)
class LayerState:
    """What the coding of one layer of one tile has learned so far.

    Attributes:
        counters: uint32 ``[n]``: a probability in 22 bits, how often it was used in 10.
        weights: int32 ``[m, 8]`` of mixing, 16 fractional bits.
    """

    counters: NDArray[np.uint32]
    weights: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LayerModel:
    """What every layer begins with; trained offline, the same for every payload.

    Attributes:
        curves: Of mixing.
        probabilities: uint16 ``[2, STEP_CLASSES, n]``: of each counter, in ``2 ** -16``, for first
            and for refining layers.
        uses: uint8, the same shape: how often each counts as used.
        weights: int16 ``[2, STEP_CLASSES, m, 8]``, in ``2 ** -12``.
    """

    curves: Curves
    probabilities: NDArray[np.uint16]
    uses: NDArray[np.uint8]
    weights: NDArray[np.int16]

    def state(self, step_code: int, *, refining: bool) -> LayerState:
        """A copy of what a layer of this step begins with."""
        at = int(refining), step_class_of(step_code)
        counters = self.probabilities[at].astype(np.uint32) << 16 | self.uses[at]
        return LayerState(counters, self.weights[at].astype(np.int32) << 4)


def layer_sizes() -> tuple[int, int]:
    """Counters and sets of weights of a layer."""
    return _layer_model(0), _layer_model(1)


def step_class_of(step_code: int) -> int:
    """0 for steps below half the noise's deviation, then one an octave, the last from 32 on."""
    return min(max(step_code - _FINEST_CLASS, 0) // CODES_PER_LAYER, STEP_CLASSES - 1)


@dataclass(slots=True)
class TileCoefficients:
    """The quantisation indices of one tile, as far as layers have been coded.

    Attributes:
        shape: Rows and columns of cells.
        indices: int32, all bands one after the other, coarse to fine, each ``[planes, h, w]``.
            Fewer bits where a tile is but kept.
        layers: How many layers have been coded.
        grain: int32, laid out as `indices`: what is added to restored coefficients; None for
            nothing.
    """

    shape: tuple[int, int]
    indices: NDArray[np.signedinteger]
    layers: int = 0
    grain: NDArray[np.int32] | None = None

    @classmethod
    def zeros(cls, shape: tuple[int, int], planes: int = 4) -> TileCoefficients:
        """A tile of which nothing is known yet."""
        return cls(shape, np.zeros(planes * shape[0] * shape[1], np.int32))

    @property
    def planes(self) -> int:
        """Components of each cell."""
        return len(self.indices) // (self.shape[0] * self.shape[1])

    def narrowed(self) -> TileCoefficients:
        """The same to be kept: its indices in as few bits as they take."""
        largest = max(int(self.indices.max(initial=0)), -int(self.indices.min(initial=0)))
        kinds = (kind for kind in (np.int8, np.int16) if largest <= np.iinfo(kind).max)
        return replace(self, indices=self.indices.astype(next(kinds, np.int32)))

    def bands(self) -> dict[Band, NDArray[np.signedinteger]]:
        """Views of the indices of each band, ``[planes, h, w]``."""
        return band_arrays(self.indices, self.shape)

    def set(self, indices: Mapping[Band, NDArray[np.int32]]) -> None:
        """Replace all indices by those of each band."""
        for band, view in self.bands().items():
            view[...] = indices[band]


def band_arrays(values: NDArray[_Number], shape: tuple[int, int]) -> dict[Band, NDArray[_Number]]:
    """Views ``[planes, h, w]`` of the bands of a tile of `shape`, which `values` holds in a row."""
    arrays, start = {}, 0
    planes = len(values) // (shape[0] * shape[1])
    for band in bands():
        rows, columns = band_shape(band, shape)
        end = start + planes * rows * columns
        arrays[band] = values[start:end].reshape(planes, rows, columns)
        start = end
    return arrays


@dataclass(frozen=True, slots=True)
class TileContext:
    """What is known of a tile before its first layer.

    Attributes:
        shape: Rows and columns of cells.
        classes: uint8, all bands one after the other, each ``[h, w]``: what the guide says there.
        noise: uint16, the same: relative standard deviation of the noise there, in 1/256.
        details: uint8, all bands one after the other, each ``[planes, h, w]``: how large the base's
            own coefficients are beside the noise, in quarters of an octave; and 128 more where they
            are negative.
    """

    shape: tuple[int, int]
    classes: NDArray[np.uint8]
    noise: NDArray[np.uint16]
    details: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        planes: NDArray[np.int16],
        classes: Mapping[Band, NDArray[np.uint8]],
        noise: Mapping[Band, NDArray[np.uint16]],
        transform: KLT,
    ) -> TileContext:
        """Of the base ``[planes, h, w]`` in the domain, and of what is said of each band.

        The base is turned into components by the transposed synthesis matrix, which is about its
        inverse, in integers.
        """
        count, rows, columns = planes.shape
        order = bands()
        deviations = np.concatenate([noise[band].ravel() for band in order])
        details = np.empty(count * rows * columns, np.uint8)
        room = np.empty(2 * rows * columns + columns, np.int32)
        _base_detail(planes, transform.matrix.astype(np.int32), deviations, details, room)
        levels = np.concatenate([classes[band].ravel() for band in order])
        return cls((rows, columns), levels, deviations, details)


def encode_layer(
    model: LayerModel,
    context: TileContext,
    tile: TileCoefficients,
    quantiser: Quantiser,
    indices: Mapping[Band, NDArray[np.int32]],
) -> bytes | None:
    """Write the next layer of a tile and bring `tile` to its precision.

    Args:
        model: What the layer begins with.
        context: What is known of the tile.
        tile: As earlier layers left it; updated.
        quantiser: Of this layer.
        indices: Signed indices ``[planes, h, w]`` of each band at this layer's step.

    Returns:
        The section; None where all indices are 0.
    """
    refining = tile.layers > 0
    tile.set(indices)
    tile.layers += 1
    if not tile.indices.any():
        return None
    state = model.state(quantiser.step_code, refining=refining)
    return code_layer(model.curves, state, context, tile, quantiser, None, refining=refining)


def decode_layer(
    model: LayerModel,
    context: TileContext,
    tile: TileCoefficients,
    quantiser: Quantiser,
    data: bytes,
) -> None:
    """Read the next layer of a tile and bring `tile` to its precision.

    Bytes that no encoder wrote decode to other indices: it is for checksums to tell.
    """
    refining = tile.layers > 0
    state = model.state(quantiser.step_code, refining=refining)
    code_layer(model.curves, state, context, tile, quantiser, data, refining=refining)
    tile.layers += 1


def code_layer(
    curves: Curves,
    state: LayerState,
    context: TileContext,
    tile: TileCoefficients,
    quantiser: Quantiser,
    data: bytes | None,
    *,
    refining: bool,
) -> bytes:
    """Write the indices that `tile` has, or read `data` into it; `state` learns.

    Returns:
        What was written.
    """
    rows, columns = tile.shape
    room = _room(_layer_room(tile.planes, rows, columns))
    places = [[(band, component) for component in range(tile.planes)] for band in bands()]
    steps = np.array([[quantiser.step(*place) for place in row] for row in places], np.int32)
    noise_levels = np.array(
        [[quantiser.noise_level(*place) for place in row] for row in places], np.int32
    )
    # Encoded indices rarely take more than two bytes; where they do, there is room the second time.
    size = len(data) if data is not None else 2 * len(tile.indices) + 64
    while True:
        stream = np.empty(size, np.uint8) if data is None else np.frombuffer(bytearray(data), "u1")
        trial = LayerState(state.counters.copy(), state.weights.copy())
        written = _code_layer(
            *(int(data is not None), int(refining), rows, columns),
            *(stream, tile.indices, context.classes, context.noise, context.details),
            *(steps, noise_levels, curves.stretch, curves.squash, curves.rate),
            *(trial.counters, trial.weights, *room),
        )
        if written <= size:
            state.counters[...], state.weights[...] = trial.counters, trial.weights
            return stream[:written].tobytes()
        size = written


_rooms = threading.local()


def _room(size: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8], NDArray[np.uint8]]:
    """Arrays to work in, kept by each thread for its next tile."""
    kept: tuple[NDArray[np.uint16], NDArray[np.uint8], NDArray[np.uint8]] | None
    kept = getattr(_rooms, "arrays", None)
    if kept is None or len(kept[0]) < size:
        kept = np.empty(size, np.uint16), np.empty(size, np.uint8), np.empty(size, np.uint8)
        _rooms.arrays = kept
    return kept
