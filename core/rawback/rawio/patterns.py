"""The mosaic of a raw: from the tags of a DNG, or from what LibRaw says of its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.mosaic import LETTERS, Mosaic
from rawback.rawio.dng import COLOUR_CODES
from rawback.rawio.probe import LINEAR_RAW
from rawback.rawio.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    import rawpy

    from rawback.rawio.tiff import Ifd

__all__ = ["mosaic_of_libraw", "mosaic_of_tags"]

_LARGEST_PERIOD = 16
_MONOCHROME = Mosaic.of_letters(("W",))


def mosaic_of_tags(main: Ifd) -> Mosaic | None:
    """The mosaic that the tags of a DNG's raw image tell, from the origin of its active area.

    Args:
        main: The directory of the image.

    Returns:
        The mosaic; None where the tags tell none.
    """
    if main.integer(Tag.PHOTOMETRIC, -1) == LINEAR_RAW:
        return Mosaic.linear() if main.integer(Tag.SAMPLES_PER_PIXEL, 1) == 3 else _MONOCHROME
    codes = main.integers(Tag.CFA_PATTERN)
    rows, columns = (*main.integers(Tag.CFA_REPEAT_PATTERN_DIM), 0, 0)[:2]
    if not 0 < rows * columns == len(codes) or not all(0 <= c < len(COLOUR_CODES) for c in codes):
        return None
    letters = "".join(COLOUR_CODES[code] for code in codes)
    pattern = [letters[k : k + columns] * 2 for k in range(0, len(letters), columns)]
    return _of_letters(pattern * 2)


def mosaic_of_libraw(raw: rawpy.RawPy, top: int, left: int) -> Mosaic | None:
    """The mosaic that LibRaw sees in an unpacked raw of one sample to a pixel.

    Args:
        raw: The raw.
        top: Row where the mosaic is to begin.
        left: Column where it is to begin.

    Returns:
        The mosaic; None where its colours do not repeat, or have no names.
    """
    if raw.num_colors == 1:
        return _MONOCHROME
    names = raw.color_desc.decode("ascii", "replace")
    height, width = (
        min(2 * _LARGEST_PERIOD, size - first)
        for size, first in zip(raw.raw_image.shape, (top, left), strict=True)
    )
    rows = ((names[raw.raw_color(top + y, left + x)] for x in range(width)) for y in range(height))
    return _of_letters(["".join(row) for row in rows])


def _of_letters(rows: Sequence[str]) -> Mosaic | None:
    """The mosaic of the smallest pattern that repeats in rows of letters, two periods at least."""
    if not {letter for row in rows for letter in row} <= LETTERS.keys():
        return None
    height, width = len(rows), len(rows[0])
    across = next(
        size
        for size in range(1, width + 1)
        if all(row[:-size] == row[size:] for row in rows) or size == width
    )
    down = next(
        size
        for size in range(1, height + 1)
        if list(rows[:-size]) == list(rows[size:]) or size == height
    )
    if max(across, down) > _LARGEST_PERIOD:
        return None
    pattern = [row[:across] for row in rows[:down]]
    if len(set("".join(pattern))) == 1:
        return _MONOCHROME
    try:
        return Mosaic.of_letters(pattern)
    except ValueError:
        return None
