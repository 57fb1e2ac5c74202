"""Raw files to frames, through LibRaw."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import numpy as np
import rawpy

from rawback.errors import DamagedRaw, RawbackError, UnsupportedRaw
from rawback.rawio import dng
from rawback.rawio.collect import read_metadata
from rawback.rawio.describe import libraw_entries, with_metadata
from rawback.rawio.noise import estimate_noise
from rawback.rawio.probe import check_supported, is_dng, main_ifd, name_of
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import Ifd, read_ifds
from rawback.types import BayerPattern, BlackOffsets, Border, NoiseModel, RawFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_raw"]

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
    try:
        with rawpy.RawPy() as raw:
            raw.open_buffer(io.BytesIO(data))
            _refuse_colors(raw.num_colors, label)
            raw.unpack()
            return _frame(raw, data, ifds if is_dng(ifds) else (), label)
    except (rawpy.LibRawTooBigError, rawpy.LibRawUnsufficientMemoryError, MemoryError) as error:
        message = f"{label} is too large to be read in this memory: use a machine with more."
        raise RawbackError(message) from error
    except (rawpy.LibRawError, rawpy.NotSupportedError, ValueError) as error:
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


def _refuse(kind: str, label: str) -> UnsupportedRaw:
    return UnsupportedRaw(
        f"{label} is {kind}, which is not supported yet: "
        "use a single-shot raw of a camera with a Bayer sensor."
    )


def _refuse_colors(count: int, label: str) -> None:
    if count != 3:
        kind = "a monochrome raw" if count == 1 else f"a raw with a CFA of {count} colours"
        raise _refuse(kind, label)


def _frame(raw: rawpy.RawPy, data: bytes, ifds: tuple[Ifd, ...], label: str) -> RawFrame:
    if raw.raw_type != rawpy.RawType.Flat:
        kind = "a demosaiced or multi-shot raw (linear DNG, sRAW, Foveon, pixel shift)"
        raise _refuse(kind, label)
    main = main_ifd(ifds)
    metadata = read_metadata(data)
    if main is None:
        metadata = metadata.filled(libraw_entries(raw, data, metadata))
    top, left, bottom, right = _visible_area(raw, main)
    whole = raw.raw_image
    cfa = np.array(whole[top:bottom, left:right], dtype=np.uint16, order="C")
    if min(cfa.shape) < 2:
        raise _damaged(label)
    pattern, positions = _pattern(raw, top, left, label)
    black = dng.black_levels(metadata) if main else None
    white = dng.white_level(metadata) if main else None
    offsets = dng.black_offsets(metadata, *cfa.shape) if main else None
    if black is None:
        per_color = raw.black_level_per_channel
        black = cast("dng.Black", tuple(float(per_color[k]) for k in positions))
    white = white or min(int(raw.white_level), 0xFFFF)
    if not max(black) < white:
        raise _damaged(label)
    frame = RawFrame(
        cfa=cfa,
        pattern=pattern,
        black=black,
        white=white,
        noise=dng.noise_profile(metadata) or _noise(cfa, pattern, black, white, offsets),
        orientation=_ORIENTATIONS.get(raw.sizes.flip, 1),
        black_offsets=offsets,
        border=Border.around(whole, (top, left, bottom, right)) if whole.size > cfa.size else None,
    )
    return with_metadata(frame, metadata)


def _noise(
    cfa: NDArray[np.uint16],
    pattern: BayerPattern,
    black: dng.Black,
    white: int,
    offsets: BlackOffsets | None,
) -> NoiseModel:
    """The noise of a mosaic, its black made even first, as lines would count as noise."""
    if offsets is not None and offsets.suit(cfa):
        cfa, pedestal = offsets.taken_from(cfa), offsets.pedestal
        black = cast("dng.Black", tuple(level + pedestal for level in black))
        white = min(white + pedestal, 0xFFFF)
    return estimate_noise(cfa, pattern, black, white)


def _visible_area(raw: rawpy.RawPy, main: Ifd | None) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of the visible area within the whole mosaic.

    LibRaw moves an odd origin inwards to an even one. A DNG's black levels and crop count from the
    origin as the file has it, so there its own word is taken.
    """
    sizes = raw.sizes
    area = main.integers(Tag.ACTIVE_AREA) if main else ()
    if len(area) == 4:
        top, left, bottom, right = area
        if 0 <= top < bottom <= sizes.raw_height and 0 <= left < right <= sizes.raw_width:
            return top, left, bottom, right
    top, left = sizes.top_margin, sizes.left_margin
    return top, left, top + sizes.height, left + sizes.width


def _pattern(
    raw: rawpy.RawPy, top: int, left: int, label: str
) -> tuple[BayerPattern, tuple[int, ...]]:
    """The Bayer pattern at an origin, and LibRaw's colour index of its positions."""
    # Six by six, so that X-Trans shows.
    rows, columns = (min(6, size) for size in raw.raw_image.shape)
    cell = tuple(raw.raw_color(top % 2 + k // 2, left % 2 + k % 2) for k in range(4))
    repeats = all(
        raw.raw_color(r, c) == cell[(r + top) % 2 * 2 + (c + left) % 2]
        for r in range(rows)
        for c in range(columns)
    )
    names = raw.color_desc.decode("ascii", "replace")
    pattern = "".join(names[k : k + 1] for k in cell)
    if not repeats or pattern not in get_args(BayerPattern):
        kind = "a raw whose CFA is no Bayer pattern (X-Trans, four colours)"
        raise _refuse(kind, label)
    return cast("BayerPattern", pattern), cell
