"""What LibRaw, or a frame itself, knows and no tag of the file says, as tags.

Names, colours and exposure of raws that are not DNG are put into words a DNG has. What is not
known stays unsaid.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from rawback.metadata import TYPE_CODES, Directory, Entry, Metadata, TiffType
from rawback.rawio import dng
from rawback.rawio.libraw_colors import rendering_matrix
from rawback.rawio.tag_kinds import is_rendering
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import rawpy

    from rawback.types import RawFrame

__all__ = [
    "ascii_entry",
    "described",
    "libraw_entries",
    "number_entry",
    "personal_metadata",
    "rational_entry",
    "rendering_metadata",
    "with_metadata",
    "without_places",
]

_D65 = 21
_DENOMINATOR, _TEN_THOUSAND = 1_000_000, 10_000
_LONGEST_EXPOSURE = 1 << 20

# Crops, areas, rows and columns, gain maps and the like.
_PLACES = (
    Tag.BLACK_LEVEL_DELTA_H, Tag.BLACK_LEVEL_DELTA_V, Tag.DEFAULT_CROP_ORIGIN,
    Tag.DEFAULT_CROP_SIZE, Tag.ACTIVE_AREA, Tag.MASKED_AREAS, Tag.OPCODE_LIST_1, Tag.OPCODE_LIST_2,
    Tag.OPCODE_LIST_3, Tag.ORIGINAL_DEFAULT_FINAL_SIZE, Tag.ORIGINAL_BEST_QUALITY_FINAL_SIZE,
    Tag.ORIGINAL_DEFAULT_CROP_SIZE, Tag.DEFAULT_USER_CROP, Tag.PROFILE_GAIN_TABLE_MAP,
    Tag.PROFILE_GAIN_TABLE_MAP_2,
)  # fmt: skip


def number_entry(
    tag: int,
    kind: TiffType,
    values: Sequence[float],
    order: str,
    directory: int = Directory.IMAGE,
) -> Entry:
    """A tag of numbers; rationals flattened."""
    data = struct.pack(f"{order}{len(values)}{TYPE_CODES[kind]}", *values)
    return Entry(directory, tag, kind, data)


def rational_entry(
    tag: int,
    values: Sequence[float],
    order: str,
    kind: TiffType = TiffType.RATIONAL,
    directory: int = Directory.IMAGE,
    denominator: int = _DENOMINATOR,
) -> Entry:
    """A tag of rationals, each the nearest with at most this denominator."""
    pairs = (Fraction(value).limit_denominator(denominator) for value in values)
    flat = [n for pair in pairs for n in pair.as_integer_ratio()]
    return number_entry(tag, kind, flat, order, directory)


def ascii_entry(tag: int, text: str, directory: int = Directory.IMAGE) -> Entry:
    """A tag of text: up to its first NUL, which ends it."""
    data = text.split("\0")[0].encode("utf-8", "replace") + b"\0"
    return Entry(directory, tag, TiffType.ASCII, data)


def joined(make: str, model: str) -> str:
    """Make and model, the make's name once: Canon writes it into the model too."""
    repeated = make and model.lower().startswith(make.lower().split()[0])
    return model if repeated else f"{make} {model}".strip()


def described(frame: RawFrame) -> Metadata:
    """The frame's metadata, and its names and colours where the metadata does not say them."""
    metadata, order = frame.metadata, frame.metadata.order
    entries: list[Entry] = []
    names = ((Tag.MAKE, frame.make), (Tag.MODEL, frame.model))
    entries += [ascii_entry(tag, text) for tag, text in names if text]
    if Tag.DNG_VERSION not in metadata:
        unique = joined(frame.make, frame.model) or "Unknown camera"
        entries.append(ascii_entry(Tag.UNIQUE_CAMERA_MODEL, unique))
    if frame.color_matrix is not None and dng.color_matrix(metadata) is None:
        kind = TiffType.SRATIONAL
        entries += [
            rational_entry(Tag.COLOR_MATRIX_1, frame.color_matrix, order, kind),
            number_entry(Tag.CALIBRATION_ILLUMINANT_1, TiffType.SHORT, [_D65], order),
        ]
    if frame.neutral is not None and Tag.AS_SHOT_WHITE_XY not in metadata:
        entries.append(rational_entry(Tag.AS_SHOT_NEUTRAL, frame.neutral, order))
    return metadata.filled(entries)


def rendering_metadata(frame: RawFrame) -> Metadata:
    """What an editor renders the frame by: `described`, less what is personal."""
    metadata = described(frame)
    return Metadata(tuple(filter(is_rendering, metadata.entries)), metadata.big_endian)


def personal_metadata(frame: RawFrame) -> Metadata:
    """What `rendering_metadata` leaves out."""
    personal = (entry for entry in frame.metadata.entries if not is_rendering(entry))
    return Metadata(tuple(personal), frame.metadata.big_endian)


def without_places(metadata: Metadata) -> Metadata:
    """Less what speaks of places in the whole picture, for a part of it."""
    return metadata.without(*_PLACES)


def with_metadata(frame: RawFrame, metadata: Metadata) -> RawFrame:
    """A frame with other metadata, and the names and colours that it says.

    Colours only if they are red, green and blue; of others the metadata speak alone.
    """
    is_rgb = frame.mosaic.palette == "RGB"
    matrix = dng.color_matrix(metadata) if is_rgb else None
    return replace(
        frame,
        metadata=metadata,
        color_matrix=matrix,
        neutral=dng.as_shot_neutral(metadata, matrix) if is_rgb else None,
        make=metadata.text(Tag.MAKE),
        model=metadata.text(Tag.MODEL),
    )


def libraw_entries(raw: rawpy.RawPy, data: bytes, metadata: Metadata) -> list[Entry]:
    """What LibRaw knows of a raw that is not DNG, for what its tags do not say.

    Args:
        raw: The unpacked raw.
        data: The file.
        metadata: Its tags.
    """
    order = metadata.order
    entries = _colors(raw, data, order)
    aspect = float(raw.sizes.pixel_aspect)
    if math.isfinite(aspect) and aspect > 0 and abs(aspect - 1) > 0.005:
        entries.append(rational_entry(Tag.DEFAULT_SCALE, (aspect, 1.0), order))
    unique = joined(metadata.text(Tag.MAKE), metadata.text(Tag.MODEL))
    if unique:
        entries.append(ascii_entry(Tag.UNIQUE_CAMERA_MODEL, unique))
    return [*entries, *_shot(raw, order)]


def _colors(raw: rawpy.RawPy, data: bytes, order: str) -> list[Entry]:
    if raw.num_colors == 1:
        return []
    if raw.num_colors == 4:
        return _four_colors(raw, order)
    entries: list[Entry] = []
    matrix = dng.as_matrix(np.asarray(raw.rgb_xyz_matrix, dtype=np.float64)[:3])
    if matrix is None:
        matrix = rendering_matrix(data)
    if matrix is not None:
        entries += _matrix(matrix, order)
    gains = [float(gain) for gain in raw.camera_whitebalance[:3]]
    neutral = dng.as_neutral([1 / gain if gain > 0 else math.inf for gain in gains])
    if neutral is not None:
        entries.append(rational_entry(Tag.AS_SHOT_NEUTRAL, neutral, order))
    return entries


def _matrix(matrix: Sequence[float], order: str) -> list[Entry]:
    """A colour matrix for daylight, rounded to 1/10000."""
    flat = [n for value in matrix for n in (round(value * _TEN_THOUSAND), _TEN_THOUSAND)]
    return [
        number_entry(Tag.COLOR_MATRIX_1, TiffType.SRATIONAL, flat, order),
        number_entry(Tag.CALIBRATION_ILLUMINANT_1, TiffType.SHORT, [_D65], order),
    ]


def _four_colors(raw: rawpy.RawPy, order: str) -> list[Entry]:
    """Matrix and white of a sensor of four colours, and in which order they name these."""
    names = raw.color_desc.decode("ascii", "replace")[:4]
    # Emerald has no number of its own; converters give it that of cyan.
    codes = [dng.COLOUR_CODES.find(letter) for letter in names.replace("E", "C")]
    if len(set(codes)) != 4 or min(codes) < 0:
        return []
    entries = [number_entry(Tag.CFA_PLANE_COLOR, TiffType.BYTE, codes, order)]
    matrix = np.asarray(raw.rgb_xyz_matrix, dtype=np.float64)
    if np.isfinite(matrix).all() and 1e-3 < np.abs(matrix).max() < 100:
        entries += _matrix(matrix.ravel().tolist(), order)
    gains = [float(gain) for gain in raw.camera_whitebalance]
    if len(gains) == 4 and all(1e-2 < gain < 1e2 for gain in gains):
        neutral = [gains[1] / gain for gain in gains]
        entries.append(rational_entry(Tag.AS_SHOT_NEUTRAL, neutral, order))
    return entries


def _shot(raw: rawpy.RawPy, order: str) -> list[Entry]:
    """Exposure, time and author, as far as LibRaw knows them."""
    other, exif = raw.other, Directory.EXIF
    entries: list[Entry] = []
    for tag, value in (
        (Tag.EXPOSURE_TIME, other.shutter_speed),
        (Tag.F_NUMBER, other.aperture),
        (Tag.FOCAL_LENGTH, other.focal_length),
    ):
        if math.isfinite(value) and 0 < value < _LONGEST_EXPOSURE:
            entries.append(
                rational_entry(tag, (value,), order, directory=exif, denominator=_TEN_THOUSAND)
            )
    if 0 < other.iso_speed <= 0xFFFF:
        iso = [round(other.iso_speed)]
        entries.append(number_entry(Tag.ISO, TiffType.SHORT, iso, order, exif))
    taken: datetime = other.timestamp
    if taken.year > 1970:
        text = taken.strftime("%Y:%m:%d %H:%M:%S")
        entries.append(ascii_entry(Tag.DATE_TIME_ORIGINAL, text, exif))
    if other.artist.strip():
        entries.append(ascii_entry(Tag.ARTIST, other.artist.strip()))
    return entries
