# SPDX-License-Identifier: GPL-3.0-or-later
"""What a carrier holds, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawback.mosaic import Mosaic
from rawback_gui.models.filenames import shortened
from rawback_gui.models.texts import bits_text, bytes_text, percent_text
from rawback_gui.models.wording import tr

if TYPE_CHECKING:
    from rawback import CarrierInfo

__all__ = ["contents_of", "has_learned_layer", "summary_of"]

_NAME_LENGTH = 28


def has_learned_layer(info: CarrierInfo) -> bool:
    """Whether latents of the learned layer are in a payload."""
    return any(section.kind == "latents" for section in info.sections)


def summary_of(info: CarrierInfo) -> str:
    """One line about a carrier."""
    camera = _camera(info)
    exact = tr("every sample of the raw") if info.exact else tr("the raw, lossy")
    megapixels = f"{info.width * info.height / 1e6:.1f} MP"
    parts = (camera, megapixels, exact, bytes_text(info.payload_bytes))
    return " \u00b7 ".join(part for part in parts if part)


def contents_of(info: CarrierInfo, jpeg_bytes: int) -> tuple[tuple[str, str], ...]:
    """Names and values of what is inside.

    Args:
        info: Of the carrier.
        jpeg_bytes: Size of the JPEG without the payload.
    """
    exact = tr("exact, sample for sample") if info.exact else tr("lossy")
    learned = tr("yes") if has_learned_layer(info) else tr("no")
    intact = tr("all checksums hold") if info.intact else tr("damaged")
    pattern = _mosaic(info.pattern)
    if info.floating_point:
        pattern = tr("{}, floating point").format(pattern)
    rows = [
        (tr("Camera"), _camera(info) or tr("not named")),
        (tr("Raw"), f"{info.width} \u00d7 {info.height}, {pattern}"),
        (tr("Samples"), exact),
        (tr("Payload"), f"{bytes_text(info.payload_bytes)}, {bits_text(info.bpp)} bpp"),
        (
            tr("JPEG"),
            f"{bytes_text(jpeg_bytes)}, {info.carrier_width} \u00d7 {info.carrier_height}",
        ),
        (tr("Raw file"), _raw_file(info)),
        (tr("Personal data"), tr(info.metadata.sentence)),
        (tr("Learned layer"), learned),
        (tr("State"), intact),
        (tr("Format"), info.format_version),
    ]
    return tuple(rows) + _sections(info)


def _mosaic(pattern: str) -> str:
    """What people call a pattern of colours."""
    mosaic = Mosaic.parse(pattern)
    return tr("{} of 2 \u00d7 2").format(pattern) if mosaic.is_bayer else tr(mosaic.name)


def _raw_file(info: CarrierInfo) -> str:
    """Whether the very file can be had back."""
    file = info.raw_file
    if file is None:
        return tr("not kept; a DNG is made")
    name = shortened(file.name, _NAME_LENGTH) or tr("without a name")
    return f"{name}, {bytes_text(file.size)}, {tr(file.encoding)}"


def _sections(info: CarrierInfo) -> tuple[tuple[str, str], ...]:
    """What each kind of section takes."""
    names = {
        "header": tr("Header"),
        "base": tr("Base"),
        "filter": tr("Filters"),
        "latents": tr("Latents"),
        "residual": tr("Layers"),
        "exact": tr("Exact layer"),
        "codes": tr("Code values"),
        "remainder": tr("Remainders of numbers"),
        "original": tr("Raw file"),
        "packaging": tr("Packaging"),
    }
    sizes: dict[str, int] = {}
    for section in info.sections:
        sizes[section.kind] = sizes.get(section.kind, 0) + section.bytes
    total = max(sum(sizes.values()), 1)
    return tuple(
        (names.get(kind, kind.capitalize()), f"{bytes_text(size)} ({percent_text(size / total)})")
        for kind, size in sizes.items()
    )


def _camera(info: CarrierInfo) -> str:
    """Make and model, the make once."""
    if info.model.casefold().startswith(info.make.casefold()):
        return info.model
    return f"{info.make} {info.model}".strip()
