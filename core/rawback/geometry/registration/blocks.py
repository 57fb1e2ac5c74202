"""How far each block of the raw's picture is off, given a map into the carrier.

One least-squares step per block (Lucas and Kanade 1981) on locally normalised pictures. The
gradient is the mean of both pictures' gradients, so that noise, which is in both, does not
pull a correct position away. Iterated by the caller, who fits a map through all blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.geometry.registration.pyramid import PyramidLevel, locally_normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration.surface import Surface

__all__ = ["Blocks", "Reference", "measure", "reference", "warped_image"]

_CELL = 8
_MAX_STEP = 1.5
_MIN_COVERED = 0.6
_FLOOR = 0.03


@dataclass(frozen=True, slots=True)
class Reference:
    """The raw's side of a comparison.

    Attributes:
        level: The raw's picture.
        normalised: The same, locally normalised, float32 ``[h, w]``.
        block: Side of a block in picture pixels, a multiple of 8.
    """

    level: PyramidLevel
    normalised: NDArray[np.float32]
    block: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where blocks of the raw lie in the carrier, as far as they can tell.

    Attributes:
        x: Raw positions of the columns of blocks, ``[w]``.
        y: Those of the rows, ``[h]``.
        target: Carrier positions of the blocks' centres, ``[h, w, 2]``.
        information: Inverse covariance of each target in carrier pixels, ``[h, w, 2, 2]``; 0
            where a block shows nothing or lies outside the carrier.
        correlation: Correlation of the two pictures in each block, ``[h, w]``, -1 to 1.
        weight: How much structure both pictures show in each block, ``[h, w]``, 0 outside.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    target: NDArray[np.float64]
    information: NDArray[np.float64]
    correlation: NDArray[np.float64]
    weight: NDArray[np.float64]


def reference(level: PyramidLevel, block: int) -> Reference:
    """Prepare the raw's side, cut to whole blocks."""
    height, width = (max(side // block, 1) * block for side in level.image.shape)
    if min(level.image.shape) < block:
        message = f"a picture of {level.image.shape} has no block of {block}"
        raise ValueError(message)
    cut = PyramidLevel(np.ascontiguousarray(level.image[:height, :width]), level.step)
    return Reference(cut, locally_normalised(cut.image), block)


def warped_image(
    surface: Surface, carrier: PyramidLevel, like: PyramidLevel
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The carrier's picture seen through a map.

    Args:
        surface: Raw to carrier positions.
        carrier: The carrier's picture.
        like: The raw's picture, sides multiples of 8.

    Returns:
        float32 and bool of `like`'s shape: the picture, and where the carrier covers it.
    """
    height, width = like.image.shape
    x, y = (
        ((np.arange(-1, side // _CELL + 1) + 0.5) * _CELL) * step - 0.5
        for side, step in ((width, like.step[0]), (height, like.step[1]))
    )
    coarse = (surface.at(x, y) + 0.5) / np.array(carrier.step) - 0.5
    full = cv2.resize(
        coarse.clip(-1e5, 1e5).astype(np.float32),
        (width + 2 * _CELL, height + 2 * _CELL),
        interpolation=cv2.INTER_LINEAR,
    )[_CELL:-_CELL, _CELL:-_CELL]
    map_x, map_y = np.ascontiguousarray(full[..., 0]), np.ascontiguousarray(full[..., 1])
    image = cv2.remap(carrier.image, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    rows, columns = carrier.image.shape
    covered = (map_x >= 0) & (map_x <= columns - 1) & (map_y >= 0) & (map_y <= rows - 1)
    return image.astype(np.float32, copy=False), covered


def measure(surface: Surface, carrier: PyramidLevel, ref: Reference) -> Blocks:
    """Measure every block once.

    Args:
        surface: The map so far, good to about two picture pixels.
        carrier: The carrier's picture, of about the raw picture's resolution through the map.
        ref: The raw's picture.

    Returns:
        The blocks; those outside the carrier carry no information.
    """
    warped, covered = warped_image(surface, carrier, ref.level)
    other = locally_normalised(warped)
    inside = cv2.erode(covered.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
    mine = ref.normalised * inside
    other *= inside
    both = (mine + other) * np.float32(0.5)
    error = mine - other
    along_x = cv2.Sobel(both, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8) * inside
    along_y = cv2.Sobel(both, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8) * inside

    def blocked(values: NDArray[np.float32]) -> NDArray[np.float64]:
        size = (values.shape[1] // ref.block, values.shape[0] // ref.block)
        return cv2.resize(values, size, interpolation=cv2.INTER_AREA).astype(np.float64)

    share = blocked(inside)
    xx, xy, yy = (
        blocked(along_x * along_x),
        blocked(along_x * along_y),
        blocked(along_y * along_y),
    )
    x_error, y_error = blocked(along_x * error), blocked(along_y * error)
    residue = blocked(error * error)
    mine_power, other_power = blocked(mine * mine), blocked(other * other)
    product = blocked(mine * other)

    tensor = np.stack([np.stack([xx, xy], -1), np.stack([xy, yy], -1)], -2)
    ridge = 1e-4 + 0.01 * (xx + yy)
    solvable = tensor + ridge[..., None, None] * np.eye(2)
    shift = np.linalg.solve(solvable, np.stack([x_error, y_error], -1)[..., None])[..., 0]
    length = np.linalg.norm(shift, axis=-1, keepdims=True)
    shift *= np.minimum(1, _MAX_STEP / np.maximum(length, 1e-9))

    step = np.array(ref.level.step)
    x = (np.arange(share.shape[1]) + 0.5) * ref.block * step[0] - 0.5
    y = (np.arange(share.shape[0]) + 0.5) * ref.block * step[1] - 0.5
    here = surface.at(x, y)
    slope = np.stack(
        [surface.at(x + step[0], y) - here, surface.at(x, y + step[1]) - here], axis=-1
    )
    target = here + (slope @ shift[..., None])[..., 0]
    # Neighbouring pixels share their error after smoothing: about one in eight counts.
    count = share * ref.block**2 / 8
    noise = residue / np.maximum(share, 1e-6) + 1e-3
    back = np.linalg.pinv(slope)
    information = _bounded(
        back.swapaxes(-1, -2) @ (tensor * (count / noise)[..., None, None]) @ back
    )
    information[share < _MIN_COVERED] = 0
    power = np.sqrt(mine_power * other_power)
    correlation = product / np.maximum(power, 1e-9)
    weight = np.where(share < _MIN_COVERED, 0, power)
    return Blocks(x, y, target, information, correlation, weight)


def _bounded(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let no block claim to be better than `_FLOOR` carrier pixels."""
    values, vectors = np.linalg.eigh(information)
    values = 1 / (1 / np.maximum(values, 1e-9) + _FLOOR**2)
    bounded: NDArray[np.float64] = (vectors * values[..., None, :]) @ vectors.swapaxes(-1, -2)
    return bounded
