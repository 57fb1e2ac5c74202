"""EXIF orientation: from the sensor's rows and columns to upright pictures, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.orientation import inverse, orient_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["to_sensor", "upright"]

Scalar = TypeVar("Scalar", bound=np.generic)


def upright(image: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """Turn an image ``[H, W, ...]`` of the sensor as its EXIF orientation says."""
    return np.ascontiguousarray(orient_image(orientation, image))


def to_sensor(image: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """Undo `upright`."""
    return upright(image, inverse(orientation))
