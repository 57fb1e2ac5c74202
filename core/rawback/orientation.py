"""The eight orientations of a picture (EXIF tag Orientation, Exif 2.32, 4.6.4).

An orientation turns a stored image upright: transpose first or not, then mirror either axis. This
is the one table of them: what turns an image, a position or a region goes by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Box",
    "compose",
    "inverse",
    "orient_box",
    "orient_image",
    "orient_position",
    "oriented_size",
]

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""

_Sample = TypeVar("_Sample", bound="np.generic")

# Transposed, then mirrored left-right, then mirrored upside down.
_STEPS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}
_NUMBER = {steps: number for number, steps in _STEPS.items()}


def oriented_size(orientation: int, width: int, height: int) -> tuple[int, int]:
    """Width and height after turning."""
    return (height, width) if _STEPS[orientation][0] else (width, height)


def inverse(orientation: int) -> int:
    """The orientation that turns back."""
    return {6: 8, 8: 6}.get(orientation, orientation)


def compose(first: int, second: int) -> int:
    """The one orientation that does what `first` and then `second` do."""
    transpose, mirror_x, mirror_y = _STEPS[first]
    then_transpose, then_x, then_y = _STEPS[second]
    if then_transpose:
        mirror_x, mirror_y = mirror_y, mirror_x
    return _NUMBER[transpose ^ then_transpose, mirror_x ^ then_x, mirror_y ^ then_y]


def orient_position(orientation: int, x: int, y: int, width: int, height: int) -> tuple[int, int]:
    """Where the pixel ``(x, y)`` of a `width` x `height` image lies after turning."""
    transpose, mirror_x, mirror_y = _STEPS[orientation]
    width, height = oriented_size(orientation, width, height)
    u, v = (y, x) if transpose else (x, y)
    return (width - 1 - u if mirror_x else u), (height - 1 - v if mirror_y else v)


def orient_box(orientation: int, box: Box, width: int, height: int) -> Box:
    """Where a box of a `width` x `height` image lies after turning.

    A box of the turned image is turned back by the `inverse` orientation and the turned image's
    size.
    """
    left, top, wide, high = box
    corners = (
        orient_position(orientation, left, top, width, height),
        orient_position(orientation, left + wide - 1, top + high - 1, width, height),
    )
    wide, high = oriented_size(orientation, wide, high)
    return min(x for x, _ in corners), min(y for _, y in corners), wide, high


def orient_image(orientation: int, image: NDArray[_Sample]) -> NDArray[_Sample]:
    """Turn an image.

    Args:
        orientation: 1 to 8.
        image: ``[H, W, ...]``.

    Returns:
        A view, ``[W, H, ...]`` where the orientation transposes.
    """
    transpose, mirror_x, mirror_y = _STEPS[orientation]
    turned = image.swapaxes(0, 1) if transpose else image
    return turned[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]
