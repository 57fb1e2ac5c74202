"""The samples of a DNG that is written: one strip, or compressed tiles.

Lossless JPEG with predictor 1, the only one that LibRaw, darktable and Adobe's SDK all know; of
floating point numbers deflate, with a predictor too.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np

from rawback import ljpeg
from rawback.metadata import TiffType
from rawback.parallel import in_threads
from rawback.rawio.describe import number_entry
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.metadata import Entry
    from rawback.types import Mosaic, RawFrame

__all__ = [
    "Chunk",
    "Compression",
    "Samples",
    "is_compressible",
    "is_float",
    "layout_entries",
    "long_entry",
    "pack_samples",
    "samples_to_write",
    "short_entry",
]

Compression: TypeAlias = Literal["none", "ljpeg"]
Chunk: TypeAlias = bytes | memoryview
Samples: TypeAlias = "NDArray[np.uint16] | NDArray[np.float16] | NDArray[np.float32]"

_UNCOMPRESSED, _JPEG, _DEFLATE = 1, 7, 8
_FLOAT_PREDICTORS = {1: 3, 2: 34894}  # by the pixels between the samples that are compared
_TILE_SIDES = (512, 256, 128, 64, 32, 16)


def is_float(samples: Samples) -> bool:
    """Whether samples are floating point numbers."""
    return samples.dtype.kind == "f"


def is_compressible(width: int) -> bool:
    """Whether LibRaw reads tiles of an image so wide: none that are wider than it."""
    return width >= _TILE_SIDES[-1]


def samples_to_write(frame: RawFrame) -> Samples:
    """All samples of a frame as a file has them.

    Returns:
        uint16, or floating point numbers: float16 where no bit is lost by it, else float32.
    """
    if frame.floats is None:
        return frame.whole_mosaic
    numbers = frame.whole_numbers
    with np.errstate(over="ignore", invalid="ignore"):
        half = numbers.astype(np.float16)
        same = np.array_equal(half.astype(np.float32).view(np.uint32), numbers.view(np.uint32))
    return half if same else numbers


def pack_samples(
    samples: Samples, mosaic: Mosaic, compression: Compression, order: str
) -> list[Chunk]:
    """The samples' bytes: one strip, or compressed tiles in reading order."""
    if compression == "none":
        # A byte view: joining copies it once, and nothing else does.
        kind = f"{order}{samples.dtype.kind}{samples.itemsize}"
        ordered = np.ascontiguousarray(samples, dtype=kind)
        return [ordered.reshape(-1).view(np.uint8).data]
    height, width = samples.shape[:2]
    side = _tile_side(samples)
    tiles = (
        samples[top : top + side, left : left + side]
        for top in range(0, height, side)
        for left in range(0, width, side)
    )
    return list(in_threads(lambda tile: _compressed(_padded(tile, side), mosaic), tiles))


def _padded(tile: Samples, side: int) -> Samples:
    """A tile at the end of rows or columns with the last ones repeated."""
    missing = [(0, side - length) for length in tile.shape[:2]]
    if not any(more for _, more in missing):
        return tile
    return cast("Samples", np.pad(tile, [*missing, (0, 0)][: tile.ndim], mode="edge"))


def _compressed(tile: Samples, mosaic: Mosaic) -> bytes:
    """A tile as lossless JPEG, or of floating point numbers as deflate with a predictor."""
    distance = _distance(mosaic) * mosaic.samples
    if is_float(tile):
        size = tile.dtype.itemsize
        octets = tile.astype(f">f{size}").view(np.uint8).reshape(len(tile), -1, size)
        # The highest bytes of a row, then those below, and so on.
        planes = np.ascontiguousarray(octets.transpose(0, 2, 1)).reshape(len(tile), -1)
        differences = planes.copy()
        differences[:, distance:] -= planes[:, :-distance]
        return zlib.compress(differences.tobytes())
    # As components of less width, so that each sample is predicted from one of its own colour.
    # Predictor 1 is the only one that all three readers know.
    components = np.ascontiguousarray(tile, np.uint16).reshape(len(tile), -1, distance)
    return ljpeg.compress(components)


def _distance(mosaic: Mosaic) -> int:
    """How many pixels further on in a row a sample is of a likely alike colour."""
    return 1 if mosaic.samples > 1 or mosaic.is_monochrome else 2


def _tile_side(samples: Samples) -> int:
    """The largest side of a tile that LibRaw reads in an image of such samples.

    LibRaw 0.22 breaks rows at the image's width instead of the tile's where a tile is wider than
    the image, and takes two components for two tiles where two tiles are as wide as the image. Of
    floating point numbers it reads no tiles beside each other that are higher than the image.
    """
    height, width = samples.shape[:2]
    most = min(height, width) if is_float(samples) else width
    sides = (side for side in _TILE_SIDES if side <= most and 2 * side != width)
    return next(sides, _TILE_SIDES[-1])


def layout_entries(
    samples: Samples,
    mosaic: Mosaic,
    compression: Compression,
    offsets: Sequence[int],
    lengths: Sequence[int],
    order: str,
) -> list[Entry]:
    """The tags that say where the mosaic lies and how it is coded."""
    if compression == "none":
        return [
            short_entry(Tag.COMPRESSION, order, _UNCOMPRESSED),
            long_entry(Tag.STRIP_OFFSETS, order, *offsets),
            long_entry(Tag.ROWS_PER_STRIP, order, samples.shape[0]),
            long_entry(Tag.STRIP_BYTE_COUNTS, order, *lengths),
        ]
    side = _tile_side(samples)
    coded = [short_entry(Tag.COMPRESSION, order, _JPEG)]
    if is_float(samples):
        predictor = _FLOAT_PREDICTORS[_distance(mosaic)]
        coded = [
            short_entry(Tag.COMPRESSION, order, _DEFLATE),
            short_entry(Tag.PREDICTOR, order, predictor),
        ]
    return [
        *coded,
        long_entry(Tag.TILE_WIDTH, order, side),
        long_entry(Tag.TILE_LENGTH, order, side),
        long_entry(Tag.TILE_OFFSETS, order, *offsets),
        long_entry(Tag.TILE_BYTE_COUNTS, order, *lengths),
    ]


def short_entry(tag: int, order: str, *values: int) -> Entry:
    """A tag of 16-bit numbers."""
    return number_entry(tag, TiffType.SHORT, values, order)


def long_entry(tag: int, order: str, *values: int) -> Entry:
    """A tag of 32-bit numbers."""
    return number_entry(tag, TiffType.LONG, values, order)
