# SPDX-License-Identifier: GPL-3.0-or-later
"""What a payload gives back that the JPEG alone does not hold, in figures and in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rawback_gui.models.clipping import jpeg_highlights
from rawback_gui.models.planes import planes_of
from rawback_gui.models.texts import bytes_text, percent_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback import Guide, RawFrame

__all__ = ["Gain", "gain_sentence", "measure_gain", "size_text"]

_DEVIATIONS, _RELATIVE = 3.0, 0.05
"""A sample is recovered if its error is below so many deviations of its noise, or such a part of
its light, whatever is more."""

_SHADOW = 2.0**-5
"""Part of saturation below which light counts as shadow."""

_FEW = 5e-4
"""Part of the picture below which the JPEG clips next to nothing."""

_SAMPLES = 4_000_000
_FEWEST_SHADOWS = 1000


@dataclass(frozen=True, slots=True)
class Gain:
    """What a payload gives back, measured on the whole picture.

    Attributes:
        clipped_share: Part of the picture, 0 to 1, that the JPEG clips and the raw does not.
        recovered_share: Part of that, 0 to 1, that comes back; nan where there is none.
        highlight_psnr_db: Raw PSNR where the JPEG clips, in dB; nan where it does not.
        shadow_noise: RMS error over the raw's own noise in shadows; nan where there are none.
        exact: Whether every sample comes back.
    """

    clipped_share: float
    recovered_share: float
    highlight_psnr_db: float
    shadow_noise: float
    exact: bool


def measure_gain(
    frame: RawFrame,
    restored: NDArray[np.uint16],
    guide: Guide,
    *,
    highlight_psnr_db: float,
    exact: bool,
) -> Gain:
    """Compare a restored raw with the original.

    Args:
        frame: The original.
        restored: uint16, as `frame.cfa`.
        guide: The JPEG on the raw's grid.
        highlight_psnr_db: As the library measured it.
        exact: The same.
    """
    every = max(1, round(math.sqrt(frame.cfa.size / _SAMPLES)))
    clipped = recovered = counted = shadows = 0
    squares = 0.0
    for plane in planes_of(frame.mosaic):
        black = frame.black[plane.channel]
        part, pixels = plane.index(every), plane.pixels(every)
        truth = (frame.cfa[part].astype(np.float32) - np.float32(black)) / np.float32(
            frame.white - black
        )
        found = (restored[part].astype(np.float32) - np.float32(black)) / np.float32(
            frame.white - black
        )
        covered = guide.mask[pixels] > 0
        rounding = 1 / 12 / (frame.white - black) ** 2
        noise = np.sqrt(
            np.float32(frame.noise.scale) * np.clip(truth, 0, 1)
            + np.float32(frame.noise.offset + rounding)
        )
        error = np.abs(found - truth)
        lost = covered & jpeg_highlights(guide.pixels[pixels]) & (frame.cfa[part] < frame.white)
        good = error <= np.maximum(_DEVIATIONS * noise, _RELATIVE * truth)
        clipped += int(lost.sum())
        recovered += int((lost & good).sum())
        counted += truth.size
        dark = truth < _SHADOW
        shadows += int(dark.sum())
        squares += float(((error[dark] / noise[dark]) ** 2).sum())
    return Gain(
        clipped_share=clipped / max(counted, 1),
        recovered_share=recovered / clipped if clipped else math.nan,
        highlight_psnr_db=highlight_psnr_db,
        shadow_noise=math.sqrt(squares / shadows) if shadows > _FEWEST_SHADOWS else math.nan,
        exact=exact,
    )


def size_text(jpeg_bytes: int, payload_bytes: int | None, *, measured: bool) -> str:
    """What the file takes: the JPEG and what is put into it."""
    jpeg = tr("JPEG {}").format(bytes_text(jpeg_bytes))
    if payload_bytes is None:
        return jpeg
    about = "" if measured else "\u2248 "
    return f"{jpeg} + {about}{bytes_text(payload_bytes)}"


def gain_sentence(gain: Gain | None) -> str:
    """What a payload gives back, in words; the text to show until that is measured."""
    if gain is None:
        return tr("what it gives back is measured when the slider rests")
    if gain.exact:
        return tr("every sample of the raw comes back, bit for bit")
    parts = []
    if gain.clipped_share < _FEW or math.isnan(gain.recovered_share):
        parts.append(tr("this JPEG clips next to nothing that the raw holds"))
    else:
        highlights = tr("{recovered} of the {clipped} of the picture that the JPEG clips is back")
        text = highlights.format(
            recovered=percent_text(gain.recovered_share), clipped=percent_text(gain.clipped_share)
        )
        if math.isfinite(gain.highlight_psnr_db):
            text += tr(" ({} dB)").format(f"{gain.highlight_psnr_db:.1f}")
        parts.append(text)
    if not math.isnan(gain.shadow_noise):
        parts.append(tr("shadows within {} the noise").format(f"{gain.shadow_noise:.2f} \u00d7"))
    return "; ".join(parts)
