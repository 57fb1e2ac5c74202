"""Raw files of kinds that few cameras make."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rawback.ljpeg import HuffmanTable, Scan, write_scan

from ..ljpeg import twin
from .writers import Tiff, cut_up, tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["COLUMNS", "ROWS", "jpeg", "scene", "unusual"]

ROWS, COLUMNS = 22, 36
TABLE = HuffmanTable.optimal([3, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 2, 1, 1])
OTHER_TABLE = HuffmanTable.optimal([1] * 17)

File = tuple[bytes, "NDArray[np.uint16]", tuple[int, int]]


def scene(bits: int, rows: int = ROWS, columns: int = COLUMNS, seed: int = 0) -> NDArray[np.uint16]:
    """A mosaic with smooth parts, noise and clipped highlights."""
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 1 << bits, columns)[None, :] * np.linspace(0.2, 1.2, rows)[:, None]
    noisy = ramp + random.normal(0, 1 << (bits - 5), ramp.shape)
    return np.clip(noisy, 0, (1 << bits) - 1).astype(np.uint16)


def jpeg(
    samples: NDArray[np.uint16],
    components: int,
    *,
    pad: int = 1,
    wide: bool = False,
    rows: int | None = None,
    tail: bytes = b"\xff\xd9",
    precision: int = 16,
    predictor: int = 1,
    restart_rows: int = 0,
) -> bytes:
    """Lossless JPEG of a chunk, by the plain twin; `rows` of it if other than the chunk's."""
    high = samples.shape[0] if rows is None else rows
    shaped = samples.reshape(high, -1, components)
    tables = tuple((TABLE, OTHER_TABLE)[k % 2] for k in range(components))
    scan = Scan(
        *(high, shaped.shape[1], precision, predictor, tables),
        restart_rows=restart_rows,
    )
    return write_scan(scan) + twin.encode(scan, shaped, pad=pad, wide=wide) + tail


def slices(widths: tuple[int, int, int] = (2, 12, 12), components: int = 2) -> File:
    """Canon's CR2: vertical slices, one behind the other, in one JPEG."""
    mosaic = scene(14)
    count, wide, last = widths
    columns = [wide] * count + [last or COLUMNS]
    lefts = np.cumsum([0, *columns])[:-1]
    parts = [mosaic[:, left : left + w].reshape(-1) for left, w in zip(lefts, columns, strict=True)]
    samples = np.concatenate(parts).reshape(ROWS, COLUMNS)
    file = jpeg(samples, components, precision=14, tail=b"\xff\xd9\0\0\0")
    more: dict[int, Sequence[int]] = {50752: widths} if count else {}
    return tiff(Tiff(ROWS, COLUMNS, 14, compression=6, more=more), [file]), mosaic, (0, 0)


_TILED = Tiff(ROWS, COLUMNS, 16, compression=7, tile=(16, 16))


def cells() -> File:
    """Cells of 2 x 2 samples as the four components of a pixel."""
    mosaic = scene(14)
    tiles = []
    for tile in cut_up(mosaic, (16, 16)):
        cell = tile.reshape(8, 2, 8, 2).transpose(0, 2, 1, 3).reshape(8, 32)
        tiles.append(jpeg(cell, 4, precision=14))
    return tiff(_TILED, tiles), mosaic, (0, 0)


def corner() -> File:
    """Tiles that are cut where the image ends."""
    mosaic = scene(16)
    tiles = [
        jpeg(mosaic[top : top + 16, left : left + 16], 2)
        for top in range(0, ROWS, 16)
        for left in range(0, COLUMNS, 16)
    ]
    return tiff(_TILED, tiles), mosaic, (0, 0)


def wide() -> File:
    """Category 16 followed by bits of its own, as in DNG before 1.1."""
    mosaic = scene(16)
    mosaic[5:8] = np.array([0, 0x8000] * (COLUMNS // 2), np.uint16)
    tiles = [jpeg(tile, 1, wide=True) for tile in cut_up(mosaic, (16, 16))]
    return tiff(_TILED, tiles), mosaic, (0, 0)


def restarts() -> File:
    """Strips with restart markers, bytes filled up with zeros, and another predictor."""
    mosaic = scene(16)
    strips = [
        jpeg(mosaic[top : top + 8], 2, restart_rows=3, pad=0, predictor=6)
        for top in range(0, ROWS, 8)
    ]
    return tiff(replace(_TILED, tile=None, strip_rows=8), strips), mosaic, (0, 0)


def border() -> File:
    """Noise around the mosaic, and tiles that are filled up."""
    whole = scene(14, 30, 50)
    whole[:4] = whole[:, :6] = np.random.default_rng(1).normal(2048, 4, (1, 1))
    tiles = [jpeg(tile, 2) for tile in cut_up(whole, (16, 16), "reflect")]
    file = tiff(Tiff(30, 50, 14, compression=7, tile=(16, 16)), tiles)
    return file, np.ascontiguousarray(whole[4:28, 6:48]), (4, 6)


_KINDS: dict[str, Callable[[], File]] = {
    "slices": slices,
    "cells": cells,
    "corner": corner,
    "wide": wide,
    "restarts": restarts,
    "border": border,
}


def unusual(kind: str) -> File:
    """A file, its mosaic, and where that lies."""
    return _KINDS[kind]()
