"""First guesses where the raw lies in the carrier: right within some pixels, or nothing.

Carriers of the raw's own size are tried in every orientation. For all others, features are matched
and a homography drawn from them by consensus; crops are tried at every scale and place too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.geometry.registration.features import agreement, detect
from rawback.geometry.registration.fit import fit_matches
from rawback.geometry.registration.pyramid import PyramidLevel, carrier_level, locally_normalised
from rawback.geometry.registration.surface import Lens, Surface
from rawback.orientation import orient_image, orient_position, oriented_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Guess",
    "aligned_guesses",
    "aligned_matrix",
    "crop_guess",
    "feature_guess",
    "stretched_guess",
]

_SMALL_SIDE = 640
_REACH = 8
_SIZE_TOLERANCE = 0.02
_MIN_INLIERS = 10
_CROP_SIDE, _LEAST_TEMPLATE, _CROP_CORRELATION = 320, 24, 0.35
_CROP_SHARES = 0.2 * 1.05 ** np.arange(34)
_LEAST_STRETCH = 1.3
_LENS_TOLERANCE, _LENS_REACH = 3.0, 0.08
_MIN_FEATURE_SIDE = 32


@dataclass(frozen=True, slots=True)
class Guess:
    """A first guess.

    Attributes:
        surface: Raw to carrier positions.
        score: Correlation, 0 to 1, for aligned guesses; how many features agree for others.
        negative: Whether the carrier shows the raw's negative.
        straight: Whether it is right only if nothing is bent: a part of the raw was tried at every
            scale and place.
    """

    surface: Surface
    score: float
    negative: bool = False
    straight: bool = False


def aligned_matrix(orientation: int, raw_size: tuple[int, int]) -> NDArray[np.float64]:
    """The matrix ``[3, 3]`` that turns raw positions."""
    corner = np.array(orient_position(orientation, 0, 0, *raw_size))
    matrix = np.eye(3)
    matrix[:2, 0] = np.array(orient_position(orientation, 1, 0, *raw_size)) - corner
    matrix[:2, 1] = np.array(orient_position(orientation, 0, 1, *raw_size)) - corner
    matrix[:2, 2] = corner
    return matrix


def aligned_guesses(
    raw: PyramidLevel, pixels: NDArray[np.uint8], raw_size: tuple[int, int]
) -> dict[int, Guess]:
    """Try every orientation that gives the raw about the carrier's size.

    Args:
        raw: The raw's picture.
        pixels: The carrier.
        raw_size: Width and height of the mosaic.

    Returns:
        A guess for each such orientation, with its correlation.
    """
    carrier_size = (pixels.shape[1], pixels.shape[0])
    fitting = [
        orientation
        for orientation in range(1, 9)
        if all(
            abs(a - b) <= max(_SIZE_TOLERANCE * a, 8)
            for a, b in zip(oriented_size(orientation, *raw_size), carrier_size, strict=True)
        )
    ]
    if not fitting:
        return {}
    step = max(max(raw_size) / _SMALL_SIDE, 2.0)
    small, other = raw.reduced(step), carrier_level(pixels, step)
    mine, theirs = locally_normalised(small.image), locally_normalised(other.image)
    guesses = {}
    for orientation in fitting:
        turned = np.ascontiguousarray(orient_image(orientation, mine))
        rows, columns = (min(a, b) for a, b in zip(turned.shape, theirs.shape, strict=True))
        reach = min(_REACH, min(rows, columns) // 4)
        template = turned[reach : rows - reach, reach : columns - reach]
        scores = cv2.matchTemplate(theirs[:rows, :columns], template, cv2.TM_CCORR_NORMED)
        lowest, highest, below, above = cv2.minMaxLoc(scores)
        negative = -lowest > highest
        x, y = below if negative else above
        matrix = aligned_matrix(orientation, raw_size)
        matrix[:2, 2] += np.array([x - reach, y - reach]) * other.step
        guesses[orientation] = Guess(Surface(matrix), max(highest, -lowest), negative)
    return guesses


def feature_guess(
    raw: PyramidLevel,
    pixels: NDArray[np.uint8],
    raw_size: tuple[int, int],
    *,
    raw_side: int,
    carrier_side: int,
    count: int,
) -> Guess | None:
    """Find the raw in a carrier of any size, turned, mirrored or seen in perspective.

    Args:
        raw: The raw's picture.
        pixels: The carrier.
        raw_size: Width and height of the mosaic.
        raw_side: Longer side of the picture to look for features in.
        carrier_side: The same for the carrier.
        count: How many features to take from each.

    Returns:
        The guess, or None where too few features agree.
    """
    small = raw.reduced(max(raw.image.shape) * raw.pixel / raw_side)
    other = carrier_level(pixels, max(pixels.shape[:2]) / carrier_side)
    if min(*small.image.shape, *other.image.shape) < _MIN_FEATURE_SIDE:
        return None
    consensus = agreement(
        detect(small.image, count), detect(other.image, count), enough=_MIN_INLIERS
    )
    if consensus is None:
        return None
    from_small, from_other = _to_full_size(small), _to_full_size(other)
    matrix = from_other @ consensus.matrix @ np.linalg.inv(from_small)
    source, target = (
        consensus.matches[:, part] * np.diag(scale)[:2] + scale[:2, 2]
        for part, scale in ((slice(2), from_small), (slice(2, 4), from_other))
    )
    surface = fit_matches(
        source,
        target,
        Surface(matrix / matrix[2, 2]),
        lens=replace(Lens.over(raw_size), coefficients=(0.0, 0.0)),
        tolerance=_LENS_TOLERANCE * other.pixel,
        reach=_LENS_REACH * max(pixels.shape[:2]),
    )
    return Guess(surface, consensus.inliers, consensus.negative)


def crop_guess(
    raw: PyramidLevel, pixels: NDArray[np.uint8], raw_size: tuple[int, int]
) -> Guess | None:
    """Find a crop, enlarged or not and laid on any side, by trying every scale and place.

    For what has too little texture for features: shades on a wall, fog.

    Args:
        raw: The raw's picture.
        pixels: The carrier.
        raw_size: Width and height of the mosaic.

    Returns:
        The likeliest guess, or None where nothing correlates.
    """
    small = raw.reduced(max(raw.image.shape) * raw.pixel / _CROP_SIDE)
    height, width = pixels.shape[:2]
    best: Guess | None = None
    for orientation in (1, 3, 6, 8):
        mine = locally_normalised(np.ascontiguousarray(orient_image(orientation, small.image)))
        rows, columns = mine.shape
        turned_size = oriented_size(orientation, *raw_size)
        for share in _CROP_SHARES:
            # Carrier pixels to a pixel of the raw's picture, if it shows this share of the raw.
            step = max(width / columns, height / rows) / share
            other = carrier_level(pixels, step)
            if min(other.image.shape) < _LEAST_TEMPLATE or step < 1:
                continue
            template = locally_normalised(other.image)
            if template.shape[0] > rows or template.shape[1] > columns:
                continue
            scores = cv2.matchTemplate(mine, template, cv2.TM_CCORR_NORMED)
            lowest, highest, below, above = cv2.minMaxLoc(scores)
            negative = -lowest > highest
            score = max(highest, -lowest)
            if score <= max(_CROP_CORRELATION, best.score if best is not None else 0):
                continue
            x, y = below if negative else above
            scale = np.array(turned_size) / (columns, rows)
            zoom = np.array(other.step) / scale
            shift = 0.5 * zoom - 0.5 - np.array([x, y]) * scale * zoom
            matrix = np.diag([*zoom, 1.0])
            matrix[:2, 2] = shift
            surface = Surface(matrix @ aligned_matrix(orientation, raw_size))
            best = Guess(surface, score, negative, straight=True)
    return best


def stretched_guess(
    raw: PyramidLevel, pixels: NDArray[np.uint8], raw_size: tuple[int, int]
) -> Guess | None:
    """The whole raw on a carrier of quite another shape: its pixels are not square.

    So it is with anamorphic lenses and some old cameras, whose raws are shown stretched by up to 2;
    features bear less.

    Args:
        raw: The raw's picture.
        pixels: The carrier.
        raw_size: Width and height of the mosaic.

    Returns:
        The likeliest guess, of those orientations in which the raw has another shape than the
        carrier; None where nothing correlates.
    """
    small = raw.reduced(max(raw.image.shape) * raw.pixel / _CROP_SIDE)
    height, width = pixels.shape[:2]
    whole = carrier_level(pixels, max(min(width, height) / _CROP_SIDE, 1))
    best: Guess | None = None
    for orientation in range(1, 9):
        mine = locally_normalised(np.ascontiguousarray(orient_image(orientation, small.image)))
        rows, columns = mine.shape
        turned = np.array(oriented_size(orientation, *raw_size))
        stretch = width * turned[1] / (height * turned[0])
        if max(stretch, 1 / stretch) < _LEAST_STRETCH:
            continue
        squeezed = cv2.resize(whole.image, (columns, rows), interpolation=cv2.INTER_AREA)
        reach = min(_REACH, min(rows, columns) // 8)
        template = mine[reach : rows - reach, reach : columns - reach]
        scores = cv2.matchTemplate(
            locally_normalised(np.asarray(squeezed, np.float32)), template, cv2.TM_CCORR_NORMED
        )
        lowest, highest, below, above = cv2.minMaxLoc(scores)
        score = max(highest, -lowest)
        if score <= max(_CROP_CORRELATION, best.score if best is not None else 0):
            continue
        shift = np.array(below if score > highest else above) - reach
        zoom = np.array([width, height]) / turned
        matrix = np.diag([*zoom, 1.0])
        matrix[:2, 2] = 0.5 * zoom - 0.5 + shift * (width / columns, height / rows)
        matrix = matrix @ aligned_matrix(orientation, raw_size)
        best = Guess(Surface(matrix), score, negative=score > highest)
    return best


def _to_full_size(level: PyramidLevel) -> NDArray[np.float64]:
    """PyramidLevel pixels to full-size positions."""
    (x, y), half = level.step, 0.5
    return np.array([[x, 0, half * x - half], [0, y, half * y - half], [0, 0, 1]])
