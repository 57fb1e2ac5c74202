"""Frames to DNG files (DNG 1.7.1 specification).

What lies where::

    header | IFD0 | Exif, interoperability and GPS IFDs | preview IFD | camera profiles
           | preview JPEG | samples

The samples' tags are in IFD0, because LibRaw, darktable and Adobe's SDK all find it there. The file
has the byte order that the frame's metadata have, so that what holds numbers in the file's order
without saying so, as maker notes do, stays right.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rawback.errors import UnsupportedCarrier
from rawback.metadata import Directory, Entry, Metadata, TiffType
from rawback.rawio import dng
from rawback.rawio.describe import ascii_entry, described, rational_entry
from rawback.rawio.dng_chunks import (
    Chunk,
    Compression,
    Samples,
    is_compressible,
    is_float,
    layout_entries,
    long_entry,
    pack_samples,
    samples_to_write,
    short_entry,
)
from rawback.rawio.probe import CFA, LINEAR_RAW
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import pack_ifd, packed_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rawback.types import Mosaic, RawFrame

__all__ = ["Compression", "write_dng"]

_JPEG = 7
_GRAYSCALE, _YCBCR = 1, 6
_SRGB_PREVIEW = 2
_FLOAT = 3
# With numerators that fit: black levels go up to 65535.
_BLACK_DENOMINATOR = 65_536
_HEADER_SIZE = 8
_PROFILE_MAGIC = 0x4352


class _Block(NamedTuple):
    """A part of the file before the image data.

    Attributes:
        pointer: Tag of the first directory, or of that of Exif, that says where it lies.
        size: Its bytes.
        pack: Makes it, given where it lies and where everything lies, by pointer.
    """

    pointer: int
    size: int
    pack: Callable[[int, dict[int, list[int]]], bytes]


def write_dng(
    frame: RawFrame,
    *,
    preview_jpeg: bytes | None = None,
    compression: Compression = "none",
    history: str = "",
) -> bytes:
    """Write a frame as a DNG that LibRaw, darktable and Adobe's SDK open.

    Args:
        frame: The frame, whose metadata are written as they are.
        preview_jpeg: A baseline JPEG to show in file managers, in sRGB, as the eye should see it
            once turned by `frame.orientation`.
        compression: ``"none"``, which every reader reads, or ``"ljpeg"``: lossless JPEG, and for
            floating point samples deflate. Frames of less than 16 columns are not compressed.
        history: What was done to the samples, for TIFF/EP's ImageHistory; nothing by default.

    Returns:
        The file.

    Raises:
        UnsupportedCarrier: `preview_jpeg` is not a JPEG of one or three components.
    """
    samples = samples_to_write(frame)
    if not is_compressible(samples.shape[1]):
        compression = "none"
    metadata = described(frame)
    if history:
        told = ascii_entry(Tag.IMAGE_HISTORY, history)
        metadata = metadata.without(Tag.IMAGE_HISTORY).filled([told])
    order = metadata.order
    chunks = pack_samples(samples, frame.mosaic, compression, order)
    lengths = [len(chunk) for chunk in chunks]
    jpeg = preview_jpeg or b""
    jpeg += b"\0" * (-len(jpeg) % 2)

    image = _image_entries(frame, samples, metadata)
    blocks = _blocks(metadata, preview_jpeg, order)
    pointers = dict.fromkeys(
        block.pointer for block in blocks if block.pointer != Tag.INTEROPERABILITY_IFD
    )
    counts = {tag: sum(block.pointer == tag for block in blocks) for tag in pointers}

    def first(offsets: Sequence[int], places: dict[int, list[int]]) -> list[Entry]:
        layout = layout_entries(samples, frame.mosaic, compression, offsets, lengths, order)
        return [*image, *layout, *(long_entry(tag, order, *places[tag]) for tag in pointers)]

    # Offsets do not change a directory's size, so that it can be measured before they are known.
    unknown = {tag: [0] * count for tag, count in counts.items()}
    at = _HEADER_SIZE + packed_size(first([0] * len(chunks), unknown))
    places: dict[int, list[int]] = {}
    starts: list[int] = []
    for block in blocks:
        places.setdefault(block.pointer, []).append(at)
        starts.append(at)
        at += block.size
    places[Tag.STRIP_OFFSETS] = [at]  # of the preview
    offsets = np.cumsum([at + len(jpeg), *lengths])[:-1].tolist()
    mark = b"MM" if order == ">" else b"II"
    parts: list[Chunk] = [
        struct.pack(order + "2sHI", mark, 42, _HEADER_SIZE),
        pack_ifd(first(offsets, places), _HEADER_SIZE, order),
        *(block.pack(start, places) for block, start in zip(blocks, starts, strict=True)),
    ]
    return b"".join([*parts, jpeg, *chunks])


def _blocks(metadata: Metadata, preview_jpeg: bytes | None, order: str) -> list[_Block]:
    """Everything between the first directory and the image data."""
    exif = list(metadata.of(Directory.EXIF))
    if metadata.get(Tag.EXIF_VERSION, Directory.EXIF) is None:
        exif.append(Entry(Directory.EXIF, Tag.EXIF_VERSION, TiffType.UNDEFINED, b"0231"))
    inner = metadata.of(Directory.INTEROPERABILITY)
    gps = metadata.of(Directory.GPS)
    blocks = [
        _directory_block(Tag.EXIF_IFD, exif, order, Tag.INTEROPERABILITY_IFD if inner else None)
    ]
    if inner:
        blocks.append(_directory_block(Tag.INTEROPERABILITY_IFD, inner, order))
    if gps:
        blocks.append(_directory_block(Tag.GPS_IFD, gps, order))
    if preview_jpeg:
        preview = _preview_entries(preview_jpeg, order)
        blocks.append(_directory_block(Tag.SUB_IFDS, preview, order, Tag.STRIP_OFFSETS))
    numbers = {e.directory for e in metadata.entries if e.directory >= Directory.PROFILE}
    blocks += [_profile_block(metadata.of(number), order) for number in sorted(numbers)]
    return blocks


def _directory_block(
    pointer: int, entries: Sequence[Entry], order: str, inner: int | None = None
) -> _Block:
    """A directory, with a tag that points to what else lies in the file, if `inner` names one."""
    more = [] if inner is None else [long_entry(inner, order, 0)]

    def pack(at: int, places: dict[int, list[int]]) -> bytes:
        known = [] if inner is None else [long_entry(inner, order, *places[inner])]
        return pack_ifd([*entries, *known], at, order)

    return _Block(pointer, packed_size([*entries, *more]), pack)


def _profile_block(entries: Sequence[Entry], order: str) -> _Block:
    """A camera profile: a TIFF stream of its own, whose offsets count from its own start."""
    mark = b"MM" if order == ">" else b"II"
    data = struct.pack(order + "2sHI", mark, _PROFILE_MAGIC, _HEADER_SIZE)
    data += pack_ifd(entries, _HEADER_SIZE, order)
    return _Block(Tag.EXTRA_CAMERA_PROFILES, len(data), lambda _at, _places: data)


def _image_entries(frame: RawFrame, samples: Samples, metadata: Metadata) -> list[Entry]:
    """The tags of IFD0 that do not depend on where the mosaic lies."""
    order, mosaic = metadata.order, frame.mosaic
    top, left, bottom, right = (0, 0, 0, 0) if frame.border is None else frame.border.margins
    structure = [
        long_entry(Tag.NEW_SUBFILE_TYPE, order, 0),
        long_entry(Tag.IMAGE_WIDTH, order, left + frame.width + right),
        long_entry(Tag.IMAGE_LENGTH, order, top + frame.height + bottom),
        short_entry(Tag.BITS_PER_SAMPLE, order, *[8 * samples.itemsize] * mosaic.samples),
        short_entry(Tag.ORIENTATION, order, frame.orientation),
        short_entry(Tag.SAMPLES_PER_PIXEL, order, mosaic.samples),
        short_entry(Tag.PLANAR_CONFIGURATION, order, 1),
        *_color_entries(mosaic, order),
    ]
    if is_float(samples):
        structure.append(short_entry(Tag.SAMPLE_FORMAT, order, *[_FLOAT] * mosaic.samples))
    area = (top, left, top + frame.height, left + frame.width)
    told = metadata.integers(Tag.ACTIVE_AREA)
    if told != area and not (mosaic.samples > 1 and _is_within(told, area)):
        # The file's own says nothing of these samples.
        metadata = metadata.without(Tag.ACTIVE_AREA, Tag.MASKED_AREAS)
        if frame.border is not None:
            structure.append(long_entry(Tag.ACTIVE_AREA, order, *area))
    metadata = _with_plane_colors(metadata, mosaic)
    defaults = [*_level_entries(frame, metadata), *_version_entries(metadata)]
    return [*structure, *metadata.filled(defaults).of(Directory.IMAGE)]


def _is_within(area: Sequence[int], whole: tuple[int, int, int, int]) -> bool:
    if len(area) != 4:
        return False
    top, left, bottom, right = area
    return whole[0] <= top < bottom <= whole[2] and whole[1] <= left < right <= whole[3]


def _color_entries(mosaic: Mosaic, order: str) -> list[Entry]:
    """The tags that say which sample is of which colour."""
    if mosaic.samples > 1 or mosaic.is_monochrome:
        return [short_entry(Tag.PHOTOMETRIC, order, LINEAR_RAW)]
    pattern = (mosaic.colours[channel] for row in mosaic.pattern for channel in row)
    return [
        short_entry(Tag.PHOTOMETRIC, order, CFA),
        short_entry(Tag.CFA_REPEAT_PATTERN_DIM, order, *mosaic.period),
        _bytes(Tag.CFA_PATTERN, bytes(map(_color_code, pattern))),
    ]


def _color_code(letter: str) -> int:
    # Emerald has no number of its own; converters give it that of cyan.
    return dng.COLOUR_CODES.index("C" if letter == "E" else letter)


def _with_plane_colors(metadata: Metadata, mosaic: Mosaic) -> Metadata:
    """With the order of the colours that other tags follow, if it is another than R, G, B.

    LibRaw opens no file whose CFAPlaneColor is not of its pattern.
    """
    palette = mosaic.palette.replace("E", "C")
    order = dng.plane_colours(metadata, palette)
    metadata = metadata.without(Tag.CFA_PLANE_COLOR)
    if mosaic.samples > 1 or mosaic.is_monochrome or (order or palette) == "RGB":
        return metadata
    codes = bytes(dng.COLOUR_CODES.index(letter) for letter in order or palette)
    return metadata.updated([_bytes(Tag.CFA_PLANE_COLOR, codes)])


def _bytes(tag: int, data: bytes) -> Entry:
    return Entry(Directory.IMAGE, tag, TiffType.BYTE, data)


def _version_entries(metadata: Metadata) -> list[Entry]:
    if Tag.DNG_VERSION in metadata:
        return []
    return [
        _bytes(Tag.DNG_VERSION, bytes((1, 4, 0, 0))),
        _bytes(Tag.DNG_BACKWARD_VERSION, bytes((1, 1, 0, 0))),
    ]


def _level_entries(frame: RawFrame, metadata: Metadata) -> list[Entry]:
    """Black and white, where the metadata do not say them as the frame does."""
    order, mosaic = metadata.order, frame.mosaic
    entries: list[Entry] = []
    if frame.floats is not None:
        # Their levels are those of the metadata, or else black at 0 and white at 1.
        return [short_entry(Tag.WHITE_LEVEL, order, *[1] * mosaic.samples)]
    if dng.black_levels(metadata, mosaic) is None and any(frame.black):
        channels = [channel for row in mosaic.pattern for channel in row]
        levels = [frame.black[channel] for channel in channels or range(mosaic.samples)]
        entries.append(short_entry(Tag.BLACK_LEVEL_REPEAT_DIM, order, *mosaic.period))
        if all(float(level).is_integer() for level in levels):
            entries.append(short_entry(Tag.BLACK_LEVEL, order, *map(int, levels)))
        else:
            entries.append(
                rational_entry(Tag.BLACK_LEVEL, levels, order, denominator=_BLACK_DENOMINATOR)
            )
    entries.append(short_entry(Tag.WHITE_LEVEL, order, *[frame.white] * mosaic.samples))
    return entries


def _preview_entries(jpeg: bytes, order: str) -> list[Entry]:
    """The tags of a JPEG preview, but for its offset."""
    width, height, sampling = _jpeg_shape(jpeg)
    components = len(sampling)
    entries = [
        long_entry(Tag.NEW_SUBFILE_TYPE, order, 1),
        long_entry(Tag.IMAGE_WIDTH, order, width),
        long_entry(Tag.IMAGE_LENGTH, order, height),
        short_entry(Tag.BITS_PER_SAMPLE, order, *[8] * components),
        short_entry(Tag.COMPRESSION, order, _JPEG),
        short_entry(Tag.PHOTOMETRIC, order, _YCBCR if components == 3 else _GRAYSCALE),
        short_entry(Tag.SAMPLES_PER_PIXEL, order, components),
        long_entry(Tag.ROWS_PER_STRIP, order, height),
        long_entry(Tag.STRIP_BYTE_COUNTS, order, len(jpeg)),
        short_entry(Tag.PLANAR_CONFIGURATION, order, 1),
        long_entry(Tag.PREVIEW_COLOR_SPACE, order, _SRGB_PREVIEW),
    ]
    if components == 3:
        across, down = sampling[0] >> 4, sampling[0] & 15
        entries.append(short_entry(Tag.YCBCR_SUBSAMPLING, order, across, down))
        entries.append(short_entry(Tag.YCBCR_POSITIONING, order, 1))
    return entries


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
    message = "The preview is not a JPEG of one or three components: pass another, or none."
    raise UnsupportedCarrier(message)
