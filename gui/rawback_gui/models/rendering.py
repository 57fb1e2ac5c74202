# SPDX-License-Identifier: GPL-3.0-or-later
"""How pictures are rendered: one exposure and one white balance for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rawback_gui.models.demosaic import camera_light

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import RawFrame

__all__ = [
    "DETENTS",
    "EXPOSURES",
    "RENDERINGS",
    "SHIFTS",
    "Development",
    "Rendering",
    "jpeg_gains",
    "neutral_at",
    "neutral_of",
]

Rendering: TypeAlias = Literal["match", "neutral", "linear"]
RENDERINGS: tuple[Rendering, ...] = ("match", "neutral", "linear")

EXPOSURES = (-4.0, 6.0)
"""Stops that can be asked for."""

DETENTS = (-2.0, 0.0, 2.0, 4.0)
"""Stops at which the slider rests."""

SHIFTS = (-1.0, 1.0)
"""Warmth and tint that can be asked for, in stops."""


@dataclass(frozen=True, slots=True)
class Development:
    """How all pictures are rendered.

    Attributes:
        exposure: Stops, -4 to 6.
        picked: Camera RGB of what is to be white, green = 1; None for what the camera says.
        warmth: Stops from blue to red, added to the white balance, -1 to 1.
        tint: Stops from magenta to green, added to it, -1 to 1.
        rendering: Match the JPEG's look; the camera's own colours with the curve of sRGB; or
            codes proportional to light.
    """

    exposure: float = 0.0
    picked: tuple[float, float, float] | None = None
    warmth: float = 0.0
    tint: float = 0.0
    rendering: Rendering = "match"

    @property
    def pushed(self) -> bool:
        """Whether pictures are to look otherwise than the JPEG."""
        return bool(self.exposure or self.warmth or self.tint or self.picked is not None)


def neutral_of(frame: RawFrame, development: Development) -> tuple[float, float, float]:
    """Camera RGB of what a development takes for white, green = 1; grey without any colours."""
    if frame.mosaic.is_monochrome:
        return 1.0, 1.0, 1.0
    red, green, blue = development.picked or frame.shown_neutral
    red *= 2.0 ** (-development.warmth / 2)
    blue *= 2.0 ** (development.warmth / 2)
    green *= 2.0**-development.tint
    return red / green, 1.0, blue / green


def jpeg_gains(frame: RawFrame, development: Development) -> tuple[float, float, float]:
    """How the gains of camera red, green and blue differ from those that the JPEG was made with."""
    if frame.mosaic.is_monochrome:
        return 1.0, 1.0, 1.0
    wanted, made = (_gains(n) for n in (neutral_of(frame, development), frame.shown_neutral))
    red, green, blue = (float(value) for value in wanted / made)
    return red, green, blue


def _gains(neutral: tuple[float, float, float]) -> NDArray[np.float64]:
    gains = 1 / np.array(neutral)
    return np.asarray(gains / gains.min())


def neutral_at(cfa: NDArray[np.uint16], frame: RawFrame) -> tuple[float, float, float] | None:
    """Camera RGB of a patch that is to be white or grey, green = 1.

    Args:
        cfa: uint16 ``[h, w]`` or ``[h, w, n]``, beginning at a whole pattern and holding one.
        frame: Whose levels and mosaic these are.

    Returns:
        None where the patch is clipped or too dark to tell, or no colours are told apart.
    """
    if cfa.max() >= 0.98 * frame.white or frame.mosaic.is_monochrome:
        return None
    light = camera_light(cfa, frame, (1.0, 1.0, 1.0), halved=True)
    means = light.reshape(-1, 3).mean(axis=0, dtype=np.float64)
    if means.min() < 1e-3:
        return None
    red, green, blue = (float(value) for value in means / means[1])
    return red, green, blue
