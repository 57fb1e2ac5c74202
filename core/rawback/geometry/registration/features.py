"""Scale and rotation invariant features (SIFT: Lowe 2004) that also match negatives and mirrors.

A descriptor is a grid of 4x4 histograms of 8 gradient directions, all relative to the feature's
own direction. In a negative every gradient points the other way, so the grid is turned by half a
turn and the histograms stay. In a mirror image the grid is turned over along the feature's
direction and the directions change their sense. Both are permutations: one detection serves the
four renderings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Consensus", "Features", "agreement", "detect"]

_MAX_RATIO = 0.82
_MIN_MATCHES = 8
_THRESHOLD = 5.0
_MANY_INLIERS = 40
_MAX_STRETCH, _MAX_SCALE = 2.0, 12.0
_CELLS, _DIRECTIONS = 4, 8
_GRID = np.arange(_CELLS * _CELLS * _DIRECTIONS).reshape(_CELLS, _CELLS, _DIRECTIONS)
_NEGATED = _GRID[::-1, ::-1].ravel()
_MIRRORED = _GRID[::-1][..., -np.arange(_DIRECTIONS) % _DIRECTIONS].ravel()


@dataclass(frozen=True, slots=True)
class Features:
    """The strongest features of a picture, the strongest first.

    Attributes:
        points: Positions in picture pixels, float32 ``[n, 2]``.
        histograms: Descriptors as SIFT has them, uint8 ``[n, 128]``.
    """

    points: NDArray[np.float32]
    histograms: NDArray[np.uint8]

    @property
    def descriptors(self) -> NDArray[np.float32]:
        """Unit vectors, float32 ``[n, 128]``.

        Square roots of the histograms compare better under the Euclidean distance.
        """
        strength = self.histograms.sum(axis=1, keepdims=True, dtype=np.float32)
        shares = self.histograms / np.maximum(strength, np.float32(1e-6))
        return np.asarray(np.sqrt(shares), np.float32)

    def strongest(self, count: int) -> Features:
        """The strongest of them, at most so many."""
        return Features(self.points[:count], self.histograms[:count])

    def __len__(self) -> int:
        return len(self.points)

    def rendered(self, *, mirrored: bool, negative: bool) -> Features:
        """Those of the picture mirrored at its left edge, of its negative, or both."""
        order = np.arange(_GRID.size)
        if mirrored:
            order = order[_MIRRORED]
        if negative:
            order = order[_NEGATED]
        points = self.points * np.array([-1, 1], np.float32) if mirrored else self.points
        return Features(points, np.ascontiguousarray(self.histograms[:, order]))


class Consensus(NamedTuple):
    """A homography that matched features agree on.

    Attributes:
        matrix: Positions in the first picture to those in the second, float64 ``[3, 3]``.
        inliers: How many matches agree.
        negative: Whether one is the other's negative.
        matches: All that were matched, false ones too: positions in the first picture and in the
            second, float64 ``[n, 4]``.
    """

    matrix: NDArray[np.float64]
    inliers: int
    negative: bool
    matches: NDArray[np.float64]


def detect(image: NDArray[np.float32], count: int) -> Features:
    """The strongest features of a picture.

    Args:
        image: float32 ``[h, w]``, any range.
        count: At most how many.

    Returns:
        The features; none where the picture is even.
    """
    low, high = np.percentile(image, (0.5, 99.5))
    grey = ((image - low) * (255 / max(high - low, 1e-6))).clip(0, 255).astype(np.uint8)
    flat = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(grey)
    sift = cv2.SIFT.create(nfeatures=count, contrastThreshold=0.02)
    points, histograms = sift.detectAndCompute(flat, np.full_like(flat, 255))
    if not points:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, _GRID.size), np.uint8))
    order = np.argsort([-point.response for point in points], kind="stable")
    places = np.array([point.pt for point in points], np.float32)
    # They are whole numbers already.
    return Features(places[order], histograms[order].astype(np.uint8))


def agreement(first: Features, second: Features, *, enough: int) -> Consensus | None:
    """Match two pictures' features, in the four renderings, the likeliest first.

    Args:
        first: Those of one picture.
        second: Those of the other.
        enough: How many matches must agree.

    Returns:
        What most matches agree on, or None.
    """
    best: Consensus | None = None
    if min(len(first), len(second)) < max(enough, _MIN_MATCHES):
        return None
    theirs = second.descriptors
    for negative in (False, True):
        for mirrored in (False, True):
            described = first.rendered(mirrored=mirrored, negative=negative)
            pairs = _matches(described.descriptors, theirs)
            consensus = _consensus(described, second, pairs, negative=negative)
            if consensus is None or consensus.inliers < enough:
                continue
            if mirrored:
                # The search for a homography takes none that turns a picture over.
                consensus = consensus._replace(
                    matrix=consensus.matrix @ np.diag([-1.0, 1, 1]),
                    matches=consensus.matches * np.array([-1.0, 1, 1, 1]),
                )
            if best is None or consensus.inliers > best.inliers:
                best = consensus
            if best.inliers >= _MANY_INLIERS:
                return best
    return best


def _consensus(
    first: Features, second: Features, pairs: NDArray[np.intp], *, negative: bool
) -> Consensus | None:
    if len(pairs) < _MIN_MATCHES:
        return None
    cv2.setRNGSeed(1)
    matrix, inliers = cv2.findHomography(
        first.points[pairs[:, 0]],
        second.points[pairs[:, 1]],
        cv2.USAC_MAGSAC,
        _THRESHOLD,
        maxIters=5000,
        confidence=0.9999,
    )
    # Both are None, which counts as no inliers, where no homography was found.
    agreeing = pairs[np.flatnonzero(inliers)]
    if not len(agreeing) or not _is_plausible(
        np.asarray(matrix, np.float64), first.points[agreeing[:, 0]]
    ):
        return None
    # One place has up to four features, one for each of its directions.
    count = min(
        len(np.unique(np.round(points[index]), axis=0))
        for points, index in zip((first.points, second.points), agreeing.T, strict=True)
    )
    matches = np.hstack([first.points[pairs[:, 0]], second.points[pairs[:, 1]]])
    return Consensus(np.asarray(matrix, np.float64), count, negative, matches.astype(np.float64))


def _is_plausible(matrix: NDArray[np.float64], points: NDArray[np.float32]) -> bool:
    """Whether a homography stretches a picture, where it was matched, as renderings do.

    False matches agree on maps that squeeze the whole picture into a line or a point.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    for x, y in (low, high, (low[0], high[1]), (high[0], low[1]), (low + high) / 2):
        weight = matrix[2] @ (x, y, 1.0)
        if abs(weight) < 1e-6:
            return False
        image = matrix[:2] @ (x, y, 1.0) / weight
        slope = (matrix[:2, :2] - np.outer(image, matrix[2, :2])) / weight
        long, short = np.linalg.svd(slope, compute_uv=False)
        if not (long < _MAX_STRETCH * short and 1 / _MAX_SCALE < long < _MAX_SCALE):
            return False
    return True


def _matches(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.intp]:
    """Pairs ``[n, 2]`` whose descriptors are clearly nearer than the second nearest."""
    similarity = first @ second.T
    rows = np.arange(len(first))
    nearest = similarity.argmax(axis=1)
    mutual = similarity.argmax(axis=0)[nearest] == rows
    best = similarity[rows, nearest]
    similarity[rows, nearest] = -1
    # Squared distances of unit vectors: 2 - 2 cosine.
    clear = 1 - best < _MAX_RATIO**2 * (1 - similarity.max(axis=1))
    chosen = clear & mutual
    return np.column_stack([rows[chosen], nearest[chosen]])
