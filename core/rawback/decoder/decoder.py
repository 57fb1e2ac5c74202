"""From a payload and its carrier back to the raw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rawback.common.black_levels import offsets_from_header
from rawback.common.header_fields import (
    check_tables,
    fits,
    frame_from_header,
    geometry_of,
    mosaic_of,
    pixels_needed,
    samples_digest,
)
from rawback.common.tiles import Window, trimmed
from rawback.decoder.frame import FrameDecoder
from rawback.errors import PayloadDamaged, PixelsChanged
from rawback.geometry import build_guide
from rawback.parallel import threads
from rawback.types import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rawback.bitstream import Header, Payload
    from rawback.jpegio import DecodedJpeg
    from rawback.types import Guide, Progress, RawFrame, Region

_Sample = TypeVar("_Sample", bound=np.generic)

__all__ = ["Restored", "carried_guide", "check_readable", "decode", "restore"]


@dataclass(frozen=True, slots=True)
class Restored:
    """What comes back from a payload.

    Attributes:
        frame: The raw, or the part of it that was asked for.
        exact: Whether this is the whole mosaic and its digest is that of the one embedded.
        coding_order: In which step, from 1, the latent over each quad is coded, uint8 ``[h, w]``
            of the whole frame; None without latents.
        grain: Whether grain was added.
    """

    frame: RawFrame
    exact: bool
    coding_order: NDArray[np.uint8] | None
    grain: bool = False


def decode(
    payload: Payload,
    carrier: DecodedJpeg,
    *,
    region: Region | None = None,
    progress: Progress | None = None,
) -> RawFrame:
    """The raw alone, see :func:`restore`."""
    return restore(payload, carrier, region=region, progress=progress).frame


def restore(
    payload: Payload,
    carrier: DecodedJpeg,
    *,
    region: Region | None = None,
    grain: bool = False,
    progress: Progress | None = None,
) -> Restored:
    """Rebuild the raw.

    Args:
        payload: May lack trailing sections; the raw is then coarser.
        carrier: The JPEG that carries it.
        region: Left, top, width and height, in raw pixels, of the part to rebuild, whose mosaic
            begins with the colours that it has there. The whole frame by default.
        grain: Add noise where no residual was coded, see :mod:`rawback.common.grain`.
        progress: Is told how far the work is.

    Returns:
        The raw, or the part of it; the part equals the same part of the whole.

    Raises:
        PixelsChanged: `carrier` decodes to other pixels than the payload was made for.
        PayloadDamaged: The payload contradicts itself.
        PayloadTooNew: It was coded with tables or networks that this version does not have.
        ValueError: The region is not inside the frame.
    """
    report = progress or (lambda _stage, _done: None)
    report("Checking the carrier", 0.0)
    header = payload.header
    _check(header, carrier)
    wanted = _window(region, header)
    frame = FrameDecoder(payload, pixels_needed(header, carrier), grain=grain)
    samples, window = frame.restore(wanted, report)
    left, top, width, height = region or (0, 0, header.width, header.height)
    kind = frame.mosaic
    down, right = top % kind.cell, left % kind.cell * kind.samples

    def cut(whole: NDArray[_Sample]) -> NDArray[_Sample]:
        part = whole[wanted.samples_within(window, kind)][down:, right:]
        return trimmed(part, kind, height, width)

    cfa, remainders = cut(samples), frame.restore_remainders(samples, window)
    offsets = offsets_from_header(header)
    if offsets is not None:
        cfa = offsets.added_to(cfa, top, left)
    made = frame_from_header(header, cfa, region)
    if made.floats is not None and remainders is not None:
        made = replace(made, floats=Floats(made.floats.scale, cut(remainders)))
    exact = region is None and frame.exact
    if exact and samples_digest(made) != header.cfa_digest:
        message = "The raw does not come back bit for bit; restore from another copy of the JPEG."
        raise PayloadDamaged(message)
    report("Restored", 1.0)
    grained = frame.grain is not None
    return Restored(made, exact, frame.coding_order, grained)


def check_readable(payload: Payload) -> None:
    """Refuse a payload that was coded with tables or networks that this version does not have.

    Raises:
        PayloadTooNew: So it was.
        PayloadDamaged: The section that names the networks is damaged.
    """
    from rawback.bitstream import SectionKind

    check_tables(payload.header)
    for section in payload.sections:
        if section.kind == SectionKind.LATENTS and section.layer == 0:
            from rawback.common.latents import LatentHeader

            LatentHeader.from_bytes(section.data)


def carried_guide(header: Header, carrier: DecodedJpeg) -> Guide:
    """A decoded carrier on the grid of the raw that its payload's header describes."""
    pixels = pixels_needed(header, carrier).pixels
    return build_guide(geometry_of(header), pixels, threads=threads())


def goes_with(header: Header, carrier: DecodedJpeg) -> bool:
    """Whether a payload can be restored with a JPEG.

    Returns:
        Whether it has the pixels that the payload was made for, or the payload needs none.
    """
    shape = (header.carrier_height, header.carrier_width, 3)
    same = carrier.pixels.shape == shape and carrier.digest == header.carrier_digest
    return same or geometry_of(header).is_disjoint


def _check(header: Header, carrier: DecodedJpeg) -> None:
    check_tables(header)
    if not goes_with(header, carrier):
        message = (
            "The JPEG's pixels are not those its payload was made for; restore from a copy that "
            "was not edited or recompressed since."
        )
        raise PixelsChanged(message)
    if not fits(header.width * header.height, header.carrier_width * header.carrier_height):
        message = "The payload names a raw far too large for its JPEG; fetch the file again."
        raise PayloadDamaged(message)


def _window(region: Region | None, header: Header) -> Window:
    """The cells that a region touches."""
    left, top, width, height = region or (0, 0, header.width, header.height)
    if min(left, top, width - 2, height - 2) < 0 or (
        left + width > header.width or top + height > header.height
    ):
        message = f"region {region} is no part of {header.width} x {header.height} pixels"
        raise ValueError(message)
    cell = mosaic_of(header).cell
    return Window(top // cell, left // cell, -(-(top + height) // cell), -(-(left + width) // cell))
