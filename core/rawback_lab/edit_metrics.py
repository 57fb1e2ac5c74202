"""How alike two raws look once they are edited.

Equal raw PSNR can hide very different pictures: lifting shadows by four stops or shifting the
white balance shows errors that a plain rendering does not. So both raws are rendered by the same
simple converter at several settings, and compared as pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from rawback_lab.colour import D65, SRGB_TO_XYZ, camera_to_srgb, to_srgb
from rawback_lab.demosaic import HALO, balanced_signal, demosaic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = [
    "EDITS",
    "Edit",
    "Likeness",
    "delta_e_2000",
    "edit_metrics",
    "lab_from_linear",
    "picture_edit_metrics",
]

_STRIP_ROWS = 128


@dataclass(frozen=True, slots=True)
class Edit:
    """What an editor does to a raw.

    Attributes:
        stops: Exposure compensation in EV.
        warmth: Factors on red, green and blue on top of the frame's white balance.
    """

    stops: float = 0.0
    warmth: tuple[float, float, float] = (1.0, 1.0, 1.0)


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        "+0 EV": Edit(0),
        "+2 EV": Edit(2),
        "+4 EV": Edit(4),
        "warmer": Edit(0, (1.25, 1.0, 0.75)),
    }
)
"""The edits that benchmarks report, by name."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two renderings are.

    Attributes:
        psnr: PSNR of the sRGB-encoded, unrounded pictures, in dB; inf where they are equal.
        delta_e: Mean CIEDE2000 colour difference.
    """

    psnr: float
    delta_e: float


def edit_metrics(
    original: RawFrame,
    restored: RawFrame,
    edits: Mapping[str, Edit] = EDITS,
    every: int = 1,
) -> dict[str, Likeness]:
    """Render both raws alike under each edit, and compare.

    Args:
        original: The raw as the camera gave it; its colours render both.
        restored: A frame of the same size and pattern.
        edits: The edits, by name.
        every: Look at every n-th strip of 128 rows only: a sample of the frame in less time.

    Returns:
        The likeness under each edit, by its name.
    """
    matrix = camera_to_srgb(original)
    starts = range(0, original.height, _STRIP_ROWS * every)
    strips = [slice(start, min(start + _STRIP_ROWS, original.height)) for start in starts]
    return {
        name: _likeness(
            (_developed(original, rows, edit, matrix), _developed(restored, rows, edit, matrix))
            for rows in strips
        )
        for name, edit in edits.items()
    }


def picture_edit_metrics(
    original: NDArray[np.uint16],
    restored: NDArray[np.uint16],
    frame: RawFrame,
    edits: Mapping[str, Edit] = EDITS,
) -> dict[str, Likeness]:
    """The same for linear camera RGB.

    Args:
        original: ``[H, W, 3]``, white at 65535.
        restored: Of the same shape.
        frame: Whose colours and white balance render both.
        edits: The edits, by name.

    Returns:
        The likeness under each edit, by its name.
    """
    matrix = camera_to_srgb(frame)

    def developed(picture: NDArray[np.uint16], edit: Edit) -> NDArray[np.float32]:
        gains = np.array(edit.warmth) / np.array(frame.neutral)
        balanced = picture * (gains / (gains.min() * 65535)).astype(np.float32)
        return _exposed(np.clip(balanced, 0, 1, out=balanced), edit, matrix)

    return {
        name: _likeness([(developed(original, edit), developed(restored, edit))])
        for name, edit in edits.items()
    }


def _likeness(pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> Likeness:
    """Of strips of linear sRGB in [0, 1], ``[rows, W, 3]`` each."""
    squares, differences, pixels = 0.0, 0.0, 0
    for one, other in pairs:
        error = to_srgb(one) - to_srgb(other)
        squares += float(np.square(error).sum(dtype=np.float64))
        difference = delta_e_2000(lab_from_linear(one), lab_from_linear(other))
        differences += float(difference.sum(dtype=np.float64))
        pixels += difference.size
    mean = squares / (3 * pixels)
    return Likeness(math.inf if mean == 0 else -10 * math.log10(mean), differences / pixels)


def _developed(
    frame: RawFrame, rows: slice, edit: Edit, matrix: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Linear sRGB of some rows under an edit, float32 ``[rows, W, 3]`` in [0, 1]."""
    first = max(rows.start - HALO, 0)
    balanced = balanced_signal(frame, slice(first, rows.stop + HALO), edit.warmth)
    camera = demosaic(balanced, frame.pattern)[rows.start - first :][: rows.stop - rows.start]
    return _exposed(camera, edit, matrix)


def _exposed(
    camera: NDArray[np.float32], edit: Edit, matrix: NDArray[np.float64]
) -> NDArray[np.float32]:
    light = camera @ matrix.T.astype(np.float32) * np.float32(2**edit.stops)
    return np.clip(light, 0, 1, out=light)


def lab_from_linear(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE 1976 L*a*b* (white D65) of linear sRGB; float32 ``[..., 3]``."""
    relative = linear @ (SRGB_TO_XYZ / D65[:, None]).T.astype(np.float32)
    curve = np.where(
        relative > (6 / 29) ** 3,
        np.cbrt(relative),
        relative * np.float32((29 / 6) ** 2 / 3) + np.float32(4 / 29),
    )
    x, y, z = curve[..., 0], curve[..., 1], curve[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def delta_e_2000(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.floating]:
    """CIEDE2000 colour difference (ISO/CIE 11664-6) of L*a*b* colours.

    Args:
        one: ``[..., 3]``.
        other: ``[..., 3]``.

    Returns:
        ``[...]``, at least 0; about 1 is just noticeable.
    """
    mean_chroma = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    stretch = 1 + 0.5 * (1 - _chroma_weight(mean_chroma))
    chroma_1, hue_1 = _polar(one, stretch)
    chroma_2, hue_2 = _polar(other, stretch)

    turn = hue_2 - hue_1
    turn -= 360 * np.rint(turn / 360)
    lightness_step = other[..., 0] - one[..., 0]
    chroma_step = chroma_2 - chroma_1
    hue_step = 2 * np.sqrt(chroma_1 * chroma_2) * np.sin(np.radians(turn / 2))

    lightness = (one[..., 0] + other[..., 0]) / 2
    chroma = (chroma_1 + chroma_2) / 2
    # The mean hue lies half the shorter turn from the first; where a colour is grey, hue has no
    # meaning and the standard takes the sum of both.
    hue = np.where(chroma_1 * chroma_2 == 0, hue_1 + hue_2, (hue_1 + turn / 2) % 360)

    offset = (lightness - 50) ** 2
    lightness_scale = 1 + 0.015 * offset / np.sqrt(20 + offset)
    chroma_scale = 1 + 0.045 * chroma
    hue_scale = 1 + 0.015 * chroma * _hue_weight(hue)
    blue_turn = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    rotation = -np.sin(blue_turn) * 2 * _chroma_weight(chroma)

    l_term, c_term, h_term = (
        lightness_step / lightness_scale,
        chroma_step / chroma_scale,
        hue_step / hue_scale,
    )
    square = l_term**2 + c_term**2 + h_term**2 + rotation * c_term * h_term
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def _chroma_weight(chroma: NDArray[np.floating]) -> NDArray[np.floating]:
    seventh = chroma**7
    return np.asarray(np.sqrt(seventh / (seventh + 25.0**7)))


def _polar(
    lab: NDArray[np.floating], stretch: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Chroma, and hue in degrees of [0, 360), after stretching a* of greyish colours."""
    a, b = lab[..., 1] * stretch, lab[..., 2]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _hue_weight(hue: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
