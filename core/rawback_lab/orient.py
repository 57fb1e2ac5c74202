"""EXIF orientation: from the sensor's rows and columns to upright pictures, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["to_sensor", "upright"]

Scalar = TypeVar("Scalar", bound=np.generic)

_TURNS = {
    1: (0, False),
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}
"""Per orientation: quarter turns to the left, then whether to mirror left to right."""


def upright(image: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """Turn an image ``[H, W, ...]`` of the sensor as its EXIF orientation says."""
    turns, mirrored = _TURNS[orientation]
    turned = np.rot90(image, turns)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)


def to_sensor(image: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """Undo `upright`."""
    turns, mirrored = _TURNS[orientation]
    turned = image[:, ::-1] if mirrored else image
    return np.ascontiguousarray(np.rot90(turned, -turns))
