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

from rawback.metrics import delta_e_2000, lab_from_linear
from rawback.rendering import balanced_signal, camera_to_srgb, demosaic, exposed, halo, to_srgb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from rawback.types import RawFrame

__all__ = [
    "EDITS",
    "Edit",
    "Likeness",
    "edit_metrics",
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
        gains = np.array(edit.warmth) / np.array(frame.shown_neutral)
        balanced = picture * (gains / (gains.min() * 65535)).astype(np.float32)
        return exposed(np.clip(balanced, 0, 1, out=balanced), matrix, edit.stops)

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
    around = halo(frame.pattern)
    first = max(rows.start - around, 0)
    balanced = balanced_signal(frame, slice(first, rows.stop + around), warmth=edit.warmth)
    camera = demosaic(balanced, frame.pattern, (first, 0))[rows.start - first :][
        : rows.stop - rows.start
    ]
    return exposed(camera, matrix, edit.stops)
