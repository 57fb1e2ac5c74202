"""Peers tuned for the eye: JPEG 2000 with visual weights, and JPEG XL as it codes pictures.

Both code the residual of a base in the same square root of the light, white-balanced, as a picture
of light and two colours; JPEG XL codes the raw without a base, too. The base's tables have as many
nodes as fit into what they are counted at, entropy-coded. The two greens share a sample of the
picture, and what they differ by is a fourth component of JPEG 2000; JPEG XL, which has no place for
it, leaves it to the base.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from rawback.residual import analyse, band_shape, bands, synthesise
from rawback_lab.base_lut import apply_lut, fit_lut
from rawback_lab.peers import BASE_BYTES, Coded, Shot
from rawback_lab.plane_codecs import JPEG2000, JPEGXL_COLOUR, fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rawback.residual import Band
    from rawback_lab.peers import Peer, Planes

__all__ = ["VISUAL_PEERS", "CodedBaseShot", "band_weights", "reweighted"]

_OFFSET = np.float32(0.001)
_MIDDLE, _LARGEST = 1 << 15, (1 << 16) - 1

_JOINED = 1 << 20
"""A signal of full scale, where wavelets are joined in integers."""

_OPPONENT = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.168736, -0.331264, 0.5],
        [0.5, -0.418688, -0.081312],
    ]
)
"""Red, green and blue to light, blue and red: the irreversible colour transform of JPEG 2000."""

_WEIGHTS = (
    ((0.7018, 0.8378),),
    ((0.1362, 0.2564), (0.3346, 0.4691), (0.5444, 0.6523), (0.7078, 0.7797)),
    ((0.2598, 0.4130), (0.5040, 0.6464), (0.7220, 0.8254), (0.8769, 0.9424)),
)
"""Of light, blue and red: weights of the diagonal band of a level and of its two others, from the
finest on; 1 for what follows. They are the weights in common use with JPEG 2000 (``Cband_weights``
of Kakadu's examples) but for the finest level, which half-sized planes lack."""


_NODES = (17, 13, 9, 7, 6, 5, 4, 3)
"""Along each side of the base's tables."""

_TABLE_STEP = 0.002
"""Of their entries, in the square root of the light: about a fifth of the noise."""


@dataclass(frozen=True)
class CodedBaseShot(Shot):
    """A shot whose base is one that fits into the bytes it is counted at."""

    @cached_property
    def base(self) -> Planes:
        """The signal as tables of the guide's colours predict it, in its square root."""
        finest_first = (self._tables(nodes) for nodes in _NODES)
        tables = next(t for t in finest_first if len(_coded_tables(t)) <= BASE_BYTES)
        predicted = np.empty_like(self.signal)
        for place, (table, colours) in enumerate(zip(tables, self.colours, strict=True)):
            values = apply_lut(table * _TABLE_STEP, colours.reshape(-1, 3))
            predicted[place] = values.reshape(colours.shape[:2])
        return predicted

    def _tables(self, nodes: int) -> NDArray[np.int32]:
        """A table for each plane, in steps: int32 ``[4, nodes, nodes, nodes]``."""
        tables = []
        for plane, colours, covered in zip(self.signal, self.colours, self.covered, strict=True):
            values, weights = np.sqrt(plane.ravel() + _OFFSET), covered.ravel().astype(np.float32)
            table = fit_lut(colours.reshape(-1, 3), values, nodes, weights=weights)
            tables.append(np.rint(table / _TABLE_STEP).astype(np.int32))
        return np.stack(tables)


def _coded_tables(tables: NDArray[np.int32]) -> bytes:
    """Differences of neighbours along every axis, from plane to plane too, compressed."""
    for axis in range(tables.ndim):
        tables = np.diff(tables, axis=axis, prepend=0)
    return lzma.compress(
        tables.astype("<i2").tobytes(), lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2}]
    )


def band_weights(component: int) -> dict[Band, float]:
    """The weight of each band of a component: light, blue, red, or the greens' difference."""
    rows = _WEIGHTS[min(component, 2)]
    found = {}
    for band in bands():
        diagonal = band.high_x and band.high_y
        low = not (band.high_x or band.high_y)
        known = band.level <= len(rows) and not low
        found[band] = rows[band.level - 1][0 if diagonal else 1] if known else 1.0
    return found


def reweighted(plane: NDArray[np.float32], weights: Mapping[Band, float]) -> NDArray[np.float32]:
    """A plane ``[h, w]`` whose bands are multiplied, by the transform that JPEG 2000 has too."""
    found = {band: np.empty(band_shape(band, plane.shape), np.float32) for band in bands()}
    analyse(np.array(plane, np.float32), found)
    unit = np.float32(_JOINED)
    scaled = {
        band: np.rint(values * (unit * np.float32(weights[band]))).astype(np.int32)
        for band, values in found.items()
    }
    joined = np.empty(plane.shape, np.int32)
    synthesise(scaled, joined)
    return np.asarray(joined / unit, np.float32)


def _gains(shot: Shot) -> NDArray[np.float32]:
    """Of red, green and blue in the square root of the light: what makes white of the light."""
    gains = 1 / np.array(shot.frame.shown_neutral)
    return np.asarray(np.sqrt(gains / gains.min()), np.float32)


def _colours(shot: Shot, planes: Planes) -> Planes:
    """Red, green and blue of planes ``[4, h, w]``, white-balanced, and the greens' difference."""
    pattern = shot.frame.pattern
    first, second = (position for position in range(4) if pattern[position] == "G")
    red, blue = planes[pattern.index("R")], planes[pattern.index("B")]
    green = (planes[first] + planes[second]) / 2
    gains = _gains(shot)
    found = [red * gains[0], green * gains[1], blue * gains[2], planes[first] - planes[second]]
    return np.stack(found)


def _mosaic(shot: Shot, colours: Planes) -> Planes:
    """Undo `_colours`."""
    pattern, gains = shot.frame.pattern, _gains(shot)
    red, green, blue = (colours[c] / gains[c] for c in range(3))
    planes = np.empty((4, *red.shape), np.float32)
    planes[pattern.index("R")], planes[pattern.index("B")] = red, blue
    first, second = (position for position in range(4) if pattern[position] == "G")
    planes[first], planes[second] = green + colours[3] / 2, green - colours[3] / 2
    return planes


def _signal(root: Planes) -> Planes:
    return np.square(np.maximum(root, 0)) - _OFFSET


def _jpeg2000(shot: Shot, budget: int) -> Coded | None:
    room = budget - shot.base_bytes
    if room <= 0:
        return None
    residual = np.sqrt(shot.signal + _OFFSET) - shot.base
    colours = _colours(shot, residual)
    colours[:3] = np.einsum("ij,jhw->ihw", _OPPONENT, colours[:3])
    # Residuals of planes lie in [-1, 1], those of colours within twice the gains.
    scale = np.float32(_MIDDLE / (2 * _gains(shot).max()))
    weights = [band_weights(component) for component in range(4)]
    planes = np.stack([reweighted(*pair) for pair in zip(colours, weights, strict=True)])
    codes = np.clip(np.rint(planes * scale) + _MIDDLE, 0, _LARGEST).astype(np.uint16)
    stream = fill(JPEG2000, codes, room, shot.tries.setdefault("jpeg2000, visual", {}))
    if stream is None:
        return None
    decoded = (JPEG2000.decode(stream, codes.shape).astype(np.float32) - _MIDDLE) / scale
    inverse = [{band: 1 / weight for band, weight in one.items()} for one in weights]
    decoded = np.stack([reweighted(*pair) for pair in zip(decoded, inverse, strict=True)])
    decoded[:3] = np.einsum("ij,jhw->ihw", np.linalg.inv(_OPPONENT), decoded[:3])
    signal = _signal(shot.base + _mosaic(shot, decoded))
    return Coded(shot.base_bytes + len(stream), shot.restored(signal))


def _jpegxl(shot: Shot, budget: int, *, base: bool) -> Coded | None:
    room = budget - (shot.base_bytes if base else 0)
    if room <= 0:
        return None
    colours = _colours(shot, np.sqrt(shot.signal + _OFFSET))
    below = _colours(shot, shot.base)
    top = _gains(shot).max() * np.sqrt(1 + _OFFSET)
    # Where there is no residual, the picture is of a middle grey.
    left = (colours[:3] - below[:3]) / (2 * top) + np.float32(0.5)
    picture = left if base else colours[:3] / top
    codes = np.rint(np.clip(picture, 0, 1) * _LARGEST).astype(np.uint16)
    tries = shot.tries.setdefault(f"jpegxl, visual, {base=}", {})
    stream = fill(JPEGXL_COLOUR, codes, room, tries)
    if stream is None:
        return None
    decoded = JPEGXL_COLOUR.decode(stream, codes.shape).astype(np.float32) / _LARGEST
    found = below.copy()
    found[:3] = below[:3] + (decoded - np.float32(0.5)) * (2 * top) if base else decoded * top
    size = len(stream) + (shot.base_bytes if base else 0)
    return Coded(size, shot.restored(_signal(_mosaic(shot, found))))


VISUAL_PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        "base+jpeg2000": _jpeg2000,
        "base+jpegxl": partial(_jpegxl, base=True),
        "jpegxl": partial(_jpegxl, base=False),
    }
)
"""By name."""
