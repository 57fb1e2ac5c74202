"""How good what a payload restores is, for what its errors are to be small for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rawback.metrics import raw_psnr, visible_errors

if TYPE_CHECKING:
    from rawback.encoder.encoder_input import EncoderInput
    from rawback.types import RawFrame

__all__ = ["DECIBELS_PER_OCTAVE", "merit"]

_SEEN_AT, _UNSEEN = 2.0, 0.01
"""Stops by which pictures are lifted whose errors are compared, and errors that nobody sees."""

DECIBELS_PER_OCTAVE = 5.0
"""What half the visible error is worth in raw PSNR, where payloads are tuned for the eye."""


def merit(source: EncoderInput, restored: RawFrame) -> float:
    """Raw PSNR in dB; tuned for the eye, with the visible error beside it.

    Args:
        source: The shot.
        restored: What a payload restores of it.
    """
    psnr = raw_psnr(source.original, restored)
    if source.tune == "psnr":
        return psnr
    seen = visible_errors(source.original, restored, exposures=[_SEEN_AT], sampled=True)
    octaves = sum(math.log2(max(error.mean, _UNSEEN)) for error in seen) / len(seen)
    return psnr - DECIBELS_PER_OCTAVE * octaves
