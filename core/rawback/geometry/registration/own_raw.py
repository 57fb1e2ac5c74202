"""Of several raws that all show what a JPEG shows, the one that it was made of.

Shots of one place that nothing moved in differ by their noise alone. The JPEG has that of its own
raw, so a least-squares fit of the JPEG by all of them at once gives its own raw the weight, and the
others next to none: what they have in common any of them explains, the rest only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.geometry.registration.blocks import measure, reference
from rawback.geometry.registration.features import agreement
from rawback.geometry.registration.fit import fit_plane
from rawback.geometry.registration.mixture import least_squares
from rawback.geometry.registration.pyramid import PyramidLevel, local_contrast
from rawback.geometry.registration.same_shot import ENOUGH
from rawback.geometry.registration.surface import Surface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rawback.geometry.registration.same_shot import Summary

__all__ = ["own_raw"]

_CLEARLY = 1.5
"""How many times the next one's weight the own raw's is: in libraries of shots that show the same,
it was at least 1.6 times, and never another's."""

_MOST = 6
_BLOCK, _ROUNDS, _FEWEST_BLOCKS = 16, 4, 6
_MARGIN = 9


@dataclass(frozen=True, slots=True)
class _Seen:
    """A raw as the JPEG shows it: its picture, and where it has one, ``[h, w]``."""

    picture: NDArray[np.float32]
    covered: NDArray[np.float32]


def own_raw(raws: Sequence[Summary], jpeg: Summary) -> int | None:
    """Which of several raws a JPEG was made of, going by noise.

    Args:
        raws: The raws, or their embedded previews, two or more.
        jpeg: The JPEG, which shows what each of them shows.

    Returns:
        The raw's place in `raws`; None where the pictures do not tell. About 40 ms a raw.
    """
    if not 1 < len(raws) <= _MOST:
        return None
    seen = [_seen(raw, jpeg) for raw in raws]
    laid = [each for each in seen if each is not None]
    if len(laid) < len(seen):
        return None
    theirs, spread = local_contrast(jpeg.image)
    trust = np.minimum.reduce([each.covered for each in laid]) / spread
    shown = np.stack([(local_contrast(each.picture)[0] * trust).ravel() for each in laid])
    weights = least_squares(shown, (theirs * trust).ravel())
    if weights is None:
        return None
    second, first = np.argsort(weights)[-2:]
    is_clear = weights[first] > 0 and weights[first] >= _CLEARLY * weights[second]
    return int(first) if is_clear else None


def _seen(raw: Summary, jpeg: Summary) -> _Seen | None:
    """A raw laid on a JPEG, as precisely as these small pictures allow."""
    consensus = agreement(raw.features, jpeg.features, enough=ENOUGH)
    if consensus is None:
        return None
    image = raw.image
    matrix = _refined(image, jpeg.image, consensus.matrix, negative=consensus.negative)
    rows, columns = jpeg.image.shape
    size = (columns, rows)
    picture = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_CUBIC)
    covered = cv2.warpPerspective(np.ones_like(image), matrix, size, flags=cv2.INTER_NEAREST)
    inside = cv2.erode(covered, np.ones((_MARGIN, _MARGIN), np.uint8))
    sign = np.float32(-1 if consensus.negative else 1)
    return _Seen(np.asarray(picture, np.float32) * sign, np.asarray(inside, np.float32))


def _refined(
    raw: NDArray[np.float32],
    jpeg: NDArray[np.float32],
    matrix: NDArray[np.float64],
    *,
    negative: bool,
) -> NDArray[np.float64]:
    """A homography between two small pictures, fitted to all that they show."""
    surface = Surface(matrix / matrix[2, 2])
    scale = float(np.sqrt(abs(np.linalg.det(surface.matrix[:2, :2]))))
    mine = PyramidLevel(raw, (1.0, 1.0)).reduced(max(1 / scale, 1))
    theirs = PyramidLevel(1 - jpeg if negative else jpeg, (1.0, 1.0)).reduced(max(scale, 1))
    if min(mine.image.shape) < _BLOCK:
        return surface.matrix
    ref = reference(mine, _BLOCK)
    for _ in range(_ROUNDS):
        blocks = measure(surface, theirs, ref)
        used = blocks.weight > 0
        if used.sum() < _FEWEST_BLOCKS:
            break
        surface = fit_plane(blocks, surface, perspective=True, used=used)
    return surface.matrix
