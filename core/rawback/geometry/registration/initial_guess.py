"""First guesses where the raw lies in the carrier: right within some pixels, or nothing.

Carriers of the raw's own size are tried in every orientation. For all others, scale and rotation
invariant features (SIFT: Lowe 2004) are matched and a homography drawn from them by consensus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.geometry.registration.pyramid import PyramidLevel, carrier_level, locally_normalised
from rawback.geometry.registration.surface import Surface
from rawback.orientation import orient_image, orient_position, oriented_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Guess", "aligned_guesses", "aligned_matrix", "feature_guess"]

_SMALL_SIDE = 640
_REACH = 8
_SIZE_TOLERANCE = 0.02
_MAX_RATIO = 0.82
_MIN_INLIERS = 10
_MIN_FEATURE_SIDE = 32
_THRESHOLD = 5.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A first guess.

    Attributes:
        surface: Raw to carrier positions.
        score: Correlation, -1 to 1, for aligned guesses; how many features agree for others.
    """

    surface: Surface
    score: float


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
        _, score, _, (x, y) = cv2.minMaxLoc(scores)
        matrix = aligned_matrix(orientation, raw_size)
        matrix[:2, 2] += np.array([x - reach, y - reach]) * other.step
        guesses[orientation] = Guess(Surface(matrix), score)
    return guesses


def feature_guess(
    raw: PyramidLevel, pixels: NDArray[np.uint8], *, raw_side: int, carrier_side: int, count: int
) -> Guess | None:
    """Find the raw in a carrier of any size, turned, mirrored or seen in perspective.

    Args:
        raw: The raw's picture.
        pixels: The carrier.
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
    theirs = _features(other.image, count)
    best: Guess | None = None
    for mirrored in (False, True):
        image = small.image[:, ::-1] if mirrored else small.image
        agreement = _consensus(_features(image, count), theirs)
        if agreement is None or (best is not None and agreement[1] <= best.score):
            continue
        matrix = agreement[0]
        if mirrored:
            matrix = matrix @ np.array([[-1.0, 0, image.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
        matrix = _to_full_size(other) @ matrix @ np.linalg.inv(_to_full_size(small))
        best = Guess(Surface(matrix / matrix[2, 2]), agreement[1])
        if best.score >= 4 * _MIN_INLIERS:
            break
    return best


_Features = tuple["NDArray[np.float32]", "NDArray[np.float32]"]


def _to_full_size(level: PyramidLevel) -> NDArray[np.float64]:
    """PyramidLevel pixels to full-size positions."""
    (x, y), half = level.step, 0.5
    return np.array([[x, 0, half * x - half], [0, y, half * y - half], [0, 0, 1]])


def _features(image: NDArray[np.float32], count: int) -> _Features:
    """Positions ``[n, 2]`` and descriptors ``[n, 128]`` of the strongest features."""
    low, high = np.percentile(image, (0.5, 99.5))
    grey = ((image - low) * (255 / max(high - low, 1e-6))).clip(0, 255).astype(np.uint8)
    flat = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(grey)
    sift = cv2.SIFT.create(nfeatures=count, contrastThreshold=0.02)
    points, descriptors = sift.detectAndCompute(flat, np.full_like(flat, 255))
    if len(points) < _MIN_INLIERS:
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    # Square roots of the histograms compare better under the Euclidean distance.
    strength = np.abs(descriptors).sum(axis=1, keepdims=True)
    rooted = np.sqrt(descriptors / np.maximum(strength, 1e-6)).astype(np.float32)
    return np.array([point.pt for point in points], np.float32), rooted


def _consensus(mine: _Features, theirs: _Features) -> tuple[NDArray[np.float64], int] | None:
    """The homography most matches agree on, and how many do."""
    if min(len(mine[0]), len(theirs[0])) < _MIN_INLIERS:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(mine[1], theirs[1], k=2)
    good = [first for first, second in pairs if first.distance < _MAX_RATIO * second.distance]
    if len(good) < _MIN_INLIERS:
        return None
    source = mine[0][[match.queryIdx for match in good]]
    target = theirs[0][[match.trainIdx for match in good]]
    cv2.setRNGSeed(1)
    matrix, inliers = cv2.findHomography(
        source, target, cv2.USAC_MAGSAC, _THRESHOLD, maxIters=5000, confidence=0.9999
    )
    # Both are None where no homography was found.
    count = int(np.count_nonzero(inliers))
    return (np.asarray(matrix, np.float64), count) if count >= _MIN_INLIERS else None
