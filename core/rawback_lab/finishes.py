"""What raw developers and cameras do to a rendering besides tone; registration must survive it."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FINISHES", "Finish"]

Finish: TypeAlias = Callable[["NDArray[np.uint8]"], "NDArray[np.uint8]"]
"""sRGB codes, uint8 ``[H, W, 3]``, to such of the same size."""


def _vignetted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Corners 70 % darker."""
    height, width = pixels.shape[:2]
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
    falloff = 1 - 0.35 * (x * x + y * y)
    return np.asarray((pixels * falloff[..., None]).astype(np.uint8))


def _denoised(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A bilateral filter, twice: flat areas become even."""
    smooth = cv2.bilateralFilter(pixels, 7, 40, 3)
    return np.asarray(cv2.bilateralFilter(smooth, 7, 40, 3), np.uint8)


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Black and white with a red filter, on a contrasty curve."""
    light = pixels.astype(np.float32) @ np.array([0.8, 0.3, -0.1], np.float32)
    curve = 128 + 150 * np.tanh((light - 128) / 100)
    return np.repeat(curve.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _tone_mapped(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Local contrast raised, large contrasts lowered."""
    picture = pixels.astype(np.float32)
    sigma = max(pixels.shape[:2]) / 60
    surround = cv2.GaussianBlur(picture.mean(axis=2), (0, 0), sigma)
    return np.asarray((picture * (115 / (surround[..., None] + 45))).clip(0, 255), np.uint8)


def _negative(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(255 - pixels, np.uint8)


def _sharpened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Unsharp mask, radius 2, amount 2."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 2)
    return np.asarray(cv2.addWeighted(pixels, 3, soft, -2, 0), np.uint8)


FINISHES: Mapping[str, Finish] = MappingProxyType(
    {
        "none": lambda pixels: pixels,
        "vignette": _vignetted,
        "denoise": _denoised,
        "black and white": _grey,
        "tone map": _tone_mapped,
        "negative": _negative,
        "sharpen": _sharpened,
    }
)
