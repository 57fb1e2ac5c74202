"""One simple rendering that treats any two raws alike: for measures, and for pictures to compare.

White balance, interpolation of the missing colours or averaging of cells, the camera's matrix to
linear sRGB, exposure, the sRGB curve. No tone curve, no denoising, no sharpening: what differs
between two renderings is what differs between the raws.

The interpolation of Bayer mosaics is gradient-corrected and linear (Malvar, He and Cutler, ICASSP
2004): each missing colour is the mean of its neighbours, corrected by the Laplacian of the colour
that is there. In other patterns the commonest colour is averaged over its nearest neighbours, and
the differences of the others from it are over more of them, because they change more slowly.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rawback.mosaic import Mosaic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = [
    "D65",
    "FILTERS",
    "SRGB_TO_XYZ",
    "balanced_signal",
    "binned",
    "camera_to_srgb",
    "demosaic",
    "exposed",
    "from_srgb",
    "halo",
    "lines_of_channels",
    "srgb_to_camera",
    "to_srgb",
]

SRGB_TO_XYZ: NDArray[np.float64] = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
"""Linear sRGB to CIE XYZ (IEC 61966-2-1)."""

D65: NDArray[np.float64] = SRGB_TO_XYZ.sum(axis=1)
"""XYZ of sRGB white."""

_MALVAR_RADIUS = 2

FILTERS = {
    "R": (1, 0, 0), "G": (0, 1, 0), "B": (0, 0, 1), "C": (0, 0.5, 0.5), "M": (0.5, 0, 0.5),
    "Y": (0.5, 0.5, 0), "E": (0, 0.75, 0.25), "W": (1 / 3, 1 / 3, 1 / 3),
}  # fmt: skip
"""What each colour of filter lets through of red, green and blue light, of white light 1."""

_AT_OTHER_COLOURS = np.array(
    [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
)
"""Green at red or blue."""

_ALONG_ROWS = np.array(
    [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
)
"""Red or blue at a green whose row holds that colour; transposed, whose column does."""

_ACROSS = np.array(
    [
        [0, 0, -1.5, 0, 0],
        [0, 2, 0, 2, 0],
        [-1.5, 0, 6, 0, -1.5],
        [0, 2, 0, 2, 0],
        [0, 0, -1.5, 0, 0],
    ]
)
"""Red at blue, blue at red."""


def balanced_signal(
    frame: RawFrame,
    rows: slice = slice(None),
    columns: slice = slice(None),
    warmth: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> NDArray[np.float32]:
    """White-balanced signal of a part: 1 is where the first colour saturates on grey.

    Args:
        frame: The raw.
        rows: Which rows.
        columns: Which columns.
        warmth: Further factors on red, green and blue, to render a shifted white balance.

    Returns:
        float32 ``[rows, columns]``, or ``[rows, columns, samples]``, clipped to what every colour
        can reach, so that highlights stay white instead of turning magenta.
    """
    mosaic = frame.mosaic
    gains = np.array(warmth, np.float64) / np.array(frame.shown_neutral)
    gains /= gains.min()
    by_colour = dict(zip("RGB", gains.tolist(), strict=True))
    signal = frame.light(frame.cfa[rows, columns])
    levels, white = frame.light_levels
    black = np.array(levels, np.float32)
    factors = np.array(
        [
            by_colour.get(colour, 1.0) / (white - level)
            for colour, level in zip(mosaic.colours, levels, strict=True)
        ],
        np.float32,
    )
    if not mosaic.pattern:
        signal -= black
        signal *= factors
        return np.clip(signal, 0, 1, out=signal)
    origin = range(frame.height)[rows].start, range(frame.width)[columns].start
    for lines, channels in lines_of_channels(mosaic, signal.shape[1], origin):
        signal[lines] -= black[channels]
        signal[lines] *= factors[channels]
    return np.clip(signal, 0, 1, out=signal)


def lines_of_channels(
    mosaic: Mosaic, width: int, origin: tuple[int, int] = (0, 0)
) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """The rows of a mosaic in groups that are alike, and the channels of their samples.

    Args:
        mosaic: A mosaic of one sample to a pixel.
        width: Samples in a row.
        origin: Row and column of the mosaic where the part begins that is spoken of.

    Yields:
        Which rows of the part, and the channel of each sample in them, ``[width]``.
    """
    channels = np.array(mosaic.pattern, np.intp)
    period, across = mosaic.period
    places = np.arange(origin[1], origin[1] + width) % across
    for phase in range(period):
        yield slice(phase, None, period), channels[(origin[0] + phase) % period, places]


def halo(pattern: str) -> int:
    """Rows and columns of context that `demosaic` needs on each side of a part."""
    mosaic = Mosaic.parse(pattern)
    if mosaic.is_bayer:
        return _MALVAR_RADIUS
    return 0 if mosaic.samples > 1 or mosaic.is_monochrome else sum(_radii(mosaic))


def demosaic(
    samples: NDArray[np.float32], pattern: str, origin: tuple[int, int] = (0, 0)
) -> NDArray[np.float32]:
    """Interpolate all three colours at every pixel.

    Args:
        samples: ``[H, W]`` or ``[H, W, 3]``, from `balanced_signal`, so that the colours agree on
            grey.
        pattern: The mosaic's pattern.
        origin: Row and column of the mosaic where `samples` begin.

    Returns:
        float32 ``[H, W, 3]``; overshoots may leave the range of `samples`. Where there are not
        all of red, green and blue, they are what fits the other colours best by `FILTERS`; without
        any colour all are grey.
    """
    mosaic, _ = Mosaic.parse(pattern).shifted(*origin)
    if mosaic.samples == 3:
        return samples
    if mosaic.is_monochrome:
        return np.repeat(samples[..., None], 3, axis=2)
    if mosaic.is_bayer:
        return _malvar(samples, str(mosaic))
    colours = _averaged(samples, mosaic)
    if mosaic.palette.startswith("RGB"):
        return colours[..., :3]
    seen = np.array([FILTERS[colour] for colour in mosaic.palette])
    return np.asarray(colours @ np.linalg.pinv(seen).T.astype(np.float32), np.float32)


def _malvar(mosaic: NDArray[np.float32], pattern: str) -> NDArray[np.float32]:
    """All three colours of a Bayer mosaic."""
    green_here, rows, columns, across = (
        _filtered(mosaic, kernel)
        for kernel in (_AT_OTHER_COLOURS, _ALONG_ROWS, _ALONG_ROWS.T, _ACROSS)
    )
    colours = np.empty((*mosaic.shape, 3), np.float32)
    for position, colour in enumerate(pattern):
        at = slice(position // 2, None, 2), slice(position % 2, None, 2)
        if colour == "G":
            red_in_row = pattern[position ^ 1] == "R"
            colours[(*at, 0)] = (rows if red_in_row else columns)[at]
            colours[(*at, 1)] = mosaic[at]
            colours[(*at, 2)] = (columns if red_in_row else rows)[at]
        else:
            own, other = (0, 2) if colour == "R" else (2, 0)
            colours[(*at, own)] = mosaic[at]
            colours[(*at, 1)] = green_here[at]
            colours[(*at, other)] = across[at]
    return colours


def _averaged(samples: NDArray[np.float32], mosaic: Mosaic) -> NDArray[np.float32]:
    """All colours of a mosaic of any pattern, ``[H, W, colours of its palette]``."""
    (near, far), shape = _radii(mosaic), samples.shape
    masks = {colour: mosaic.mask(colour, *shape) for colour in mosaic.palette}
    places = [colour for row in mosaic.pattern for colour in (mosaic.colours[c] for c in row)]
    guide = max(mosaic.palette, key=places.count)
    base = _spread(samples, masks[guide], near, 0.4 * near)
    colours = np.empty((*shape, len(masks)), np.float32)
    for k, (colour, mask) in enumerate(masks.items()):
        plane = base
        if colour != guide:
            # What is known of the commonest colour is better than its mean.
            known = np.where(masks[guide], samples, base)
            plane = known + _spread(samples - base, mask, far, far / 2)
        colours[..., k] = np.where(mask, samples, plane)
    return colours


def _spread(
    values: NDArray[np.float32], mask: NDArray[np.bool_], radius: int, width: float
) -> NDArray[np.float32]:
    """Mean of the values under a mask around each place, weighted by a Gaussian of a width."""
    size = 2 * radius + 1

    def blurred(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        border = cv2.BORDER_REFLECT_101
        return np.asarray(cv2.GaussianBlur(plane, (size, size), width, borderType=border))

    weights = mask.astype(np.float32)
    # A colour that a very small picture does not have counts as dark.
    mean = blurred(values * weights) / np.maximum(blurred(weights), np.float32(1e-9))
    return np.asarray(mean, np.float32)


@lru_cache(maxsize=16)
def _radii(mosaic: Mosaic) -> tuple[int, int]:
    """How far the means of a mosaic's commonest colour and of differences from it reach."""
    rows, columns = mosaic.period
    radius = next(k for k in range(1, max(rows, columns) + 1) if _meets_all(mosaic, k))
    return max(radius, 2), radius + 2


def _meets_all(mosaic: Mosaic, radius: int) -> bool:
    """Whether every colour lies within a distance of each place of a mosaic."""
    shape = tuple(size + 2 * radius for size in mosaic.period)
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    inner = slice(radius, -radius)
    near = (
        cv2.dilate(mosaic.mask(colour, *shape).astype(np.uint8), kernel)[inner, inner]
        for colour in mosaic.palette
    )
    return all(bool(np.all(place)) for place in near)


def binned(
    samples: NDArray[np.float32],
    pattern: str,
    factor: int = 2,
    origin: tuple[int, int] = (0, 0),
) -> NDArray[np.float32]:
    """Average each colour over squares of the mosaic: a smaller picture.

    Args:
        samples: ``[H, W]`` or ``[H, W, 3]``; rows and columns beyond the last whole square are left
            out.
        pattern: The mosaic's pattern.
        factor: Side of a square in pixels, even.
        origin: Row and column of the mosaic where `samples` begin; even for Bayer mosaics, whose
            samples alone are averaged. Those of other patterns are interpolated first.

    Returns:
        float32 ``[H // factor, W // factor, 3]``.
    """
    height, width = (side // factor for side in samples.shape[:2])
    if not Mosaic.parse(pattern).is_bayer:
        colours = demosaic(samples, pattern, origin)[: height * factor, : width * factor]
        mean = cv2.resize(colours, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(mean, np.float32)
    whole = samples[: height * factor, : width * factor]
    colours = np.zeros((height, width, 3), np.float32)
    for position, colour in enumerate(pattern):
        plane = np.ascontiguousarray(whole[position // 2 :: 2, position % 2 :: 2])
        if factor > 2:
            mean = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
            plane = np.asarray(mean, np.float32)
        colours[..., "RGB".index(colour)] += plane * np.float32(0.5 if colour == "G" else 1)
    return colours


def exposed(
    camera: NDArray[np.float32], matrix: NDArray[np.float64], stops: float = 0.0
) -> NDArray[np.float32]:
    """What a display shows of white-balanced camera RGB.

    Args:
        camera: ``[H, W, 3]``.
        matrix: From `camera_to_srgb`.
        stops: Exposure compensation in EV.

    Returns:
        Linear sRGB, float32 ``[H, W, 3]`` in [0, 1].
    """
    light = np.asarray(cv2.transform(camera, matrix * 2.0**stops), np.float32)
    return np.clip(light, 0, 1, out=light)


def srgb_to_camera(color_matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB to white-balanced camera RGB: white stays (1, 1, 1), as raw converters assume."""
    matrix: NDArray[np.float64] = color_matrix @ SRGB_TO_XYZ
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float64)


def camera_to_srgb(frame: RawFrame) -> NDArray[np.float64]:
    """White-balanced camera RGB of `frame` to linear sRGB, ``[3, 3]``.

    The identity where the camera's matrix has no inverse.
    """
    matrix = np.array(frame.shown_matrix, np.float64).reshape(3, 3)
    if abs(np.linalg.det(matrix)) < 1e-6:
        return np.eye(3)
    return np.asarray(np.linalg.inv(srgb_to_camera(matrix)), np.float64)


def from_srgb(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Undo the sRGB transfer curve: codes, or floats in [0, 1], to linear float32 in [0, 1]."""
    if pixels.dtype == np.uint8:
        table = from_srgb(np.linspace(0, 1, 256, dtype=np.float32))
        return table[pixels]
    encoded = np.asarray(pixels, np.float32)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def to_srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply the sRGB transfer curve to linear light, clipped to [0, 1]; float32 in [0, 1]."""
    light = np.clip(linear, 0, 1)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return encoded.astype(np.float32)


def _filtered(mosaic: NDArray[np.float32], kernel: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.filter2D(mosaic, cv2.CV_32F, kernel / 8, borderType=cv2.BORDER_REFLECT_101), np.float32
    )
