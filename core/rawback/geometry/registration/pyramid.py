"""Small grey pictures of the raw and of the carrier, in which one can be found in the other.

Both show the sensor's green, on a square-root scale. Green has the least noise, and the mean of
a quad's two greens lies exactly at the quad's centre, whatever the colours of the scene. The
carrier's own green would not do: a colour matrix has mixed the sensor's red and blue into it,
which lenses put elsewhere towards the corners, so that positions would be off by up to 0.3 pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = [
    "PyramidLevel",
    "carrier_level",
    "colour_levels",
    "local_contrast",
    "locally_normalised",
    "raw_level",
    "structured_share",
]

# What of linear sRGB a sensor's green sees, within a few hundredths on all sensors measured.
_SENSOR_GREEN = (0.08, 0.75, 0.17)

# OpenCV warps no pictures of 32768 pixels or more.
_LONGEST = 30_000

_WINDOW = 17
_FLOOR = 0.012
_STRUCTURE_SIDE, _NEIGHBOURHOOD = 176, 9
_STRUCTURED = 0.3


@dataclass(frozen=True, slots=True)
class PyramidLevel:
    """A reduced grey picture.

    Attributes:
        image: float32 ``[h, w]``, 0 to 1.
        step: Full-size pixels per picture pixel in x and y. Picture pixel ``i`` is centred at
            full-size position ``(i + 0.5) * step - 0.5``.
    """

    image: NDArray[np.float32]
    step: tuple[float, float]

    @property
    def pixel(self) -> float:
        """Full-size pixels per picture pixel, mean of both axes."""
        return (self.step[0] + self.step[1]) / 2

    def reduced(self, step: float) -> PyramidLevel:
        """The level with about this many full-size pixels per pixel, or itself if it has more."""
        height, width = self.image.shape
        size = _reduced_size(width * self.step[0], height * self.step[1], step)
        if size[0] >= width or size[1] >= height:
            return self
        image = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
        return PyramidLevel(
            image.astype(np.float32, copy=False),
            (self.step[0] * width / size[0], self.step[1] * height / size[1]),
        )


def _reduced_size(width: float, height: float, step: float) -> tuple[int, int]:
    return max(round(width / step), 16), max(round(height / step), 16)


def raw_level(frame: RawFrame) -> PyramidLevel:
    """The mosaic's green at half size, square root of the signal."""
    if not frame.mosaic.is_bayer:
        palette = frame.mosaic.palette
        level, _ = _cell_level(frame, "G" if "G" in palette else palette)
        return level if frame.mosaic.cell > 1 else level.reduced(2.0)
    rows, columns = frame.height // 2 * 2, frame.width // 2 * 2
    first, second = (at for at, colour in enumerate(frame.pattern) if colour == "G")
    greens = [frame.cfa[at // 2 : rows : 2, at % 2 : columns : 2] for at in (first, second)]
    levels, white = frame.light_levels
    black = (levels[first] + levels[second]) / 2
    if frame.floats is None or frame.floats.scale.is_linear:
        signal = (np.arange(2 * 0xFFFF + 1, dtype=np.float32) / 2 - black) / (white - black)
        scale = np.sqrt(signal.clip(0, 1))
        image = scale[greens[0].astype(np.uint32) + greens[1]]
    else:
        light = (frame.light(greens[0]) + frame.light(greens[1])) / 2
        image = np.sqrt(((light - black) / (white - black)).clip(0, 1))
    return PyramidLevel(image, (2.0, 2.0))


def colour_levels(frame: RawFrame) -> list[PyramidLevel]:
    """Each colour of the mosaic on its own, square root of the signal, at cells' size.

    Returns:
        A level for each colour of the palette, all of one size: what they show lies at the same
        places, except where the lens puts it elsewhere.
    """
    levels = []
    for colour in frame.mosaic.palette:
        level, offset = _cell_level(frame, colour)
        rows, columns = level.image.shape
        # Samples of a colour lie off their cells' middle: a quarter of a quad in Bayer mosaics.
        across, down = offset / frame.mosaic.cell
        image = cv2.warpAffine(
            level.image,
            np.array([[1, 0, -across], [0, 1, -down]]),
            (columns, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        moved = PyramidLevel(np.asarray(image, np.float32), level.step)
        levels.append(moved if frame.mosaic.cell > 1 else moved.reduced(2.0))
    return levels


def _cell_level(frame: RawFrame, light: str) -> tuple[PyramidLevel, NDArray[np.float64]]:
    """The mean of each cell's samples of these colours, and how far off its middle they lie."""
    mosaic, cell = frame.mosaic, frame.mosaic.cell
    rows, columns = frame.height // cell, frame.width // cell
    image = np.zeros((rows, columns), np.float32)
    offset = np.zeros(2)
    planes, (levels, white) = 0, frame.light_levels
    layout = mosaic.layout()
    down, right = layout.shape[:2]
    samples = frame.cfa.reshape(frame.height, -1)[: cell * rows, : mosaic.across * columns]
    for plane in range(mosaic.planes):
        if mosaic.colours[layout[0, 0, plane, 1]] not in light:
            continue
        planes += 1
        for top, left in np.ndindex(down, right):
            place, channel = layout[top, left, plane].tolist()
            row, column = divmod(place, mosaic.across)
            black = np.float32(levels[channel])
            scale = 1 / np.float32(white - levels[channel])
            lines = slice(cell * top + row, None, cell * down)
            part = samples[lines, mosaic.across * left + column :: mosaic.across * right]
            image[top::down, left::right] += (frame.light(part) - black) * scale
            offset += np.array([column // mosaic.samples, row]) / (down * right)
    image = np.sqrt((image / planes).clip(0, 1))
    return PyramidLevel(image, (float(cell), float(cell))), offset / planes - (cell - 1) / 2


def carrier_level(
    pixels: NDArray[np.uint8], step: float, *, negative: bool = False
) -> PyramidLevel:
    """What the sensor's green saw, as far as the carrier tells.

    Args:
        pixels: uint8 ``[H, W, 3]``, taken for sRGB.
        step: About how many carrier pixels to one of the level; at least 1, more where the level
            would get too long.
        negative: Whether the carrier is a negative, to be shown as a positive.

    Returns:
        The level.
    """
    height, width = pixels.shape[:2]
    size = _reduced_size(width, height, max(step, 1, max(width, height) / _LONGEST))
    small = pixels
    if size[0] < width and size[1] < height:
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    display = np.arange(256) / 255
    if negative:
        display = display[::-1]
    linear = np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)
    image = np.zeros(small.shape[:2], np.float32)
    for channel, share in enumerate(_SENSOR_GREEN):
        table = (linear * share).astype(np.float32)
        image += cv2.LUT(np.ascontiguousarray(small[..., channel]), table)
    np.sqrt(image, out=image)
    return PyramidLevel(image, (width / small.shape[1], height / small.shape[0]))


def locally_normalised(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take away what renderings change: the local mean, and the local contrast above noise."""
    detail, spread = local_contrast(image)
    return (detail / spread).astype(np.float32, copy=False)


def local_contrast(
    image: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a picture shows above its local mean, and the root mean square of that, float32."""
    smooth = cv2.GaussianBlur(image, (0, 0), 0.7)
    mean = cv2.boxFilter(smooth, -1, (_WINDOW, _WINDOW))
    power = cv2.sqrBoxFilter(smooth, cv2.CV_32F, (_WINDOW, _WINDOW))
    spread = np.sqrt(np.maximum(power - mean * mean, 0) + np.float32(_FLOOR**2))
    return smooth - mean, spread


def structured_share(level: PyramidLevel) -> float:
    """Part of a picture, 0 to 1, that shows more than noise and vignetting.

    Measured: bias frames, flat fields, night skies 0.00; photographs 0.3 to 1.
    """
    small = level.reduced(max(level.image.shape) * level.pixel / _STRUCTURE_SIDE)
    power = np.square(locally_normalised(small.image))
    return float((cv2.blur(power, (_NEIGHBOURHOOD, _NEIGHBOURHOOD)) > _STRUCTURED).mean())
