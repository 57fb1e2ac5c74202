"""Find where the raw lies in its JPEG: what only an encoder runs, in floats, with OpenCV.

::

    search            which guess is right, and what it means
      initial_guess   eight orientations of the raw's own size, else matched features
      refinement      from a guess to a map, coarse to fine
      blocks          how far each block of the raw is off
      fit             maps through all blocks, by robust least squares
      model_selection the simplest map that explains them
      mixture         the raw in the mix of colours that the carrier shows
      quantisation    that map as a transform in integers
    same_shot         a quick yes or no from small pictures
      own_raw         of several that show the same, the one with the same noise
    features          matched features, also of mirror images and negatives
    pyramid           small grey pictures of raw and JPEG that can be compared
    surface           maps while they are being estimated
"""

from __future__ import annotations

from rawback.geometry.registration.own_raw import own_raw
from rawback.geometry.registration.same_shot import (
    Comparison,
    Summary,
    Verdict,
    shows_same_shot,
    summarise,
)
from rawback.geometry.registration.search import MATCH, Registration, register

__all__ = [
    "MATCH",
    "Comparison",
    "Registration",
    "Summary",
    "Verdict",
    "own_raw",
    "register",
    "shows_same_shot",
    "summarise",
]
