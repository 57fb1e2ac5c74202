"""Raw files made to order, tag by tag, independently of the DNG writer.

Values are written as ``(SHORT, 1, 2)``: their type first, rationals flattened.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawback.metadata import TiffType
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LAYOUT = {
    TiffType.BYTE: ("B", 1),
    TiffType.ASCII: ("B", 1),
    TiffType.SHORT: ("H", 2),
    TiffType.LONG: ("I", 4),
    TiffType.RATIONAL: ("I", 8),
    TiffType.UNDEFINED: ("B", 1),
    TiffType.SRATIONAL: ("i", 8),
    TiffType.FLOAT: ("f", 4),
    TiffType.DOUBLE: ("d", 8),
}

Values = tuple[float, ...]
Tags = Mapping[int, Values]
MakeTiff = Callable[..., bytes]

ASCII, BYTE, SHORT, LONG = TiffType.ASCII, TiffType.BYTE, TiffType.SHORT, TiffType.LONG
RATIONAL, SRATIONAL = TiffType.RATIONAL, TiffType.SRATIONAL


def mosaic(height: int = 64, width: int = 80) -> NDArray[np.uint16]:
    """Samples between 300 and 3000, in no order: ``[height, width]``."""
    count = height * width
    codes = 300 + (np.arange(count) * 7919 % count) * 2700 // count
    return codes.reshape(height, width).astype(np.uint16)


def raw_tags(samples: NDArray[np.uint16]) -> dict[int, Values]:
    """The tags of an ordinary RGGB DNG of these samples (``[H, W]`` or ``[H, W, planes]``)."""
    planes = samples.shape[2] if samples.ndim == 3 else 1
    return {
        Tag.NEW_SUBFILE_TYPE: (LONG, 0),
        Tag.IMAGE_WIDTH: (LONG, samples.shape[1]),
        Tag.IMAGE_LENGTH: (LONG, samples.shape[0]),
        Tag.BITS_PER_SAMPLE: (SHORT, *[16] * planes),
        Tag.COMPRESSION: (SHORT, 1),
        Tag.PHOTOMETRIC: (SHORT, 32803),
        Tag.MAKE: (ASCII, *b"Acme\0"),
        Tag.MODEL: (ASCII, *b"One\0"),
        Tag.ORIENTATION: (SHORT, 1),
        Tag.SAMPLES_PER_PIXEL: (SHORT, planes),
        Tag.ROWS_PER_STRIP: (LONG, samples.shape[0]),
        Tag.PLANAR_CONFIGURATION: (SHORT, 1),
        Tag.CFA_REPEAT_PATTERN_DIM: (SHORT, 2, 2),
        Tag.CFA_PATTERN: (BYTE, 0, 1, 1, 2),
        Tag.DNG_VERSION: (BYTE, 1, 4, 0, 0),
        Tag.UNIQUE_CAMERA_MODEL: (ASCII, *b"Acme One\0"),
        Tag.BLACK_LEVEL: (SHORT, 256),
        Tag.WHITE_LEVEL: (SHORT, 4095),
        Tag.COLOR_MATRIX_1: (
            SRATIONAL,
            7,
            10,
            -1,
            10,
            -1,
            10,
            -4,
            10,
            12,
            10,
            2,
            10,
            0,
            1,
            2,
            10,
            6,
            10,
        ),
        Tag.AS_SHOT_NEUTRAL: (RATIONAL, 1, 2, 1, 1, 5, 8),
        Tag.CALIBRATION_ILLUMINANT_1: (SHORT, 21),
    }


def tiff(
    samples: NDArray[np.uint16],
    changes: Mapping[int, Values | None] | None = None,
    *,
    order: str = "<",
    shots: int = 1,
    chunks: Sequence[bytes] | None = None,
) -> bytes:
    """A DNG, or what becomes of it.

    Args:
        samples: The image.
        changes: Tags to add or replace; None takes one away.
        order: Byte order, ``"<"`` or ``">"``.
        shots: How many such images the file holds, the others in sub-directories.
        chunks: What to keep the image as instead of one strip: strips, or tiles where there is a
            tag of their width.
    """
    tags = {**raw_tags(samples), **(changes or {})}
    kept = {tag: values for tag, values in tags.items() if values is not None}
    out = bytearray(struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 0))
    parts = [samples.astype(order + "u2").tobytes()] if chunks is None else chunks
    tiled = Tag.TILE_WIDTH in kept
    if tiled:
        kept.pop(Tag.ROWS_PER_STRIP, None)
    subs: list[int] = []
    for _ in range(shots):
        ends = len(out) + np.cumsum([0, *map(len, parts)])
        strip: dict[int, Values] = {
            Tag.TILE_OFFSETS if tiled else Tag.STRIP_OFFSETS: (LONG, *ends[:-1].tolist()),
            Tag.TILE_BYTE_COUNTS if tiled else Tag.STRIP_BYTE_COUNTS: (LONG, *map(len, parts)),
        }
        out += b"".join(parts)
        if subs and len(subs) == shots - 1:
            strip[Tag.SUB_IFDS] = (LONG, *subs)
        subs.append(_append(out, {**strip, **kept}, order))
    struct.pack_into(order + "I", out, 4, subs[-1])
    return bytes(out)


def nested_dng(samples: NDArray[np.uint16], order: str = "<", **directories: Tags) -> bytes:
    """A DNG as Adobe's converter writes it: a thumbnail first, the raw in a directory below.

    Args:
        samples: The mosaic.
        order: Byte order.
        directories: More tags of ``first``, ``raw``, ``exif``, ``gps``, ``interoperability``, and
            of ``profile``, a further camera profile.
    """
    out = bytearray(struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 0))
    described = {Tag.DNG_VERSION, Tag.UNIQUE_CAMERA_MODEL, Tag.MAKE, Tag.MODEL, Tag.ORIENTATION}
    described |= {Tag.COLOR_MATRIX_1, Tag.AS_SHOT_NEUTRAL, Tag.CALIBRATION_ILLUMINANT_1}
    every = raw_tags(samples)
    packed = samples.astype(order + "u2").tobytes()
    place: dict[int, Values] = {
        Tag.STRIP_OFFSETS: (LONG, len(out)),
        Tag.STRIP_BYTE_COUNTS: (LONG, len(packed)),
    }
    out += packed
    raw = {tag: values for tag, values in every.items() if tag not in described}
    first = {tag: values for tag, values in every.items() if tag in described}
    first |= {
        Tag.NEW_SUBFILE_TYPE: (LONG, 1),
        Tag.IMAGE_WIDTH: (LONG, 8),
        Tag.SUB_IFDS: (LONG, _append(out, {**raw, **place, **directories.get("raw", {})}, order)),
    }
    exif = dict(directories.get("exif", {}))
    if "interoperability" in directories:
        inner = _append(out, directories["interoperability"], order)
        exif[Tag.INTEROPERABILITY_IFD] = (LONG, inner)
    if exif:
        first[Tag.EXIF_IFD] = (LONG, _append(out, exif, order))
    if "gps" in directories:
        first[Tag.GPS_IFD] = (LONG, _append(out, directories["gps"], order))
    if "profile" in directories:
        first[Tag.EXTRA_CAMERA_PROFILES] = (LONG, len(out))
        profile = bytearray(struct.pack(order + "2sHI", out[:2], 0x4352, 8))
        _append(profile, directories["profile"], order)
        # Its directory comes after its values.
        tags = len(directories["profile"])
        struct.pack_into(order + "I", profile, 4, len(profile) - 6 - 12 * tags)
        out += profile
    struct.pack_into(
        order + "I", out, 4, _append(out, {**first, **directories.get("first", {})}, order)
    )
    return bytes(out)


def _append(out: bytearray, fields: Tags, order: str) -> int:
    entries = []
    for tag, (kind, *values) in sorted(fields.items()):
        code, size = _LAYOUT[TiffType(int(kind))]
        packed = struct.pack(f"{order}{len(values)}{code}", *values)
        place = packed.ljust(4, b"\0")
        if len(packed) > 4:
            place = struct.pack(order + "I", len(out))
            out += packed + b"\0" * (len(packed) % 2)
        entries.append(struct.pack(order + "HHI", tag, int(kind), len(packed) // size) + place)
    at = len(out)
    out += struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    return at


@pytest.fixture(scope="session")
def samples() -> NDArray[np.uint16]:
    """A small mosaic."""
    return mosaic()


@pytest.fixture(scope="session")
def make_tiff() -> MakeTiff:
    """`tiff`, for tests that want other tags."""
    return tiff
