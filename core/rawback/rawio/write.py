"""Frames to DNG files (DNG 1.4 specification).

What lies where::

    header | IFD0 and its values | Exif IFD | preview IFD | preview JPEG | mosaic

The mosaic's tags are in IFD0, because LibRaw, darktable and Adobe's SDK all find it there.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rawback import ljpeg
from rawback.errors import UnsupportedCarrier
from rawback.parallel import in_threads
from rawback.rawio.exif import ascii_bytes, carried_fields, with_sane_crop
from rawback.rawio.kinds import CFA
from rawback.rawio.tags import Tag, TiffType
from rawback.rawio.tiff import Field, pack_ifd, packed_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.types import ExifValue, RawFrame

__all__ = ["write_dng"]

Compression: TypeAlias = Literal["none", "ljpeg"]
Chunk: TypeAlias = bytes | memoryview

_D65 = 21
_UNCOMPRESSED, _JPEG = 1, 7
_GRAYSCALE, _YCBCR = 1, 6
_SRGB_PREVIEW = 2
_TILE_SIDES = (512, 256, 128, 64, 32, 16)
# With numerators that fit: black levels go up to 65535, the others stay below 1000.
_DENOMINATOR, _BLACK_DENOMINATOR = 1_000_000, 65_536
_HEADER_SIZE = 8


def write_dng(
    frame: RawFrame,
    *,
    preview_jpeg: bytes | None = None,
    compression: Compression = "none",
) -> bytes:
    """Write a frame as a DNG that LibRaw, darktable and Adobe's SDK open.

    Args:
        frame: The frame. Of its Exif tags, those that are carried over and fit their type are
            written.
        preview_jpeg: A baseline JPEG to show in file managers, as the eye should see it once
            turned by `frame.orientation`.
        compression: ``"none"``, which every reader reads, or ``"ljpeg"``: lossless JPEG. Frames of
            less than 16 columns are not compressed.

    Returns:
        The file.

    Raises:
        UnsupportedCarrier: `preview_jpeg` is no JPEG of one or three components.
    """
    if frame.width < _TILE_SIDES[-1]:
        compression = "none"  # LibRaw reads no tiles that are wider than the image
    chunks = _chunks(frame.cfa, compression)
    lengths = [len(chunk) for chunk in chunks]
    exif = [
        Field(Tag.EXIF_VERSION, TiffType.UNDEFINED, b"0231"),
        *carried_fields(frame.exif, in_exif=True),
    ]
    preview = _preview_fields(preview_jpeg) if preview_jpeg else []
    # Held back a place, so that the directory's size is known before its offset is.
    if preview:
        preview.append(_long(Tag.STRIP_OFFSETS, 0))

    def directories(offsets: Sequence[int], exif_at: int, preview_at: int) -> list[Field]:
        layout = _layout_fields(frame.cfa, compression, offsets, lengths)
        fields = [*_frame_fields(frame), *layout]
        fields.append(Field(Tag.EXIF_IFD, TiffType.LONG, (exif_at,)))
        if preview:
            fields.append(Field(Tag.SUB_IFDS, TiffType.LONG, (preview_at,)))
        return fields

    # Offsets do not change a directory's size, so that it can be measured before they are known.
    exif_at = _HEADER_SIZE + packed_size(directories([0] * len(chunks), 0, 0))
    preview_at = exif_at + packed_size(exif)
    jpeg_at = preview_at + (packed_size(preview) if preview else 0)
    jpeg = preview_jpeg or b""
    jpeg += b"\0" * (-len(jpeg) % 2)
    offsets = np.cumsum([jpeg_at + len(jpeg), *lengths])[:-1].tolist()
    parts: list[Chunk] = [
        struct.pack("<2sHI", b"II", 42, _HEADER_SIZE),
        pack_ifd(directories(offsets, exif_at, preview_at), _HEADER_SIZE),
        pack_ifd(exif, exif_at),
    ]
    if preview:
        preview[-1] = _long(Tag.STRIP_OFFSETS, jpeg_at)
        parts.append(pack_ifd(preview, preview_at))
    return b"".join([*parts, jpeg, *chunks])


def _long(tag: int, *values: int) -> Field:
    return Field(tag, TiffType.LONG, values)


def _short(tag: int, *values: int) -> Field:
    return Field(tag, TiffType.SHORT, values)


def _rational(
    tag: int,
    values: Sequence[float],
    kind: TiffType = TiffType.RATIONAL,
    denominator: int = _DENOMINATOR,
) -> Field:
    pairs = (Fraction(value).limit_denominator(denominator) for value in values)
    return Field(tag, kind, [n for pair in pairs for n in pair.as_integer_ratio()])


def _frame_fields(frame: RawFrame) -> list[Field]:
    """The tags of IFD0 that do not depend on where the mosaic lies."""
    unique = frame.unique_model or f"{frame.make} {frame.model}".strip() or "Unknown camera"
    text = (
        (Tag.MAKE, frame.make),
        (Tag.MODEL, frame.model),
        (Tag.UNIQUE_CAMERA_MODEL, unique),
    )
    black = _rational(Tag.BLACK_LEVEL, frame.black, denominator=_BLACK_DENOMINATOR)
    if all(float(level).is_integer() for level in frame.black):
        black = _short(Tag.BLACK_LEVEL, *(int(level) for level in frame.black))
    width, height = frame.width, frame.height
    whole_frame: dict[int, ExifValue] = {
        Tag.DEFAULT_CROP_ORIGIN: ((0, 1), (0, 1)),
        Tag.DEFAULT_CROP_SIZE: ((width, 1), (height, 1)),
    }
    carried = with_sane_crop(frame.exif, width, height)
    return [
        _long(Tag.NEW_SUBFILE_TYPE, 0),
        _long(Tag.IMAGE_WIDTH, width),
        _long(Tag.IMAGE_LENGTH, height),
        _short(Tag.BITS_PER_SAMPLE, 16),
        _short(Tag.PHOTOMETRIC, CFA),
        _short(Tag.ORIENTATION, frame.orientation),
        _short(Tag.SAMPLES_PER_PIXEL, 1),
        _short(Tag.PLANAR_CONFIGURATION, 1),
        *(Field(tag, TiffType.ASCII, ascii_bytes(value)) for tag, value in text if value),
        _short(Tag.CFA_REPEAT_PATTERN_DIM, 2, 2),
        Field(Tag.CFA_PATTERN, TiffType.BYTE, bytes("RGB".index(c) for c in frame.pattern)),
        Field(Tag.DNG_VERSION, TiffType.BYTE, bytes((1, 4, 0, 0))),
        Field(Tag.DNG_BACKWARD_VERSION, TiffType.BYTE, bytes((1, 1, 0, 0))),
        _short(Tag.BLACK_LEVEL_REPEAT_DIM, 2, 2),
        black,
        _short(Tag.WHITE_LEVEL, frame.white),
        _rational(Tag.COLOR_MATRIX_1, frame.color_matrix, TiffType.SRATIONAL),
        _rational(Tag.AS_SHOT_NEUTRAL, frame.neutral),
        _short(Tag.CALIBRATION_ILLUMINANT_1, _D65),
        _long(Tag.ACTIVE_AREA, 0, 0, height, width),
        Field(Tag.NOISE_PROFILE, TiffType.DOUBLE, (frame.noise.scale, frame.noise.offset)),
        *carried_fields({**whole_frame, **carried}, in_exif=False),
    ]


def _chunks(cfa: NDArray[np.uint16], compression: Compression) -> list[Chunk]:
    """The mosaic's bytes: one strip, or lossless JPEG tiles in reading order."""
    if compression == "none":
        # A byte view: joining copies it once, and nothing else does.
        return [np.ascontiguousarray(cfa, dtype="<u2").reshape(-1).view(np.uint8).data]
    side = _tile_side(cfa.shape[1])
    height, width = cfa.shape
    whole = np.pad(cfa, ((0, -height % side), (0, -width % side)), mode="edge")
    tiles = (
        whole[top : top + side, left : left + side]
        for top in range(0, height, side)
        for left in range(0, width, side)
    )
    return list(in_threads(_lossless_jpeg, tiles))


def _tile_side(width: int) -> int:
    """The largest side of a tile that LibRaw reads at this width.

    LibRaw 0.22 breaks rows at the image's width instead of the tile's where a tile is wider than
    the image, and takes two components for two tiles where two tiles are as wide as the image.
    """
    sides = (side for side in _TILE_SIDES if side <= width and 2 * side != width)
    return next(sides, _TILE_SIDES[-1])


def _lossless_jpeg(tile: NDArray[np.uint16]) -> bytes:
    """A tile as lossless JPEG with predictor 1, the only one that all three readers know.

    Neighbours in a row of a mosaic differ in colour, so the tile is coded as two components of half
    its width: each sample is then predicted from one of its own colour.
    """
    rows, columns = tile.shape
    return ljpeg.compress(np.ascontiguousarray(tile).reshape(rows, columns // 2, 2))


def _layout_fields(
    cfa: NDArray[np.uint16],
    compression: Compression,
    offsets: Sequence[int],
    lengths: Sequence[int],
) -> list[Field]:
    """The tags that say where the mosaic lies and how it is coded."""
    if compression == "none":
        return [
            _short(Tag.COMPRESSION, _UNCOMPRESSED),
            _long(Tag.STRIP_OFFSETS, *offsets),
            _long(Tag.ROWS_PER_STRIP, cfa.shape[0]),
            _long(Tag.STRIP_BYTE_COUNTS, *lengths),
        ]
    side = _tile_side(cfa.shape[1])
    return [
        _short(Tag.COMPRESSION, _JPEG),
        _long(Tag.TILE_WIDTH, side),
        _long(Tag.TILE_LENGTH, side),
        _long(Tag.TILE_OFFSETS, *offsets),
        _long(Tag.TILE_BYTE_COUNTS, *lengths),
    ]


def _preview_fields(jpeg: bytes) -> list[Field]:
    """The tags of a JPEG preview, but for its offset."""
    width, height, sampling = _jpeg_shape(jpeg)
    components = len(sampling)
    fields = [
        _long(Tag.NEW_SUBFILE_TYPE, 1),
        _long(Tag.IMAGE_WIDTH, width),
        _long(Tag.IMAGE_LENGTH, height),
        _short(Tag.BITS_PER_SAMPLE, *[8] * components),
        _short(Tag.COMPRESSION, _JPEG),
        _short(Tag.PHOTOMETRIC, _YCBCR if components == 3 else _GRAYSCALE),
        _short(Tag.SAMPLES_PER_PIXEL, components),
        _long(Tag.ROWS_PER_STRIP, height),
        _long(Tag.STRIP_BYTE_COUNTS, len(jpeg)),
        _short(Tag.PLANAR_CONFIGURATION, 1),
        _long(Tag.PREVIEW_COLOR_SPACE, _SRGB_PREVIEW),
    ]
    if components == 3:
        across, down = sampling[0] >> 4, sampling[0] & 15
        fields.append(_short(Tag.YCBCR_SUBSAMPLING, across, down))
        fields.append(_short(Tag.YCBCR_POSITIONING, 1))
    return fields


def _jpeg_shape(jpeg: bytes) -> tuple[int, int, bytes]:
    """Width, height and each component's sampling factors, from the frame header."""
    at = 2
    while jpeg[:2] == b"\xff\xd8" and at + 10 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = struct.unpack_from(">BH", jpeg, at + 1)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, components = struct.unpack_from(">HHB", jpeg, at + 5)
            sampling = jpeg[at + 11 : at + 10 + 3 * components : 3]
            if components in (1, 3) and len(sampling) == components:
                return width, height, sampling
            break
        at += 2 + length
    message = "The preview is no JPEG of one or three components: pass another, or none."
    raise UnsupportedCarrier(message)
