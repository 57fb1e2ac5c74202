# SPDX-License-Identifier: GPL-3.0-or-later
"""Upright pictures of frames that the sensor saw turned.

A frame keeps the sensor's orientation; people see it upright. Everything on the screen is counted
in *upright* pixels, which are the raw's pixels after the turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Region", "from_upright", "to_raw", "to_upright", "upright", "upright_size"]

Region: TypeAlias = tuple[int, int, int, int]
"""Left, top, width, height."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


def upright_size(orientation: int, width: int, height: int) -> tuple[int, int]:
    """Width and height after the turn of an Exif orientation, 1 to 8."""
    return (height, width) if orientation >= 5 else (width, height)


def upright(array: NDArray[_Scalar], orientation: int) -> NDArray[_Scalar]:
    """Turn ``[h, w, ...]`` upright.

    Args:
        array: In the sensor's orientation.
        orientation: The Exif orientation, 1 to 8.

    Returns:
        A view of it.
    """
    if orientation >= 5:
        array = np.swapaxes(array, 0, 1)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def from_upright(array: NDArray[_Scalar], orientation: int) -> NDArray[_Scalar]:
    """Turn an upright ``[h, w, ...]`` as the sensor saw it: undoes :func:`upright`."""
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    array = array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
    return np.swapaxes(array, 0, 1) if orientation >= 5 else array


def to_upright(region: Region, orientation: int, width: int, height: int) -> Region:
    """Where a region of the raw, of `width` by `height`, lies in the upright picture."""
    left, top, wide, high = region
    if orientation >= 5:
        left, top, wide, high = top, left, high, wide
    turned_width, turned_height = upright_size(orientation, width, height)
    if orientation in (2, 3, 6, 7):
        left = turned_width - left - wide
    if orientation in (3, 4, 7, 8):
        top = turned_height - top - high
    return left, top, wide, high


def to_raw(region: Region, orientation: int, width: int, height: int) -> Region:
    """Where a region of the upright picture lies in the raw, of `width` by `height`."""
    left, top, wide, high = region
    turned_width, turned_height = upright_size(orientation, width, height)
    if orientation in (2, 3, 6, 7):
        left = turned_width - left - wide
    if orientation in (3, 4, 7, 8):
        top = turned_height - top - high
    if orientation >= 5:
        left, top, wide, high = top, left, high, wide
    return left, top, wide, high
