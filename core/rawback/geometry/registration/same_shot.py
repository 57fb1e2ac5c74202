"""Whether a JPEG shows the shot of a raw: a quick answer from small pictures.

Registering finds out for certain and takes a second or more; this takes milliseconds a pair once
both are summarised, so that thousands of candidates can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.geometry.registration.features import agreement, detect
from rawback.geometry.registration.pyramid import (
    carrier_level,
    locally_normalised,
    raw_level,
    structured_share,
)
from rawback.orientation import orient_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.geometry.registration.features import Features
    from rawback.types import RawFrame

__all__ = [
    "ENOUGH",
    "LEAST_STRUCTURE",
    "Comparison",
    "Summary",
    "Verdict",
    "shows_same_shot",
    "summarise",
]

LEAST_STRUCTURE = 0.03
"""The least part of a picture that must show more than noise for it to be found."""

ENOUGH = 9
"""How many matched features must agree for two pictures to show one thing."""

_SIDE = 512
_SMALL_SIDE = 176
_COUNT = 700
_REACH = 5
_NEAR = 2.5
_ASPECT = 0.03
# Whole frames of one shot are above 0.65, whatever the camera, the style and the finish; of two
# night skies with a horizon each, 0.50 was seen, and 0.36 at most of all others.
_ALIGNED = 0.6
_CONTRADICTION = 16
_CORRELATED = 0.3
_BEYOND, _STRONG_EDGE = 0.02, 0.1
_MARGIN = 9


class Verdict(Enum):
    """Whether two pictures show the same shot."""

    SAME = "same"
    OTHER = "other"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Summary:
    """What of a picture is compared: make it once, compare it often (0.35 MB).

    Attributes:
        picture: The picture, at most 512 pixels on the longer side, as `PyramidLevel` has it but
            in steps of 1/255, uint8 ``[h, w]``.
        small: The same with 176 pixels, locally normalised, float16 ``[h, w]``.
        features: Its strongest features.
        structure: Part of the small picture, 0 to 1, that shows more than noise.
    """

    picture: NDArray[np.uint8]
    small: NDArray[np.float16]
    features: Features
    structure: float

    @property
    def image(self) -> NDArray[np.float32]:
        """`picture`, float32 ``[h, w]``, 0 to 1."""
        return self.picture.astype(np.float32) * np.float32(1 / 255)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a raw and a JPEG compare.

    Attributes:
        verdict: `SAME`, `OTHER`, or `UNCLEAR` where one of them shows too little to tell: a
            dark frame, a flat field, fog.
        correlation: Of the two pictures as well as they can be laid on each other, locally
            normalised, -1 to 1: the higher, the surer. Of several that are the same, as shots of a
            burst may be at this size, the highest is the likeliest. 0 where they cannot be laid on
            each other.
        whole: Whether the JPEG shows the whole raw, corner on corner.
    """

    verdict: Verdict
    correlation: float
    whole: bool = False


def summarise(picture: RawFrame | NDArray[np.uint8]) -> Summary:
    """Get a raw or a picture ready to be compared.

    Args:
        picture: A raw, or sRGB pixels, uint8 ``[H, W, 3]``: those of a JPEG or of a raw's embedded
            preview. 500 pixels on the longer side suffice: a JPEG may be decoded at an eighth of
            its size.

    Returns:
        The summary; 20 to 40 ms.
    """
    if isinstance(picture, np.ndarray):
        level = carrier_level(picture, max(picture.shape[:2]) / _SIDE)
    else:
        level = raw_level(picture).reduced(max(picture.width, picture.height) / _SIDE)
    small = level.reduced(max(level.image.shape) * level.pixel / _SMALL_SIDE)
    return Summary(
        np.rint(level.image * 255).astype(np.uint8),
        locally_normalised(small.image).astype(np.float16),
        detect(level.image, _COUNT),
        structured_share(level),
    )


def shows_same_shot(raw: Summary, jpeg: Summary) -> Comparison:
    """Compare a raw with a JPEG: turned, mirrored, cropped, scaled, black and white, a negative.

    Args:
        raw: The raw, or its embedded preview.
        jpeg: The JPEG.

    Returns:
        The comparison; about 1 ms where the JPEG shows the whole frame, else 10 ms. Two shots of
        one place may both be `SAME` as a JPEG: `own_raw` tells them apart. `OTHER` may be a crop of
        less than a third of the sides. Where names say that two belong together, `register` has
        the last word.
    """
    aligned = _aligned_correlation(raw.small.astype(np.float32), jpeg.small.astype(np.float32))
    if aligned > _ALIGNED:
        return Comparison(Verdict.SAME, aligned, whole=True)
    consensus = agreement(raw.features, jpeg.features, enough=ENOUGH)
    if consensus is not None:
        correlation, beyond = _overlap(raw.image, jpeg.image, consensus.matrix)
        correlation *= -1 if consensus.negative else 1
        if correlation > _CORRELATED:
            # The next shot of a burst shows something that this one does not; no rendering does.
            return Comparison(Verdict.SAME if beyond < _BEYOND else Verdict.OTHER, correlation)
        if consensus.inliers > _CONTRADICTION:
            return Comparison(Verdict.UNCLEAR, correlation)
    if min(raw.structure, jpeg.structure) < LEAST_STRUCTURE:
        return Comparison(Verdict.UNCLEAR, 0.0)
    return Comparison(Verdict.OTHER, 0.0)


def _aligned_correlation(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """Of whole frames in the best of eight orientations; 0 where their shapes differ."""
    best = 0.0
    for orientation in range(1, 9):
        turned = orient_image(orientation, mine)
        rows, columns = theirs.shape
        if any(abs(a - b) > _ASPECT * b for a, b in zip(turned.shape, theirs.shape, strict=True)):
            continue
        same = cv2.resize(np.ascontiguousarray(turned), (columns, rows))
        reach = min(_REACH, rows // 4, columns // 4)
        template = same[reach : rows - reach, reach : columns - reach]
        scores = cv2.matchTemplate(theirs, template, cv2.TM_CCORR_NORMED)
        # Whole frames lie on each other but for a few rows that a camera trims.
        middle = scores.shape[0] // 2, scores.shape[1] // 2
        for sign in (1, -1):
            row, column = np.unravel_index((sign * scores).argmax(), scores.shape)
            if np.hypot(row - middle[0], column - middle[1]) <= _NEAR:
                best = max(best, float(sign * scores[row, column]))
    return best


def _overlap(
    raw: NDArray[np.float32], jpeg: NDArray[np.float32], matrix: NDArray[np.float64]
) -> tuple[float, float]:
    """Correlation where both are, and the part of the JPEG's structure that the raw lacks."""
    rows, columns = jpeg.shape
    # The raw is brought onto the JPEG's grid: a crop shows less of it, at a larger scale.
    size = (columns, rows)
    warped = np.asarray(cv2.warpPerspective(raw, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
    covered = cv2.warpPerspective(np.ones_like(raw), matrix, size, flags=cv2.INTER_NEAREST)
    window = np.ones((_MARGIN, _MARGIN), np.uint8)
    inside = cv2.erode(covered, window, borderValue=1)
    # A border that was drawn around the picture has no edges but its own.
    around = cv2.dilate(covered, window, borderValue=0)
    edges = np.abs(cv2.Laplacian(jpeg, cv2.CV_32F)).clip(0, _STRONG_EDGE)
    beyond = float((edges * (1 - around)).sum()) / max(float(edges.sum()), 1e-9)
    theirs = locally_normalised(jpeg)
    mine, theirs = locally_normalised(warped) * inside, theirs * inside
    power = float(np.sqrt((mine * mine).sum() * (theirs * theirs).sum()))
    return float((mine * theirs).sum()) / max(power, 1e-9), beyond
