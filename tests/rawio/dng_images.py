"""Images of DNGs, their tags, and the strips or tiles that they are cut into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from rawback.metadata import TiffType
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from numpy.typing import NDArray

BYTE, SHORT, LONG, UNDEFINED = TiffType.BYTE, TiffType.SHORT, TiffType.LONG, TiffType.UNDEFINED

Values = tuple[float, ...]
Tags = dict[int, Values | None]
MakeTiff = Callable[..., bytes]

CFA, LINEAR = 32803, 34892
HEIGHT, WIDTH = 50, 70
TILE = 32, 48
DEFLATE, LOSSY_JPEG, JPEG_XL, JPEG = 8, 34892, 52546, 7


def image(samples: int = 1, bits: int = 12) -> NDArray[np.uint16]:
    """Samples in no order, ``[H, W, samples]``."""
    shape = HEIGHT, WIDTH, samples
    return np.random.default_rng(5).integers(0, 1 << bits, shape).astype(np.uint16)


def tags_of(samples: int, bits: int, compression: int, *, tiled: bool, **more: Values) -> Tags:
    rows, columns = TILE if tiled else (20, WIDTH)
    chunk: Tags = {Tag.TILE_LENGTH: (SHORT, rows), Tag.TILE_WIDTH: (SHORT, columns)}
    return {
        Tag.BITS_PER_SAMPLE: (SHORT, *[bits] * samples),
        Tag.COMPRESSION: (SHORT, compression),
        Tag.PHOTOMETRIC: (SHORT, LINEAR if samples == 3 else CFA),
        Tag.BLACK_LEVEL: None,
        Tag.WHITE_LEVEL: (SHORT, *[(1 << bits) - 1] * samples),
        **(chunk if tiled else {Tag.ROWS_PER_STRIP: (SHORT, rows)}),
        **{Tag[name]: values for name, values in more.items()},
    }


def cut(whole: NDArray[np.generic], *, tiled: bool) -> Iterator[NDArray[np.generic]]:
    """Strips of 20 rows, the last shorter, or whole tiles, the last padded."""
    rows, columns = TILE if tiled else (20, WIDTH)
    if tiled:
        padding = (0, -HEIGHT % rows), (0, -WIDTH % columns), (0, 0)
        whole = np.pad(whole, padding, mode="edge")
    for top in range(0, whole.shape[0], rows):
        for left in range(0, whole.shape[1], columns):
            yield whole[top : top + rows, left : left + columns]


def packed(chunk: NDArray[np.generic], bits: int, order: str) -> bytes:
    """Rows of samples, the first bit first, each row in whole bytes."""
    if bits in (8, 16):
        return chunk.astype("u1" if bits == 8 else order + "u2").tobytes()
    flat = chunk.reshape(len(chunk), -1).astype(np.uint16)
    digits = flat[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint16) & 1
    return np.packbits(digits.reshape(len(chunk), -1).astype(np.uint8), axis=1).tobytes()


def differences(chunk: NDArray[np.generic], distance: int, kind: str) -> NDArray[np.generic]:
    rows = chunk.reshape(len(chunk), -1).astype(kind)
    left = rows.copy()
    left[:, distance:] -= rows[:, :-distance]
    return left
