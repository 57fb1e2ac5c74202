"""The carrier's pixels on the raw grid, by integer bilinear sampling.

Encoder and decoder must see the same guide to the last bit, so nothing here is float and
nothing is left to a library whose rounding may change: positions are rounded to 1/32 pixel,
weights are products of 32nds, sums are rounded half up.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from rawback.geometry.transform import STEP, Aligned
from rawback.geometry.warp import FINE_ONE, node_positions, positions
from rawback.orientation import inverse, orient_image, orient_position, oriented_size
from rawback.types import Guide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.model import Geometry
    from rawback.geometry.warp import Box

__all__ = ["build_guide"]

_PARTS = 32
_FINE_PER_PART = FINE_ONE // _PARTS
_TILE_ROWS, _TILE_COLUMNS = 96, 384
_MAX_AVERAGED = 8
# Three 8-bit channels share one 64-bit word: weighted by 32 * 32 they stay below 2**19.
_LANES = tuple(np.uint64(20 * channel) for channel in range(3))
_HALF = np.uint64(sum(512 << int(lane) for lane in _LANES))


def build_guide(
    geometry: Geometry,
    pixels: NDArray[np.uint8],
    *,
    region: Box | None = None,
    threads: int = 2,
) -> Guide:
    """Resample the carrier onto the raw grid.

    A raw pixel is covered where its centre falls on the carrier, whose pixels are squares of
    side 1 around their centres. Where a raw pixel spans 1.5 carrier pixels or more, the carrier
    is averaged over squares of about that side first.

    Args:
        geometry: Where raw pixels lie.
        pixels: The carrier, uint8 ``[H, W, 3]`` of the size that `geometry` names.
        region: Left, top, width and height of the part of the raw grid to build; the whole by
            default. A part equals the same part of the whole.
        threads: Workers for warped carriers.

    Returns:
        The guide. With a pure orientation its pixels may share memory with `pixels`.

    Raises:
        ValueError: `pixels` or `region` do not fit `geometry`; a bug in the caller.
    """
    if pixels.shape != (geometry.carrier_size[1], geometry.carrier_size[0], 3):
        message = f"pixels {pixels.shape} are not those of a {geometry.carrier_size} carrier"
        raise ValueError(message)
    box = (0, 0, *geometry.raw_size) if region is None else region
    left, top, width, height = box
    if (
        min(left, top, width - 1, height - 1) < 0
        or left + width > geometry.raw_size[0]
        or top + height > geometry.raw_size[1]
    ):
        message = f"region {box} is not inside a raw of {geometry.raw_size}"
        raise ValueError(message)
    transform = geometry.transform
    if isinstance(transform, Aligned):
        return _aligned(geometry, transform, pixels, box)
    return _warped(node_positions(transform, geometry.raw_size), pixels, box, threads)


def _aligned(geometry: Geometry, transform: Aligned, pixels: NDArray[np.uint8], box: Box) -> Guide:
    back = inverse(transform.orientation)
    turned_size = oriented_size(transform.orientation, *geometry.raw_size)
    near = [max(0, -shift) for shift in (transform.dx, transform.dy)]
    far = [
        min(side, carrier - shift)
        for side, carrier, shift in zip(
            turned_size, geometry.carrier_size, (transform.dx, transform.dy), strict=True
        )
    ]
    left, top, width, height = box
    if far[0] <= near[0] or far[1] <= near[1]:
        return Guide(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8))
    corners = [
        orient_position(back, near[0], near[1], *turned_size),
        orient_position(back, far[0] - 1, far[1] - 1, *turned_size),
    ]
    # The covered part of the raw, and the carrier's pixels there in the raw's own layout.
    x0, x1 = min(c[0] for c in corners), max(c[0] for c in corners) + 1
    y0, y1 = min(c[1] for c in corners), max(c[1] for c in corners) + 1
    covering = orient_image(
        back,
        pixels[
            near[1] + transform.dy : far[1] + transform.dy,
            near[0] + transform.dx : far[0] + transform.dx,
        ],
    )
    u0, u1 = max(x0, left), min(x1, left + width)
    v0, v1 = max(y0, top), min(y1, top + height)
    if (u0, v0, u1, v1) == (left, top, left + width, top + height):
        part = covering[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0]
        return Guide(np.ascontiguousarray(part), np.ones((height, width), np.uint8))
    guide = np.zeros((height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    if u0 < u1 and v0 < v1:
        target = slice(v0 - top, v1 - top), slice(u0 - left, u1 - left)
        guide[target] = covering[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0]
        mask[target] = 1
    return Guide(guide, mask)


def _warped(nodes: NDArray[np.int64], pixels: NDArray[np.uint8], box: Box, threads: int) -> Guide:
    left, top, width, height = box
    guide = np.zeros((height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    sampler = _Sampler(nodes, pixels, _averaged_side(nodes))

    def fill(corner: tuple[int, int]) -> None:
        x, y = corner
        tile = slice(y, min(y + _TILE_ROWS, height)), slice(x, min(x + _TILE_COLUMNS, width))
        columns, rows = tile[1].stop - x, tile[0].stop - y
        sampler.fill((left + x, top + y, columns, rows), guide[tile], mask[tile])

    corners = [(x, y) for y in range(0, height, _TILE_ROWS) for x in range(0, width, _TILE_COLUMNS)]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for _ in pool.map(fill, corners):
            pass
    return Guide(guide, mask)


def _averaged_side(nodes: NDArray[np.int64]) -> int:
    """Side of the carrier squares that one raw pixel spans, from the middle of the frame."""
    row, column = (nodes.shape[0] - 1) // 2, (nodes.shape[1] - 1) // 2
    here = nodes[row, column]
    across = [int(step) for step in nodes[row, column + 1] - here]
    down = [int(step) for step in nodes[row + 1, column] - here]
    side = isqrt(abs(across[0] * down[1] - across[1] * down[0]))
    one = STEP * FINE_ONE
    return min(max((side + one // 2) // one, 1), _MAX_AVERAGED)


@dataclass(frozen=True, slots=True)
class _Sampler:
    nodes: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    averaged: int

    def fill(self, box: Box, guide: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
        """Sample one tile into views of the result that are 0 so far."""
        x, y = ((fine + _FINE_PER_PART // 2) >> 5 for fine in positions(self.nodes, box))
        rows, columns = self.pixels.shape[:2]
        half = _PARTS // 2
        covered = (
            (x >= -half) & (x < columns * _PARTS - half) & (y >= -half) & (y < rows * _PARTS - half)
        )
        if not covered.any():
            return
        if self.averaged % 2 == 0:
            # An even square's centre lies half a pixel right of and below the pixel it is kept at.
            x -= half
            y -= half
        np.clip(x, 0, (columns - 1) * _PARTS, out=x)
        np.clip(y, 0, (rows - 1) * _PARTS, out=y)
        left, top = int(x.min()) // _PARTS, int(y.min()) // _PARTS
        right, bottom = int(x.max()) // _PARTS + 2, int(y.max()) // _PARTS + 2
        words = _packed(self._patch(left, top, right, bottom))
        index = (y >> 5) - top
        index *= right - left
        index += (x >> 5) - left
        x &= _PARTS - 1
        y &= _PARTS - 1
        sampled = _bilinear(words, right - left, index, x.view(np.uint32), y.view(np.uint32))
        whole = bool(covered.all())
        for channel, lane in enumerate(_LANES):
            # Ten bits of weight lie below each value.
            value = (sampled >> (lane + np.uint64(10))).astype(np.uint8)
            guide[..., channel] = value if whole else value * covered
        mask[...] = covered

    def _patch(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        """Carrier pixels of a box that may reach past the right and lower edges."""
        before = (self.averaged - 1) // 2
        after = self.averaged // 2
        rows = np.arange(top - before, bottom + after).clip(0, self.pixels.shape[0] - 1)
        columns = np.arange(left - before, right + after).clip(0, self.pixels.shape[1] - 1)
        inner = self.pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if inner.shape[:2] != (len(rows), len(columns)):
            inner = inner[(rows - rows[0])[:, None], columns - columns[0]]
        return inner if self.averaged == 1 else _squares_mean(inner, self.averaged)


def _squares_mean(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Mean over every `side` x `side` square, rounded half up: ``[H - side + 1, ...]``."""
    rows, columns = pixels.shape[0] - side + 1, pixels.shape[1] - side + 1
    tall = sum(
        (pixels[step : step + rows].astype(np.int32) for step in range(1, side)),
        start=pixels[:rows].astype(np.int32),
    )
    total = sum(
        (tall[:, step : step + columns] for step in range(1, side)), start=tall[:, :columns]
    )
    return ((total + side * side // 2) // (side * side)).astype(np.uint8)


def _packed(pixels: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The three channels of each pixel in one word, flattened."""
    words = pixels[..., 0].astype(np.uint64)
    for channel in (1, 2):
        words |= pixels[..., channel].astype(np.uint64) << _LANES[channel]
    return words.ravel()


def _bilinear(
    words: NDArray[np.uint64],
    pitch: int,
    index: NDArray[np.int32],
    x: NDArray[np.uint32],
    y: NDArray[np.uint32],
) -> NDArray[np.uint64]:
    """Mix the four words around each position; the result carries weights of 1024."""
    right = x.astype(np.uint64)
    left = np.uint64(_PARTS) - right
    below = y.astype(np.uint64)
    above = np.uint64(_PARTS) - below
    upper: NDArray[np.uint64] = words.take(index) * left + words.take(index + 1) * right
    index = index + pitch
    lower = words.take(index) * left + words.take(index + 1) * right
    upper *= above
    lower *= below
    upper += lower
    upper += _HALF
    return upper
