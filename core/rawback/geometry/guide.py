"""The carrier's pixels on the raw grid, by integer bilinear sampling.

Encoder and decoder must see the same guide to the last bit, so nothing here is float and
nothing is left to a library whose rounding may change: positions are rounded to 1/32 pixel,
weights are products of 32nds, sums are rounded half up. The kernels are in ``kernels/guide.c``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from rawback.geometry.transform import STEP, Aligned
from rawback.geometry.warp import FINE_ONE, node_positions
from rawback.kernels import Integer, Kernel, Read, Write
from rawback.orientation import inverse, orient_image, orient_position, oriented_size
from rawback.types import Guide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.model import Geometry
    from rawback.geometry.warp import Box

__all__ = ["build_guide"]

_TILE_ROWS, _TILE_COLUMNS = 96, 384
_MAX_AVERAGED = 8

_sample = Kernel(
    "sample_guide",
    *(Read(np.int64, 3), Integer, Integer),
    *(Read(np.uint8, 3), Integer, Integer, Integer, Integer, Integer),
    Write(np.int32, 2),
    Write(np.uint8, 3),
    Write(np.uint8, 2),
)
_square_means = Kernel(
    "square_means",
    *(Read(np.uint8, 3), Integer, Integer, Integer),
    Write(np.uint16, 1),
    Write(np.uint8, 3),
)


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
    guide = np.empty((height, width, 3), np.uint8)
    mask = np.empty((height, width), np.uint8)
    averaged = _averaged_side(nodes)

    def fill(corner: tuple[int, int]) -> None:
        x, y = corner
        tile = slice(y, min(y + _TILE_ROWS, height)), slice(x, min(x + _TILE_COLUMNS, width))
        part = (left + x, top + y, tile[1].stop - x, tile[0].stop - y)
        _fill(nodes, pixels, averaged, part, Guide(guide[tile], mask[tile]))

    corners = [(x, y) for y in range(0, height, _TILE_ROWS) for x in range(0, width, _TILE_COLUMNS)]
    if threads == 1:
        for corner in corners:
            fill(corner)
    else:
        with ThreadPoolExecutor(max_workers=threads) as pool:
            for _ in pool.map(fill, corners):
                pass
    return Guide(guide, mask)


def _fill(
    nodes: NDArray[np.int64], pixels: NDArray[np.uint8], averaged: int, box: Box, guide: Guide
) -> None:
    """Sample one box into the parts of the guide that lie there."""
    tall, wide, _ = pixels.shape
    x, y = 0, 0
    if averaged > 1:
        x, y, right, bottom = _carrier_box(nodes, box, averaged, (tall, wide))
        means = np.empty((bottom - y, right - x, 3), np.uint8)
        sums = np.empty(3 * (right - x + averaged - 1), np.uint16)
        before = (averaged - 1) // 2
        _square_means(pixels, y - before, x - before, averaged, sums, means)
        pixels = means
    positions = np.empty((2, box[2]), np.int32)
    even = averaged % 2 == 0
    _sample(
        nodes, box[0], box[1], pixels, x, y, tall, wide, even, positions, guide.pixels, guide.mask
    )


def _carrier_box(
    nodes: NDArray[np.int64], box: Box, averaged: int, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the carrier's pixels that a box is interpolated between."""
    left, top, width, height = box
    around = nodes[
        top // STEP : (top + height - 1) // STEP + 2, left // STEP : (left + width - 1) // STEP + 2
    ]
    # Positions lie between those of the nodes around, half a pixel less where squares are even.
    less = 0 if averaged % 2 else FINE_ONE // 2
    near = (around.min(axis=(0, 1)) - less) // FINE_ONE
    far = around.max(axis=(0, 1)) // FINE_ONE + 2
    (tall, wide) = size
    x, y = (int(np.clip(at, 0, end - 1)) for at, end in zip(near, (wide, tall), strict=True))
    right, bottom = (int(np.clip(at, 1, end)) for at, end in zip(far, (wide, tall), strict=True))
    return x, y, max(right, x + 1), max(bottom, y + 1)


def _averaged_side(nodes: NDArray[np.int64]) -> int:
    """Side of the carrier squares that one raw pixel spans, from the middle of the frame."""
    row, column = (nodes.shape[0] - 1) // 2, (nodes.shape[1] - 1) // 2
    here = nodes[row, column]
    across = [int(step) for step in nodes[row, column + 1] - here]
    down = [int(step) for step in nodes[row + 1, column] - here]
    side = isqrt(abs(across[0] * down[1] - across[1] * down[0]))
    one = STEP * FINE_ONE
    return min(max((side + one // 2) // one, 1), _MAX_AVERAGED)
