"""Raw files to frames, through LibRaw."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_args

import numpy as np
import rawpy

from rawback.errors import DamagedRaw, RawbackError, UnsupportedRaw
from rawback.rawio import dng
from rawback.rawio.exif import read_camera, with_sane_crop
from rawback.rawio.kinds import is_dng, main_ifd, name_of, refuse_what_cannot_be_read
from rawback.rawio.noise import estimate_noise
from rawback.rawio.tags import Tag
from rawback.rawio.tiff import Ifd, read_ifds
from rawback.types import BayerPattern, RawFrame

__all__ = ["read_raw"]

_D65_WHITE = (0.9504559, 1.0, 1.0890578)
_XYZ_TO_SRGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
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
    refuse_what_cannot_be_read(data, ifds, label)
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
    top, left, bottom, right = _visible_area(raw, main)
    cfa = np.array(raw.raw_image[top:bottom, left:right], dtype=np.uint16, order="C")
    if min(cfa.shape) < 2:
        raise _damaged(label)
    pattern, positions = _pattern(raw, top, left, label)
    black = dng.black_levels(main) if main else None
    white = dng.white_level(main) if main else None
    if black is None:
        per_color = raw.black_level_per_channel
        black = cast("dng.Black", tuple(float(per_color[k]) for k in positions))
    white = white or min(int(raw.white_level), 0xFFFF)
    if not max(black) < white:
        raise _damaged(label)
    neutral, matrix = _color(raw, ifds)
    camera = read_camera(data)
    return RawFrame(
        cfa=cfa,
        pattern=pattern,
        black=black,
        white=white,
        neutral=neutral,
        color_matrix=matrix,
        noise=dng.noise_profile(ifds) or estimate_noise(cfa, pattern, black, white),
        orientation=_ORIENTATIONS.get(raw.sizes.flip, 1),
        make=camera.make,
        model=camera.model,
        unique_model=camera.unique_model,
        exif=MappingProxyType(with_sane_crop(camera.exif, cfa.shape[1], cfa.shape[0])),
    )


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


def _color(raw: rawpy.RawPy, ifds: tuple[Ifd, ...]) -> tuple[dng.Neutral, dng.Matrix]:
    """Neutral and colour matrix: the DNG's, else LibRaw's, else an sRGB camera's."""
    matrix = dng.color_matrix(ifds) if ifds else None
    if matrix is None:
        matrix = dng.as_matrix(np.asarray(raw.rgb_xyz_matrix, dtype=np.float64)[:3])
    neutral = dng.as_shot_neutral(ifds, matrix) if ifds else None
    for gains in (raw.camera_whitebalance, raw.daylight_whitebalance):
        if neutral is None:
            neutral = dng.as_neutral([1 / g if g > 0 else math.inf for g in gains[:3]])
    if neutral is None:
        neutral = (1.0, 1.0, 1.0)
    if matrix is None:
        # Its white is the frame's neutral under D65, so that editors find a sensible temperature.
        white = _XYZ_TO_SRGB @ _D65_WHITE
        scaled = np.diag(np.array(neutral) / white) @ _XYZ_TO_SRGB
        matrix = cast("dng.Matrix", tuple(float(value) for value in scaled.ravel()))
    return neutral, matrix
