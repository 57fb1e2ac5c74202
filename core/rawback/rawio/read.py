"""Raw files to frames: through LibRaw, and DNGs that it does not decode by ourselves."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import rawpy

from rawback.errors import DamagedRaw, RawbackError, UnsupportedRaw
from rawback.rawio import dng
from rawback.rawio.collect import read_metadata
from rawback.rawio.describe import libraw_entries, with_metadata
from rawback.rawio.dng_image import decode_image, is_left_to_libraw, unknown_coding
from rawback.rawio.float_codes import coded_floats
from rawback.rawio.noise import estimate_noise
from rawback.rawio.opcodes import with_curves_applied
from rawback.rawio.patterns import mosaic_of_libraw, mosaic_of_tags
from rawback.rawio.probe import check_supported, is_dng, main_ifd, name_of, refuse
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import Ifd, read_ifds
from rawback.types import BlackOffsets, Border, Floats, Mosaic, NoiseModel, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.metadata import Metadata

__all__ = ["read_raw"]

# WhiteLevel of floating point numbers where the file tells none.
_WHITE_OF_FLOATS = 1

# LibRaw's code for a turn, to the Exif orientation.
_ORIENTATIONS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}


def read_raw(source: str | os.PathLike[str] | bytes) -> RawFrame:
    """Read a raw file: the visible mosaic, and what an editor needs to render it.

    Args:
        source: The path of a file, or the bytes of one.

    Returns:
        The frame.

    Raises:
        UnsupportedRaw: The file is no raw, or one of a kind that is not read yet.
        DamagedRaw: The file is cut or broken.
        RawbackError: There is no such file, or it cannot be opened.
    """
    label, data = _load(source)
    ifds = read_ifds(data)
    check_supported(data, ifds, label)
    main = main_ifd(ifds) if is_dng(ifds) else None
    try:
        if main is not None and not is_left_to_libraw(main):
            return _frame(_decoded(main, ifds[0], data, label), main, label)
        with rawpy.RawPy() as raw:
            raw.open_buffer(io.BytesIO(data))
            raw.unpack()
            return _frame(_unpacked(raw, main, data, label), main, label)
    except (rawpy.LibRawTooBigError, rawpy.LibRawUnsufficientMemoryError, MemoryError) as error:
        message = f"{label} is too large to be read in this memory: use a machine with more."
        raise RawbackError(message) from error
    except (rawpy.LibRawError, rawpy.NotSupportedError, ValueError, RuntimeError) as error:
        raise _translated(error, data, label) from error


def _translated(error: Exception, data: bytes, label: str) -> RawbackError:
    unknown = isinstance(error, (rawpy.LibRawFileUnsupportedError, rawpy.NotSupportedError))
    name = name_of(data) or ("no raw file that LibRaw knows" if unknown else None)
    if name is None:
        return _damaged(label)
    return UnsupportedRaw(
        f"{label} is {name}: choose the camera's own raw file, or a DNG made from it."
    )


def _damaged(label: str) -> DamagedRaw:
    return DamagedRaw(f"{label} is damaged: copy it again from the camera or a backup.")


def _load(source: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    """What to call the file in messages, and its bytes."""
    if isinstance(source, bytes):
        return "this file", source
    # A name that is not valid Unicode must not break the message, nor the terminal it is shown on.
    label = os.fsencode(source).decode("utf-8", "replace")
    try:
        return label, Path(source).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{label} cannot be read ({reason}): check the path and its permissions."
        raise RawbackError(message) from error


class _Image(NamedTuple):
    """A decoded image, and what only its decoder knows.

    Attributes:
        whole: uint16 ``[H, W]`` or ``[H, W, samples]``, with all that lies around the visible area.
        area: Top, left, bottom and right of the visible area.
        mosaic: Of the visible area.
        black: Black level of each channel, where the metadata tell none.
        white: Saturation, likewise.
        orientation: Exif orientation.
        metadata: The tags, as far as they hold for these samples.
        floats: Whether these are codes of floating point numbers; the levels here are not.
    """

    whole: NDArray[np.uint16]
    area: tuple[int, int, int, int]
    mosaic: Mosaic
    black: dng.Black
    white: int
    orientation: int
    metadata: Metadata
    floats: Floats | None = None


def _decoded(main: Ifd, first: Ifd, data: bytes, label: str) -> _Image:
    """The image of a DNG that LibRaw does not decode."""
    coding = unknown_coding(main)
    if coding:
        refuse(f"a DNG of a kind that no converter writes ({coding})", label)
    mosaic = mosaic_of_tags(main)
    if mosaic is None:
        refuse("a raw whose CFA does not say its colours", label)
    image, metadata = decode_image(main), read_metadata(data)
    bits = min(main.integer(Tag.BITS_PER_SAMPLE, 16), 16)
    whole, white, floats = _whole_numbers(image), (1 << bits) - 1, None
    if whole is None:
        white = _WHITE_OF_FLOATS
        numbers = np.asarray(image, np.float32)
        whole, floats = coded_floats(numbers, mosaic, dng.white_level(metadata) or white)
    elif whole.ndim == 3 and bits == 8 and Tag.LINEARIZATION_TABLE not in main:
        whole, metadata = with_curves_applied(whole, metadata)
    orientation = first.integer(Tag.ORIENTATION, 1)
    return _Image(
        whole=whole,
        area=_active_area(main, *whole.shape[:2]) or (0, 0, whole.shape[0], whole.shape[1]),
        mosaic=mosaic,
        black=(0.0,) * len(mosaic.colours),
        white=white,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        metadata=metadata,
        floats=floats,
    )


def _whole_numbers(image: NDArray[np.generic]) -> NDArray[np.uint16] | None:
    """Samples as uint16; None if something would be lost by it."""
    if image.dtype.kind == "u":
        return np.asarray(image, np.uint16)
    with np.errstate(invalid="ignore"):
        whole = np.asarray(image, np.float32).astype(np.uint16)
    exact = np.array_equal(whole, image) and not np.signbit(image).any()
    return whole if exact else None


def _unpacked(raw: rawpy.RawPy, main: Ifd | None, data: bytes, label: str) -> _Image:
    """The image that LibRaw has decoded."""
    metadata = read_metadata(data)
    if main is None:
        metadata = metadata.filled(libraw_entries(raw, data, metadata))
    whole = raw.raw_image
    sizes = raw.sizes
    area = _active_area(main, sizes.raw_height, sizes.raw_width) if main else None
    if area is None:
        # LibRaw moves an odd origin inwards to an even one. A DNG's black levels and crop count
        # from the origin as the file has it, so there its own word is taken.
        top, left = sizes.top_margin, sizes.left_margin
        area = (top, left, top + sizes.height, left + sizes.width)
    if area[2] > whole.shape[0] or area[3] > whole.shape[1]:
        # Of Super CCD LibRaw gives the size of the picture, turned, and the samples as they lie.
        refuse("a raw whose samples do not lie in rows and columns", label)
    if raw.raw_type != rawpy.RawType.Flat:
        # Three samples of each pixel, and maybe an empty one; of multi-shot raws all four.
        if raw.num_colors != 3 or whole.shape[2:] not in ((3,), (4,)) or whole[..., 3:].any():
            refuse("a multi-shot raw (pixel shift)", label)
        whole, mosaic = whole[..., :3], Mosaic.linear()
        black = tuple(float(level) for level in raw.black_level_per_channel[:3])
    else:
        seen = (mosaic_of_tags(main) if main else None) or mosaic_of_libraw(raw, *area[:2])
        if seen is None:
            refuse("a raw with a CFA of unknown colours", label)
        mosaic = seen
        black = _libraw_black(raw, mosaic, area)
    return _Image(
        whole=whole,
        area=area,
        mosaic=mosaic,
        black=black,
        white=min(int(raw.white_level), 0xFFFF),
        orientation=_ORIENTATIONS.get(sizes.flip, 1),
        metadata=metadata,
    )


def _libraw_black(
    raw: rawpy.RawPy, mosaic: Mosaic, area: tuple[int, int, int, int]
) -> tuple[float, ...]:
    """LibRaw's black of each channel: of the colour at the first place of the channel."""
    if mosaic.is_monochrome:
        return (float(raw.black_level_per_channel[0]),)
    top, left, _, _ = area
    rows, columns = mosaic.period
    black = {
        mosaic.pattern[y][x]: float(raw.black_level_per_channel[raw.raw_color(top + y, left + x)])
        for y, x in reversed(list(np.ndindex(rows, columns)))
    }
    return tuple(black[channel] for channel in range(len(mosaic.colours)))


def _frame(image: _Image, main: Ifd | None, label: str) -> RawFrame:
    """The frame of a decoded image."""
    metadata, mosaic = image.metadata, image.mosaic
    top, left, bottom, right = image.area
    cfa = np.array(image.whole[top:bottom, left:right], dtype=np.uint16, order="C")
    if min(cfa.shape[:2]) < 2:
        raise _damaged(label)
    black = dng.black_levels(metadata, mosaic) if main else None
    white = dng.white_level(metadata) if main else None
    black, white = black or image.black, white or image.white
    offsets, profile, floats = None, None, image.floats
    has_border = mosaic.samples == 1 and image.whole.size > cfa.size
    if floats is not None:
        # A NoiseProfile speaks of the numbers themselves, so that noise is estimated.
        codes = floats.scale.codes
        black = tuple(codes.level(level) for level in black)
        white = round(codes.level(white))
        floats = _visible(floats, image.area, has_border=has_border)
    else:
        offsets = dng.black_offsets(metadata, mosaic, *cfa.shape[:2]) if main else None
        profile = dng.noise_profile(metadata)
    if not max(black) < white:
        raise _damaged(label)
    frame = RawFrame(
        cfa=cfa,
        pattern=str(mosaic),
        black=black,
        white=white,
        noise=profile or _noise(cfa, str(mosaic), black, white, offsets),
        orientation=image.orientation,
        black_offsets=offsets,
        border=Border.around(image.whole, image.area) if has_border else None,
        floats=floats,
    )
    return with_metadata(frame, metadata)


def _visible(floats: Floats, area: tuple[int, int, int, int], *, has_border: bool) -> Floats:
    """The remainders of a whole image, as those of a visible area and of the border around it."""
    if floats.remainders is None:
        return floats
    top, left, bottom, right = area
    return Floats(
        floats.scale,
        np.ascontiguousarray(floats.remainders[top:bottom, left:right]),
        Border.around(floats.remainders, area) if has_border else None,
    )


def _noise(
    cfa: NDArray[np.uint16],
    pattern: str,
    black: dng.Black,
    white: int,
    offsets: BlackOffsets | None,
) -> NoiseModel:
    """The noise of a mosaic, its black made even first, as lines would count as noise."""
    if offsets is not None and offsets.suit(cfa):
        cfa, pedestal = offsets.taken_from(cfa), offsets.pedestal
        black = tuple(level + pedestal for level in black)
        white = min(white + pedestal, 0xFFFF)
    return estimate_noise(cfa, pattern, black, white)


def _active_area(main: Ifd, height: int, width: int) -> tuple[int, int, int, int] | None:
    """A DNG's visible area within the whole mosaic, if it is one of its tags.

    Of linear images all is visible.
    """
    area = main.integers(Tag.ACTIVE_AREA)
    if main.integer(Tag.SAMPLES_PER_PIXEL, 1) > 1:
        return 0, 0, height, width
    if len(area) != 4:
        return None
    top, left, bottom, right = area
    fits = 0 <= top < bottom <= height and 0 <= left < right <= width
    return (top, left, bottom, right) if fits else None
