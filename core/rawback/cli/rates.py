"""The one rate that a command line asks for."""

from __future__ import annotations

import math

import rawback
from rawback.cli.options import UsageError

__all__ = ["rate_of"]


def rate_of(
    size: int | None,
    bpp: float | None,
    quality: float | None,
    psnr: float | None,
    *,
    lossless: bool,
) -> rawback.Rate | None:
    """The one rate that was asked for, or None."""
    given = {
        "--size": size,
        "--bpp": bpp,
        "--quality": quality,
        "--psnr": psnr,
        "--lossless": lossless or None,
    }
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) > 1:
        message = f"{' and '.join(asked)} exclude each other; give one of them."
        raise UsageError(message)
    if any(math.isnan(value) for value in (bpp, quality, psnr) if value is not None):
        message = f"{asked[0]} needs a number."
        raise UsageError(message)
    if not asked:
        return None
    if size is not None:
        return rawback.Rate.size(size)
    if bpp is not None:
        return rawback.Rate.bpp(bpp)
    if quality is not None:
        return rawback.Rate.quality(quality)
    if psnr is not None:
        return rawback.Rate.psnr(psnr)
    return rawback.Rate.lossless()
