"""The colour matrix that LibRaw renders a raw with, where it does not tell.

Of some old cameras LibRaw knows how their colours become sRGB, but not their response to XYZ, and
rawpy hands out the latter only. It is read off a rendering then: the same picture in camera colours
and in sRGB, both linear.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import rawpy

from rawback.rawio import dng

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["rendering_matrix"]

# Linear sRGB of XYZ (IEC 61966-2-1), from which LibRaw comes to its matrices as well.
_SRGB_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_BRIGHTEST, _DARKEST = 0.9 * 0xFFFF, 64
_ENOUGH, _DENOMINATOR = 1000, 10_000
_NO_CONVERSION = 2e-3


def rendering_matrix(data: bytes) -> dng.Matrix | None:
    """XYZ (D65) to camera RGB, as LibRaw's rendering implies.

    Args:
        data: A raw of three colours that LibRaw reads.

    Returns:
        The matrix, rounded to 1/10000; None where LibRaw renders camera colours as they are.

    Raises:
        rawpy.LibRawError: LibRaw cannot render it.
    """
    camera = _rendered(data, rawpy.ColorSpace.raw)
    srgb = _rendered(data, rawpy.ColorSpace.sRGB)
    inside = (np.maximum(camera, srgb).max(axis=1) < _BRIGHTEST) & (
        np.minimum(camera, srgb).min(axis=1) > _DARKEST
    )
    if inside.sum() < _ENOUGH:
        return None
    to_srgb = np.linalg.lstsq(camera[inside], srgb[inside], rcond=None)[0].T
    if np.abs(to_srgb - np.eye(3)).max() < _NO_CONVERSION or np.linalg.cond(to_srgb) > 1e3:
        return None
    from_xyz = np.linalg.inv(to_srgb) @ np.linalg.inv(_SRGB_TO_XYZ)
    return dng.as_matrix(np.rint(from_xyz * _DENOMINATOR) / _DENOMINATOR)


def _rendered(data: bytes, space: rawpy.ColorSpace) -> NDArray[np.float64]:
    with rawpy.imread(io.BytesIO(data)) as raw:
        picture = raw.postprocess(
            half_size=True,
            output_bps=16,
            no_auto_bright=True,
            gamma=(1, 1),
            output_color=space,
            user_flip=0,
        )
    return picture.reshape(-1, 3).astype(np.float64)
