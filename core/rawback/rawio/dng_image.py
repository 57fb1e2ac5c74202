"""Image data of DNGs that LibRaw does not decode, or not rightly (DNG 1.7.1, TIFF 6.0).

Deflate, JPEG XL, lossy JPEG, planes kept one after the other, floating point. The image is cut
into chunks, strips or tiles; each is decoded, its predictor undone, and put in its place::

    bytes -> codec -> predictor -> chunk -> fields interleaved -> linearisation table
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import imagecodecs
import numpy as np

from rawback import ljpeg
from rawback.parallel import in_threads
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.rawio.tiff import Ifd

_Number = TypeVar("_Number", bound=np.generic)

__all__ = ["decode_image", "is_left_to_libraw", "unknown_coding"]

_NONE, _JPEG, _DEFLATE, _OLD_DEFLATE, _LOSSY_JPEG, _JPEG_XL = 1, 7, 8, 32946, 34892, 52546
_DEFLATES = (_DEFLATE, _OLD_DEFLATE)
_UNSIGNED, _FLOAT = 1, 3
_SEPARATE = 2

_NO_PREDICTOR = 1
# How many samples of a colour lie between a sample and the one that it is predicted from.
_HORIZONTAL = {2: 1, 34892: 2, 34893: 4}
_FLOATING = {3: 1, 34894: 2, 34895: 4}

_BITS = {_UNSIGNED: range(8, 17), _FLOAT: (16, 24, 32)}

# What LibRaw takes at most, too.
_MOST_SAMPLES = 1 << 30
_OLD_VERSION = (1, 1, 0, 0)


class _Chunk(NamedTuple):
    """A strip or tile: its plane, where it lies in the image, its size, and its bytes."""

    plane: int
    top: int
    left: int
    rows: int
    columns: int
    coded: memoryview


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a directory says that its image is kept.

    Attributes:
        height: Rows.
        width: Columns.
        samples: Samples of a pixel.
        bits: Bits of a sample.
        is_float: Whether samples are floating point numbers.
        compression: Number of the codec.
        predictor: Number of the predictor.
        separate: Whether the planes follow each other, each with chunks of its own.
        chunk: Rows and columns of a chunk.
        tiled: Whether chunks at the edges are whole nevertheless.
    """

    height: int
    width: int
    samples: int
    bits: int
    is_float: bool
    compression: int
    predictor: int
    separate: bool
    chunk: tuple[int, int]
    tiled: bool

    @classmethod
    def of(cls, main: Ifd) -> _Layout:
        height, width = main.integer(Tag.IMAGE_LENGTH, 0), main.integer(Tag.IMAGE_WIDTH, 0)
        tiled = Tag.TILE_WIDTH in main
        rows = main.integer(Tag.TILE_LENGTH if tiled else Tag.ROWS_PER_STRIP, height)
        return cls(
            height=height,
            width=width,
            samples=main.integer(Tag.SAMPLES_PER_PIXEL, 1),
            bits=main.integer(Tag.BITS_PER_SAMPLE, 1),
            is_float=main.integer(Tag.SAMPLE_FORMAT, _UNSIGNED) == _FLOAT,
            compression=main.integer(Tag.COMPRESSION, _NONE),
            predictor=main.integer(Tag.PREDICTOR, _NO_PREDICTOR),
            separate=main.integer(Tag.PLANAR_CONFIGURATION, 1) == _SEPARATE,
            chunk=(
                rows if tiled else min(rows, height),
                main.integer(Tag.TILE_WIDTH, width),
            ),
            tiled=tiled,
        )

    @property
    def chunk_samples(self) -> int:
        """Samples of a pixel in one chunk."""
        return 1 if self.separate else self.samples

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """What decoded samples are."""
        if self.is_float:
            return np.dtype(np.float16 if self.bits == 16 else np.float32)
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)

    def chunks(self, main: Ifd) -> list[_Chunk]:
        """The chunks in the order of the file.

        Raises:
            ValueError: There are too few of them, or the image has an impossible size.
        """
        rows, columns = self.chunk
        if min(self.height, self.width, self.samples, rows, columns) < 1:
            message = "an image without samples"
            raise ValueError(message)
        tops, lefts = range(0, self.height, rows), range(0, self.width, columns)
        planes = self.samples if self.separate else 1
        extents = main.extents()
        count = planes * len(tops) * len(lefts)
        if count * rows * columns * self.chunk_samples > _MOST_SAMPLES:
            raise MemoryError
        if count > len(extents):
            message = "an image of which chunks are missing"
            raise ValueError(message)
        places = ((k, top, left) for k in range(planes) for top in tops for left in lefts)
        return [
            _Chunk(
                *(plane, top, left),
                rows if self.tiled else min(rows, self.height - top),
                columns,
                main.data[offset : offset + size],
            )
            for (plane, top, left), (offset, size) in zip(places, extents, strict=False)
        ]


def is_left_to_libraw(main: Ifd) -> bool:
    """Whether LibRaw decodes the image: whole numbers, uncompressed or mosaics as lossless JPEG.

    Lossless JPEG of several colours it decodes too, but tile by tile and with a fourth colour.
    """
    layout = _Layout.of(main)
    if layout.is_float or (layout.separate and layout.samples > 1):
        return False
    if layout.compression == _JPEG and layout.samples > 1:
        return False
    if layout.compression == _JPEG and layout.bits == 8:
        return all(_is_lossless(main.data[offset:][:size]) for offset, size in main.extents()[:1])
    return layout.compression not in (*_DEFLATES, _LOSSY_JPEG, _JPEG_XL)


def unknown_coding(main: Ifd) -> str:
    """How the image is kept, where `decode_image` knows no such way; else empty."""
    layout = _Layout.of(main)
    if layout.compression not in (_NONE, _JPEG, *_DEFLATES, _LOSSY_JPEG, _JPEG_XL):
        return f"compression {layout.compression}"
    if main.integer(Tag.SAMPLE_FORMAT, _UNSIGNED) not in _BITS:
        return f"sample format {main.integer(Tag.SAMPLE_FORMAT, _UNSIGNED)}"
    if layout.bits not in _BITS[_FLOAT if layout.is_float else _UNSIGNED]:
        return f"{layout.bits} bits per sample"
    predictors = _FLOATING if layout.is_float else _HORIZONTAL
    if layout.compression in _DEFLATES and layout.predictor not in (_NO_PREDICTOR, *predictors):
        return f"predictor {layout.predictor}"
    if layout.predictor != _NO_PREDICTOR and layout.bits not in (8, 16, 24, 32):
        return f"a predictor of samples of {layout.bits} bits"
    if set(main.integers(Tag.SUB_TILE_BLOCK_SIZE)) - {1}:
        return "tiles in blocks"
    return ""


def decode_image(main: Ifd) -> NDArray[np.generic]:
    """Decode the image of a directory.

    Args:
        main: The directory, which `unknown_coding` has no word about.

    Returns:
        uint16 ``[H, W]``, or ``[H, W, samples]`` where there are several: what the linearisation
        table says of samples up to its end, and as they are without one. Floating point numbers,
        float16 or float32, as they are.

    Raises:
        ValueError: The data are damaged.
        MemoryError: The image is larger than 2^30 samples.
    """
    layout = _Layout.of(main)
    chunks = layout.chunks(main)
    image = np.zeros((layout.height, layout.width, layout.samples), layout.dtype)

    def place(chunk: _Chunk) -> None:
        try:
            decoded = _decoded(chunk, layout, main)
        except (RuntimeError, zlib.error) as error:
            message = f"image data that cannot be decoded: {error}"
            raise ValueError(message) from error
        rows = min(len(decoded), layout.height - chunk.top)
        columns = min(decoded.shape[1], layout.width - chunk.left)
        planes = slice(chunk.plane, chunk.plane + 1) if layout.separate else slice(None)
        part = image[chunk.top : chunk.top + rows, chunk.left : chunk.left + columns, planes]
        part[:] = decoded[:rows, :columns]

    for _ in in_threads(place, chunks):
        pass
    image = _interleaved(image, main)
    if not layout.is_float:
        image = _linearised(image, main)
    return image if layout.samples > 1 else image[:, :, 0]


def _decoded(chunk: _Chunk, layout: _Layout, main: Ifd) -> NDArray[np.generic]:
    """The samples of a chunk, ``[rows, columns, samples]`` in the type of the layout."""
    shape = chunk.rows, chunk.columns, layout.chunk_samples
    if layout.compression in (_NONE, *_DEFLATES):
        packed = chunk.coded
        row_bytes = -(-shape[1] * shape[2] * layout.bits // 8)
        if layout.compression != _NONE:
            packed = memoryview(zlib.decompressobj().decompress(packed, row_bytes * shape[0]))
        if len(packed) < row_bytes * shape[0]:
            message = "image data that ends too early"
            raise ValueError(message)
        octets = np.frombuffer(packed[: row_bytes * shape[0]], np.uint8)
        return _unpacked(octets.reshape(shape[0], row_bytes), shape, layout, main.order)
    if layout.compression == _JPEG and (layout.bits > 8 or _is_lossless(chunk.coded)):
        return _lossless_jpeg(chunk, shape, main)
    out = np.empty(shape if shape[2] > 1 else shape[:2], layout.dtype)
    # That the image is of this very shape is seen before anything is decoded.
    if layout.compression == _JPEG_XL:
        imagecodecs.jpegxl_decode(bytes(chunk.coded), numthreads=1, out=out)
    else:
        tables = main.entry(Tag.JPEG_TABLES)
        shared = None if tables is None else tables.data
        imagecodecs.jpeg8_decode(bytes(chunk.coded), tables=shared, out=out)
    return out.reshape(shape)


def _is_lossless(jpeg: memoryview) -> bool:
    try:
        ljpeg.read_scan(jpeg)
    except ValueError:
        return False
    return True


def _lossless_jpeg(chunk: _Chunk, shape: tuple[int, int, int], main: Ifd) -> NDArray[np.uint16]:
    """The samples of a lossless JPEG, which may be smaller than its tile at the image's edges."""
    scan, start = ljpeg.read_scan(bytes(chunk.coded))
    rows, columns, samples = shape
    across = scan.columns * scan.components
    if scan.rows > rows or across > columns * samples or across % samples:
        message = "a lossless JPEG that is larger than its tile"
        raise ValueError(message)
    version = main.integers(Tag.DNG_VERSION)
    wide = bool(version) and version < _OLD_VERSION
    decoded, _ = ljpeg.decode(scan, chunk.coded[start:], wide=wide)
    return decoded.reshape(scan.rows, across // samples, samples)


def _unpacked(
    octets: NDArray[np.uint8], shape: tuple[int, int, int], layout: _Layout, order: str
) -> NDArray[np.generic]:
    """Samples of rows of bytes, their predictor undone."""
    rows, columns, samples = shape
    size = layout.bits // 8
    if layout.is_float and layout.predictor in _FLOATING:
        distance = samples * _FLOATING[layout.predictor]
        by_octet = _summed(octets, distance).reshape(rows, size, columns * samples)
        octets = np.ascontiguousarray(by_octet.transpose(0, 2, 1)).reshape(rows, -1)
        order = ">"
    if layout.is_float and layout.bits == 24:
        numbers = imagecodecs.float24_decode(
            octets.tobytes(), byteorder=">" if order == ">" else "<"
        )
        return np.asarray(numbers, np.float32).reshape(shape)
    if layout.bits not in (8, 16, 32):
        unpacked = imagecodecs.packints_decode(
            octets.tobytes(), np.uint16, layout.bits, runlen=columns * samples
        )
        return np.asarray(unpacked, np.uint16).reshape(shape)
    kind = f"{order}{'f' if layout.is_float else 'u'}{size}"
    numbers = octets.view(kind).astype(layout.dtype)
    if not layout.is_float and layout.predictor in _HORIZONTAL:
        numbers = _summed(numbers, samples * _HORIZONTAL[layout.predictor])
    return numbers.reshape(shape)


def _summed(rows: NDArray[_Number], distance: int) -> NDArray[_Number]:
    """Undo differences of each value from the one `distance` before it, in its own type."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % distance)))
    steps = padded.reshape(len(rows), -1, distance)
    sums = np.cumsum(steps, axis=1, dtype=rows.dtype)
    return sums.reshape(padded.shape)[:, : rows.shape[1]]


def _interleaved(image: NDArray[np.generic], main: Ifd) -> NDArray[np.generic]:
    """Rows and columns of fields that follow each other, at their places between each other."""
    for axis, tag in enumerate((Tag.ROW_INTERLEAVE_FACTOR, Tag.COLUMN_INTERLEAVE_FACTOR)):
        factor, size = main.integer(tag, 1), image.shape[axis]
        if 1 < factor <= size:
            order = np.concatenate([np.arange(field, size, factor) for field in range(factor)])
            whole = np.empty_like(image)
            whole[(slice(None),) * axis + (order,)] = image
            image = whole
    return image


def _linearised(image: NDArray[np.generic], main: Ifd) -> NDArray[np.uint16]:
    table = np.array(main.integers(Tag.LINEARIZATION_TABLE))
    whole = np.asarray(image, np.uint16)
    if not table.size:
        return whole
    # Samples beyond its end are taken for its last entry.
    table = np.clip(table[: 1 << 16], 0, 0xFFFF).astype(np.uint16)
    table = np.pad(table, (0, (1 << 16) - table.size), mode="edge")
    return table[whole]
