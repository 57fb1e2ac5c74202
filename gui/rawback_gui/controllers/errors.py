# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a part of the open picture, of any kind that can be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import rawback
from rawback_gui.models.errormap import errors_of
from rawback_gui.models.planes import cell_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback_gui.models.errormap import ErrorView
    from rawback_gui.models.orientation import Region

__all__ = ["errors_in"]

_CHUNK, _AROUND = 1024, 32
"""Raw pixels that visible differences are found in at a time, and around them."""


def errors_in(
    session: rawback.Session,
    restored: NDArray[np.uint16],
    region: Region,
    view: ErrorView,
    exposure: float,
) -> NDArray[np.float32]:
    """Errors, restored against original.

    Args:
        session: Of the original.
        restored: uint16, as `RawFrame.cfa`: the restored mosaic of the whole frame.
        region: Left, top, width, height in raw pixels, beginning at a whole pattern.
        view: Kind, unit and channel.
        exposure: Stops by which both are pushed, where the kind is "visible".

    Returns:
        float32 in the view's unit, one for each sample, of what is seen one for each pixel; nan
        where the channel does not count.
    """
    left, top, width, height = region
    if view.kind == "visible":
        return _visible(session, restored, region, exposure)
    part = (slice(top, top + height), slice(left, left + width))
    return errors_of(session.original.cfa[part], restored[part], session.original, view)


def _visible(
    session: rawback.Session, restored: NDArray[np.uint16], region: Region, exposure: float
) -> NDArray[np.float32]:
    """Colour differences as people see them, part by part."""
    original = session.original
    down, across = cell_of(original.mosaic)
    left, top, width, height = region
    found = np.empty((height, width), np.float32)
    for y in range(top, top + height, _CHUNK):
        for x in range(left, left + width, _CHUNK):
            bottom, right = min(y + _CHUNK, top + height), min(x + _CHUNK, left + width)
            # What is around begins at a whole pattern too.
            y0 = max(y - _AROUND, 0) // down * down
            x0 = max(x - _AROUND, 0) // across * across
            y1, x1 = min(bottom + _AROUND, original.height), min(right + _AROUND, original.width)
            part = (slice(y0, y1), slice(x0, x1))
            preview = rawback.Preview(
                (x0, y0, x1 - x0, y1 - y0), original.cfa[part], restored[part], restored[part]
            )
            differences = session.visible_differences(preview, exposure)
            inner = differences[y - y0 : bottom - y0, x - x0 : right - x0]
            found[y - top : bottom - top, x - left : right - left] = inner
    return found
