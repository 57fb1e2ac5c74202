"""One picture that shows what came back: JPEG, original, restored and error, rendered alike.

Everything is shown darker than the JPEG. There the raw still has detail where the JPEG is white,
and it shows whether the restored raw has it, too.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rawback.files import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image, ImageDraw

    Light: TypeAlias = NDArray[np.float32]

__all__ = ["Row", "comparison"]

_STOPS = 1.5
_ERROR_GAIN = 16
_CROP = (430, 190, 430 + 352, 190 + 264)
_MARGIN, _GAP, _CAPTION = 28, 12, 30
_BACK, _TEXT, _FAINT, _ACCENT = (250, 250, 248), (28, 28, 30), (120, 120, 124), (214, 84, 32)


@dataclass(frozen=True, slots=True)
class Row:
    """A restored raw to show.

    Attributes:
        dng: The file.
        name: What it was restored from.
        figure: How good it is.
    """

    dng: Path
    name: str
    figure: str


def comparison(raw: Path, jpeg: Path, rows: list[Row]) -> bytes:
    """Draw the comparison.

    Args:
        raw: The original raw.
        jpeg: The JPEG that was made from it.
        rows: The restored raws, from the smallest payload to the largest.

    Returns:
        A PNG file.
    """
    from PIL import Image

    with Image.open(io.BytesIO(read_file(jpeg))) as picture:
        whole = picture.convert("RGB")
    balance = _white_balance(raw)
    original = _linear_raw(raw, balance)
    flat = _linear_jpeg(whole)
    gain = _gain(flat, original)
    dark = 2.0**-_STOPS
    truth = _developed(original * (gain * dark))
    restored = [_developed(_linear_raw(row.dng, balance) * (gain * dark)) for row in rows]
    return _drawn(whole, _developed(flat * dark), truth, restored, rows)


def _white_balance(raw: Path) -> list[float]:
    """LibRaw's multipliers as the camera set them."""
    import rawpy

    with rawpy.imread(io.BytesIO(read_file(raw))) as opened:
        return list(opened.camera_whitebalance)


def _linear_raw(dng: Path, balance: list[float]) -> Light:
    """Linear sRGB light of a raw, float32 ``[H, W, 3]``, 0 to 1."""
    import rawpy

    with rawpy.imread(io.BytesIO(read_file(dng))) as raw:
        light = raw.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            user_wb=balance,
            output_bps=16,
            # Where green alone is at its limit, red and blue still tell what was there.
            highlight_mode=rawpy.HighlightMode.Blend,
        )
    return light.astype(np.float32) / np.float32(65535)


def _linear_jpeg(picture: Image.Image) -> Light:
    """The light an sRGB picture stands for by LibRaw's own curve (BT.709)."""
    code = np.asarray(picture, dtype=np.float32) / np.float32(255)
    light = np.where(code < 0.081, code / 4.5, ((code + 0.099) / 1.099) ** (1 / 0.45))
    return light.astype(np.float32)


def _developed(light: Light) -> NDArray[np.uint8]:
    """Light to sRGB codes by the same curve."""
    light = np.clip(light, 0, 1)
    code = np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)
    picture: NDArray[np.uint8] = np.rint(255 * code).astype(np.uint8)
    return picture


def _gain(flat: Light, original: Light) -> float:
    """How much brighter the JPEG was made than the raw."""
    middle = (flat > 0.05) & (flat < 0.5) & (original > 0.01)
    return float(np.median(flat[middle] / original[middle]))


def _drawn(
    whole: Image.Image,
    flat: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    restored: list[NDArray[np.uint8]],
    rows: list[Row],
) -> bytes:
    """Put all panels on a sheet: the JPEG on the left, then a row for each restored raw."""
    sheet = _Sheet(columns=4, rows=max(len(rows), 3))
    darker = f"{_STOPS:g} stops darker"
    sheet.panel(0, 0, _located(whole), "The carrier", "a JPEG like any other")
    sheet.panel(0, 1, _cropped(flat), "JPEG alone", darker)
    sheet.panel(0, 2, _cropped(_error(flat, truth)), "Its error", f"x {_ERROR_GAIN}")
    for number, (picture, row) in enumerate(zip(restored, rows, strict=True)):
        sheet.panel(1, number, _cropped(truth), "Original raw", darker)
        sheet.panel(2, number, _cropped(picture), row.name, row.figure)
        sheet.panel(3, number, _cropped(_error(picture, truth)), "Error", f"x {_ERROR_GAIN}")
    return sheet.png()


def _error(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    error = np.abs(picture.astype(np.int16) - truth)
    amplified: NDArray[np.uint8] = np.minimum(error * _ERROR_GAIN, 255).astype(np.uint8)
    return amplified


def _cropped(picture: NDArray[np.uint8]) -> Image.Image:
    from PIL import Image

    return Image.fromarray(picture).crop(_CROP)


def _located(whole: Image.Image) -> Image.Image:
    """The whole picture at a panel's size, with the place of the crop."""
    from PIL import ImageDraw

    width, height = _CROP[2] - _CROP[0], _CROP[3] - _CROP[1]
    small = whole.resize((width, height))
    scale = width / whole.width
    box = [round(edge * scale) for edge in _CROP]
    ImageDraw.Draw(small).rectangle(box, outline=_ACCENT, width=2)
    return small


class _Sheet:
    """A grid of panels with captions below them."""

    def __init__(self, columns: int, rows: int) -> None:
        from PIL import Image, ImageDraw, ImageFont

        self._panel = (_CROP[2] - _CROP[0], _CROP[3] - _CROP[1])
        width = 2 * _MARGIN + columns * self._panel[0] + (columns - 1) * _GAP
        height = 2 * _MARGIN + rows * (self._panel[1] + _CAPTION) + (rows - 1) * _GAP
        self._image = Image.new("RGB", (width, height), _BACK)
        self._draw: ImageDraw.ImageDraw = ImageDraw.Draw(self._image)
        self._font = ImageFont.load_default(17)

    def panel(self, column: int, row: int, picture: Image.Image, name: str, note: str) -> None:
        left = _MARGIN + column * (self._panel[0] + _GAP)
        top = _MARGIN + row * (self._panel[1] + _CAPTION + _GAP)
        self._image.paste(picture, (left, top))
        baseline = (left, top + self._panel[1] + _CAPTION - 9)
        self._draw.text(baseline, name, _TEXT, self._font, anchor="ls")
        aside = left + self._draw.textlength(f"{name}   ", self._font)
        self._draw.text((aside, baseline[1]), note, _FAINT, self._font, anchor="ls")

    def png(self) -> bytes:
        data = io.BytesIO()
        self._image.save(data, "PNG", optimize=True)
        return data.getvalue()
