# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rate buys, and rates as people type them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rawback
from rawback_gui.models.texts import bits_text, bytes_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawback import CurvePoint, EmbedResult, Rate, SectionEnd

__all__ = [
    "Figures",
    "Tick",
    "figures_of_point",
    "figures_of_result",
    "parse_rate",
    "rate_text",
    "ticks_of",
]

_ENTRY = re.compile(
    r"(?P<quality>q(?:uality)?\s*)?(?P<number>\d+(?:[.,]\d+)?)\s*"
    r"(?P<unit>bpp|db|(?P<prefix>[kmg]?)(?P<binary>i?)b(?:ytes?)?|(?P<letter>[kmg]))?"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a rate buys, as it is shown.

    Attributes:
        payload_bytes: All bytes.
        bpp: The same as bits per raw pixel.
        share: The same as a part of the raw file.
        psnr_db: Infinite where the raw comes back exactly.
        error_over_sigma: 0 there.
        measured: Whether a payload was made, rather than figures looked up on the curve.
    """

    payload_bytes: int
    bpp: float
    share: float
    psnr_db: float
    error_over_sigma: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the slider where a section of the payload ends."""

    payload_bytes: int
    label: str


_SECTIONS = {
    "base": "base",
    "filter": "filters",
    "latents": "latents",
    "residual": "layer",
    "codes": "codes",
    "exact": "exact",
}


def ticks_of(ends: Iterable[SectionEnd]) -> tuple[Tick, ...]:
    """Marks for the ends of sections; layers are numbered from 1."""
    ticks = []
    for end in ends:
        name = tr(_SECTIONS.get(end.kind, end.kind))
        if end.kind in ("residual", "latents"):
            name = f"{name} {end.layer + 1}"
        if end.kind != "codes":
            ticks.append(Tick(end.payload_bytes, name))
    return tuple(ticks)


def figures_of_point(point: CurvePoint, raw_bytes: int) -> Figures:
    """Figures from the curve."""
    return Figures(
        point.payload_bytes,
        point.bpp,
        point.payload_bytes / max(raw_bytes, 1),
        point.psnr_db,
        point.error_over_sigma,
        measured=False,
    )


def figures_of_result(result: EmbedResult, raw_bytes: int) -> Figures:
    """Figures of a payload that was made."""
    return Figures(
        result.payload_bytes,
        result.bpp,
        result.payload_bytes / max(raw_bytes, 1),
        result.psnr_db,
        result.error_over_sigma,
        measured=True,
    )


def rate_text(rate: Rate) -> str:
    """A rate in words, such as :func:`parse_rate` takes: ``quality 60``, ``200 kB``."""
    texts = {
        "quality": tr("quality {}").format(f"{rate.value:g}"),
        "size": bytes_text(rate.value),
        "bpp": tr("{} bpp").format(bits_text(rate.value)),
        "psnr": tr("{} dB").format(f"{rate.value:g}"),
        "lossless": tr("lossless"),
    }
    return texts[rate.kind]


def parse_rate(text: str) -> Rate | None:
    """The rate that a text asks for.

    Args:
        text: ``200 kB``, ``1.5MB``, ``200000``, ``0.1 bpp``, ``48 dB``, ``quality 60`` or
            ``lossless``.

    Returns:
        None for a text that is no rate.
    """
    words = text.strip().lower()
    if words in ("lossless", "exact"):
        return rawback.Rate.lossless()
    match = _ENTRY.fullmatch(words)
    if match is None:
        return None
    number = float(match["number"].replace(",", "."))
    kinds = {"bpp": rawback.Rate.bpp, "db": rawback.Rate.psnr}
    try:
        if match["quality"]:
            return None if match["unit"] else rawback.Rate.quality(number)
        if match["unit"] in kinds:
            return kinds[match["unit"]](number) if number else None
        base = 1024 if match["binary"] else 1000
        power = " kmg".index(match["prefix"] or match["letter"] or " ")
        return rawback.Rate.size(number * base**power)
    except ValueError:
        return None
