"""Parts of a raw that callers ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.errors import RawbackError

if TYPE_CHECKING:
    from rawback.types import Region

__all__ = ["check_region"]


def check_region(region: Region, width: int, height: int, least: int = 1) -> None:
    """Make sure that a region lies within a raw.

    Args:
        region: Left, top, width and height in raw pixels.
        width: Of the raw.
        height: Of the raw.
        least: The smallest width and height of a region.

    Raises:
        RawbackError: It does not.
    """
    left, top, across, down = region
    fits = left + across <= width and top + down <= height
    if min(left, top) < 0 or min(across, down) < least or not fits:
        message = (
            f"The region {left},{top},{across},{down} is not within the raw's {width} x {height} "
            "pixels; give left, top, width and height."
        )
        raise RawbackError(message)
